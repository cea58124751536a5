import CardApplication
import CardCryptography
import Dispenser
import FuelPassbook
import ISO7816
import Metering
import Quantities
import Records
import SecurityModule

/// The books of a simulated station, kept from outside: from what the cards truly did, what the pulser truly turned and what
/// the journal truly holds. The first thing that is not as it must be ends the simulation.
///
/// Invariants:
/// 1. A card's balance changes by a debit that it executes and by nothing else; no GMAC that it hears is wrong.
/// 2. A lock is paid once, with the amount that its record then has on disk.
/// 3. A record that says paid has a debit of that amount that its card executed, and a debit has one such record, or one
///    that is still open for it.
/// 4. Every GMAC on disk is the session's for exactly the amount that it stands beside.
/// 5. A card that this station locked has its open grey record whenever the station is at rest.
/// 6. Counts of a record = counts of the meter; sum of the sales = totaliser's difference = counts over factor.
/// 7. A power cut costs at most one checkpoint: 0.5 L and what comes when the valves have closed, however slow the disk is.
/// 8. Valves are open only with the nozzle lifted and no emergency, and not after the card left; for a record that is on
///    disk as locked, of a card that is, or as paid, of a card that has.
/// 9. No key stands in any byte written.
/// 10. A sale in which nothing goes wrong is paid at once, and a visit in which nothing does releases its card.
/// 11. What ``RecordBooks`` says of volume, price, refunds and notices.
/// 12. A second start writes nothing.
/// 13. No number is given twice.
/// 14. A card that took a PIN or GMAC had written the lower counter before.
/// 15. A card is refused for the clock only while it is behind what was written, in UTC.
/// 16. A record names the set of parameters under which it was begun, and is valued under it to its end. Nobody is served under a
///     set that was replaced. What ``SideLedger/isUnder(_:_:)`` says of two sets.
final class StationLedger {
    struct DebitKey: Hashable {
        let card: UInt64
        /// Of the lock, or of the purchase.
        let ttc: TTC

        init(_ card: ApplicationSerialNumber, _ ttc: TTC) {
            self.card = card.identity
            self.ttc = ttc
        }
    }

    struct Debit {
        let amount: Amount
        let isPurchase: Bool
        /// What the card answered.
        let tac: [UInt8]
        var isRecorded = false
        /// The station heard something else.
        var isMisheard = false
        /// The card was elsewhere before it could prove this debit: its proof may be replaced.
        var proofMayBeGone = false
    }

    /// Two terminals give the same TTC.
    private struct ForeignLock: Hashable {
        let terminal: TerminalID
        let ttc: TTC
    }

    static let checkpointMax = Volume(centilitres: 50)
    /// Counts after which a fault of the pulser has shown.
    static let edgesThatShow = 8
    /// So many turn back before the valves close, and some come while they do.
    static let countsSwappedMax = 28

    private(set) var violation: String?
    let oracle = SessionOracle()
    /// The station's own.
    let terminals: [TerminalID]
    let cards: [SimulatedCard]
    let attacker: Int?
    let isSound: Bool
    let overrunCounts: Int
    let security: PulserSecurity
    /// Of the meter.
    let edgesPerSecondMax: Int
    /// A side that is held up by another has counted a checkpoint's worth meanwhile, at a fast meter.
    let mayHold: Bool
    var module: SecurityModule
    var debits: [DebitKey: Debit] = [:]
    /// Locks that their cards executed; the value says whether they paid.
    var locks: [TTC: Bool] = [:]
    var releasedElsewhere: Set<TTC> = []
    /// The debit of as much, of another lock of the card, that pays the record of a lock which the issuer has freed.
    var paidByAnotherLock: [TTC: DebitKey] = [:]
    /// Of grey records that came from another terminal: the terminal and the TTC there, and the TTC that stands for both here.
    private var carried: [ForeignLock: TTC] = [:]
    /// That were given away.
    var numbers: Set<RecordNumber> = []
    /// In sales of which the journal was put back to a time before them.
    var forgottenLocks: Set<TTC> = []
    /// Purchases that their cards cannot prove or deny any more, because they were elsewhere since or were misheard: the
    /// issuer's books decide them.
    var undecidable: Set<RecordNumber> = []
    /// Which record the module's numbers belong to, and the other way round.
    private var records: [TTC: RecordNumber] = [:]
    private var transactions: [RecordNumber: TTC] = [:]
    var openRecords: Set<RecordNumber> = []
    var openGreyRecords: Set<RecordNumber> = []
    var books: RecordBooks
    /// Which were in force last.
    var lastSets: [ParameterSeal.Place: ParameterSeal.InForce] = [:]
    /// In the order of their sides.
    private(set) var sides: [SideLedger] = []

