import Dispenser
import Foundation
import FuelPassbook
import Records
import SQLite
import TestFolders
import Testing

@testable import Journal

/// All that is in a journal.
private struct Contents: Equatable {
    var records: [Record]
    var greyRecords: [GreyRecord]
    var totalisers: [Totaliser]
    var checkpoints: [Checkpoint]

    init(of journal: SQLiteJournal) throws {
        (records, greyRecords, totalisers, checkpoints) = try journal.connection.read { db in
            (
                try db.rows(of: .sale, "ORDER BY ttc").map(Record.init),
                try db.rows(of: .greyRecord, "ORDER BY ttc").map(GreyRecord.init),
                try db.rows(of: .totaliser, "ORDER BY nozzle").map(Totaliser.init),
                try db.rows(of: .checkpoint, "ORDER BY ttc").map(Checkpoint.init)
            )
        }
    }
}

/// What the journal makes of each state of its pages that it was opened on.
private struct OpenedStates<Value> {
    private var known: [(pages: Data, value: Value)] = []

    var count: Int { known.count }

    /// - Parameter anew: opens it also on a state that is known.
    mutating func value(of disk: Disk, anew: Bool, _ open: (Scratch) throws -> Value) throws -> Value {
        let pages = Data(try JournalImage.pages(Array(disk.database), Array(disk.log)))
        if !anew, let known = known.last(where: { $0.pages == pages }) { return known.value }
        let scratch = try Scratch(in: .memory)
        try disk.write(to: scratch.path)
        let value = try open(scratch)
        known.append((pages, value))
        return value
    }
}

/// The power fails at every 64th byte and at every frame of every write; what SQLite reads back is the state before the
/// transaction or the one after it. The journal opens on each state that is read back, and on each log that ends with a
/// frame, and says the same.
struct PowerLossTests {
    private static let frameLength = 24 + 4_096
    private static let logHeaderLength = 32
    private let customer = Customer()

    /// A refuel, an escape with its grey record, and the local unlock that settles it.
    private func steps() throws -> [(SQLiteJournal) throws -> Void] {
        let customer = customer
        let unlock = try customer.record(3, .debitSent, kind: .localUnlock, fen: 90)
        let settledUnlock = try customer.record(3, .settled, kind: .localUnlock, fen: 90)
        let open = try customer.grey(2, fen: 90)
        let paid = try customer.grey(2, fen: 90, .settled)
        let entries: [JournalEntry] = [
            JournalEntry(try customer.record(1, .intent)),
            JournalEntry(try customer.record(1, .locked)),
            JournalEntry(try customer.record(1, .ended, fen: 50), totaliser: customer.totaliser(fen: 50)),
            JournalEntry(try customer.record(1, .settled, fen: 50)),
            JournalEntry(try customer.record(2, .intent)),
            JournalEntry(
                try customer.record(2, .escaped, kind: .escape, fen: 90),
                grey: open,
                totaliser: customer.totaliser(fen: 140)
            ),
            JournalEntry(unlock, grey: open),
            JournalEntry(settledUnlock, grey: paid),
        ]
        var steps = entries.map { entry in { (journal: SQLiteJournal) in try journal.commit(entry) } }
        let checkpoints = try [(2, 1, 20), (3, 1, 40), (7, 2, 90)].map {
            ($0.0, try customer.checkpoint($0.1, fen: $0.2))
        }
        for (index, checkpoint) in checkpoints {
            steps.insert({ try $0.checkpoint(checkpoint) }, at: index)
        }
        return steps
    }

    @Test func onlyBeforeOrAfterIsEverReadBack() throws {
        #expect(try cutEveryStep(pagesBeforeMoving: 1_000) == 0)
    }

    /// The log moves to the main file and begins anew several times on the way.
    @Test func onlyBeforeOrAfterIsReadBackWhenTheLogBeginsAnew() throws {
        #expect(try cutEveryStep(pagesBeforeMoving: 12) >= 3)
    }

