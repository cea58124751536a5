import Foundation
import FuelPassbook
import ISO7816
import Metering
import Quantities
import Records
import Simulation
import TestFolders
import TestJournals
import Testing

@testable import Journal

/// Random entries of two sides and two cards go into the journal on disk and into the one in memory, which all simulations rest on;
/// the power fails between them and inside them. After each, both answer every question alike.
struct TwoJournalsTests {
    private static let seeds = 1...5 as ClosedRange<UInt64>

    @Test func answerAlike() throws {
        var written: Set<[String]> = []
        for seed in Self.seeds {
            let journals = try TwoJournals(seed: seed)
            for _ in 0..<110 { try journals.step() }
            #expect(journals.cuts > 0 && journals.numberCuts > 0, "seed \(seed)")
            written.formUnion(journals.written)
        }
        let all = Procedure.allCases.flatMap { procedure in
            ([nil] + RecordPhase.allCases).flatMap { procedure.next(after: $0) }.map { [$0.rawValue, $1.rawValue] }
        }
        #expect(written == Set(all))
    }
}

/// What a side does under one number, write after write (spec/dispenser.md, section 3).
private enum Procedure: CaseIterable {
    case refuel, prepay, purchase, stray, test, release, notice, refund

    /// - Parameter phase: nil before the first write.
    func next(after phase: RecordPhase?) -> [(RecordKind, RecordPhase)] {
        switch (self, phase) {
        case (.refuel, nil): [(.sale, .intent)]
        case (.refuel, .intent): [(.sale, .locked), (.escape, .escaped)]
        case (.refuel, .locked): [(.sale, .ended), (.escape, .escaped), (.cardFault, .escaped)]
        case (.refuel, .ended): [(.sale, .debitSent), (.escape, .escaped)]
        case (.refuel, .debitSent): [(.sale, .debitSent), (.sale, .settled), (.cardFault, .escaped)]
        case (.prepay, nil), (.purchase, nil): [(.prepaid, .intent)]
        case (.prepay, .intent): [(.prepaid, .debitSent), (.prepaid, .escaped)]
        case (.prepay, .debitSent): [(.prepaid, .paid), (.prepaid, .escaped)]
        case (.purchase, .intent): [(.prepaid, .torn), (.prepaid, .paid)]
        case (.purchase, .torn): [(.prepaid, .paid), (.prepaid, .void)]
        case (.prepay, .paid), (.purchase, .paid): [(.prepaid, .paid), (.prepaid, .settled)]
        case (.stray, nil): [(.noCard, .flowing)]
        case (.stray, .flowing): [(.noCard, .flowing), (.noCard, .settled)]
        case (.test, nil): [(.test, .flowing)]
        case (.test, .flowing): [(.test, .flowing), (.test, .settled)]
        case (.release, nil): [(.localUnlock, .debitSent)]
        case (.release, .debitSent): [(.localUnlock, .settled), (.localUnlock, .void)]
        case (.notice, nil): [(.onlineUnlock, .settled)]
        case (.refund, nil): [(.refund, .settled)]
        case _: []
        }
    }
}

private final class TwoJournals {
    private static let capacity = 60

    /// What a number was reserved for.
    private struct Use {
        let customer: Customer
        let procedure: Procedure
        /// nil for a number that has no record yet.
        var phase: RecordPhase?

        var next: [(RecordKind, RecordPhase)] { procedure.next(after: phase) }
    }

    /// Each card at each side.
    private let customers: [Customer]
    private var random: SplitMix64
    private var scratch: Scratch
    private var disk: SQLiteJournal
    private var memory = MemoryJournal(capacity: capacity)
    private var uses: [RecordNumber: Use] = [:]
    private var seconds = 100
    private(set) var cuts = 0
    private(set) var numberCuts = 0
    /// Kinds with their phases.
    private(set) var written: Set<[String]> = []

    init(seed: UInt64) throws {
        random = SplitMix64(state: seed)
        scratch = try Scratch(in: .memory)
        disk = try scratch.open(capacity: Self.capacity)
        var customers = [Customer(), Customer()]
        customers[1].asn = try ApplicationSerialNumber(parsing: [0, 1, 0, 0, 0, 0, 0, 0, 0, 0x43])
        for index in 0..<2 {
            var neighbour = customers[index]
            (neighbour.side, neighbour.nozzle) = (4, 6)
            customers.append(neighbour)
        }
        self.customers = customers
    }

    func step() throws {
        var before: (Disk, MemoryJournal, [RecordNumber: Use])?
        if Int.random(in: 0..<4, using: &random) == 0 {
            before = (try Disk(path: scratch.path), MemoryJournal(copying: memory), uses)
        }
        let words = try write()
        if let before { try cut(before.0, (before.1, before.2), words) }
        if Int.random(in: 0..<8, using: &random) == 0 { try restart() }
        try compare(words)
    }

