package import FuelPassbook

/// What goes wrong at a station. `extent` of a ``PlannedFault`` says how much of it.
package enum FaultKind: String, CaseIterable, Sendable {
    /// The card leaves before it hears a command.
    case cardPulledBefore = "card pulled before a command"
    /// The card leaves while it executes: its memory takes nothing (`extent` 0), or the try that was counted first (1).
    case cardPulledDuring = "card pulled during a command"
    /// The card executes, and leaves before its answer is heard.
    case cardPulledAfter = "card pulled after a command"
    /// The card executes and stays; its answer is not heard.
    case answerLost = "answer lost"
    /// Bit `extent` of the answer arrives turned over.
    case answerCorrupted = "answer corrupted"
    /// The card stays and says nothing; the reader gives up after `extent` seconds.
    case cardMute = "card mute"
    /// The reader is gone for `extent` seconds.
    case readerGone = "reader gone"
    case powerCutBefore = "mains cut before"
    /// In the middle of a write, of which the disk keeps all (`extent` 1) or nothing (0); at a command APDU as
    /// ``cardPulledDuring``.
    case powerCutDuring = "mains cut during"
    case powerCutAfter = "mains cut after"
    /// The next `extent` writes find no space.
    case diskFull = "disk full"
    /// One write takes `extent` milliseconds.
    case slowDisk = "slow disk"
    case pumpFailure = "pump failure"
    /// In mid-fuelling, for `extent` seconds; 0 for good.
    case cardPulled = "card pulled while fuel flows"
    /// In mid-fuelling, for `extent` seconds, with another card in its place for a while.
    case cardSwapped = "card swapped while fuel flows"
    case pulseMissed = "pulse missed"
    /// The kernel's queue drops `extent` edges; their numbers are missing.
    case pulsesLost = "pulses lost in the queue"
    /// The pulser's plug is put in the other way round.
    case channelsSwapped = "pulser's channels swapped"
    /// The process stands still for `extent` seconds, with its outputs as they are.
    case frozen = "service frozen"
    case pulseBounced = "pulse bounced"
    /// The pulser turns `extent` counts back and forward again.
    case pulsesReversed = "pulses reversed"
    case nozzleBounced = "nozzle bounced"
    /// For `extent` seconds.
    case emergencyStop = "emergency stop"
    /// By `extent` seconds, back when less than zero.
    case clockJump = "clock jump"
    /// Local time is `extent` seconds from UTC from now on: daylight saving, or another zone. It is no fault of anybody's.
    case zoneChange = "zone change"
    case serviceStopped = "service stopped"
    case pinWrong = "PIN wrong"
    /// The card used its numbers elsewhere, or was released there.
    case visitedElsewhere = "card visited another terminal"

    // What an attacker's shim does at a command. An odd `extent` lets the card execute it, an even one does not.

    /// Answer `extent` / 2 of those that the card gave before, the newest first.
    case answerReplayed = "earlier answer replayed"
    /// In the way `extent` / 2.
    case answerForged = "answer forged"
    /// Word `extent` / 2 of the scheme's.
    case statusForged = "status word forged"
    /// The card does not get the command, and nothing answers; he may give it to the card later.
    case commandKept = "command kept back"
    /// In its field `extent`.
    case commandAltered = "command altered"
    /// At write `extent` / 2 of the command; the card is opened again behind the shim, which says that it could not write
    /// (odd) or nothing.
    case cardPowerCut = "card's own power cut"

    // What he does with his card between two visits.

    case askedAhead = "card asked ahead"
    case keptCommandGiven = "kept command given to the card"
    case codeGuessed = "code tried on the card"

    case terminalRenumbered = "terminal id changed"
    case journalPutBack = "older journal put back"
    case totalsRotten = "totals' row rotten"
    /// Number `extent` is put under seal.
    case parametersChanged = "parameters changed meanwhile"
    case parametersAndCut = "parameters changed, and the mains cut in the same step"
    case parametersAndStop = "parameters changed, and the service stopped in the same step"
    /// One of these.
    case parametersInTest = "parameters changed while a technician delivers"
    case calibrated = "meter calibrated"
}

/// When a fault strikes, each counted from 0 at the beginning of a visit and on through restarts.
package enum FaultInstant: Hashable, Sendable {
    /// At a command APDU.
    case exchange(Int)
    /// At a durable write.
    case write(Int)
    /// At a command to the pump.
    case command(Int)
    /// When the pulser has turned that many counts.
    case count(Int)
    /// At one instruction's command APDUs.
    case instruction(Instruction, Int)
}

