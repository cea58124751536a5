import Configuration
import Dispenser
import ISO7816
import Metering
import Parameters
import Proving
import Quantities
import Records
import Station
import Threads
import VirtualPump

/// One delivery into a prover, watched from the lifted nozzle to the nozzle that hangs again.
struct ProvingDelivery {
    enum Outcome {
        case whole(Proving.Delivery)
        /// It stands in the journal, and no reading is asked for it.
        case spoilt(reason: String, record: RecordNumber)
    }

    private enum End {
        case reached
        case hungUp
        case spoilt(String)
    }

    private static let lookMilliseconds: Int32 = 10
    /// As often as a serial line of 9,600 baud bears.
    private static let showNanoseconds: UInt64 = 200_000_000
    private static let restNanoseconds: UInt64 = 300_000_000
    /// A free delivery ends before the prover runs over.
    private static let fullPercent = 109

    let standing: StandingSide
    /// nil where somebody has to lift a nozzle.
    let simulated: (lines: SimulatedPumpLines, speed: Int)?
    let voice: any CalibrationVoice

    private var pump: any Pump { standing.pump }
    private var calibration: Calibration { standing.set.meter.calibration }

    /// - Parameters:
    ///   - quantity: of a preset delivery, and about of a free one.
    ///   - nominal: what the prover holds.
    ///   - begun: told the record's number and time while the nozzle still hangs.
    func deliver(
        _ kind: DeliveryKind,
        _ quantity: Volume,
        litresPerMinute: Int,
        into nominal: Volume,
        begun tell: (RecordNumber, TransactionTime) throws(ServiceFailure) -> Void
    ) throws(ServiceFailure) -> Outcome {
        let number: RecordNumber
        do throws(SideFailure) { number = try standing.bench.begin() } catch { throw failed(error) }
        guard let begun = standing.bench.record?.begun else { preconditionFailure("a delivery has begun") }
        let end: End
        do throws(ServiceFailure) {
            try tell(number, begun)
            try awaitNozzle(kind, quantity, litresPerMinute)
            end = try flow(cutOff(kind, quantity, nominal, litresPerMinute))
        } catch {
            // Whatever ended it, the valves are closed and the record is whole first.
            _ = try finish(remark: error.reason)
            throw error
        }
        let reason = reason(end, kind, nominal)
        let (record, course) = try finish(remark: reason)
        show(record.reading, course)
        if let reason { return .spoilt(reason: reason, record: number) }
        return try outcome(kind, record, course, begun)
    }

    private func awaitNozzle(_ kind: DeliveryKind, _ quantity: Volume, _ rate: Int) throws(ServiceFailure) {
        let how = kind == .preset ? "the pump stops by itself" : "let go at \(quantity.litresText) L"
        guard let (lines, _) = simulated else {
            // Of the delivery before: lifted, it would open the valves at once.
            if pump.snapshot.nozzleIsLifted {
                voice.say("Hang up the nozzle first.")
                while pump.snapshot.nozzleIsLifted { _ = try voice.key(withinMilliseconds: 50) }
            }
            voice.say("Lift the nozzle and deliver \(quantity.litresText) L at \(rate) L/min; \(how).")
            while !pump.snapshot.nozzleIsLifted { _ = try voice.key(withinMilliseconds: 50) }
            return
        }
        voice.say("The simulated customer lifts the nozzle; \(how); h hangs it up before.")
        let wanted = kind == .preset ? 2 * quantity.shownCentilitres : quantity.shownCentilitres
        lines.authorised(centilitres: wanted, litresPerMinute: rate)
        while !pump.snapshot.nozzleIsLifted { _ = try voice.key(withinMilliseconds: 10) }
    }

    private func cutOff(_ kind: DeliveryKind, _ quantity: Volume, _ nominal: Volume, _ rate: Int) -> CutOff {
        func counts(_ volume: Volume) -> Int {
            calibration.targetCounts(for: volume, millilitresPerMinute: rate * 1_000)
        }
        switch kind {
        case .preset:
            return CutOff(
                slowAtCounts: counts(quantity - standing.slowFlow),
                stopAtCounts: counts(quantity),
                reportAtCounts: .max
            )
        case .free:
            let most = counts(Volume(microlitres: nominal.microlitres / 100 * Self.fullPercent))
            return CutOff(slowAtCounts: most, stopAtCounts: most, reportAtCounts: .max)
        }
    }

