import CardCryptography
import Dispenser
import Foundation
import FuelPassbook
import ISO7816
import Journal
import Metering
import Parameters
import Quantities
import Records
import SecurityModule

/// The files of a journal.
struct JournalFiles {
    var database: Data
    /// nil after a clean end.
    var log: Data?
    /// Of the numbers; it lies outside, and nobody edits it.
    let mark: Data

    init(database: Data, log: Data?, mark: Data) {
        self.database = database
        self.log = log
        self.mark = mark
    }

    init(_ path: String) throws {
        database = try Data(contentsOf: URL(filePath: path))
        let log = URL(filePath: path + "-wal")
        mark = try Data(contentsOf: URL(filePath: path + "-mark"))
        self.log = FileManager.default.fileExists(atPath: log.path) ? try Data(contentsOf: log) : nil
    }

    func write(_ path: String) throws {
        for suffix in ["", "-wal", "-mark", "-beat"] where FileManager.default.fileExists(atPath: path + suffix) {
            try FileManager.default.removeItem(atPath: path + suffix)
        }
        try database.write(to: URL(filePath: path))
        try log?.write(to: URL(filePath: path + "-wal"))
        try mark.write(to: URL(filePath: path + "-mark"))
    }
}

/// A station's life up to a power cut: sales in every phase, most of them in the main file, the last steps in the log.
struct History {
    /// After the first part, and after each step of the second.
    private(set) var files: [JournalFiles] = []

    init(_ path: String) throws {
        let steps = try Self.steps()
        let half = steps.count / 2
        do {
            let journal = try SQLiteJournal(path: path, capacity: 1_000, key: .demonstration)
            for (index, step) in steps[..<half].enumerated() {
                try step(journal)
                if index == half / 2 { files.append(try JournalFiles(path)) }
            }
        }
        files.append(try JournalFiles(path))
        try Self.acceptOlderCopy(path)
        files.append(try JournalFiles(path))
        let journal = try SQLiteJournal(path: path, capacity: 1_000, key: .demonstration)
        for step in steps[half...] {
            try step(journal)
            files.append(try JournalFiles(path))
        }
        withExtendedLifetime(journal) {}
    }

    /// The journal from before a number left.
    private static func acceptOlderCopy(_ path: String) throws {
        let older = try JournalFiles(path)
        do { _ = try SQLiteJournal(path: path, capacity: 1_000, key: .demonstration).reserve() }
        let newer = try JournalFiles(path)
        try JournalFiles(database: older.database, log: older.log, mark: newer.mark).write(path)
        _ = try SQLiteJournal.accept(path: path, key: .demonstration, mark: nil, reason: "a new disk", time: time(3))
    }

    /// As the power cut leaves it.
    var last: JournalFiles {
        guard let last = files.last else { preconditionFailure("a history has steps") }
        return last
    }

    private typealias Step = (SQLiteJournal) throws -> Void