    /// - Returns: what was done, for the failure.
    private func write() throws -> String {
        seconds += Int.random(in: -5...20, using: &random)
        switch Int.random(in: 0..<16, using: &random) {
        case 0..<10: return try commit()
        case 10, 11: return try checkpoint()
        case 12: return try clearLock()
        case 13: return try acceptClock()
        case _: return try reserve()
        }
    }

    private func reserve() throws -> String {
        let number = try disk.reserve()
        #expect(try memory.reserve() == number)
        uses[number] = use()
        return "reserve \(number.value)"
    }

    private func use() -> Use {
        Use(customer: one(of: customers), procedure: one(of: Procedure.allCases + [.refuel, .refuel]))
    }

    private func one<Value>(of values: [Value]) -> Value { values[Int.random(in: 0..<values.count, using: &random)] }

    /// What a side reserved is written next, or never.
    private var unfinished: [RecordNumber] {
        uses.filter { number, use in
            guard use.phase == nil else { return !use.next.isEmpty }
            return !uses.contains { $0 > number && $1.customer.side == use.customer.side }
        }.keys.sorted()
    }

    private func commit() throws -> String {
        let unfinished = unfinished
        guard !unfinished.isEmpty else { return try reserve() }
        var entry = JournalEntry()
        // A sale with what it leaves, or what it settles.
        let number = one(of: unfinished)
        let other = Int.random(in: 0..<4, using: &random) == 0 ? one(of: unfinished) : number
        for number in Set([number, other]).sorted() { try advance(number, in: &entry) }
        if Int.random(in: 0..<10, using: &random) == 0 {
            entry.lock = SideLock(side: one(of: customers).side, since: try time(seconds), reason: "seen at \(seconds)")
        }
        if Int.random(in: 0..<4, using: &random) > 0 { entry.moment = try moment(seconds) }
        let side = one(of: customers).side
        if Int.random(in: 0..<3, using: &random) == 0 { entry.faults = NewPulserFaults(side: side, faults()) }
        if Int.random(in: 0..<8, using: &random) == 0 {
            entry.price = PriceChange(
                side: side,
                at: entry.moment,
                from: memory.lastPrice(of: side),
                to: UnitPrice(fenPerLitre: 700 + seconds)
            )
        }
        try disk.commit(entry)
        memory.commit(entry)
        return entry.records.map { "\($0.number.value) \($0.kind.rawValue) \($0.phase.rawValue)" }
            .joined(separator: ", ")
    }

    private func faults() -> PulserFaults {
        var faults = PulserFaults()
        faults.missedEdges = [Int.random(in: 0...3, using: &random), 1]
        faults.flowGaps = Int.random(in: 0...1, using: &random)
        return faults
    }

    private func advance(_ number: RecordNumber, in entry: inout JournalEntry) throws {
        guard let use = uses[number] else { return }
        let (customer, procedure) = (use.customer, use.procedure)
        let (kind, phase) = one(of: use.next)
        let fen = UInt32.random(in: 1...9_000, using: &random)
        entry.records.append(
            try customer.record(number.value, phase, kind: kind, isPurchase: procedure == .purchase, fen: fen)
        )
        uses[number]?.phase = phase
        written.insert([kind.rawValue, phase.rawValue])
        if phase == .escaped { entry.grey = try customer.grey(number.value, fen: fen) }
        let states: [GreyRecord.State] =
            switch (procedure, phase) {
            case (.release, .settled): [.settled]
            case (.release, .void): [.void]
            case (.notice, _): [.elsewhere]
            case _: []
            }
        if let state = states.first, let grey = memory.openGreyRecords(of: customer.asn).first {
            entry.grey = try customer.grey(grey.number.value, fen: grey.amount.fen, state)
        }
        if procedure == .stray || procedure == .test || phase == .escaped || phase == .ended {
            entry.totaliser = customer.totaliser(fen: Int(fen))
        }
        if phase == .ended { entry.overrun = Overrun(nozzle: customer.nozzle, counts: Int(fen)) }
    }

    private func checkpoint() throws -> String {
        let locked = uses.filter { $0.value.phase == .locked }.keys.sorted()
        guard !locked.isEmpty else { return "no checkpoint" }
        let number = one(of: locked)
        let fen = UInt32.random(in: 1...9_000, using: &random)
        let checkpoint = try customers[0].checkpoint(number.value, fen: fen)
        try disk.checkpoint(checkpoint)
        memory.checkpoint(checkpoint)
        return "checkpoint of \(number.value)"
    }

