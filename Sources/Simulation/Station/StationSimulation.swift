import Dispenser
import Metering

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

        package var faults: Int { faultsMet.values.reduce(0, +) }
    }

    package private(set) var tally = Tally()
    private let seed: UInt64
    private let profile: FaultProfile
    private let sides: Int
    private let ownsArena: Bool

    /// - Parameter ownsArena: whether nothing else in this process uses locked memory, so that what a station does not give back
    ///   at rest is seen.
    /// - Parameter sides: of each station's board.
    package init(seed: UInt64, profile: FaultProfile, sides: Int = 1, ownsArena: Bool) {
        self.sides = sides
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
        var generator = VisitGenerator(seed: seed, profile: profile, sides: sides)
        let layout = generator.layout()
        return (seed, layout, Self.withTests(generator.visits(Self.visitsPerStation), profile, seed))
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
            ownsArena: ownsArena
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
        faultsMet = tape.faultsMet
        for counts in tape.countsLost { cutsByCountsLost[counts, default: 0] += 1 }
    }

    package mutating func add(_ other: Self) {
        stations += other.stations
        sales += other.sales
        tests += other.tests
        faultsMet.merge(other.faultsMet, uniquingKeysWith: +)
        cutsByCountsLost.merge(other.cutsByCountsLost, uniquingKeysWith: +)
    }
}
