import CardApplication
import CardCryptography
import Dispenser
import FuelPassbook
import ISO7816
import Metering
import Quantities
import Records
import SecurityModule
import Simulation
import Testing
import Words

/// The order in which things happened, across card, journal and pump.
final class EventLog {
    private(set) var entries: [String] = []
    func append(_ entry: String) { entries.append(entry) }
}

/// The journal in memory, which can lose power at a chosen write.
final class TestJournal {
    /// The side's.
    let edge: FaultyJournal
    /// Writes until the power goes; the write at zero is not done.
    var writesLeft: Int?
    /// Called before each write.
    var onWrite: (String) -> Void = { _ in }
    /// Why no number is given.
    var numberFault: StorageFault?
    private let log: EventLog

    init(log: EventLog, capacity: Int = 1_000_000) {
        self.log = log
        edge = FaultyJournal(MemoryJournal(capacity: capacity))
        edge.onWrite = { [unowned self] (write, store) throws(StorageFault) in
            switch write {
            case .entry(let entry) where entry.price != nil: try note("journal: price")
            case .entry(let entry): try note("journal: " + entry.records.map(\.phase.rawValue).joined(separator: "+"))
            case .checkpoint: try note("journal: checkpoint")
            case .number: if let numberFault { throw numberFault }
            case .openedSide: break
            }
            store()
        }
    }

    var store: MemoryJournal { edge.store }

    private func note(_ name: String) throws(StorageFault) {
        onWrite(name)
        if let left = writesLeft {
            guard left > 0 else { throw StorageFault(operation: name, reason: "power cut") }
            writesLeft = left - 1
        }
        // Of a side's first start, and of no sale.
        if name != "journal: price" { log.append(name) }
    }
}

/// The pump, whose opening is noted.
final class TestPump: Pump {
    /// The commands that the pump does not perform.
    var refuses: (PumpCommand) -> Bool = { _ in false }
    private(set) var snapshotsTaken = 0
    /// Called once the side has it.
    var onSnapshot: () -> Void = {}
    private let site: VirtualSite
    private let log: EventLog

    init(site: VirtualSite, log: EventLog) {
        self.site = site
        self.log = log
    }

    func perform(_ command: PumpCommand) throws(PumpFault) {
        if refuses(command) { throw PumpFault(reason: "the pump does not answer") }
        if case .open = command { log.append("valve opens") }
        try site.perform(command)
    }

    var snapshot: MeterSnapshot {
        snapshotsTaken += 1
        defer { onSnapshot() }
        return site.snapshot
    }
}

final class TestDisplay: SideDisplay {
    private(set) var notices: [Notice] = []
    /// At each notice.
    private(set) var states: [SideState] = []
    /// The states one after the other, whatever was shown in them.
    private(set) var life: [SideState] = []
    private(set) var receipts: [Record] = []
    /// Called at each progress report, with the centilitres shown.
    var onProgress: (Int) -> Void = { _ in }
    var onNotice: (Notice) -> Void = { _ in }

    func show(_ state: SideState, _ notice: Notice) {
        notices.append(notice)
        states.append(state)
        note(state)
        onNotice(notice)
    }

    func show(_ state: SideState, centilitres: Int, fen: Int, unitPrice: UnitPrice) {
        note(state)
        onProgress(centilitres)
    }

    private func note(_ state: SideState) {
        if life.last != state { life.append(state) }
    }

    func printReceipt(_ record: Record, balance: Amount?) { receipts.append(record) }

    var refusals: [Refusal] {
        notices.compactMap { if case .refused(let refusal) = $0 { refusal } else { nil } }
    }
}

final class TestPINEntry: PINEntry {
    private let site: VirtualSite
    private(set) var asked = 0
    var isTyped = true
    /// Why nothing can be typed.
    var obstacle: String?
    /// What is typed at each asking; the demonstration PIN when there is no more.
    var typed: [String] = []

    init(site: VirtualSite) { self.site = site }

    func begin() {
        asked += 1
        site.post(.pinEntered)
    }

    func cancel() {}

    func take() -> PIN? {
        guard !typed.isEmpty else { return Demonstration.pin }
        var digits = Array(typed.removeFirst().utf8)
        let count = digits.count
        do {
            return try PIN(digits: LockedBuffer(wiping: &digits), count: count)
        } catch {
            return nil
        }
    }
}

/// A whole station in memory: 100 pulses a litre in quadrature, 40 L/min, 7.85 yuan a litre.
final class TestStation {
    let log = EventLog()
    let site: VirtualSite
    let reader: TestReader
    private(set) var journal: TestJournal
    let display = TestDisplay()
    let pin: TestPINEntry
    let pump: TestPump
    var settings: SideSettings
    /// What the settings say now.
    var terminal = Demonstration.terminal
    /// What the module counts.
    var numbers = SecurityModule.recordNumber
    /// The master keys that the module has, and has from now on while it serves.
    var keys = KeyHolder.demonstration { didSet { module?.replaceKeys(keys) } }
    private var module: SecurityModule?
    /// The board's clock; the site's unless a test sets it.
    var clock: any StationClock

    init(
        asn: String = "00010000000000000042",
        balance: UInt32 = 50_000,
        ctc: CTC = CTC(0),
        overrunCounts: Int = 0,
        calibration: Calibration = SideSettings.demonstration.calibration
    ) throws {
        settings = .demonstration
        settings.calibration = calibration
        // Most tests need a little fuel only.
        settings.minimumQuantity = Volume(centilitres: 1)
        site = VirtualSite(
            calibration: settings.calibration,
            flow: VirtualSite.Flow(countsPerSecond: 267, slowCountsPerSecond: 40, overrunCounts: overrunCounts),
            date: try CalendarDate(year: 2026, month: 6, day: 1)
        )
        reader = try TestReader(site: site, log: log, asn: asn, balance: balance, ctc: ctc)
        journal = TestJournal(log: log)
        clock = site
        pin = TestPINEntry(site: site)
        pump = TestPump(site: site, log: log)
    }

