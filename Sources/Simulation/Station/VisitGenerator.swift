import Dispenser
import FuelPassbook
import ISO7816
import Metering
import Quantities
import VirtualPump

/// What a station is like.
struct StationLayout {
    /// A few, so that a sale is short.
    static let usualCountsPerLitre = 40

    /// What comes when the valves have closed.
    var overrunCounts = 1
    /// Of the journal, until a technician makes it larger.
    var capacity = 1_000_000
    /// Which of the customers has a shim.
    var attacker: Int?
    /// Which of the cards has no petrol commands.
    var ordinary: Int?
    /// Nothing but attacks goes wrong here.
    var isSound = false
    /// Of the board.
    var sides = 1
    var countsPerLitre = usualCountsPerLitre
    /// Valves that take their time; nil for those that close at once.
    var valves: ValveModel?
    var preset: Preset?
    var minimumQuantity = Volume(centilitres: 10)
    var security = PulserSecurity.alarm
    /// Of the meter, and the full flow, where a pulser lies; nil elsewhere.
    var edgesPerSecondMax: Int?
}

extension StationLayout {
    func site(_ calibration: Calibration, _ date: CalendarDate, _ clock: VirtualClock) -> VirtualSite {
        var limits = MeterLimits()
        limits.edgesPerSecondMax = edgesPerSecondMax ?? MeterLimits.edgesPerSecondDesign
        let site = VirtualSite(
            calibration: calibration,
            flow: VirtualSite.Flow(
                countsPerSecond: edgesPerSecondMax.map { UInt64($0) } ?? 27,
                slowCountsPerSecond: edgesPerSecondMax.map { UInt64($0) / 5 } ?? 5,
                overrunCounts: overrunCounts
            ),
            date: date,
            clock: clock,
            security: security,
            limits: limits
        )
        site.valves = valves
        return site
    }
}

/// Draws one station and its visits.
struct VisitGenerator {
    static let cards = 5
    private static let attacker = cards - 1
    private static let ordinary = cards - 2
    private var numbers: SplitMix64
    private let profile: FaultProfile
    private let sides: Int

    init(seed: UInt64, profile: FaultProfile, sides: Int) {
        self.sides = sides
        numbers = SplitMix64(state: seed)
        self.profile = profile
    }

    mutating func layout() -> StationLayout {
        StationLayout(
            overrunCounts: numbers.below(3) == 0 ? 6 : 1,
            capacity: numbers.below(3) == 0 && profile != .attack ? 60 : 1_000_000,
            attacker: profile.hasAttacks ? Self.attacker : nil,
            ordinary: Self.ordinary,
            isSound: profile == .attack,
            sides: sides
        )
    }

    mutating func visits(_ count: Int) -> [CustomerVisit] {
        var visits: [CustomerVisit] = []
        while visits.count < count {
            guard profile.hasAttacks, numbers.below(40) == 0 else {
                visits.append(visit())
                continue
            }
            visits += sides > 1 && numbers.below(3) == 0 ? atTwoSides() : campaign()
        }
        return visits
    }

    /// He escapes, and pays that at two sides at once.
    private mutating func atTwoSides() -> [CustomerVisit] {
        let counts = 10 + numbers.below(40)
        var escape = CustomerVisit(card: Self.attacker, errand: .refuel(counts: counts))
        escape.faults = [PlannedFault(.cardPulled, at: .count(1 + numbers.below(counts)))]
        // Behind an hour in which nobody comes, two sides are free.
        let night = CustomerVisit(card: Self.attacker, errand: .night(hours: 1))
        let refuel = CustomerVisit(card: Self.attacker, errand: .refuel(counts: counts))
        var clone = refuel
        clone.meanwhile = .clones
        return [escape, night, refuel, clone]
    }

    private mutating func meanwhile(_ card: Int) -> CustomerVisit.Meanwhile {
        switch numbers.below(8) {
        case 0: .moves
        case 1, 2: profile.hasAttacks && card == Self.attacker ? .clones : .waits
        case _: .waits
        }
    }

    /// What he does in several visits that hang together.
    private mutating func campaign() -> [CustomerVisit] {
        switch numbers.below(4) {
        case 0: foreignCode()
        case 1: debitAtHome()
        case _: hiddenEscape()
        }
    }

