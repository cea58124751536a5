import CardApplication
import Dispenser
import FuelPassbook
import Metering
import Quantities
import Records

/// What the books of a station keep of one side: its visit, its running sale, its meter.
final class SideLedger {
    let number: Int
    unowned let ledger: StationLedger
    var misheardInVisit = 0
    var begunInVisit: RecordNumber?
    private var canPayAtVisit = false
    /// The sale of this station by which the card of the visit was locked when it came.
    private var lockAtVisit: TTC?
    /// The sale whose intent was written last.
    var running: RecordNumber?
    var metered: [RecordNumber: Int] = [:]
    var countsInRecords = 0
    /// When the service began to serve, whose meter began at zero.
    var countsInRecordsAtStart = 0
    var meteringSince: Int?
    /// Edges that the kernel's numbers show as lost, by sale.
    var losses: [RecordNumber: Int] = [:]
    /// Sales in which the service stood still with a valve open.
    var frozen: Set<RecordNumber> = []
    /// Of the running sale.
    var countsFrozen = 0
    var isSwapped = false
    /// And nothing else is wrong with the pulser.
    var isSwappedAlone = false
    var swappedSince = 0
    /// The true counts when the plug was put in right; nil while nothing was ever wrong with it.
    var swappedUntil: Int?
    /// Up to what true counts a lost edge can show: one of a sale's last shows in the next.
    var disturbedUntil = 0

    var lies = LieBooks()
    var hasLied = false
    /// Why the position has closed itself, in the words in which it says so in the end; nil once it was opened.
    var closing: String?
    /// What the meter noted in sales, and outside.
    var faultsNoted = PulserFaults()
    var faultsStray = PulserFaults()

    /// Under which records begin now.
    var calibration: Calibration
    /// Under which the totaliser's counts were counted.
    var totalsCalibration: Calibration
    var inForce: ParameterSeal.InForce?

    init(_ number: Int, of ledger: StationLedger, _ calibration: Calibration) {
        self.number = number
        self.ledger = ledger
        self.calibration = calibration
        totalsCalibration = calibration
    }

    func serviceBegins() {
        countsInRecordsAtStart = countsInRecords
        lies = LieBooks()
    }

    func forgets(_ store: MemoryJournal) {
        running = nil
        countsInRecords = store.records.values.reduce(0) {
            $0 + ($1.side == number ? $1.reading.totalCounts : 0)
        }
    }

    // MARK: - Visits

    /// - Parameter needed: for a sale.
    func visitBegins(_ card: SimulatedCard, needed: Amount, _ store: MemoryJournal) {
        misheardInVisit = 0
        begunInVisit = nil
        // An ordinary purchase has to wait where others were not proven.
        canPayAtVisit = card.image.grey == nil && card.image.balance >= needed && !card.isOrdinary
        lockAtVisit = card.image.grey.flatMap { ledger.terminals.contains($0.terminal) ? $0.ttc : nil }
        // Where its sale waits for it, and nowhere else, the card is released.
        if let lockAtVisit, ledger.sides.contains(where: { $0 !== self && $0.sells(lockAtVisit, store) }) {
            self.lockAtVisit = nil
        }
    }

    private func sells(_ lock: TTC, _ store: MemoryJournal) -> Bool {
        guard let running, let record = store.records[running] else { return false }
        return record.ttc == lock && record.phase.isOpen
    }

    /// A visit to the pump ends in which nothing went wrong.
    func smoothVisitEnds(_ card: SimulatedCard, _ store: MemoryJournal) {
        if let lockAtVisit, card.image.grey?.ttc == lockAtVisit, !ledger.forgottenLocks.contains(lockAtVisit),
            !ledger.hidesLock(card, ledger.grey(of: lockAtVisit, store))
        {
            ledger.fail("nothing went wrong, and card \(card.number) is still locked by sale \(lockAtVisit.number)")
        }
        if ledger.isSound, begunInVisit == nil, canPayAtVisit, card.number != ledger.attacker {
            ledger.fail("nothing went wrong, and card \(card.number) was not served")
        }
        guard let begunInVisit, store.records[begunInVisit]?.phase != .settled else { return }
        ledger.fail("nothing went wrong in sale \(begunInVisit.value), and it is not paid")
    }

    /// The station heard another answer than the card gave, by accident or by a shim.
    func misheard(_ card: SimulatedCard) {
        misheardInVisit += 1
        if let running, ledger.openRecords.contains(running) { ledger.undecidable.insert(running) }
        for (key, debit) in ledger.debits where key.card == card.asn.identity && !debit.isRecorded {
            ledger.debits[key]?.isMisheard = true
        }
    }
}