    /// Runs the side until the stop that the test has put into the agenda.
    ///
    /// - Parameter board: nil for a board of its own, which recovers first.
    @discardableResult
    func run(after board: RecoveredBoard? = nil, totals: KeptTotals = KeptTotals()) -> SideFailure? {
        let module = SecurityModule(
            terminal: terminal,
            keys: keys,
            recordKey: .demonstration,
            random: SystemRandom(),
            numbers: numbers
        )
        self.module = module
        let edges = SideEdges(
            module: module,
            journal: journal.edge,
            reader: reader,
            pump: pump,
            pin: pin,
            clock: clock,
            events: site,
            display: display,
            remark: Language.technical.vocabulary.words
        )
        do throws(SideFailure) {
            var recovered = board
            if recovered == nil {
                let members = [Board.Member(settings: settings, display: display)]
                let board = Board(
                    terminal: terminal,
                    journal: journal.edge,
                    clock: clock,
                    members,
                    totals: totals
                )
                recovered = try board.recover()
            }
            if let recovered { try Side(settings: settings, edges: edges, after: recovered).run() }
            return nil
        } catch {
            return error
        }
    }

    /// Card in, nozzle up, `centilitres` taken, nozzle down, card out, and the end of the day.
    func scheduleRefuel(centilitres: Int) {
        site.countsWanted = site.trueCounts + centilitres * 4
        site.after(1) { [reader] _ in reader.insert() }
        site.after(3) { $0.setNozzle(lifted: true) }
        let fuelling = Double(centilitres) / 66 + 30
        site.after(3 + fuelling) { $0.setNozzle(lifted: false) }
        site.after(10 + fuelling) { [reader] _ in reader.pull() }
        site.after(60 + fuelling) { $0.post(.stopRequested) }
    }

    func journalIsReplaced(by journal: TestJournal) { self.journal = journal }

    func clearAgenda() { site.clearAgenda() }

    var records: [Record] { journal.store.records.values.sorted { $0.number < $1.number } }
    var greyRecords: [GreyRecord] { journal.store.greyRecords.values.sorted { $0.number < $1.number } }
}

/// A station whose card pays before fuel flows: by lock and debit, or without petrol commands by an ordinary purchase.
func prepaidStation(
    _ preset: Preset,
    balance: UInt32 = 50_000,
    overrunCounts: Int = 0,
    hasPetrolCommands: Bool = true
) throws -> TestStation {
    let station = try TestStation(balance: balance, overrunCounts: overrunCounts)
    station.settings.payment = .prepaid(preset)
    station.reader.hasPetrolCommands = hasPetrolCommands
    return station
}

/// To the fen: what each purchase paid is what flowed for it and its one refund record; a void one paid nothing; and the
/// card says the same.
func expectBalanced(
    _ station: TestStation,
    _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    var paid: UInt32 = 0
    for sale in station.records where sale.kind == .prepaid {
        let refunds = station.records.filter { $0.settles == sale.number && $0.kind == .refund }
        let isPaidLater = station.records.contains {
            $0.kind == .localUnlock && $0.phase == .settled && $0.settles == sale.number
        }
        guard sale.phase == .settled || isPaidLater else {
            #expect(refunds.isEmpty, comment, sourceLocation: sourceLocation)
            continue
        }
        paid += sale.amount.fen
        let flowed = sale.price.fen - sale.nonCardPart.fen
        let refunded = refunds.reduce(0) { $0 + $1.amount.fen }
        #expect(sale.amount.fen == flowed + refunded, comment, sourceLocation: sourceLocation)
        #expect(refunds.count == (flowed < sale.amount.fen ? 1 : 0), comment, sourceLocation: sourceLocation)
    }
    let refuels = station.records.filter { $0.kind == .sale && $0.phase == .settled }
    paid += refuels.reduce(0) { $0 + $1.amount.fen }
    #expect(station.reader.image.balance.fen == 50_000 - paid, comment, sourceLocation: sourceLocation)
}

func flipped(_ bytes: [UInt8], byte: Int, bit: Int) -> [UInt8] {
    var bytes = bytes
    bytes[byte] ^= 1 << UInt8(bit)
    return bytes
}

extension Record {
    /// As if it stood in the journal as another kind in another phase, with what that cannot be without.
    func rewritten(_ kind: RecordKind, _ phase: RecordPhase) throws(FieldFault) -> Record {
        var fields = RecordFields(self)
        (fields.kind, fields.phase) = (kind, phase)
        switch kind {
        case .localUnlock, .onlineUnlock, .refund: fields.settles = RecordNumber(7)
        case .sale, .escape, .cardFault, .prepaid, .noCard, .test: break
        }
        switch phase {
        case .torn where kind == .prepaid, .void where kind == .prepaid: fields.makePurchase()
        case .debitSent, .paid, .settled:
            fields.debits = [DebitAttempt(ttc: TTC(number.value), type: .refuel, terminal: terminal, time: begun)]
            (fields.debitTAC, fields.mac4IsValid) = ([1, 2, 3, 4], true)
        case .intent, .locked, .torn, .flowing, .ended, .escaped, .void: break
        }
        return try Record(fields)
    }
}

extension RecordFields {
    /// Prepaid by an ordinary purchase.
    mutating func makePurchase() {
        (kind, mac3, gmac, icc) = (.prepaid, nil, nil, ICCRandom(0x0102_0304))
        debits = [DebitAttempt(ttc: TTC(head.number.value), type: .purchase, terminal: head.terminal, time: head.begun)]
    }
}