    /// He keeps a debit from his card, has it pay at home with the second of a debit to come, and answers that with the MAC4 of
    /// home.
    private mutating func debitAtHome() -> [CustomerVisit] {
        let counts = 10 + numbers.below(8)
        var kept = CustomerVisit(card: Self.attacker, errand: .refuel(counts: counts))
        kept.faults = PlannedFault.debitKept
        var answered = CustomerVisit(card: Self.attacker, errand: .refuel(counts: counts))
        answered.faults = [PlannedFault(.answerReplayed, at: .instruction(.debitForPetrol, 0))]
        if numbers.below(2) == 0 { answered.faults.append(move(at: .initializeForPetrol)) }
        let home = CustomerVisit.Errand.giveKeptCommands(debitAhead: 1 + numbers.below(8))
        return [kept, CustomerVisit(card: Self.attacker, errand: home), answered]
    }

    /// He refuels at another station for what a prepaid sale costs here, under the number that comes next here, and tells that
    /// session as a purchase of a card that hides its petrol commands.
    private mutating func foreignCode() -> [CustomerVisit] {
        var purchase = CustomerVisit(card: Self.attacker, errand: .refuel(counts: 40))
        purchase.faults = [
            PlannedFault(
                .statusForged,
                at: .instruction(.getGreyStatus, 0),
                extent: 2 * (StatusWord.ofScheme.count - 1 - numbers.below(2))
            ),
            PlannedFault(.answerForged, at: .instruction(.initializeForPurchase, 0)),
            PlannedFault(.answerForged, at: .instruction(.debitForPurchase, 0)),
        ]
        return [
            CustomerVisit(card: 0, errand: .reconfigure(payment(), factorsMillionths: factors())),
            CustomerVisit(card: Self.attacker, errand: .collectCode), purchase,
        ]
    }

    /// He asks ahead, escapes with fuel, and comes back hiding that.
    private mutating func hiddenEscape() -> [CustomerVisit] {
        let counts = 10 + numbers.below(40)
        var escape = CustomerVisit(card: Self.attacker, errand: .refuel(counts: counts))
        escape.faults = [
            numbers.below(2) == 0
                ? PlannedFault(.cardPulled, at: .count(1 + numbers.below(counts)))
                : move(at: .debitForPetrol)
        ]
        var hidden = CustomerVisit(card: Self.attacker, errand: .refuel(counts: counts))
        hidden.faults = [
            PlannedFault(.statusForged, at: .instruction(.getGreyStatus, 0)),
            PlannedFault(.answerReplayed, at: .instruction(.initializeForPetrol, 0), extent: 2 * numbers.below(2)),
        ]
        if numbers.below(2) == 0 { hidden.faults.append(move(at: .getTransactionProve)) }
        return [CustomerVisit(card: Self.attacker, errand: .askAhead), escape, hidden]
    }

    private mutating func visit() -> CustomerVisit {
        var visit = visitOfOne()
        if sides > 1 { visit.meanwhile = meanwhile(visit.card) }
        return visit
    }

    private mutating func visitOfOne() -> CustomerVisit {
        // An attacker comes twice as often.
        let card = profile.hasAttacks ? min(Self.attacker, numbers.below(Self.cards + 1)) : numbers.below(Self.cards)
        if profile.hasAttacks && card == Self.attacker && numbers.below(3) == 0 {
            return CustomerVisit(card: card, errand: attackerErrand())
        }
        var visit = CustomerVisit(card: card, errand: .refuel(counts: counts()))
        switch numbers.below(43) {
        case 42 where profile == .full: visit.errand = [.copyJournal, .putJournalBack, .rotTotals][numbers.below(3)]
        case 40: visit.errand = .settleElsewhere
        case 41: visit.errand = .renumber(numbers.below(2))
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
        case 8: visit.errand = .zoneChange(seconds: zone())
        case 6 where profile == .pump || profile == .full: visit.errand = .leak(counts: 1 + numbers.below(60))
        case _:
            visit.pinsWrong = profile.hasCardFaults && numbers.below(20) == 0 ? 1 + numbers.below(3) : 0
            visit.isUndecided = numbers.below(100) == 0
            visit.leavesInOutage = numbers.below(2) == 0
            visit.faults = faults(counts: visit.fuelCounts)
            if profile.hasAttacks && card == Self.attacker { visit.faults += moves() }
        }
        return visit
    }

    // MARK: - Attacks

    private mutating func attackerErrand() -> CustomerVisit.Errand {
        switch numbers.below(10) {
        case 0, 1: .giveKeptCommands(debitAhead: nil)
        case 2: .collectCode
        case 3: .guess(numbers.below(2) == 0 ? .pin : .gmac, tries: 1 + numbers.below(4), cutAtWrite: numbers.below(3))
        case _: .askAhead
        }
    }