package struct PlannedFault: Hashable, Sendable {
    package let instant: FaultInstant
    package let kind: FaultKind
    package let extent: Int

    package init(_ kind: FaultKind, at instant: FaultInstant, extent: Int = 0) {
        self.instant = instant
        self.kind = kind
        self.extent = extent
    }
}

extension PlannedFault {
    /// The customer notices nothing of it.
    var isHarmless: Bool { kind == .parametersChanged }

    /// The debit does not reach the card, which then leaves.
    static let debitKept = [
        PlannedFault(.commandKept, at: .instruction(.debitForPetrol, 0)),
        PlannedFault(.cardPulledBefore, at: .instruction(.getGreyStatus, 1)),
    ]
}

extension PlannedFault: CustomStringConvertible {
    package var description: String { "\(kind.rawValue) at \(instant)\(extent == 0 ? "" : ", extent \(extent)")" }
}

extension FaultInstant: CustomStringConvertible {
    package var description: String {
        switch self {
        case .exchange(let number): "APDU \(number)"
        case .write(let number): "write \(number)"
        case .command(let number): "pump command \(number)"
        case .count(let number): "count \(number)"
        case .instruction(let instruction, let number): "\(instruction.name) \(number)"
        }
    }
}

/// Which faults a simulation draws, and how many.
package enum FaultProfile: String, CaseIterable, Sendable {
    case none
    /// The card, its reader and the PIN.
    case card
    /// Mains, disk and clock.
    case power
    /// Pulser, nozzle, valves.
    case pump
    /// Customers with a shim, and nothing else.
    case attack
    /// Pulsers that lie in each way that is known, and nothing else.
    case meter
    case full

    /// Of a command APDU.
    var ofExchange: [FaultKind] {
        let card: [FaultKind] = [
            .cardPulledBefore, .cardPulledDuring, .cardPulledAfter, .answerLost, .answerCorrupted, .readerGone,
            .cardMute,
        ]
        let power: [FaultKind] = [.powerCutBefore, .powerCutDuring, .powerCutAfter]
        return switch self {
        case .none, .pump, .attack, .meter: []
        case .card: card
        case .power: power
        case .full: card + card + power
        }
    }

    var ofWrite: [FaultKind] {
        switch self {
        case .none, .card, .pump, .attack, .meter: []
        case .power, .full: [.powerCutBefore, .powerCutDuring, .powerCutAfter, .diskFull, .slowDisk]
        }
    }

    var ofCommand: [FaultKind] {
        switch self {
        case .none, .card, .attack, .meter: []
        case .pump: [.pumpFailure]
        case .power: [.powerCutBefore, .powerCutAfter]
        case .full: [.powerCutBefore, .powerCutAfter, .pumpFailure]
        }
    }

    var ofCount: [FaultKind] {
        let card: [FaultKind] = [.cardPulled, .cardPulled, .cardSwapped, .readerGone]
        let power: [FaultKind] = [.powerCutBefore, .powerCutBefore, .clockJump, .zoneChange, .serviceStopped]
        let pump: [FaultKind] = [
            .pulseMissed, .pulseBounced, .pulsesReversed, .nozzleBounced, .emergencyStop, .pulsesLost, .channelsSwapped,
            .frozen,
        ]
        return switch self {
        case .none, .attack, .meter: []
        case .card: card
        case .power: power
        case .pump: pump
        case .full: card + power + pump
        }
    }

    var hasCardFaults: Bool {
        switch self {
        case .none, .power, .pump, .attack, .meter: false
        case .card, .full: true
        }
    }

    var hasAttacks: Bool {
        switch self {
        case .none, .card, .power, .pump, .meter: false
        case .attack, .full: true
        }
    }
}

extension FaultKind {
    /// What comes only to a station with a ``ParameterSeal``.
    package static let ofParameters: Set<FaultKind> = [
        .parametersChanged, .parametersAndCut, .parametersAndStop, .parametersInTest, .calibrated,
    ]

    /// What only a shim does, and only to the card that it is on.
    var isOfShim: Bool {
        switch self {
        case .answerReplayed, .answerForged, .statusForged, .commandKept, .commandAltered, .cardPowerCut: true
        case _: false
        }
    }
}