    @Test func creationIsAllOrNothing() throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        let disk = try Disk(path: scratch.path)
        withExtendedLifetime(journal) {}
        var opened = OpenedStates<Bool>()
        for length in cuts(in: 0..<disk.log.count) {
            var broken = disk
            broken.log = disk.log.prefix(length)
            broken.mark = nil
            let isOpened = try opened.value(of: broken, anew: endsWithFrame(length)) { scratch in
                // The last commit says that the mark was made.
                if try fault(of: { try scratch.open() })?.reason.hasPrefix("the journal's mark is missing") == true {
                    broken.mark = disk.mark
                    try broken.write(to: scratch.path)
                }
                let reopened = try scratch.open()
                return try reopened.reserve() == RecordNumber(1) && reopened.room() == 100
            }
            #expect(isOpened, "\(length)")
        }
        #expect(opened.count > 3)
    }

    /// - Returns: how often the log moved.
    private func cutEveryStep(pagesBeforeMoving: Int) throws -> Int {
        let scratch = try Scratch()
        let journal = try scratch.open()
        try journal.connection.withDatabase { try $0.execute("PRAGMA wal_autocheckpoint = \(pagesBeforeMoving)") }
        var opened = OpenedStates<Contents>()
        var before = try Contents(of: journal)
        var disk = try Disk(path: scratch.path)
        var moves = 0
        for (index, step) in try steps().enumerated() {
            try step(journal)
            let after = try Contents(of: journal)
            let next = try Disk(path: scratch.path)
            #expect(before != after)
            try cutLog(from: disk, to: next, before, after, &opened, "step \(index)")
            try cutDatabase(from: disk, to: next, after, &opened, "step \(index)")
            if disk.database != next.database { moves += 1 }
            (before, disk) = (after, next)
        }
        return moves
    }

    /// The transaction is written over the log from where it differs. What was not written is the old bytes, or zeros.
    private func cutLog(
        from old: Disk,
        to new: Disk,
        _ before: Contents,
        _ after: Contents,
        _ opened: inout OpenedStates<Contents>,
        _ step: String
    ) throws {
        let start = zip(old.log, new.log).prefix { $0 == $1 }.count
        var isDone = false
        for length in cuts(in: start..<new.log.count) {
            var broken = old
            broken.log = new.log.prefix(length) + old.log.dropFirst(length)
            let read = try opened.value(of: broken, anew: endsWithFrame(length)) { try Contents(of: try $0.open()) }
            #expect(read == (read == before && !isDone ? before : after), "\(step), \(length) bytes")
            isDone = read == after
            guard length % 512 == 0 else { continue }
            broken.log = new.log.prefix(length) + Data(count: new.log.count - length)
            let zeroed = try opened.value(of: broken, anew: false) { try Contents(of: try $0.open()) }
            #expect(zeroed == before || zeroed == after, "\(step), \(length) bytes and zeros")
        }
        #expect(isDone, "\(step)")
    }

    /// The log is whole; the pages of the main file are written one after the other.
    private func cutDatabase(
        from old: Disk,
        to new: Disk,
        _ after: Contents,
        _ opened: inout OpenedStates<Contents>,
        _ step: String
    ) throws {
        guard old.database != new.database else { return }
        for length in stride(from: 0, through: new.database.count, by: 1_024) {
            var broken = new
            broken.database = new.database.prefix(length) + old.database.dropFirst(length)
            let read = try opened.value(of: broken, anew: length % 4_096 == 0) { try Contents(of: try $0.open()) }
            #expect(read == after, "\(step), \(length) bytes of the main file")
        }
    }

    private func endsWithFrame(_ length: Int) -> Bool { (length - Self.logHeaderLength) % Self.frameLength == 0 }

    private func cuts(in range: Range<Int>) -> [Int] {
        let frames = stride(from: Self.logHeaderLength, through: range.upperBound, by: Self.frameLength)
        let cuts = Set(stride(from: range.lowerBound / 64 * 64, to: range.upperBound, by: 64))
            .union(frames.flatMap { [$0 - 1, $0, $0 + 1] }).union([range.upperBound - 1, range.upperBound])
        return cuts.filter { (range.lowerBound...range.upperBound).contains($0) }.sorted()
    }
}
