import CardCryptography
import Dispenser
import FuelPassbook
import ISO7816
import Metering
import Quantities
import Records
import Words

// What the side stands on, beside its reader and its journal: events, pump, PIN and display.

extension StationSide: EventSource {
    func next(until deadline: UInt64?) -> SideEvent? {
        calls()
        guard !isDead, station.mode == .serving else {
            // Time goes on for a side that waits for its end.
            if deadline != nil { _ = site.event(until: deadline) }
            return .stopRequested
        }
        observe()
        books.waits(journal.store, isOpen: site.isOpen, isCardGone: isCardKnownGone)
        isWaiting = true
        defer { isWaiting = false }
        resting: while isAtRest, site.isStill, !isDead {
            switch station.nextVisit(at: self) {
            case .visit: break
            case .later: guard station.idle(self, until: deadline) else { break resting }
            case .end: return .stopRequested
            }
        }
        let event = site.event(until: deadline)
        guard !isDead else { return .stopRequested }
        observe()
        switch event {
        case .reader(.cardRemoved), .reader(.lost): isCardKnownGone = true
        case .reader(.cardInserted): isCardKnownGone = false
        case .pump(.stopped(.swapped)): meterSawSwap = true
        case .reader(.back), .pump, .pumpFailed, .pinEntered, .pinRefused, .pinCancelled, .keypadLost, .keypadBack,
            .consoleLost,
            .parametersChanged,
            .ordersChanged, .identificationAsked,
            .stopRequested,
            nil:
            break
        }
        if let event { tape.note { "event: \(event)" } }
        return event
    }
}

extension StationSide: Pump {
    var snapshot: MeterSnapshot { site.snapshot }

    func perform(_ command: PumpCommand) throws(PumpFault) {
        let noPower = PumpFault(reason: "no power")
        guard !isDead else { throw noPower }
        let fault = strikes(.command)?.kind
        if fault == .powerCutBefore {
            station.cutPower()
            throw noPower
        }
        if fault == .pumpFailure {
            books.pumpFails(site.snapshot)
            try site.perform(.close)
            let failure = PumpFault(reason: "the lines do not answer")
            site.post(.pumpFailed(failure))
            throw failure
        }
        tape.note { "pump: \(command)" }
        if command == .beginSale { meterSawSwap = false }
        books.performs(command, trueCounts: site.passedCounts, site.snapshot)
        try site.perform(command)
        if let ended = books.lies.ended.take() { tape.lied(ended) }
        observe()
        if fault == .powerCutAfter {
            station.cutPower()
            throw noPower
        }
    }
}

extension StationSide: PINEntry {
    func begin() { site.after(0.5) { $0.post(.pinEntered) } }

    func cancel() {}

    func take() -> PIN? {
        guard pinsWrongLeft > 0 else { return Demonstration.pin }
        pinsWrongLeft -= 1
        tape.met(.pinWrong)
        var digits = Array("654321".utf8)
        let count = digits.count
        do throws(ParseError) { return try PIN(digits: LockedBuffer(wiping: &digits), count: count) } catch {
            return nil
        }
    }
}

extension StationSide: SideDisplay {
    /// What customers do about what they read.
    func show(_ state: SideState, _ notice: Notice) {
        guard !isDead else { return }
        tape.note {
            let vocabulary = Language.technical.vocabulary
            return "\(vocabulary.words(state)): \(vocabulary.words(notice))"
        }
        switch state {
        case .idle, .inoperative, .closed: isAtRest = true
        case .completed: isAtRest = notice == .removeCard
        case .calling, .authorised, .started, .suspended, .fuelling, .settling: isAtRest = false
        }
        switch notice {
        case .refused(.clockBehind) where !journal.isAhead(of: site.now):
            ledger.fail("cards are refused for a clock that is behind nothing")
        case .heldForCheckpoint where !ledger.mayHold && !visit.faults.contains { $0.kind == .slowDisk }:
            ledger.fail("fuel is held, and the disk is not slow")
        case .liftNozzle, .prepaid: if !visit.isUndecided { site.after(1) { $0.setNozzle(lifted: true) } }
        case .settling: site.after(0.5) { $0.setNozzle(lifted: false) }
        case .removeCard:
            site.setNozzle(lifted: false)
            site.after(0.5) { [unowned self] _ in reader.takeOut() }
        case _: break
        }
    }

    func show(_ state: SideState, centilitres: Int, fen: Int, unitPrice: UnitPrice) {}

    func printReceipt(_ record: Record, balance: Amount?) {}
}

extension SimulatedStation {
    /// One point for each factor.
    func calibration(_ factorsMillionths: [Int]) -> Calibration {
        Calibration(
            countsPerLitre: settings.calibration.countsPerLitre,
            points: zip([10, 40].suffix(factorsMillionths.count), factorsMillionths).map {
                CalibrationPoint(litresPerMinute: $0, factorMillionths: $1)
            }
        )
    }
}
