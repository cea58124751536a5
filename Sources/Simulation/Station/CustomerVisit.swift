package import Dispenser
package import FuelPassbook

/// One thing that happens at a station or to its cards: a pure value, so that a run can be played again with less.
package struct CustomerVisit: Equatable, Sendable {
    package enum Errand: Equatable, Sendable {
        /// Takes fuel here, at most `counts` of the pulser.
        case refuel(counts: Int)
        /// Pays for something elsewhere by an ordinary purchase.
        case shop(Amount)
        /// Takes fuel at another station, and leaves that unpaid when `escapes`.
        case otherStation(Amount, escapes: Bool)
        /// The issuer's counter: a grey card is released, an empty one loaded.
        case counter
        /// The service is started anew with another way to pay, or another calibration.
        case reconfigure(PaymentMode, factorsMillionths: [Int])
        /// A technician sets the clock, empties the disk and opens a position that closed itself.
        case technician
        case night(hours: Int)
        /// The board's clock jumps by so many seconds.
        case clockJump(seconds: Int)
        /// The valve leaks.
        case leak(counts: Int)
    }

    package var card: Int
    package var errand: Errand
    /// Wrong PINs before the right one.
    package var pinsWrong = 0
    /// Never takes the nozzle.
    package var isUndecided = false
    /// Takes the card when the mains go, and does not wait.
    package var leavesInOutage = false
    package var faults: [PlannedFault] = []

    package init(card: Int, errand: Errand) {
        self.card = card
        self.errand = errand
    }
}

/// What a station is like.
struct StationLayout {
    /// What comes when the valves have closed.
    var overrunCounts = 1
    /// Of the journal, until a technician makes it larger.
    var capacity = 1_000_000
}

/// Draws one station and its visits.
struct VisitGenerator {
    static let cards = 5
    private var numbers: SplitMix64
    private let profile: FaultProfile

    init(seed: UInt64, profile: FaultProfile) {
        numbers = SplitMix64(state: seed)
        self.profile = profile
    }

    mutating func layout() -> StationLayout {
        StationLayout(
            overrunCounts: numbers.below(3) == 0 ? 6 : 1,
            capacity: numbers.below(3) == 0 ? 60 : 1_000_000
        )
    }

    mutating func visits(_ count: Int) -> [CustomerVisit] { (0..<count).map { _ in visit() } }

    private mutating func visit() -> CustomerVisit {
        let card = numbers.below(Self.cards)
        var visit = CustomerVisit(card: card, errand: .refuel(counts: counts()))
        switch numbers.below(40) {
        case 0: visit.errand = .shop(Amount(fen: UInt32(numbers.below(5_000))))
        case 1:
            visit.errand = .otherStation(
                Amount(fen: UInt32(numbers.below(5_000))),
                escapes: profile.hasCardFaults && numbers.below(2) == 0
            )
        case 2: visit.errand = .counter
        case 3: visit.errand = .reconfigure(payment(), factorsMillionths: factors())
        case 4: visit.errand = .technician
        case 5: visit.errand = .night(hours: 1 + numbers.below(10))
        case 7 where profile == .power || profile == .full:
            visit.errand = .clockJump(seconds: numbers.below(7_200) - 3_600)
        case 6 where profile == .pump || profile == .full: visit.errand = .leak(counts: 1 + numbers.below(60))
        case _:
            visit.pinsWrong = profile.hasCardFaults && numbers.below(20) == 0 ? 1 + numbers.below(3) : 0
            visit.isUndecided = numbers.below(100) == 0
            visit.leavesInOutage = numbers.below(2) == 0
            visit.faults = faults(counts: visit.fuelCounts)
        }
        return visit
    }

    /// From a few drops to a full tank.
    private mutating func counts() -> Int {
        switch numbers.below(40) {
        case 0, 1: 1 + numbers.below(4)
        case 2: 200 + numbers.below(600)
        case _: 10 + numbers.below(90)
        }
    }

    private mutating func payment() -> PaymentMode {
        switch numbers.below(3) {
        case 0: .prepaid(Preset(centilitres: 20 + numbers.below(300)))
        case _: .greyLock
        }
    }

    /// Of one or two calibration points.
    private mutating func factors() -> [Int] {
        (0...numbers.below(2)).map { _ in 990_000 + 5_000 * numbers.below(5) }
    }

