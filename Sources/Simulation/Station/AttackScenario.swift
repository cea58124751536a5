import Dispenser
import FuelPassbook
import ISO7816

/// The attacker's known ways, each as short as it can be: a station with his card alone, which then comes honestly.
package enum AttackScenario: String, CaseIterable, Sendable {
    case numberAskedAhead = "a MAC1 asked ahead, after an escape"
    case olderNumber = "an older MAC1, after an escape"
    case forgedDebit = "a made-up answer to the debit"
    case forgedUnlock = "a made-up answer to the debit of a local unlock"
    case forgedProof = "a made-up proof of a debit that was swallowed"
    case foreignCode = "a GMAC of another terminal as MAC2 of a prepaid sale"
    case otherNumber = "a serial number whose left bytes are others"
    case guesses = "PINs and GMACs tried with the power cut at the write"
    case repeatedSecond = "an old MAC4 in a second that comes again"
    case debitAtHome = "a MAC4 made at home in a second to come"

    /// - Parameter seconds: how long the second lies ahead that the scenario is about.
    private func visits(seconds: Int) -> [CustomerVisit] {
        switch self {
        case .numberAskedAhead: [asking, escape, hidden([replayed(.initializeForPetrol)])]
        case .olderNumber: [asking, refuel([]), escape, hidden([replayed(.initializeForPetrol)])]
        case .forgedDebit: [refuel([forged(.debitForPetrol)])]
        case .forgedUnlock: [escape, refuel([forged(.debitForPetrol)])]
        case .forgedProof:
            [
                refuel([PlannedFault(.cardPulledBefore, at: .instruction(.debitForPetrol, 0))]),
                hidden([forged(.getTransactionProve), replayed(.initializeForPetrol)]),
            ]
        case .foreignCode:
            [
                prepaid, refuel([]), CustomerVisit(card: 0, errand: .collectCode),
                refuel([
                    PlannedFault(.statusForged, at: .instruction(.getGreyStatus, 0), extent: Self.noSuchClass),
                    forged(.initializeForPurchase), forged(.debitForPurchase),
                ]),
            ]
        case .otherNumber:
            [refuel(escape.faults + [PlannedFault(.answerForged, at: .instruction(.readBinary, 0), extent: 1)])]
        case .guesses:
            [escape]
                + (0...1).flatMap { write in
                    [CustomerVisit.GuessedCode.pin, .gmac].map {
                        CustomerVisit(card: 0, errand: .guess($0, tries: 1, cutAtWrite: write))
                    }
                }
        case .repeatedSecond:
            // A sale is paid with the clock ahead. A technician sets it right, and by then the second of that debit comes again,
            // in which a debit of the same amount is answered as the first was.
            [
                prepaid, CustomerVisit(card: 0, errand: .clockJump(seconds: seconds)), refuel([]),
                CustomerVisit(card: 0, errand: .technician), refuel([replayed(.debitForPetrol)]),
            ]
        case .debitAtHome:
            // He keeps the debit of a sale from his card, and has it pay at home with a second to come. In that second he takes
            // the same again, and answers the debit with the MAC4 of home.
            [
                refuel(PlannedFault.debitKept),
                CustomerVisit(card: 0, errand: .giveKeptCommands(debitAhead: seconds)),
                refuel([replayed(.debitForPetrol)]),
            ]
        }
    }

    /// - Returns: the rule that was broken.
    package func run() -> StationSimulation.Violation? {
        seconds.lazy.compactMap { StationSimulation.Violation.of(visits(seconds: $0), attacker: 0) }.first
    }

    /// All that are tried.
    private var seconds: ClosedRange<Int> {
        switch self {
        case .repeatedSecond, .debitAtHome: 1...60
        case _: 1...1
        }
    }

    private var asking: CustomerVisit { CustomerVisit(card: 0, errand: .askAhead) }

    private var escape: CustomerVisit { refuel([PlannedFault(.cardPulled, at: .count(Self.counts / 2))]) }

    private func refuel(_ moves: [PlannedFault]) -> CustomerVisit {
        var visit = CustomerVisit(card: 0, errand: .refuel(counts: Self.counts))
        visit.faults = moves
        return visit
    }

    /// GET GREY STATUS is answered `6901`: the purse is not grey (spec/grey-lock.md, D18).
    private func hidden(_ moves: [PlannedFault]) -> CustomerVisit {
        refuel([PlannedFault(.statusForged, at: .instruction(.getGreyStatus, 0))] + moves)
    }

    private func replayed(_ instruction: Instruction) -> PlannedFault {
        PlannedFault(.answerReplayed, at: .instruction(instruction, 0))
    }

    private func forged(_ instruction: Instruction) -> PlannedFault {
        PlannedFault(.answerForged, at: .instruction(instruction, 0))
    }

    private var prepaid: CustomerVisit {
        let mode = PaymentMode.prepaid(Preset(centilitres: Self.counts))
        return CustomerVisit(card: 0, errand: .reconfigure(mode, factorsMillionths: [1_000_000]))
    }

    /// The last of the scheme's status words.
    private static let noSuchClass = 2 * (StatusWord.ofScheme.count - 1)
    private static let counts = 40
}

extension StationSimulation.Violation {
    private static let seed: UInt64 = 1

    /// The rule that is broken when a station of one card is visited so, with what happened.
    static func of(_ visits: [CustomerVisit], attacker: Int?, _ tape: StationTape = StationTape()) -> Self? {
        guard let reason = station(visits, attacker, tape).run() else { return nil }
        let trace = StationTape(keepsTrace: true)
        _ = station(visits, attacker, trace).run()
        return Self(seed: seed, reason: reason, visits: visits, trace: trace.trace)
    }

    private static func station(
        _ visits: [CustomerVisit],
        _ attacker: Int?,
        _ tape: StationTape
    ) -> SimulatedStation {
        SimulatedStation(
            seed: seed,
            layout: StationLayout(attacker: attacker),
            cards: 1,
            visits: visits,
            tape: tape,
            ownsArena: false
        )
    }
}