    private static func steps() throws -> [Step] {
        var steps: [Step] = []
        var totals = 0
        func run(_ minute: Int) throws {
            let now = try time(minute)
            steps.append { _ = try $0.beginRun { now } }
            steps.append { try $0.endRun(at: now) }
        }
        for minute in 0..<3 { try run(minute) }
        func commit(_ entry: JournalEntry) {
            steps.append { journal in
                var entry = entry
                entry.moment = StationTime(utcSeconds: 60, local: try time(1))
                try journal.commit(entry)
            }
        }
        func total(_ counts: Int) -> Totaliser {
            totals += counts
            return totaliser(totals)
        }
        for number in 1...8 as ClosedRange<UInt32> {
            commit(JournalEntry(try sale(number, .locked, 0)))
            steps.append { try $0.checkpoint(try checkpoint(number, 300)) }
            steps.append { try $0.checkpoint(try checkpoint(number, 600)) }
            let after = total(800)
            let ended = try sale(number, .ended, 800) { $0.head.totaliser = after }
            commit(JournalEntry(ended, totaliser: after))
            if number % 2 == 0 {
                let escaped = try sale(number, .escaped, 800) { ($0.kind, $0.head.totaliser) = (.escape, after) }
                commit(JournalEntry(escaped, grey: try grey(escaped, .open)))
                guard number % 4 == 0 else { continue }
                for (phase, state) in [(RecordPhase.debitSent, GreyRecord.State.open), (.settled, .settled)] {
                    let unlock = try sale(100 + number, phase, 0) {
                        ($0.kind, $0.settles) = (.localUnlock, escaped.number)
                    }
                    commit(JournalEntry(unlock, grey: try grey(escaped, state, state == .settled ? unlock.debits : [])))
                }
            } else {
                commit(JournalEntry(try sale(number, .settled, 800) { $0.head.totaliser = after }))
            }
        }
        let closed = SideLock(side: 2, since: try time(1), reason: "11 pulser faults")
        var faults = PulserFaults()
        faults.missedEdges = [9, 2]
        var entry = JournalEntry(lock: closed, faults: NewPulserFaults(side: 2, faults))
        entry.price = PriceChange(side: 2, at: nil, from: nil, to: UnitPrice(fenPerLitre: 785))
        entry.moment = StationTime(utcSeconds: 1, local: try time(1))
        commit(entry)
        commit(JournalEntry(lock: SideLock(side: 3, since: try time(2), reason: "9 pulser faults")))
        let word = LockClearing(of: closed, at: nil, name: "T. Nician", reason: "mended")
        steps.append { try $0.clear(word) }
        for version in 1...2 {
            let counters = ParameterSet.Counters(calibration: version, configuration: 1)
            let hash = [UInt8](repeating: UInt8(version), count: SoftwareIdentification.hashLength)
            steps.append { try $0.note(ParameterMark(side: 1, version: version, hash: hash, counters: counters)) }
        }
        steps += try orderedSteps()
        steps.append { try $0.acceptClock(StationTime(utcSeconds: 0, local: try time(0))) }
        try run(4)
        return steps + (try openSteps())
    }

    /// What came at the control socket.
    private static func orderedSteps() throws -> [Step] {
        let given = StationTime(utcSeconds: 2, local: try time(2))
        func done(_ key: String) -> DoneOrder {
            DoneOrder(user: 1_000, key: key, digest: SHA256.digest(of: Array(key.utf8)), answer: "{}", at: given)
        }
        func entry(_ key: String, _ change: (inout StationEntry) -> Void) -> Step {
            var entry = StationEntry(done: done(key))
            change(&entry)
            return { [entry] in try $0.commit(entry) }
        }
        func price(_ side: Int, _ fen: Int, from: Int64?) -> PriceOrder {
            PriceOrder(
                side: side,
                at: given,
                effectiveUTC: from,
                price: UnitPrice(fenPerLitre: fen),
                configured: UnitPrice(fenPerLitre: 785),
                user: "forecourt"
            )
        }
        return [
            entry("b1") { $0.block = SideBlock(side: 1, at: given, user: "forecourt", reason: "hose leaks") },
            entry("b2") { $0.block = SideBlock(side: 2, at: nil, user: "forecourt", reason: "tank is empty") },
            entry("u1") { $0.unblocked = 1 },
            entry("p1") { $0.price = price(1, 790, from: nil) },
            entry("p2") { $0.price = price(1, 799, from: 1_790_000_000) },
            entry("p3") { $0.price = price(2, 700, from: nil) },
            { _ = try $0.acknowledge([1, 3].map { RecordNumber($0) }, user: "uploader", done("a1")) },
            { _ = try $0.acknowledge([RecordNumber(4)], user: "uploader", done("a2")) },
        ]
    }

    /// What the power cut interrupts.
    private static func openSteps() throws -> [Step] {
        let torn = try sale(120, .torn, 500) { fields in
            (fields.kind, fields.mac3, fields.icc) = (.prepaid, nil, ICCRandom(120))
            fields.debits = [
                DebitAttempt(ttc: TTC(120), type: .purchase, terminal: fields.head.terminal, time: fields.head.begun)
            ]
        }
        let flowing = try sale(121, .flowing, 40) { $0.kind = .noCard }
        let ended = try sale(122, .ended, 700) { $0.head.totaliser = totaliser(7_140) }
        let entries = [
            JournalEntry(torn), JournalEntry(flowing, totaliser: totaliser(6_440)),
            JournalEntry(ended, totaliser: totaliser(7_140), overrun: Overrun(nozzle: 1, counts: 3)),
            JournalEntry(try sale(123, .locked, 0)),
            JournalEntry(try sale(124, .intent, 0)),
        ]
        var steps: [Step] = entries.map { entry in { try $0.commit(entry) } }
        let now = try time(5)
        steps.insert({ _ = try $0.beginRun { now } }, at: 0)
        for counts in [200, 400, 600] { steps.append { try $0.checkpoint(try checkpoint(123, counts)) } }
        return steps
    }

