import Dispenser
import Metering
package import PulseSignals

/// Whole stations one after the other, each with its cards, from its first sale to the day when everything is settled.
///
/// The same seed plays the same stations on every machine. A station's seed plays that station first.
package struct StationSimulation: Sendable {
    package static let sidesMax = Board.sidesMax
    private static let visitsPerStation = 120

    /// A rule that was broken, with the shortest way to it that was found.
    package struct Violation: Equatable, Sendable {
        /// Of the station.
        package let seed: UInt64
        package let reason: String
        package let visits: [CustomerVisit]
        /// What happened, in order.
        package let trace: [String]
    }

    package struct Tally: Equatable, Sendable {
        package var stations = 0
        package var sales = 0
        /// Deliveries that went back into the tank.
        package var tests = 0
        package var faultsMet: [FaultKind: Int] = [:]
        /// By counts that a power cut in mid-sale cost: how many cuts.
        package var cutsByCountsLost: [Int: Int] = [:]
        /// Sales with a pulser that lies, by what it does.
        package var lies: [PulseFaultKind: LieTally] = [:]

        package var faults: Int { faultsMet.values.reduce(0, +) }
    }

    package private(set) var tally = Tally()
    private let seed: UInt64
    private let profile: FaultProfile
    private let sides: Int
    private let ownsArena: Bool
    private let seal: (@Sendable () -> ParameterSeal)?

    /// - Parameter ownsArena: whether nothing else in this process uses locked memory, so that what a station does not give back
    ///   at rest is seen.
    /// - Parameter sides: of each station's board.
    /// - Parameter seal: makes a new station's; without one, parameters change with settings alone.
    package init(
        seed: UInt64,
        profile: FaultProfile,
        sides: Int = 1,
        ownsArena: Bool,
        seal: (@Sendable () -> ParameterSeal)? = nil
    ) {
        self.sides = sides
        self.seal = seal
        self.seed = seed
        self.profile = profile
        self.ownsArena = ownsArena
    }

    /// `0.45`
    package static func litres(ofCounts counts: Int) -> String {
        let hundredths = counts * 100 / StationLayout.usualCountsPerLitre
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }

    /// Runs stations until `sales` sales have begun; the first violation ends it.
    ///
    /// - Parameter jobs: how many threads play stations; the result is the same with any number.
    package mutating func run(sales: Int, jobs: Int = 1, progress: (Tally) -> Void = { _ in }) -> Violation? {
        guard jobs > 1 else { return run(sales: sales, progress) { [self] in play(station: $0) } }
        let player = self
        let ahead = StationsAhead(jobs: jobs) { player.play(station: $0) }
        defer { ahead.end() }
        return run(sales: sales, progress, ahead.take)
    }

    private mutating func run(
        sales: Int,
        _ progress: (Tally) -> Void,
        _ play: (_ station: Int) -> StationsAhead.Played
    ) -> Violation? {
        while tally.sales < sales {
            let station = tally.stations
            let played = play(station)
            tally.add(played.tally)
            progress(tally)
            if let reason = played.reason { return shortened(reason, station: station) }
        }
        return nil
    }

    private func play(station: Int) -> StationsAhead.Played {
        let (seed, layout, visits) = drawn(station: station)
        let tape = StationTape()
        let reason = play(visits, at: layout, seed: seed, tape)
        return StationsAhead.Played(tally: Tally(tape), reason: reason)
    }

    private func drawn(station: Int) -> (seed: UInt64, StationLayout, [CustomerVisit]) {
        let seed = Self.seed(ofStation: station, seed: seed)
        if profile == .meter {
            var meter = MeterVisits(seed: seed, sides: sides)
            return (seed, meter.layout(), meter.visits(Self.visitsPerStation))
        }
        var generator = VisitGenerator(seed: seed, profile: profile, sides: sides)
        let layout = generator.layout()
        let visits = Self.withTests(generator.visits(Self.visitsPerStation), profile, seed)
        return (seed, layout, seal == nil ? visits : Self.withCalibrations(visits, profile, seed))
    }

    /// A technician delivers now and then, by chances of his own.
    private static func withTests(
        _ visits: [CustomerVisit],
        _ profile: FaultProfile,
        _ seed: UInt64
    ) -> [CustomerVisit] {
        guard profile == .power || profile == .full else { return visits }
        var numbers = SplitMix64(state: ~seed)
        return visits.flatMap { visit in
            guard numbers.below(30) == 0 else { return [visit] }
            var test = CustomerVisit(card: 0, errand: .test(counts: 1 + numbers.below(400)))
            let kinds: [FaultKind] = [.powerCutBefore, .powerCutDuring, .powerCutAfter]
            let kind = kinds[numbers.below(kinds.count)]
            if numbers.below(2) == 0 {
                test.faults = [PlannedFault(kind, at: .write(numbers.below(12)), extent: numbers.below(2))]
            }
            return [test, visit]
        }
    }

    /// The meter wears and is calibrated now and then, and sets of parameters come while somebody is served or a technician delivers,
    /// by chances of their own.
    private static func withCalibrations(
        _ visits: [CustomerVisit],
        _ profile: FaultProfile,
        _ seed: UInt64
    ) -> [CustomerVisit] {
        guard profile == .power || profile == .full else { return visits }
        var numbers = SplitMix64(state: seed &+ 0x5EA1)
        return visits.flatMap { visit in
            var visits = [visit]
            if numbers.below(100) == 0 {
                let wear = numbers.below(6_000) - 3_000
                let errand = CustomerVisit.Errand.calibrate(counts: 40 + numbers.below(360), wear: wear)
                visits.insert(CustomerVisit(card: 0, errand: errand), at: 0)
            }
            for index in visits.indices where numbers.below(visits[index].errand.isTest ? 4 : 40) == 0 {
                visits[index].faults.append(change(of: visits[index], &numbers))
            }
            return visits
        }
    }

    private static func change(of visit: CustomerVisit, _ numbers: inout SplitMix64) -> PlannedFault {
        let instant: FaultInstant =
            switch numbers.below(visit.errand.isTest ? 1 : 6) {
            case 0: .write(numbers.below(12))
            case 1: .exchange(numbers.below(12))
            case 2: .command(numbers.below(8))
            case _: .count(numbers.below(max(1, visit.fuelCounts)))
            }
        let kinds: [FaultKind] = [.parametersChanged, .parametersAndCut, .parametersAndStop]
        return PlannedFault(kinds[numbers.below(kinds.count)], at: instant, extent: numbers.below(150))
    }

    /// The first station has the simulation's own seed.
    package static func seed(ofStation index: Int, seed: UInt64) -> UInt64 {
        index == 0 ? seed : SplitMix64(state: seed).offset(UInt64(index))
    }

    private func play(
        _ visits: [CustomerVisit],
        at layout: StationLayout,
        seed: UInt64,
        _ tape: StationTape
    ) -> String? {
        SimulatedStation(
            seed: seed,
            layout: layout,
            cards: VisitGenerator.cards,
            visits: visits,
            tape: tape,
            ownsArena: ownsArena,
            seal: seal?()
        ).run()
    }

    /// Leaves out visits, then faults, for as long as the same rule is broken.
    private func shortened(_ reason: String, station: Int) -> Violation {
        let (seed, layout, visits) = drawn(station: station)
        func fails(_ visits: [CustomerVisit]) -> Bool {
            play(visits, at: layout, seed: seed, StationTape())?.filter { !$0.isNumber }
                == reason.filter { !$0.isNumber }
        }
        var shortest = CardFuzz.shortest(visits, where: fails)
        for index in shortest.indices {
            let faults = CardFuzz.shortest(shortest[index].faults) { faults in
                var fewer = shortest
                fewer[index].faults = faults
                return fails(fewer)
            }
            shortest[index].faults = faults
        }
        let tape = StationTape(keepsTrace: true)
        let last = play(shortest, at: layout, seed: seed, tape)
        return Violation(seed: seed, reason: last ?? reason, visits: shortest, trace: tape.trace)
    }
}

extension StationSimulation.Tally {
    /// Of one station.
    fileprivate init(_ tape: StationTape) {
        stations = 1
        sales = tape.sales
        tests = tape.tests
        lies = tape.lies
        faultsMet = tape.faultsMet
        for counts in tape.countsLost { cutsByCountsLost[counts, default: 0] += 1 }
    }

    package mutating func add(_ other: Self) {
        stations += other.stations
        sales += other.sales
        tests += other.tests
        faultsMet.merge(other.faultsMet, uniquingKeysWith: +)
        cutsByCountsLost.merge(other.cutsByCountsLost, uniquingKeysWith: +)
        lies.merge(other.lies, uniquingKeysWith: +)
    }
}
