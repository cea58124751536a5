import CardApplication
import Dispenser
import FuelPassbook
import ISO7816
import Metering
import Quantities
import Records
import Simulation
import Testing

/// What a day brings, one thing at a time.
private enum Scene: CaseIterable {
    case refuel
    case prepaid
    case escapes
    case escapesAndIsReleasedElsewhere
    case debitLost
    case lockLost
    case purchaseLost
    case answerChanged
    case leak
    case stopInSale
    case powerCut
    case clockLost
}

/// A station over many scenes, and what only the world knows of it.
private final class Day {
    let station: TestStation
    let clock: TestClock
    var generator: SplitMix64
    /// What the issuer's desk took from the card.
    var takenElsewhere = 0
    var cuts = 0

    init(seed: UInt64) throws {
        station = try TestStation(balance: 400_000_000)
        station.settings.limit = Preset(centilitres: 400)
        clock = TestClock(station.site)
        station.clock = clock
        generator = SplitMix64(state: seed)
    }

    func play(_ scene: Scene) throws {
        let centilitres = Int.random(in: 1...400, using: &generator)
        let isExecuted = Bool.random(using: &generator)
        let fault: ExchangeFault = isExecuted ? .pulledAfter : .pulledBefore
        station.settings.payment = .greyLock
        switch scene {
        case .refuel: sell(centilitres)
        case .prepaid:
            prepay()
            sell(centilitres)
        case .escapes: escape(at: centilitres)
        case .escapesAndIsReleasedElsewhere:
            escape(at: centilitres)
            guard station.reader.image.grey != nil else { return }
            let before = station.reader.image.balance
            let amount = Amount(fen: UInt32(isExecuted ? centilitres : 0))
            try station.reader.releaseOnline(amount, time: #require(station.site.localTime))
            takenElsewhere += Int(before.fen - station.reader.image.balance.fen)
        case .debitLost:
            station.reader.faults[.debitForPetrol] = [fault]
            sell(centilitres)
        case .lockLost:
            station.reader.faults[.lockForPetrol] = [fault]
            sell(centilitres)
        case .purchaseLost:
            prepay()
            station.reader.faults[.debitForPurchase] = [fault]
            sell(centilitres)
        case .answerChanged:
            let instructions: [Instruction] = [
                .lockForPetrol, .debitForPetrol, .getGreyStatus, .initializeForPetrol, .verify, .select,
            ]
            guard let instruction = instructions.randomElement(using: &generator) else { return }
            let length = Int.random(in: 0..<8, using: &generator)
            station.reader.faults[instruction] = [.answer { Array($0.prefix(length)) }]
            sell(centilitres)
        case .leak:
            let counts = Int.random(in: 1...300, using: &generator)
            station.site.after(1) { $0.leak(counts: counts) }
            station.stop(at: Double(Int.random(in: 1...120, using: &generator)))
            station.run()
        case .stopInSale:
            station.scheduleRefuel(centilitres: centilitres)
            station.stop(at: Double(Int.random(in: 1...20, using: &generator)))
            station.run()
        case .powerCut:
            station.journal.writesLeft = Int.random(in: 0..<12, using: &generator)
            if isExecuted { prepay() }
            station.scheduleRefuel(centilitres: centilitres)
            if case .storage = station.run() { cuts += 1 }
            station.journal.writesLeft = nil
        case .clockLost:
            clock.aheadSeconds = nil
            sell(centilitres)
            clock.aheadSeconds = 0
        }
        station.rest()
        station.reader.faults = [:]
    }

    /// Everything that waits for the card is settled.
    func settle() {
        station.settings.payment = .greyLock
        for second in [1.0, 60, 120] { station.visit(at: second) }
        station.stop(at: 200)
        #expect(station.run() == nil)
        station.rest()
    }

    private func prepay() { station.settings.payment = .prepaid(Preset(centilitres: 300)) }

    private func sell(_ centilitres: Int) {
        station.scheduleRefuel(centilitres: centilitres)
        #expect(station.run() == nil)
    }

    private func escape(at centilitres: Int) {
        station.settings.preset = Preset(centilitres: 400)
        station.escape(at: centilitres)
    }
}

@Suite("Whatever happens, in whatever order")
struct MixedRunTests {
    @Test(
        "each number ends in one record, the totaliser is their sum, the card paid what they say",
        arguments: 0..<8 as Range<UInt64>
    )
    func mixed(seed: UInt64) throws {
        let day = try Day(seed: seed)
        var kinds: Set<RecordKind> = []
        for step in 0..<150 {
            let scene = try #require(Scene.allCases.randomElement(using: &day.generator))
            let before = day.station.recordedCounts - day.station.site.trueCounts
            let cuts = day.cuts
            try day.play(scene)
            let isOpen = day.station.records.contains { $0.phase == .locked || $0.phase == .intent }
            if !isOpen, day.cuts == cuts {
                let lost = before - (day.station.recordedCounts - day.station.site.trueCounts)
                #expect(lost <= 0, "seed \(seed), step \(step), \(scene): \(lost) counts are in no record")
            }
            guard step % 10 == 9 else { continue }
            day.settle()
            day.station.expectWhole("seed \(seed), step \(step), \(scene)")
            #expect(day.station.reader.image.grey == nil)
            #expect(
                Int(day.station.reader.image.balance.fen)
                    == 400_000_000 - day.station.paid - day.takenElsewhere,
                "seed \(seed), step \(step), \(scene)"
            )
        }
        let open = day.station.records.filter(\.phase.isOpen)
        #expect(open.allSatisfy { $0.phase == .torn })
        let lost = day.station.site.trueCounts - day.station.recordedCounts
        #expect((0...200 * day.cuts).contains(lost), "\(lost) counts lost in \(day.cuts) cuts")
        kinds.formUnion(day.station.records.map(\.kind))
        #expect(kinds.isSuperset(of: [.sale, .escape, .localUnlock, .onlineUnlock, .noCard, .prepaid, .refund]))
        print("seed \(seed): \(day.station.records.count) records, \(day.cuts) power cuts, \(lost) counts lost to them")
    }
}
