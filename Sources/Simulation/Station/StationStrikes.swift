import Dispenser
import FuelPassbook
import ISO7816

// Which of a visit's faults strikes when.

extension SimulatedStation {
    /// The next command APDU, write or pump command has come, or another count.
    ///
    /// - Returns: the fault that strikes at it.
    func strikes(_ kind: InstantKind) -> PlannedFault? {
        calls()
        let instant = reached.next(kind)
        guard mode != .verifying else { return nil }
        tape.note(instant)
        return planned { $0 == instant }
    }

    /// D31: that a card has no petrol commands is its word alone, and a station that does not know it yet believes that.
    private func isKnownRisk(_ fault: PlannedFault, at instruction: Instruction?) -> Bool {
        guard fault.kind == .statusForged, instruction == .getGreyStatus else { return false }
        let word = StatusWord.ofScheme[fault.extent / 2 % StatusWord.ofScheme.count]
        guard word == .instructionNotSupported || word == .classNotSupported else { return false }
        let card = cards[visit.card].asn.identity
        return !journal.store.records.values.contains { $0.card.identity == card && $0.mac3 != nil }
    }

    /// The same of a command APDU, at which a fault of its instruction strikes too.
    func strikes(at command: Span<UInt8>) -> PlannedFault? {
        let fault = strikes(.exchange)
        guard !visit.faults.isEmpty,
            let instruction = Shim.instruction(of: [UInt8](copying: command.extracting(first: 4)))
        else { return fault }
        let number = reached.instructions[instruction, default: 0]
        reached.instructions[instruction] = number + 1
        guard let fault = fault ?? planned({ $0 == .instruction(instruction, number) }) else { return nil }
        return isKnownRisk(fault, at: instruction) ? nil : fault
    }

    private func planned(_ strikes: (FaultInstant) -> Bool) -> PlannedFault? {
        guard let fault = visit.faults.first(where: { strikes($0.instant) }) else { return nil }
        if fault.kind.isOfShim && attacker != visit.card { return nil }
        tape.met(fault.kind)
        tape.note { "fault: \(fault)" }
        return fault
    }

    func isShimmed(_ card: SimulatedCard) -> Bool { card.number == attacker }

    func calls() {
        reached.calls += 1
        if reached.calls > Self.callsMax { ledger.fail("the position does not come to rest") }
    }

    func freeze(seconds: Double) {
        let isOpen = site.isOpen
        let before = site.trueCounts
        let lost = site.edgesDropped
        site.freeze(seconds: seconds)
        tape.note { "frozen for \(Int(seconds)) s, \(site.trueCounts - before) counts came" }
        ledger.freezes(
            counts: site.trueCounts - before,
            lost: site.edgesDropped - lost,
            isOpen: isOpen,
            site.trueCounts
        )
    }
}

/// What instants are counted apart.
enum InstantKind {
    case exchange
    case write
    case command
    case count
}

extension SimulatedStation.Reached {
    mutating func next(_ kind: InstantKind) -> FaultInstant {
        switch kind {
        case .exchange:
            exchanges += 1
            return .exchange(exchanges - 1)
        case .write:
            writes += 1
            return .write(writes - 1)
        case .command:
            commands += 1
            return .command(commands - 1)
        case .count:
            counts += 1
            return .count(counts - 1)
        }
    }
}
