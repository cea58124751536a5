import PulseSignals

/// What a simulation keeps of a run besides its verdict.
final class StationTape {
    /// A place at which a fault can strike: in which visit, and when in it.
    struct Place: Hashable {
        let visit: Int
        let instant: FaultInstant
    }

    private let keepsTrace: Bool
    let keepsPlaces: Bool
    private var visit = -1
    /// What happened, in order.
    private(set) var trace: [String] = []
    /// In the order in which they came.
    private(set) var places: [Place] = []
    /// How many answers a shim could replay at each place where one stood.
    private(set) var earlier: [Place: Int] = [:]
    private(set) var faultsMet: [FaultKind: Int] = [:]
    private(set) var sales = 0
    private(set) var lies: [PulseFaultKind: LieTally] = [:]
    /// Deliveries that went back into the tank.
    private(set) var tests = 0
    /// Counts that each end of the service in mid-sale cost.
    private(set) var countsLost: [Int] = []

    /// Keeping the trace costs more than the run itself, so it is for a run that is played again.
    init(keepsTrace: Bool = false, keepsPlaces: Bool = false) {
        self.keepsTrace = keepsTrace
        self.keepsPlaces = keepsPlaces
    }

    func note(_ text: () -> String) { if keepsTrace { trace.append(text()) } }

    func note(_ instant: FaultInstant) {
        if keepsPlaces { places.append(Place(visit: visit, instant: instant)) }
    }

    /// Of the last place.
    func noteEarlier(_ answers: Int) { if let last = places.last { earlier[last] = answers } }

    func visitBegins() { visit += 1 }

    func saleBegins() { sales += 1 }

    func testEnds() { tests += 1 }

    func met(_ kind: FaultKind) { faultsMet[kind, default: 0] += 1 }

    func lied(_ sale: LieBooks.Sale) { lies[sale.kind, default: LieTally()].add(sale.tally) }

    func lost(_ counts: Int) { countsLost.append(counts) }
}