    init(
        cards: [SimulatedCard],
        terminals: [TerminalID],
        module: SecurityModule,
        _ calibration: Calibration,
        _ layout: StationLayout
    ) {
        self.terminals = terminals
        overrunCounts = layout.overrunCounts
        security = layout.security
        edgesPerSecondMax = layout.edgesPerSecondMax ?? MeterLimits.edgesPerSecondDesign
        mayHold = layout.edgesPerSecondMax != nil && layout.sides > 1
        attacker = layout.attacker
        isSound = layout.isSound
        self.cards = cards
        self.module = module
        books = RecordBooks()
        sides = (1...layout.sides).map { SideLedger($0, of: self, calibration) }
    }

    func side(of record: Record) -> SideLedger { sides[record.side - 1] }

    /// Of every side, at once.
    func serviceBegins() {
        for side in sides { side.serviceBegins() }
    }

    /// An older journal was put back, or the row of the totals has rotted.
    var totalsMayDiffer = false

    func fail(_ reason: String) { violation = violation ?? reason }

    func card(_ asn: ApplicationSerialNumber) -> SimulatedCard? {
        cards.first { $0.asn.identity == asn.identity }
    }

    /// The card's holder tried a code on it and took its power away.
    ///
    /// - Parameter learns: whether the card did something else than it would have done for the right code.
    func guessed(learns: Bool, triesLeft before: UInt8, after: UInt8) {
        if learns && after >= before { fail("a code was tried on a card, and it counts no try") }
    }

    // MARK: - Numbers

    /// A record is about to be on disk for the first time.
    func begins(_ record: Record) {
        guard let ttc = record.ttc else { return }
        records[ttc] = record.number
        transactions[record.number] = ttc
    }

    /// The record whose lock or purchase it was.
    func record(of ttc: TTC, _ store: MemoryJournal) -> Record? { records[ttc].flatMap { store.records[$0] } }

    func grey(of ttc: TTC, _ store: MemoryJournal) -> GreyRecord? { records[ttc].flatMap { store.greyRecords[$0] } }

    func isOpen(_ ttc: TTC) -> Bool { records[ttc].map(openRecords.contains) ?? false }

    func isOpenGrey(_ ttc: TTC) -> Bool { records[ttc].map(openGreyRecords.contains) ?? false }

    /// What the record is paid by.
    func key(_ record: Record) -> DebitKey {
        DebitKey(record.card, record.ttc ?? record.settles.flatMap { transactions[$0] } ?? TTC(0))
    }

    /// The journal gives a number away.
    func gives(_ number: RecordNumber) {
        if !numbers.insert(number).inserted { fail("number \(number.value) is given twice") }
    }

    /// An older copy of the journal was put in its place: what it does not know is lost, and no fault of the station.
    func forgets(_ store: MemoryJournal) {
        openRecords = Set(store.records.values.filter { $0.phase.isOpen }.map(\.number))
        openGreyRecords = Set(store.greyRecords.values.filter { $0.state == .open }.map(\.number))
        undecidable.formUnion(openRecords)
        for side in sides { side.forgets(store) }
        let payments = store.records.values.filter(\.isPayment)
        let known = Set(payments.compactMap(\.ttc))
        paidByAnotherLock = paidByAnotherLock.filter { known.contains($0.key) }
        let paid = Set(payments.map(key)).union(paidByAnotherLock.values)
        for key in debits.keys {
            debits[key]?.isRecorded = paid.contains(key)
            debits[key]?.proofMayBeGone = true
        }
        for (ttc, isPaid) in locks where !isPaid && !isOpenGrey(ttc) { forgottenLocks.insert(ttc) }
        releasedElsewhere.formUnion(openGreyRecords.compactMap { transactions[$0] }.filter { locks[$0] == true })
        books.forgets(store)
    }

    func isAttackers(_ asn: ApplicationSerialNumber) -> Bool {
        attacker.map { cards[$0].asn.identity == asn.identity } ?? false
    }

    /// Another terminal's grey record is about to be this journal's.
    func carries(_ escape: ForeignTerminal.Escape, as number: RecordNumber) {
        let due = escape.due
        let ttc = module.ttc(for: number)
        carried[ForeignLock(terminal: due.terminal, ttc: due.ttc)] = ttc
        records[ttc] = number
        transactions[number] = ttc
        locks[ttc] = false
        oracle.begin(due.card, icc: escape.icc, ctc: due.ctc, ttc: due.ttc, as: ttc)
    }

