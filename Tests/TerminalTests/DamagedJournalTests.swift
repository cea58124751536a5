import Dispenser
import Foundation
import FuelPassbook
import Journal
import Logging
import Metering
import SecurityModule
import Terminal
import Testing

/// The service on a journal whose old pages are damaged (decision record 0012).
struct DamagedJournalTests {
    private static let mark = "the marked record"

    private final class Display: PositionDisplay {
        private(set) var notices: [Notice] = []
        func show(_ state: PositionState, _ notice: Notice) { notices.append(notice) }
        func show(_ state: PositionState, centilitres: Int, fen: Int, unitPrice: UnitPrice) {}
        func printReceipt(_ record: SaleRecord, balance: Amount?) {}
    }

    private func settledRecord(_ number: UInt32) throws -> SaleRecord {
        let time = try TransactionTime(date: CalendarDate(year: 2024, month: 2, day: 29), hour: 1, minute: 2, second: 3)
        var record = SaleRecord(
            ttc: TTC(number),
            kind: .sale,
            phase: .settled,
            position: 1,
            terminal: Demonstration.terminal,
            lockTime: time,
            card: Demonstration.applicationFile.asn,
            key: KeyReference(index: Demonstration.keyIndex, version: Demonstration.keyVersion),
            balanceBefore: Demonstration.balance,
            ctc: CTC(1),
            mac3: [1, 2, 3, 4],
            nozzle: 1,
            grade: "92",
            unitPrice: UnitPrice(fenPerLitre: 721),
            reading: .none(points: 1),
            amount: .zero,
            gmac: nil
        )
        record.remark = number == 100 ? Self.mark : nil
        return record
    }

    @Test func theServiceStopsByItselfAndSaysWhy() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "greylock-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer {
            do { try FileManager.default.removeItem(at: folder) } catch { Issue.record(error) }
        }
        let path = folder.appending(path: "journal.sqlite").path
        var entry = JournalEntry()
        for number in 1...200 as ClosedRange<UInt32> { entry.records.append(try settledRecord(number)) }
        try SQLiteJournal(path: path, capacity: 1_000).commit(entry)
        var bytes = try Data(contentsOf: URL(filePath: path))
        let page = try #require(bytes.range(of: Data(Self.mark.utf8))).lowerBound / 4_096 * 4_096
        bytes.replaceSubrange(page..<page + 4_096, with: Data(repeating: 0xA5, count: 4_096))
        try bytes.write(to: URL(filePath: path))

        var sample = SampleConfiguration.demonstration
        sample.set("journal", "path", "'\(path)'")
        // No card comes: nobody but the check looks at the file.
        sample.set("card", "kind", "'pcsc'")
        let service = try Service(configuration: sample.load(), log: Logger(label: "test") { _ in LineLogHandler() })
        let display = Display()
        let failure = #expect(throws: ServiceFailure.self) { try service.run(display: display) }
        #expect(failure?.exitStatus == ServiceFailure.inputOutput)
        #expect(failure?.reason.hasPrefix("\(path): journal, check: the file is damaged") == true)
        // Recovery had its turn, and the outputs are off.
        #expect(display.notices.last == .closed)
    }
}
