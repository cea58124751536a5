import Metering
import Quantities
import Records

/// When the valves of a nozzle close, and what they teach: what flows after closing is anticipated, so that the fuel comes to rest at
/// the target (<doc:0057-what-valves-have-shown>).
struct CutOffPlan {
    let calibration: Calibration
    /// How much before the target the slow-flow valve takes over, at first and at most; zero without such a valve.
    let slowFlow: Volume

    /// An overrun beyond this is a leak, and nothing to anticipate.
    private static let overrunMax = Volume(centilitres: 25)
    /// How long the flow is slow before the target at least: its rate is measured there, and with it the last cut-off.
    private static let spare = Volume(centilitres: 5)
    private static let spareCountsMin = 10
    /// At least every 0.5 L (spec/dispenser.md, section 3), the overrun included: there fuel is held back until the
    /// checkpoint is on disk.
    private static let checkpointMax = Volume(centilitres: 50)
    /// So much before fuel would be held, the checkpoint is asked for.
    private static let writing = Volume(centilitres: 10)
    /// So near to the target, the cut-off follows the rate.
    private static let near = Volume(centilitres: 100)

    /// All of it from one snapshot, that of the reading.
    func cutOff(
        _ reading: MeterReading,
        _ snapshot: MeterSnapshot,
        target: Volume,
        checkpoint: Volume,
        _ learnt: Overrun
    ) -> CutOff {
        let rate = snapshot.millilitresPerMinute
        let counts = reading.totalCounts
        let remaining = calibration.targetCounts(
            for: max(.zero, target - reading.volume),
            millilitresPerMinute: rate
        )
        let slowOverrun = slowOverrun(rate, learnt)
        let mainOverrun = overrun(learnt.main, rate, learnt)
        let stop = max(counts, counts + remaining - (slowFlow == .zero ? mainOverrun : slowOverrun))
        let toHold = max(.zero, Self.checkpointMax - (reading.volume - checkpoint))
        // At least one count, or fuel would be held for good.
        let hold = max(
            counts + 1,
            counts + calibration.counts(for: toHold, millilitresPerMinute: rate)
                - (isSlow(snapshot) ? slowOverrun : mainOverrun)
        )
        return CutOff(
            slowAtCounts: stop - slowCounts(rate, learnt),
            stopAtCounts: stop,
            reportAtCounts: max(counts, hold - calibration.counts(for: Self.writing, millilitresPerMinute: rate)),
            holdAtCounts: hold
        )
    }

    /// Whether the valves are open and the target is so near that its count depends on the rate.
    func isNearTarget(_ reading: MeterReading, _ snapshot: MeterSnapshot, target: Volume) -> Bool {
        !snapshot.outputs.isEmpty && (isSlow(snapshot) || target - reading.volume < Self.near)
    }

    private func isSlow(_ snapshot: MeterSnapshot) -> Bool {
        !snapshot.outputs.isEmpty && !snapshot.outputs.contains(.mainValve)
    }

    /// As long as the flow falls, it is not known how slow it will be.
    private func slowOverrun(_ rate: Int, _ learnt: Overrun) -> Int {
        overrun(learnt.slow, min(rate, learnt.slow.slowestMillilitresPerMinute ?? rate), learnt)
    }

    private func overrun(_ times: ClosingTimes, _ rate: Int, _ learnt: Overrun) -> Int {
        let most = calibration.counts(for: Self.overrunMax, millilitresPerMinute: rate)
        return min(most, times.counts(millilitresPerMinute: rate, calibration) ?? max(0, learnt.counts))
    }

    /// From the main valve's closing to the slow-flow valve's.
    private func slowCounts(_ rate: Int, _ learnt: Overrun) -> Int {
        let most = calibration.counts(for: slowFlow, millilitresPerMinute: rate)
        guard rate > 0, let needed = learnt.changeOver.counts(millilitresPerMinute: rate, calibration) else {
            return most
        }
        let spare = calibration.counts(for: Self.spare, millilitresPerMinute: rate)
        return min(most, needed + max(spare, Self.spareCountsMin))
    }

    // MARK: - Learning

    /// What a closing has shown whose fuel has come to rest.
    func learning(_ snapshot: MeterSnapshot, _ learnt: Overrun) -> Overrun {
        guard let closing = snapshot.closing else { return learnt }
        var next = learnt
        if let changeOver = snapshot.changeOver {
            learnChangeOver(changeOver, until: closing, &next)
            // The overrun of a flow that was still falling is the main valve's too.
            guard changeOver.isSteady else { return next }
        }
        let valve = closing.isOfMainValve ? \Overrun.main : \Overrun.slow
        next[keyPath: valve].learn(
            counts: snapshot.totalCounts - closing.counts,
            millilitresPerMinute: closing.millilitresPerMinute,
            calibration,
            largest: Self.overrunMax
        )
        return next
    }

    /// One that was too short is made longer by half.
    private func learnChangeOver(_ changeOver: ChangeOver, until closing: ValveClosing, _ next: inout Overrun) {
        let counts =
            changeOver.isSteady
            ? changeOver.countsWhenSlow - changeOver.counts : (closing.counts - changeOver.counts) * 3 / 2
        next.changeOver.learn(
            counts: counts,
            millilitresPerMinute: changeOver.millilitresPerMinute,
            calibration,
            largest: slowFlow,
            growsAtOnce: true
        )
    }
}
