import Dispenser
import Foundation
import FuelPassbook
import Journal
import Metering
import Quantities
import Records
import SecurityModule
import TestFolders
import TestJournals
import TestPrograms
import Testing
import Threads

/// The service on a journal whose old pages are damaged (decision record 0012).
struct DamagedJournalTests {
    private static let mark = "the marked record"

    private func settledRecord(_ number: UInt32) throws -> Record {
        let time = try TransactionTime(date: CalendarDate(year: 2024, month: 2, day: 29), hour: 1, minute: 2, second: 3)
        var fields = RecordFields(
            number: RecordNumber(number),
            kind: .sale,
            phase: .settled,
            side: 1,
            terminal: Demonstration.terminal,
            begun: time,
            standing: CardStanding(
                card: Demonstration.applicationFile.asn,
                key: KeyReference(index: Demonstration.keyIndex, version: Demonstration.keyVersion),
                balance: Demonstration.balance,
                ctc: CTC(1)
            ),
            mac3: [1, 2, 3, 4],
            delivery: Delivery(
                nozzle: 1,
                grade: "92",
                unitPrice: UnitPrice(fenPerLitre: 721),
                reading: .none(points: 1)
            ),
            amount: .zero,
            gmac: nil
        )
        fields.head.remark = number == 100 ? Self.mark : nil
        return try fields.completed()
    }

    @Test func theServiceStopsByItselfAndSaysWhy() throws {
        let folder = try TestFolder()
        let path = folder.path("journal.sqlite")
        var entry = JournalEntry()
        for number in 1...200 as ClosedRange<UInt32> { entry.records.append(try settledRecord(number)) }
        try SQLiteJournal(path: path, capacity: 1_000).commit(entry)
        var bytes = try Data(contentsOf: URL(filePath: path))
        let page = try #require(bytes.range(of: Data(Self.mark.utf8))).lowerBound / 4_096 * 4_096
        bytes.replaceSubrange(page..<page + 4_096, with: Data(repeating: 0xA5, count: 4_096))
        try bytes.write(to: URL(filePath: path))

        // No card comes: nobody but the check looks at the file.
        let configuration = try folder.file(
            "greylock.toml",
            ServiceConfiguration.text(
                journal: (path, ""),
                card: #"kind = "pcsc", reader = "none""#,
                pump: ServiceConfiguration.simulated(centilitres: 100, speed: 10)
            )
        )
        let service = try Program("greylock", ["run", "--config", configuration])
        #expect(service.end() == ServiceFailure.inputOutput)
        #expect(service.lines.contains { $0.contains("\(path): journal, check: the file is damaged") })
    }
}