    /// A sale on a lock, unless `change` makes it something else.
    private static func sale(
        _ number: UInt32,
        _ phase: RecordPhase,
        _ counts: Int,
        change: (inout RecordFields) -> Void = { _ in }
    ) throws -> Record {
        let ttc = TTC(number)
        let amount = Amount(fen: UInt32(counts))
        var fields = RecordFields(
            number: RecordNumber(number),
            kind: .sale,
            phase: phase,
            side: 1,
            terminal: Demonstration.terminal,
            begun: try time(Int(number)),
            standing: CardStanding(
                card: try card(number),
                key: key,
                balance: Demonstration.balance,
                ctc: CTC(UInt16(number))
            ),
            mac3: [1, 2, 3, UInt8(number)],
            delivery: Delivery(
                nozzle: 1,
                grade: "92",
                unitPrice: UnitPrice(fenPerLitre: 785),
                reading: reading(counts)
            ),
            amount: amount,
            gmac: gmac(ttc, try card(number), CTC(UInt16(number)), amount)
        )
        fields.lockTAC = [5, 6, 7, 8]
        if phase == .debitSent || phase == .settled {
            fields.debits = [
                DebitAttempt(ttc: ttc, type: .refuel, terminal: fields.head.terminal, time: fields.head.begun)
            ]
        }
        if phase == .settled { (fields.debitTAC, fields.mac4IsValid) = ([9, 10, 11, 12], true) }
        change(&fields)
        return try Record(fields)
    }

    private static func checkpoint(_ number: UInt32, _ counts: Int) throws -> Checkpoint {
        let amount = Amount(fen: UInt32(counts))
        return Checkpoint(
            number: RecordNumber(number),
            reading: reading(counts),
            amount: amount,
            nonCardPart: .zero,
            gmac: gmac(TTC(number), try card(number), CTC(UInt16(number)), amount)
        )
    }

    private static func grey(
        _ sale: Record,
        _ state: GreyRecord.State,
        _ debits: Debits = []
    ) throws -> GreyRecord {
        let gmac = gmac(TTC(sale.number.value), sale.card, sale.ctc, sale.amount)
        return try GreyRecord(GreyRecordFields(sale.number, mac3: [1, 2, 3, 4], gmac: gmac, state, debits))
    }

    private static func totaliser(_ counts: Int) -> Totaliser {
        Totaliser(
            nozzle: 1,
            counts: [counts],
            base: .zero,
            volume: Volume(microlitres: counts * 2_500),
            fen: counts
        )
    }

    private static func reading(_ counts: Int) -> MeterReading {
        MeterReading(counts: [counts], volume: Volume(microlitres: counts * 2_500), faults: PulserFaults())
    }

    private static let key = KeyReference(index: Demonstration.keyIndex, version: Demonstration.keyVersion)

    private static func gmac(_ ttc: TTC, _ card: ApplicationSerialNumber, _ ctc: CTC, _ amount: Amount) -> SealedGMAC {
        SealedGMAC(
            card: card,
            terminal: Demonstration.terminal,
            ttc: ttc,
            ctc: ctc,
            amount: amount,
            key: key,
            sealed: (0..<SealedGMAC.sealedLength).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ Int(amount.fen)) }
        )
    }

    private static func card(_ number: UInt32) throws -> ApplicationSerialNumber {
        try ApplicationSerialNumber(parsing: [0, 1, 0, 0, 0, 0, 0, 0, UInt8(number / 100), UInt8(number % 10)])
    }

    private static func time(_ minute: Int) throws -> TransactionTime {
        try TransactionTime(
            date: CalendarDate(year: 2025, month: 3, day: 1),
            hour: minute / 60,
            minute: minute % 60,
            second: 0
        )
    }
}
