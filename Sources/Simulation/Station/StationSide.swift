import CardApplication
import CardCryptography
import Dispenser
import FuelPassbook
import ISO7816
import Metering
import Quantities
import Records
import Words

/// One side of a simulated station: its reader, its pump and whoever stands there. The side is the production code.
final class StationSide {
    /// How often each kind of instant has come in a visit.
    struct Reached {
        var exchanges = 0
        var writes = 0
        var commands = 0
        var counts = 0
        var instructions: [Instruction: Int] = [:]
        /// Calls of any edge.
        var calls = 0
    }

    /// More edge calls in one visit than this are a side that does not come to rest.
    static let callsMax = 200_000

    /// From 0 on.
    let number: Int
    let site: VirtualSite
    /// What concerns this side alone.
    let books: SideLedger
    private(set) lazy var reader = StationReader(side: self)
    unowned let station: SimulatedStation
    let ledger: StationLedger
    let journal: StationJournal
    let tape: StationTape
    private(set) var visit = CustomerVisit(card: 0, errand: .technician)
    var reached = Reached()
    var pinsWrongLeft = 0
    var channelsAreSwapped = false
    /// In the last sale, and it was not started anew since.
    var meterSawSwap = false
    /// The side has heard that no card is in the reader.
    var isCardKnownGone = false
    /// The display says that no sale is running.
    var isAtRest = true
    /// The side waits for what comes next.
    var isWaiting = false
    /// The service has not failed in this visit, and nobody came between the customer and it.
    var isVisitSmooth = false
    /// Under which it sells; nil at a station without a seal.
    private(set) var inForce: ParameterSeal.InForce?
    /// Others are under seal.
    var parametersAreReplaced = false
    /// This side's part of the service runs.
    private(set) var isServing = false

    init(_ number: Int, _ station: SimulatedStation, site: VirtualSite) {
        self.number = number
        self.station = station
        self.site = site
        tape = station.tape
        ledger = station.ledger
        journal = station.journal
        books = ledger.sides[number]
        site.onCount = { [unowned self] _ in counted() }
        site.onLie = { [unowned self] in lies($0) }
    }

    var isDead: Bool { station.isDead }

    var settings: SideSettings {
        var settings = station.settings
        (settings.number, settings.nozzle) = (number + 1, number + 1)
        settings.calibration = calibration
        settings.identification = inForce?.identification
        return settings
    }

    private var calibration: Calibration { inForce?.meter.calibration ?? station.settings.calibration }

    /// At a start, with the pump's lines closed.
    func takeParameters() {
        inForce = station.parameters(of: self)
        parametersAreReplaced = false
        books.isUnder(calibration, inForce)
        site.restart(calibration: calibration)
        meterSawSwap = false
    }

    /// Nobody is here, or only a card that nothing is done with.
    var isResting: Bool { !isServing || (isWaiting && isAtRest && site.isStill) }

    var edges: SideEdges {
        SideEdges(
            module: station.module,
            journal: journal.edge,
            reader: reader,
            pump: self,
            pin: self,
            clock: site,
            events: self,
            display: self,
            remark: Language.technical.vocabulary.words
        )
    }

    func serviceBegins() { isServing = station.mode == .serving }

    /// At a power cut the books were closed before.
    func serviceEnds() {
        if station.hasPower && isServing {
            books.serviceEnds(journal.store, site.snapshot, calibration)
        }
        isServing = false
    }

    /// - Returns: why it failed.
    func serve(after board: RecoveredBoard) -> SideFailure? {
        do throws(SideFailure) {
            var side = Side(settings: settings, edges: edges, after: board)
            try side.run()
            while side.parametersAreNew, !isDead, station.mode == .serving {
                // As the service has it: pump and side begin anew, the board goes on.
                books.serviceEnds(journal.store, site.snapshot, calibration)
                takeParameters()
                books.serviceBegins()
                side = Side(settings: settings, edges: edges, after: board, goingOnFrom: side)
                try side.run()
            }
            return nil
        } catch {
            return error
        }
    }

    func losePower() {
        if isServing {
            let isFlowing = site.isOpen
            let lost = books.serviceEnds(journal.store, site.snapshot, calibration)
            if isFlowing { tape.lost(lost) }
        }
        site.losePower()
        reader.losePower()
        site.post(.stopRequested)
    }

    /// Between two runs of the service, the mains are back.
    func restart() {
        site.clearAgenda()
        site.setNozzle(lifted: false)
        site.setEmergency(active: false)
    }

    func observe() { books.observe(journal.store, isOpen: site.isOpen, mayBeOpen: site.mayBeOpen) }

    // MARK: - Visits

    /// Whether a visit of this card goes on here.
    func serves(_ card: Int) -> Bool { isServing && visit.card == card && visit.fuelCounts > 0 && !isResting }

    func begin(_ next: CustomerVisit) {
        visit = next
        isVisitSmooth = next.meanwhile == .waits
        tape.visitBegins()
        let litre = Amount(fen: UInt32(station.settings.unitPrice.fenPerLitre))
        books.visitBegins(card, needed: max(litre, station.prepaidAmount ?? litre), journal.store)
        reached = Reached()
        pinsWrongLeft = next.pinsWrong
        tape.note {
            let place = station.sides.count > 1 ? " at side \(number + 1)" : ""
            return "visit of card \(next.card)\(place): \(next.errand)"
        }
        reader.takeOut()
        site.setNozzle(lifted: false)
    }

    var card: SimulatedCard { station.cards[visit.card] }

    func refuel(counts: Int) {
        site.countsWanted = site.trueCounts + counts
        if let lie = visit.lie { site.lie(lie) }
        site.after(1) { [unowned self] _ in reader.insert(card) }
    }

    func isClone(_ card: SimulatedCard) -> Bool { visit.meanwhile == .clones && card.number == visit.card }

    /// The customer comes to another side with this card, or with one that answers as it does.
    func comesElsewhere(_ card: SimulatedCard, isClone: Bool) {
        if visit.card == card.number { isVisitSmooth = false }
        guard reader.holds(card), !isClone else { return }
        isVisitSmooth = false
        reader.takeOut()
        station.wake(self)
    }

    func visitEnds() {
        if isVisitSmooth, visit.isSmooth { books.smoothVisitEnds(card, journal.store) }
        isVisitSmooth = false
    }
}