    private func clearLock() throws -> String {
        let side = one(of: customers).side
        try disk.clearLock(of: side)
        try memory.clearLock(of: side)
        return "position \(side) opened"
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

    /// The log as it was up to a random byte of what was written; the state before is then that of both. The number that is
    /// reserved next shows whether the last one was.
    private func cut(_ old: Disk, _ before: (MemoryJournal, [RecordNumber: Use]), _ words: String) throws {
        let new = try Disk(path: scratch.path)
        let start = old.log.commonCount(with: new.log)
        guard old.database == new.database, start < new.log.count else { return }
        let length = one(of: [new.log.count, Int.random(in: start...new.log.count, using: &random)])
        var broken = new
        broken.log = new.log.prefix(length) + old.log.dropFirst(length)
        // The mark follows the log.
        if length < new.log.count || Bool.random(using: &random) { broken.mark = old.mark }
        let place = try Scratch(in: .memory)
        try broken.write(to: place.path)
        (disk, scratch) = (try place.open(capacity: Self.capacity), place)
        cuts += 1
        if words.hasPrefix("reserve") { numberCuts += 1 }
        let number = try disk.reserve()
        let isDone = try number.value == memory.lastNumber.value + 1 && isAlike(disk, memory)
        #expect(isDone || length < new.log.count, "\(words), not cut")
        if !isDone { (memory, uses) = before }
        #expect(try memory.reserve() == number, "\(words), cut after \(length) bytes")
        uses[number] = use()
        #expect(try isAlike(disk, memory), "\(words), cut after \(length) bytes")
    }

    private func restart() throws {
        let place = try Scratch(in: .memory)
        try Disk(path: scratch.path).write(to: place.path)
        (disk, scratch) = (try place.open(capacity: Self.capacity), place)
    }

    private func compare(_ words: String) throws {
        let (ours, theirs) = (try answers(disk), try answers(memory))
        guard ours != theirs else { return }
        Issue.record("after \(words): \(ours.differences(from: theirs))")
    }

    private func isAlike(_ one: SQLiteJournal, _ other: MemoryJournal) throws -> Bool {
        try answers(one) == answers(other)
    }

    private func answers(_ journal: some SaleJournal) throws -> Answers { try Answers(journal, uses.keys, customers) }
}

/// What a journal answers to every question that a side asks.
private struct Answers: Equatable {
    var records: [Record?] = []
    var checkpoints: [Checkpoint?] = []
    let open: [Record]
    let grey: [[GreyRecord]]
    let usesPetrolCommands: [Bool]
    let purchases: [Bool]
    let debits: [Bool]
    let totalisers: [Totaliser?]
    let overruns: [Overrun?]
    let recordedTotalisers: [Totaliser?]
    let deliveries: [[Record]]
    let locks: [SideLock?]
    let room: Int?
    let latest: StationTime?
    let prices: [UnitPrice?]
    let damaged: [DamagedRow]

    init(_ journal: some SaleJournal, _ numbers: some Sequence<RecordNumber>, _ customers: [Customer]) throws {
        let cards = Set(customers.map(\.asn)).sorted { $0.description < $1.description }
        let (sides, nozzles) = (Set(customers.map(\.side)).sorted(), Set(customers.map(\.nozzle)).sorted())
        for number in numbers.sorted() {
            records.append(try journal.record(number))
            checkpoints.append(try journal.lastCheckpoint(of: number))
        }
        open = try journal.openRecords()
        grey = try cards.map { try journal.openGreyRecords(of: $0) }
        usesPetrolCommands = try cards.map { try journal.usesPetrolCommands($0) }
        purchases = try cards.flatMap { card in
            try [customers[0].ctc, CTC(7)].map { try journal.hasPurchase(of: card, $0) }
        }
        debits = try cards.flatMap { card in
            try (60..<75).map { try journal.hasDebit(of: card, at: try time($0)) }
        }
        totalisers = try nozzles.map { try journal.totaliser(of: $0) }
        overruns = try nozzles.map { try journal.overrun(of: $0) }
        recordedTotalisers = try nozzles.map { try journal.recordedTotaliser(of: $0) }
        deliveries = try nozzles.map { try journal.deliveries(of: $0, last: 3) }
        locks = try sides.map { try journal.lock(of: $0) }
        room = try journal.roomIfCounted(nanosecondsMax: 60_000_000_000)
        latest = try journal.latestTime()
        prices = try sides.map { try journal.lastPrice(of: $0) }
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

extension Data {
    /// How many bytes are the same from the start.
    fileprivate func commonCount(with other: Data) -> Int {
        var (same, most) = (0, Swift.min(count, other.count))
        while same < most {
            let middle = (same + most + 1) / 2
            if prefix(middle) == other.prefix(middle) { same = middle } else { most = middle - 1 }
        }
        return same
    }
}