    /// What stands here for a terminal's TTC; nil where this station has nothing of it.
    func session(of terminal: TerminalID, _ ttc: TTC) -> TTC? {
        terminals.contains(terminal) ? ttc : carried[ForeignLock(terminal: terminal, ttc: ttc)]
    }

    // MARK: - Cards

    /// A card executed, or refused, a command of this station, be it altered on its way.
    ///
    /// - Parameter isCut: its holder took its power away meanwhile; a try may be gone (spec/grey-lock.md, D29).
    func exchanged(
        _ card: SimulatedCard,
        _ command: Span<UInt8>,
        _ answer: ResponseAPDU,
        before: CardImage,
        _ store: MemoryJournal,
        isCut: Bool = false
    ) {
        let after = card.image
        guard answer.status != .success || !SimulatedCard.isCounted(command) || card.writes > 1 else {
            return fail("a card compared a code whose try it had not counted")
        }
        guard isCut || after.gmacTriesLeft >= before.gmacTriesLeft else { return fail("a card heard a wrong GMAC") }
        let taken = Int(before.balance.fen) - Int(after.balance.fen)
        do throws(ParseError) {
            let command = try CommandAPDU(parsing: command)
            guard answer.status == .success else {
                return taken == 0 ? () : fail("a card paid in a command that it refused")
            }
            switch command.header {
            case Instruction.lockForPetrol.header:
                if let grey = after.grey { locks[grey.ttc] = false }
            case Instruction.debitForPetrol.header:
                let debit = try DebitForPetrol(parsing: command.data)
                guard let grey = before.grey, let lock = session(of: grey.terminal, grey.ttc) else {
                    return fail("a card paid a lock that is not this station's")
                }
                locks[lock] = true
                let owed = record(of: lock, store)?.amount ?? self.grey(of: lock, store)?.amount
                guard owed == debit.amount || forgottenLocks.contains(lock) else {
                    return fail("the debit of sale \(lock.number) is not what its record says")
                }
                let tac = try DebitForPetrol.Response(parsing: answer.data).debitTAC.bytes
                let paid = Debit(amount: debit.amount, isPurchase: false, tac: tac)
                return note(DebitKey(card.asn, lock), paid, taken)
            case Instruction.debitForPurchase.header:
                let ttc = try DebitForPurchase(parsing: command.data).ttc
                let tac = try DebitForPurchase.Response(parsing: answer.data).tac.bytes
                let paid = Debit(amount: Amount(fen: UInt32(taken)), isPurchase: true, tac: tac)
                return note(DebitKey(card.asn, ttc), paid, taken)
            case _: break
            }
        } catch {
            return fail("the station sent what is no command: \(error)")
        }
        if taken != 0 { fail("a card's balance changed without a debit") }
    }

    /// What the station heard, true or not: its session is made of that.
    func hears(_ card: SimulatedCard, _ command: Span<UInt8>, _ answer: ResponseAPDU) {
        guard answer.status == .success else { return }
        do throws(ParseError) {
            let command = try CommandAPDU(parsing: command)
            guard command.header == Instruction.initializeForPetrol.header else { return }
            let response = try InitializeForPetrol.Response(parsing: answer.data)
            let ttc = try InitializeForPetrol(parsing: command.data).ttc
            oracle.begin(card.asn, icc: response.icc, ctc: response.ctc, ttc: ttc)
        } catch {
            // No session is made of an answer that is none.
        }
    }

    func note(_ key: DebitKey, _ debit: Debit, _ taken: Int) {
        guard taken == Int(debit.amount.fen) else { return fail("a card paid another amount than it was debited") }
        guard debits[key] == nil else { return fail("transaction \(key.ttc.number) was paid twice") }
        debits[key] = debit
    }

    /// A card was somewhere else.
    func wasElsewhere(_ card: SimulatedCard, before: CardImage, _ store: MemoryJournal) {
        for number in openRecords where store.records[number]?.card.identity == card.asn.identity {
            undecidable.insert(number)
        }
        for (key, debit) in debits where key.card == card.asn.identity && !debit.isRecorded {
            debits[key]?.proofMayBeGone = true
        }
        if let grey = before.grey, let lock = session(of: grey.terminal, grey.ttc), card.image.grey == nil {
            releasedElsewhere.insert(lock)
        }
    }
}