    /// What he does in one visit: one of the ways that hang together, or anything.
    private mutating func moves() -> [PlannedFault] {
        switch numbers.below(10) {
        case 0: []
        case 1:
            // The mark is hidden, and its MAC1 is an old one.
            [
                PlannedFault(.statusForged, at: .instruction(.getGreyStatus, 0)),
                PlannedFault(.answerReplayed, at: .instruction(.initializeForPetrol, 0), extent: 2 * numbers.below(3)),
            ] + (0..<numbers.below(3)).map { _ in move(at: .getTransactionProve) }
        case 2:
            // The mark is hidden, and the proofs are made up.
            [
                PlannedFault(.statusForged, at: .instruction(.getGreyStatus, 0)),
                move(at: .getTransactionProve), move(at: .getTransactionProve),
            ]
        case 3: [move(at: .debitForPetrol)]
        case 4: [move(at: .debitForPetrol), move(at: .getGreyStatus), move(at: .getTransactionProve)]
        case 5:
            // A petrol session of another terminal is told as a purchase, of a card that hides its petrol commands.
            [
                PlannedFault(
                    .statusForged,
                    at: .instruction(.getGreyStatus, 0),
                    extent: 2 * (StatusWord.ofScheme.count - 1 - numbers.below(2))
                ),
                PlannedFault(.answerForged, at: .instruction(.initializeForPurchase, 0)),
                PlannedFault(.answerForged, at: .instruction(.debitForPurchase, 0)),
            ]
        case 6: [move(at: .initializeForPurchase), move(at: .debitForPurchase)]
        case _: (0..<1 + numbers.below(3)).map { _ in move(at: Self.attacked[numbers.below(Self.attacked.count)]) }
        }
    }

    /// The likelier ones more than once.
    private static let attacked: [Instruction] = [
        .select, .readBinary, .verify, .getGreyStatus, .getGreyStatus, .getTransactionProve, .getTransactionProve,
        .initializeForPetrol, .initializeForPetrol, .lockForPetrol, .debitForPetrol, .debitForPetrol, .getBalance,
        .initializeForPurchase, .debitForPurchase,
    ]

    private mutating func move(at instruction: Instruction) -> PlannedFault {
        let instant = FaultInstant.instruction(instruction, max(0, numbers.below(4) - 2))
        return switch numbers.below(9) {
        case 8: PlannedFault(.answerLost, at: instant)
        case 0, 1: PlannedFault(.answerReplayed, at: instant, extent: numbers.below(8))
        case 2, 3: PlannedFault(.answerForged, at: instant, extent: numbers.below(2 * Shim.forgeries))
        case 4: PlannedFault(.statusForged, at: instant, extent: numbers.below(2 * StatusWord.ofScheme.count))
        case 5: PlannedFault(.commandKept, at: instant)
        case 6: PlannedFault(.commandAltered, at: instant, extent: numbers.below(4))
        case _: PlannedFault(.cardPowerCut, at: instant, extent: numbers.below(4))
        }
    }

    /// From one end of the world to the other.
    private mutating func zone() -> Int { (numbers.below(25) - 12) * 3_600 }

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
            case _: (.count(numbers.below(counts)), profile.ofCount)
            }
        guard !kinds.isEmpty else { return nil }
        let kind = kinds[numbers.below(kinds.count)]
        return PlannedFault(kind, at: instant, extent: extent(of: kind))
    }

    private mutating func extent(of kind: FaultKind) -> Int {
        switch kind {
        case .answerCorrupted: numbers.below(144)
        case .readerGone: 1 + numbers.below(20)
        case .cardMute: 1 + numbers.below(60)
        case .powerCutDuring, .cardPulledDuring: numbers.below(2)
        case .diskFull: 1 + numbers.below(3)
        case .slowDisk: 100 + numbers.below(2_000)
        case .cardPulled: numbers.below(3) == 0 ? 0 : 1 + numbers.below(25)
        case .cardSwapped: 6 + numbers.below(15)
        case .pulsesReversed: 1 + numbers.below(6)
        case .pulsesLost: 1 + numbers.below(40)
        case .frozen: 2 + numbers.below(60)
        case .emergencyStop: 1 + numbers.below(40)
        case .clockJump: numbers.below(7_200) - 3_600
        case .zoneChange: zone()
        case .cardPulledBefore, .cardPulledAfter, .answerLost, .powerCutBefore, .powerCutAfter, .pumpFailure,
            .pulseMissed, .channelsSwapped, .pulseBounced, .nozzleBounced, .serviceStopped, .pinWrong,
            .visitedElsewhere,
            .answerReplayed, .answerForged, .statusForged, .commandKept, .commandAltered, .cardPowerCut, .askedAhead,
            .keptCommandGiven, .codeGuessed, .terminalRenumbered, .journalPutBack, .totalsRotten, .parametersChanged,
            .parametersAndCut,
            .parametersAndStop, .parametersInTest, .calibrated:
            0
        }
    }
}
