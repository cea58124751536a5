import Dispenser
import FuelPassbook
import ISO7816
import Records

// Which of a visit's faults strikes when, and what one does that strikes at a count.

extension StationSide {
    /// The next command APDU, write or pump command has come, or another count.
    ///
    /// - Returns: the fault that strikes at it.
    func strikes(_ kind: InstantKind) -> PlannedFault? {
        calls()
        let instant = reached.next(kind)
        guard station.mode != .verifying else { return nil }
        tape.note(instant)
        return planned { $0 == instant }
    }

    /// D31: that a card has no petrol commands is its word alone, and a station that does not know it yet believes that.
    private func isKnownRisk(_ fault: PlannedFault, at instruction: Instruction?) -> Bool {
        guard fault.kind == .statusForged, instruction == .getGreyStatus else { return false }
        let word = StatusWord.ofScheme[fault.extent / 2 % StatusWord.ofScheme.count]
        guard word == .instructionNotSupported || word == .classNotSupported else { return false }
        let card = card.asn.identity
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
        if fault.kind.isOfShim && station.attacker != visit.card { return nil }
        tape.met(fault.kind)
        tape.note { "fault: \(fault)" }
        switch fault.kind {
        case .parametersChanged:
            station.parametersCome(fault.extent)
            return nil
        case .parametersAndCut:
            station.parametersCome(fault.extent)
            return PlannedFault(.powerCutBefore, at: fault.instant)
        case .parametersAndStop:
            station.parametersCome(fault.extent)
            station.stopService()
            return nil
        case _: return fault
        }
    }

    /// What the pulser does that lies.
    func lies(_ moment: LieMoment) {
        tape.note { "pulser: \(moment)" }
        books.lies(moment, site)
    }

    func isShimmed(_ card: SimulatedCard) -> Bool { card.number == station.attacker }

    func calls() {
        reached.calls += 1
        if reached.calls > Self.callsMax { ledger.fail("the position does not come to rest") }
    }

    /// The pulser has turned another count.
    func counted() {
        if site.trueCounts == site.countsWanted { site.after(1) { $0.setNozzle(lifted: false) } }
        guard let fault = strikes(.count) else { return }
        let seconds = Double(fault.extent)
        let card = card
        switch fault.kind {
        case .powerCutBefore, .powerCutDuring, .powerCutAfter: station.cutPower()
        case .cardPulled:
            reader.takeOut()
            if fault.extent > 0 { site.after(seconds) { [unowned self] _ in reader.insert(card) } }
        case .cardSwapped:
            reader.takeOut()
            let other = station.cards[(visit.card + 1) % station.cards.count]
            site.after(2) { [unowned self] _ in reader.insert(other) }
            site.after(5) { [unowned self] _ in reader.takeOut() }
            site.after(seconds) { [unowned self] _ in reader.insert(card) }
        case .readerGone: reader.isGone(seconds: seconds)
        case .pulseMissed:
            books.disturbs(trueCounts: site.trueCounts)
            site.losePulse(inQueue: fault.extent > 0)
        case .pulsesLost:
            books.loses(edges: fault.extent, trueCounts: site.trueCounts)
            site.loseInQueue(edges: fault.extent)
        case .channelsSwapped:
            guard !channelsAreSwapped else { return }
            channelsAreSwapped = true
            books.swaps(trueCounts: site.trueCounts)
            site.swapChannels()
        case .frozen: freeze(seconds: seconds)
        case .pulseBounced, .pulsesReversed:
            books.rocks()
            site.rockPulser(counts: max(1, fault.extent))
        case .nozzleBounced:
            site.setNozzle(lifted: false)
            site.setNozzle(lifted: true)
        case .emergencyStop:
            site.setEmergency(active: true)
            site.after(seconds) { $0.setEmergency(active: false) }
        case .clockJump: site.clockErrorSeconds += fault.extent
        case .zoneChange: site.localOffsetSeconds = fault.extent
        case .serviceStopped: station.stopService()
        case .cardPulledBefore, .cardPulledDuring, .cardPulledAfter, .answerLost, .answerCorrupted, .diskFull,
            .slowDisk, .pumpFailure, .pinWrong, .visitedElsewhere, .answerReplayed, .answerForged, .statusForged,
            .commandKept, .commandAltered, .cardPowerCut, .askedAhead, .keptCommandGiven, .codeGuessed,
            .terminalRenumbered, .journalPutBack, .totalsRotten, .cardMute, .parametersChanged, .parametersAndCut,
            .parametersAndStop, .parametersInTest, .calibrated:
            preconditionFailure("\(fault.kind.rawValue) does not strike at a count")
        }
    }

    /// What turns the plug once more, if somebody did.
    ///
    /// - Returns: whether the service has to start anew: what turned back meanwhile would be worked off first, where the
    ///   meter has not seen why.
    func rightsChannels() -> Bool {
        guard channelsAreSwapped else { return false }
        channelsAreSwapped = false
        site.swapChannels()
        books.swapsBack(trueCounts: site.trueCounts)
        return !meterSawSwap
    }

    /// The threads of one side stand still.
    func freeze(seconds: Double) {
        let isOpen = site.isOpen
        let before = site.trueCounts
        let lost = site.edgesDropped
        site.freeze(seconds: seconds)
        tape.note { "frozen for \(Int(seconds)) s, \(site.trueCounts - before) counts came" }
        books.freezes(
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

extension StationSide.Reached {
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
