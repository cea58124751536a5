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

/// What `greylock records` and `greylock position` say of a journal with rows that are not believed.
struct DamagedRowsToolTests {
    private static let mark = "the remark that rots"
    private let folder: TestFolder
    private let path: String

    init() throws {
        folder = try TestFolder()
        path = folder.path("journal")
    }

    private func record(_ number: UInt32, _ remark: String) throws -> Record {
        var fields = RecordFields(
            number: RecordNumber(number),
            kind: .noCard,
            phase: .settled,
            side: 1,
            terminal: TerminalID(0x31),
            begun: try TransactionTime(
                date: CalendarDate(year: 2025, month: 6, day: 1),
                hour: 8,
                minute: 0,
                second: 0
            ),
            standing: CardStanding(
                card: .none,
                key: KeyReference(index: KeyIndex(1), version: KeyVersion(1)),
                balance: .zero,
                ctc: CTC(3)
            ),
            mac3: nil,
            delivery: Delivery(
                nozzle: 1,
                grade: "9\u{1B}2",
                unitPrice: UnitPrice(fenPerLitre: 785),
                reading: .none(points: 1)
            ),
            amount: .zero,
            gmac: nil
        )
        fields.head.remark = remark
        return try fields.completed()
    }

    /// Another test's program holds this process's descriptors, and with them the journal's lock, until it has begun.
    private static let triesMax = 100

    private func write(_ remarks: [String], _ more: (SQLiteJournal) throws -> Void = { _ in }) throws {
        var tries = 0
        while true {
            do throws(StorageFault) {
                let journal = try SQLiteJournal(path: path, capacity: 64)
                for (index, remark) in remarks.enumerated() {
                    do {
                        try journal.commit(JournalEntry(try record(UInt32(index + 1), remark)))
                    } catch {
                        throw StorageFault(operation: "test", reason: "\(error)")
                    }
                }
                do { try more(journal) } catch { throw StorageFault(operation: "test", reason: "\(error)") }
                return
            } catch {
                tries += 1
                guard error.reason.contains("in use"), tries < Self.triesMax else { throw error }
            }
        }
    }

    private func rot() throws {
        var bytes = try Data(contentsOf: URL(filePath: path))
        let mark = try #require(bytes.range(of: Data(Self.mark.utf8)))
        bytes[mark.lowerBound] ^= 1
        try bytes.write(to: URL(filePath: path))
    }

    private func records(_ arguments: String...) throws -> (status: Int32, lines: [String]) {
        let program = try Program("greylock", ["records", "--journal", path] + arguments, readsOutput: true)
        let status = program.end()
        return (status, program.lines)
    }

    @Test func aDamagedRowIsNamedAndTheOthersAreListed() throws {
        try write(["first", Self.mark, "third"])
        #expect(try records().status == 0)
        try rot()
        let (status, lines) = try records()
        #expect(status == ServiceFailure.inputOutput)
        #expect(lines.contains { $0.hasPrefix("1 ") && $0.hasSuffix("first") })
        #expect(lines.contains { $0.hasPrefix("3 ") && $0.hasSuffix("third") })
        #expect(!lines.contains { $0.hasPrefix("2 ") })
        #expect(lines.contains("damaged rows: 1, which are in none of the lists"))
        #expect(lines.contains("  table sale, record 2: it is not what the service wrote: its code is wrong"))
        let json = try records("--json")
        #expect(json.status == ServiceFailure.inputOutput)
        #expect(json.lines.contains { $0.contains("\"words\" : \"table sale, record 2: it is not") })
    }

    private func side(_ arguments: String...) throws -> (status: Int32, lines: [String]) {
        let config = try folder.file("greylock.toml", toolConfiguration(journal: path))
        let program = try Program("greylock", ["position", "--config", config] + arguments, readsOutput: true)
        let status = program.end()
        return (status, program.lines)
    }

    @Test func theStatusOfThePositionSaysWhetherCardsAreServed() throws {
        try write([Self.mark])
        #expect(try side().status == 0)
        let lock = SideLock(side: 1, since: try record(1, "").begun, reason: "11 pulser faults")
        try write([]) { try $0.commit(JournalEntry(lock: lock)) }
        let closed = try side()
        #expect(closed.status == ServiceFailure.unavailable)
        #expect(closed.lines.contains("position 1 closed itself at 2025-06-01 08:00:00: 11 pulser faults"))
        #expect(try side("--clear", "--name", "T. Nician", "--reason", "pulser mended").status == 0)
        #expect(try side().status == 0)
        try rot()
        for arguments in [[], ["--accept-rows"]] {
            let damaged = try arguments.isEmpty ? side() : side(arguments[0])
            #expect(damaged.status == ServiceFailure.inputOutput)
            #expect(damaged.lines.contains { $0.hasPrefix("damaged: table sale, record 1: ") })
        }
    }

    @Test func whatIsInTheFileDrawsNoRowAndMovesNoCursor() throws {
        try write(["\u{1B}[2J\r\n9      sale                  settled\u{202E}"])
        for arguments in [[], ["--json"]] {
            let program = try Program(
                "greylock",
                ["records", "--journal", path] + arguments,
                readsOutput: true
            )
            #expect(program.end() == 0)
            #expect(!program.lines.contains { $0.hasPrefix("9 ") })
            #expect(
                program.lines.allSatisfy { line in line.unicodeScalars.allSatisfy { $0.value >= 32 && $0 != "\u{202E}" }
                }
            )
        }
        #expect(
            try records().lines.contains {
                $0.hasSuffix("\\u{1B}[2J\\u{D}\\u{A}9      sale                  settled\\u{202E}")
            }
        )
    }
}
