import Foundation
import FuelPassbook
import Quantities
import Records
import Simulation
import TestFolders
import Testing

@testable import Journal

/// Random entries go into the journal on disk and into the one in memory, which all simulations rest on; the power fails between
/// them and inside them. After each, both answer every question alike.
struct TwoJournalsTests {
    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func answerAlike(seed: UInt64) throws {
        let journals = try TwoJournals(seed: seed)
        for _ in 0..<60 { try journals.step() }
        #expect(journals.cuts > 0)
    }
}

private final class TwoJournals {
    private static let capacity = 60
    private static let laterPhases: [RecordPhase: [RecordPhase]] = [
        .intent: [.locked, .void], .locked: [.ended, .escaped], .ended: [.debitSent, .escaped],
        .debitSent: [.settled, .escaped],
    ]

    private let customer = Customer()
    private var random: SplitMix64
    private var scratch: Scratch
    private var disk: SQLiteJournal
    private var memory = MemoryJournal(capacity: capacity)
    /// nil for a number that has no record yet.
    private var phases: [RecordNumber: RecordPhase?] = [:]
    private var seconds = 100
    private(set) var cuts = 0

    init(seed: UInt64) throws {
        random = SplitMix64(state: seed)
        scratch = try Scratch(in: .memory)
        disk = try scratch.open(capacity: Self.capacity)
    }

    func step() throws {
        let isCut = Int.random(in: 0..<4, using: &random) == 0
        let before = MemoryJournal(copying: memory)
        let (phasesBefore, bytesBefore) = (phases, try Disk(path: scratch.path))
        let words = try write()
        if isCut { try cut(bytesBefore, before, phasesBefore, words) }
        if Int.random(in: 0..<8, using: &random) == 0 { try restart() }
        try compare(words)
    }

    /// - Returns: what was done, for the failure.
    private func write() throws -> String {
        seconds += Int.random(in: -5...20, using: &random)
        switch Int.random(in: 0..<12, using: &random) {
        case 0..<7: return try commit()
        case 7, 8: return try checkpoint()
        case 9: return try clearLock()
        case 10: return try acceptClock()
        case _: return try reserve()
        }
    }

    private func reserve() throws -> String {
        let number = try disk.reserve()
        #expect(try memory.reserve() == number)
        phases[number] = .some(nil)
        return "reserve \(number.value)"
    }

    private func commit() throws -> String {
        // One side: what it reserved is written next, or never.
        let last = phases.keys.max()
        let open = phases.filter { number, phase in phase.map { Self.laterPhases[$0] != nil } ?? (number == last) }
        guard let number = open.keys.sorted().randomElement(using: &random) else { return try reserve() }
        let next = phases[number].flatMap(\.self).flatMap { Self.laterPhases[$0]?.randomElement(using: &random) }
        let phase = next ?? .intent
        let fen = UInt32.random(in: 1...9_000, using: &random)
        var entry = JournalEntry(try customer.record(number.value, phase, fen: fen))
        if phase == .escaped { entry.grey = try customer.grey(number.value, fen: fen) }
        if phase == .escaped || phase == .ended { entry.totaliser = customer.totaliser(fen: Int(fen)) }
        if phase == .ended { entry.overrun = Overrun(nozzle: 5, counts: Int(fen)) }
        if Int.random(in: 0..<10, using: &random) == 0 {
            entry.lock = SideLock(side: 3, since: try time(seconds), reason: "seen at \(seconds)")
        }
        if Int.random(in: 0..<4, using: &random) > 0 { entry.moment = try moment(seconds) }
        try disk.commit(entry)
        memory.commit(entry)
        phases[number] = phase
        return "\(number.value) \(phase.rawValue)"
    }

    private func checkpoint() throws -> String {
        guard let number = phases.filter({ $0.value == .locked }).keys.sorted().randomElement(using: &random) else {
            return "no checkpoint"
        }
        let checkpoint = try customer.checkpoint(number.value, fen: UInt32.random(in: 1...9_000, using: &random))
        try disk.checkpoint(checkpoint)
        memory.checkpoint(checkpoint)
        return "checkpoint of \(number.value)"
    }

    private func clearLock() throws -> String {
        try disk.clearLock(of: 3)
        memory.clearLock(of: 3)
        return "position opened"
    }