    private mutating func faults(counts: Int) -> [PlannedFault] {
        let number =
            switch numbers.below(16) {
            case 0..<6: 0
            case 6..<12: 1
            case 12..<15: 2
            case _: 3
            }
        return (0..<number).compactMap { _ in fault(counts: counts) }
    }

    private mutating func fault(counts: Int) -> PlannedFault? {
        let (instant, kinds): (FaultInstant, [FaultKind]) =
            switch numbers.below(10) {
            case 0..<3: (.exchange(numbers.below(12)), profile.ofExchange)
            case 3..<6: (.write(numbers.below(14)), profile.ofWrite)
            case 6: (.command(numbers.below(8)), profile.ofCommand)
            case _: (.count(1 + numbers.below(counts)), profile.ofCount)
            }
        guard !kinds.isEmpty else { return nil }
        let kind = kinds[numbers.below(kinds.count)]
        return PlannedFault(kind, at: instant, extent: extent(of: kind))
    }

    private mutating func extent(of kind: FaultKind) -> Int {
        switch kind {
        case .answerCorrupted: numbers.below(144)
        case .readerGone: 1 + numbers.below(20)
        case .powerCutDuring: numbers.below(2)
        case .diskFull: 1 + numbers.below(3)
        case .slowDisk: 100 + numbers.below(2_000)
        case .cardPulled: numbers.below(3) == 0 ? 0 : 1 + numbers.below(25)
        case .cardSwapped: 6 + numbers.below(15)
        case .pulsesReversed: 1 + numbers.below(6)
        case .emergencyStop: 1 + numbers.below(40)
        case .clockJump: numbers.below(7_200) - 3_600
        case .cardPulledBefore, .cardPulledDuring, .cardPulledAfter, .answerLost, .powerCutBefore, .powerCutAfter,
            .pumpFailure, .pulseMissed, .pulseBounced, .nozzleBounced, .serviceStopped, .pinWrong, .visitedElsewhere:
            0
        }
    }
}

extension CustomerVisit {
    /// To the pump, and nothing is to go wrong.
    var isSmooth: Bool { fuelCounts > 0 && faults.isEmpty && pinsWrong == 0 }

    /// What the customer wants here, in counts.
    var fuelCounts: Int {
        switch errand {
        case .refuel(let counts): counts
        case .shop, .otherStation, .counter, .reconfigure, .technician, .night, .clockJump, .leak: 0
        }
    }
}

extension CustomerVisit {
    /// What sets everything right at the end: the technician, time for the clock, then every card here, at the issuer's
    /// counter and here again, and nothing goes wrong.
    static func repairs(cards: Int) -> [CustomerVisit] {
        let station: [Errand] = [
            .technician, .night(hours: 3), .reconfigure(.greyLock, factorsMillionths: [1_000_000]),
        ]
        return station.map { CustomerVisit(card: 0, errand: $0) }
            + (0..<cards).flatMap { card in
                [Errand.refuel(counts: 10), .counter, .refuel(counts: 10)].map {
                    CustomerVisit(card: card, errand: $0)
                }
            }
    }
}

extension CustomerVisit: CustomStringConvertible {
    package var description: String {
        var words = ["card \(card): \(errand)"]
        if pinsWrong > 0 { words.append("\(pinsWrong) wrong PINs") }
        if isUndecided { words.append("never takes the nozzle") }
        if leavesInOutage { words.append("leaves in an outage") }
        return (words + faults.map(\.description)).joined(separator: "; ")
    }
}

extension CustomerVisit.Errand: CustomStringConvertible {
    package var description: String {
        switch self {
        case .refuel(let counts): "refuels, \(counts) counts"
        case .shop(let amount): "pays \(amount) in a shop"
        case .otherStation(let amount, let escapes): "refuels elsewhere for \(amount)\(escapes ? ", and escapes" : "")"
        case .counter: "goes to the issuer's counter"
        case .reconfigure(.greyLock, let factors): "new settings: grey lock, factors \(factors)"
        case .reconfigure(.prepaid, let factors): "new settings: prepaid, factors \(factors)"
        case .technician: "a technician sets everything right"
        case .night(let hours): "\(hours) hours pass"
        case .clockJump(let seconds): "the clock jumps by \(seconds) s"
        case .leak(let counts): "the valve leaks \(counts) counts"
        }
    }
}
