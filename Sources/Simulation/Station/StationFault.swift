/// What goes wrong at a station. `extent` of a ``PlannedFault`` says how much of it.
package enum FaultKind: String, CaseIterable, Sendable {
    /// The card leaves before it hears a command.
    case cardPulledBefore = "card pulled before a command"
    /// The card leaves while it executes: its memory takes nothing more.
    case cardPulledDuring = "card pulled during a command"
    /// The card executes, and leaves before its answer is heard.
    case cardPulledAfter = "card pulled after a command"
    /// The card executes and stays; its answer is not heard.
    case answerLost = "answer lost"
    /// Bit `extent` of the answer arrives turned over.
    case answerCorrupted = "answer corrupted"
    /// The reader is gone for `extent` seconds.
    case readerGone = "reader gone"
    case powerCutBefore = "mains cut before"
    /// In the middle of a write, of which the disk keeps all (`extent` 1) or nothing (0).
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
    case pulseBounced = "pulse bounced"
    /// The pulser turns `extent` counts back and forward again.
    case pulsesReversed = "pulses reversed"
    case nozzleBounced = "nozzle bounced"
    /// For `extent` seconds.
    case emergencyStop = "emergency stop"
    /// By `extent` seconds, back when less than zero.
    case clockJump = "clock jump"
    case serviceStopped = "service stopped"
    case pinWrong = "PIN wrong"
    /// The card used its numbers elsewhere, or was released there.
    case visitedElsewhere = "card visited another terminal"
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
    case full

    /// Of a command APDU.
    var ofExchange: [FaultKind] {
        let card: [FaultKind] = [
            .cardPulledBefore, .cardPulledDuring, .cardPulledAfter, .answerLost, .answerCorrupted, .readerGone,
        ]
        let power: [FaultKind] = [.powerCutBefore, .powerCutDuring, .powerCutAfter]
        return switch self {
        case .none, .pump: []
        case .card: card
        case .power: power
        case .full: card + card + power
        }
    }

    var ofWrite: [FaultKind] {
        switch self {
        case .none, .card, .pump: []
        case .power, .full: [.powerCutBefore, .powerCutDuring, .powerCutAfter, .diskFull, .slowDisk]
        }
    }

    var ofCommand: [FaultKind] {
        switch self {
        case .none, .card: []
        case .pump: [.pumpFailure]
        case .power: [.powerCutBefore, .powerCutAfter]
        case .full: [.powerCutBefore, .powerCutAfter, .pumpFailure]
        }
    }

    var ofCount: [FaultKind] {
        let card: [FaultKind] = [.cardPulled, .cardPulled, .cardSwapped, .readerGone]
        let power: [FaultKind] = [.powerCutBefore, .powerCutBefore, .clockJump, .serviceStopped]
        let pump: [FaultKind] = [.pulseMissed, .pulseBounced, .pulsesReversed, .nozzleBounced, .emergencyStop]
        return switch self {
        case .none: []
        case .card: card
        case .power: power
        case .pump: pump
        case .full: card + power + pump
        }
    }

    var hasCardFaults: Bool {
        switch self {
        case .none, .power, .pump: false
        case .card, .full: true
        }
    }
}