    /// Each refuses a clock that is not behind.
    private func acceptClock() throws -> String {
        let now = try moment(seconds - 50)
        let isRefused = try fault { try disk.acceptClock(now) } != nil
        let latest = memory.latestTime()
        #expect(isRefused == !(latest.map { now.isBefore($0) } ?? false))
        if !isRefused { memory.acceptClock(now) }
        return "clock accepted"
    }

    /// The log as it was up to a random byte of what was written; the state before is then that of both.
    private func cut(
        _ old: Disk,
        _ before: MemoryJournal,
        _ phasesBefore: [RecordNumber: RecordPhase?],
        _ words: String
    ) throws {
        let new = try Disk(path: scratch.path)
        let start = zip(old.log, new.log).prefix { $0 == $1 }.count
        guard old.database == new.database, start < new.log.count, !words.hasPrefix("reserve") else { return }
        let length = Int.random(in: start...new.log.count, using: &random)
        var broken = new
        broken.log = new.log.prefix(length) + old.log.dropFirst(length)
        // The mark follows the log.
        if length < new.log.count { broken.mark = old.mark }
        let place = try Scratch(in: .memory)
        try broken.write(to: place.path)
        let reopened = try place.open(capacity: Self.capacity)
        cuts += 1
        let isDone = try isAlike(reopened, memory)
        #expect(isDone || length < new.log.count, "\(words), not cut")
        if isDone {
            (disk, scratch) = (reopened, place)
            return
        }
        (disk, scratch, memory, phases) = (reopened, place, before, phasesBefore)
        #expect(try isAlike(disk, memory), "\(words), cut after \(length) bytes")
    }

    private func restart() throws {
        let place = try Scratch(in: .memory)
        try Disk(path: scratch.path).write(to: place.path)
        (disk, scratch) = (try place.open(capacity: Self.capacity), place)
    }

    private func compare(_ words: String) throws {
        let (ours, theirs) = (try Answers(disk, phases.keys, customer), try Answers(memory, phases.keys, customer))
        let different = ours.differences(from: theirs)
        #expect(different.isEmpty, "after \(words)")
    }

    private func isAlike(_ one: SQLiteJournal, _ other: MemoryJournal) throws -> Bool {
        try Answers(one, phases.keys, customer) == Answers(other, phases.keys, customer)
    }
}

/// What a journal answers to every question that a side asks.
private struct Answers: Equatable {
    var records: [Record?] = []
    var checkpoints: [Checkpoint?] = []
    let open: [Record]
    let grey: [GreyRecord]
    let usesPetrolCommands: Bool
    let purchases: [Bool]
    let debits: [Bool]
    let totaliser: Totaliser?
    let overrun: Overrun?
    let recordedTotaliser: Totaliser?
    let lock: SideLock?
    let room: Int?
    let latest: StationTime?
    let damaged: [DamagedRow]

    init(_ journal: some SaleJournal, _ numbers: some Sequence<RecordNumber>, _ customer: Customer) throws {
        for number in numbers.sorted() {
            records.append(try journal.record(number))
            checkpoints.append(try journal.lastCheckpoint(of: number))
        }
        open = try journal.openRecords()
        grey = try journal.openGreyRecords(of: customer.asn)
        usesPetrolCommands = try journal.usesPetrolCommands(customer.asn)
        purchases = try [customer.ctc, CTC(7)].map { try journal.hasPurchase(of: customer.asn, $0) }
        debits = try (60..<75).map { try journal.hasDebit(of: customer.asn, at: try time($0)) }
        totaliser = try journal.totaliser(of: 5)
        overrun = try journal.overrun(of: 5)
        recordedTotaliser = try journal.recordedTotaliser(of: 5)
        lock = try journal.lock(of: 3)
        room = try journal.roomIfCounted(nanosecondsMax: 60_000_000_000)
        latest = try journal.latestTime()
        damaged = try journal.damagedRows()
    }

    /// The names of the answers that are not the same, with both.
    func differences(from other: Answers) -> [String] {
        zip(Mirror(reflecting: self).children, Mirror(reflecting: other).children).compactMap { mine, theirs in
            let (mine, theirs, name) = ("\(mine.value)", "\(theirs.value)", mine.label)
            return mine == theirs ? nil : "\(name ?? "?"): \(mine) and \(theirs)"
        }
    }
}