    private func flow(_ cutOff: CutOff) throws(ServiceFailure) -> End {
        do throws(PumpFault) { try pump.perform(.open(cutOff)) } catch { throw failed(.pump(error)) }
        var nextShow: UInt64 = 0
        while true {
            if try voice.key(withinMilliseconds: Self.lookMilliseconds) == UInt8(ascii: "h") {
                simulated?.lines.hangUp()
            }
            let reading: MeterReading
            do throws(SideFailure) { reading = try standing.bench.measure() } catch { throw failed(error) }
            let snapshot = pump.snapshot
            if MonotonicClock.nanoseconds >= nextShow {
                show(reading, snapshot)
                nextShow = MonotonicClock.nanoseconds + Self.showNanoseconds
            }
            if let stop = snapshot.stop { return .spoilt("the pump closed by itself: \(stop.calibrationWords)") }
            if snapshot.emergencyIsActive { return .spoilt("the emergency stop, or the power, closed the valves") }
            if snapshot.totalCounts >= cutOff.stopAtCounts { return .reached }
            if !snapshot.nozzleIsLifted { return .hungUp }
        }
    }

    private func show(_ reading: MeterReading, _ snapshot: MeterSnapshot) {
        let rate = snapshot.millilitresPerMinute / (simulated?.speed ?? 1)
        let litres = Volume(centilitres: reading.volume.shownCentilitres).litresText.dropLast()
        voice.show(
            "  \(litres) L  \(reading.counts.reduce(0, +)) counts  \(rate / 1_000).\(rate % 1_000 / 100) L/min  faults \(snapshot.faults.total)"
        )
    }

    /// nil when the delivery is whole.
    private func reason(_ end: End, _ kind: DeliveryKind, _ nominal: Volume) -> String? {
        let volume = calibration.volume(of: pump.snapshot.counts)
        let few = volume.microlitres < nominal.microlitres / 10 * 9
        switch (end, kind) {
        case (.spoilt(let reason), _): return reason
        case (.reached, .free): return "the prover was nearly full before anybody let go"
        case (.hungUp, let kind) where kind == .preset || few:
            return "the nozzle was hung up at \(volume.litresText) L, before the prover was filled"
        case (.reached, .preset), (.hungUp, _): return nil
        }
    }

    /// - Returns: its record, and what the pump showed of it at rest.
    private func finish(remark: String?) throws(ServiceFailure) -> (Record, MeterSnapshot) {
        do throws(SideFailure) {
            do throws(PumpFault) { try pump.perform(.close) } catch { throw .pump(error) }
            var still = (counts: -1, since: MonotonicClock.nanoseconds)
            let pause = MonotonicSemaphore()
            var snapshot = pump.snapshot
            while MonotonicClock.nanoseconds < still.since + Self.restNanoseconds {
                snapshot = pump.snapshot
                if snapshot.totalCounts != still.counts { still = (snapshot.totalCounts, MonotonicClock.nanoseconds) }
                _ = pause.wait(until: MonotonicClock.nanoseconds + 10_000_000)
            }
            return (
                try standing.bench.finish(remark: remark.map { "calibration: \($0)" } ?? "calibration"), snapshot
            )
        } catch {
            throw failed(error)
        }
    }

    /// By the times of the counts themselves: pump and clock of a simulated one go faster.
    private func outcome(
        _ kind: DeliveryKind,
        _ record: Record,
        _ course: MeterSnapshot,
        _ begun: TransactionTime
    ) throws(ServiceFailure) -> Outcome {
        guard let first = course.firstCountNanoseconds, let last = course.lastCountNanoseconds else {
            return .spoilt(reason: "no fuel was counted", record: record.number)
        }
        let change = course.changeOver.flatMap { $0.nanoseconds > first ? ($0.counts, $0.nanoseconds) : nil }
        let rated = change ?? (course.totalCounts, last)
        let speed = UInt64(simulated?.speed ?? 1)
        do throws(ProvingFault) {
            return .whole(
                try Proving.Delivery(
                    kind: kind,
                    counts: record.reading.counts,
                    nanoseconds: (last - first) * speed,
                    ratedCounts: rated.0 - 1,
                    ratedNanoseconds: (rated.1 - first) * speed,
                    faults: record.reading.faults.total,
                    displayedCentilitres: record.reading.volume.shownCentilitres,
                    record: UInt64(record.number.value),
                    begun: begun
                )
            )
        } catch {
            return .spoilt(reason: error.reason, record: record.number)
        }
    }

    private func failed(_ failure: SideFailure) -> ServiceFailure {
        switch failure {
        case .storage(let fault):
            ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: "the journal: \(fault)")
        case .pump(let fault):
            ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: "the pump: \(fault.reason)")
        }
    }
}

extension MeterStop {
    fileprivate var calibrationWords: String {
        switch self {
        case .reversed: "fuel flowed back"
        case .swapped: "the pulser's channels are swapped"
        case .deadChannel(let channel): "channel \(channel) of the pulser is dead"
        case .frozen(let milliseconds): "its thread stood still for \(milliseconds) ms"
        }
    }
}
