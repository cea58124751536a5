import Metering
import Testing

/// What closes the valves without being asked, and what is weighed of the lines that are no pulser's.
@Suite struct MeterStopTests {
    private static let far = CutOff(slowAtCounts: .max, stopAtCounts: .max, reportAtCounts: .max)

    private struct Rig {
        var head: MeterHead
        var shaft = Shaft()
        var numbers: [PumpInput: UInt32] = [:]

        init(open: Bool = true) {
            let calibration = Calibration(
                countsPerLitre: 400,
                points: [CalibrationPoint(litresPerMinute: 40, factorMillionths: 1_000_000)]
            )
            head = MeterHead(
                calibration: calibration,
                kind: .quadrature(.alarm),
                levels: shaft.levels,
                nozzleIsLifted: true,
                limits: MeterLimits(calibration: calibration, litresPerMinuteMax: 200, reverseCentilitresMax: 20)
            )
            shaft.stepNanoseconds = 3_000_000
            guard open else { return }
            head.perform(.beginSale)
            head.perform(.open(far))
        }

        mutating func turn(_ steps: Int, isSwapped: Bool = false) -> [PumpReport] {
            (0..<abs(steps)).compactMap { _ in
                let edge = shaft.step(steps.signum())
                let channel: PulserChannel = isSwapped ? (edge.channel == .a ? .b : .a) : edge.channel
                return receive(.pulser(channel), edge.rising)
            }
        }

        mutating func receive(_ input: PumpInput, _ rising: Bool, lost: UInt32 = 0) -> PumpReport? {
            let number = (numbers[input] ?? 0) + 1 + lost
            numbers[input] = number
            return head.receive(
                PumpEdge(input: input, rising: rising, nanoseconds: shaft.time, sequence: number)
            )
        }
    }

    @Test func swappedChannelsCloseAtTheTwentiethCount() {
        var rig = Rig()
        #expect(rig.turn(19, isSwapped: true).isEmpty && !rig.head.snapshot.outputs.isEmpty)
        #expect(rig.turn(1, isSwapped: true) == [.stopped(.swapped)])
        #expect(rig.head.snapshot.outputs.isEmpty && rig.head.snapshot.stop == .swapped)
        // Nothing opens again in this sale.
        rig.head.perform(.open(Self.far))
        rig.head.perform(.retarget(Self.far))
        #expect(rig.head.snapshot.outputs.isEmpty)
        rig.head.perform(.beginSale)
        #expect(rig.head.snapshot.stop == nil)
    }

    @Test func channelsSwappedWhileFuelFlowsCloseAsSoon() {
        var rig = Rig()
        _ = rig.turn(400)
        let reports = rig.turn(21, isSwapped: true)
        #expect(reports.last == .stopped(.swapped) && rig.head.snapshot.totalCounts == 400)
    }

    /// Back by 15, forward by 5, again and again: no run is long, the sum is.
    @Test func whatFlowsBackInPortionsClosesBeyondTheLimit() {
        var rig = Rig()
        _ = rig.turn(100)
        for _ in 0..<7 { #expect(rig.turn(-15).isEmpty && rig.turn(5).isEmpty) }
        let reports = rig.turn(-15)
        #expect(reports.contains(.stopped(.reversed(counts: 81))))
        #expect(rig.head.snapshot.outputs.isEmpty && rig.head.snapshot.faults.reversed == 1)
    }

    /// 100 are more than either limit, and nothing of them flowed through an open valve.
    @Test func whatTurnedBackBeforeTheValvesOpenClosesNothing() {
        var rig = Rig(open: false)
        _ = rig.turn(-100)
        rig.head.perform(.beginSale)
        rig.head.perform(.open(Self.far))
        #expect(rig.turn(-19).isEmpty && !rig.head.snapshot.outputs.isEmpty)
        #expect(rig.turn(119).isEmpty && rig.head.snapshot.totalCounts == 0)
        #expect(rig.turn(1).isEmpty && rig.head.snapshot.totalCounts == 1)
        #expect(rig.turn(-20) == [.stopped(.swapped)])
    }

    @Test func whatTurnsBackWhileTheyAreClosedInBetweenDoesNotCountEither() {
        var rig = Rig()
        #expect(rig.turn(-19).isEmpty)
        rig.head.perform(.close)
        _ = rig.turn(-90)
        rig.head.perform(.open(Self.far))
        #expect(!rig.head.snapshot.outputs.isEmpty)
        #expect(rig.turn(-1) == [.stopped(.swapped)])
    }

    /// The technician has turned the plug and opened the side: the next sale counts from its first edge.
    @Test func whatSwappedChannelsReadAsReverseIsNotWorkedOff() {
        var rig = Rig()
        #expect(rig.turn(20, isSwapped: true) == [.stopped(.swapped)])
        _ = rig.turn(4, isSwapped: true)
        rig.head.perform(.endSale)
        _ = rig.turn(8, isSwapped: true)
        rig.head.perform(.beginSale)
        rig.head.perform(.open(Self.far))
        #expect(rig.turn(30).isEmpty && rig.head.snapshot.totalCounts == 30)
    }

    @Test func whatTrulyFlowedBackIsWorkedOffInTheNextSale() {
        var rig = Rig()
        for _ in 0..<8 where rig.head.snapshot.stop == nil { _ = rig.turn(-15) + rig.turn(1) }
        #expect(rig.head.snapshot.stop == .reversed(counts: 81))
        rig.head.perform(.beginSale)
        rig.head.perform(.open(Self.far))
        _ = rig.turn(200)
        #expect(rig.head.snapshot.totalCounts > 0 && rig.head.snapshot.totalCounts < 120)
    }

    @Test(arguments: PulserChannel.allCases)
    func aDeadChannelClosesWhileTheValvesAreOpen(dead: PulserChannel) {
        var rig = Rig()
        var reports: [PumpReport] = []
        for edge in 0..<Pulser.stillLegEdgesMax {
            rig.shaft.time += 6_000_000
            reports += [rig.receive(.pulser(dead == .a ? .b : .a), edge % 2 == 0)].compactMap(\.self)
        }
        #expect(reports == [.stopped(.deadChannel(dead))])
        #expect(rig.head.snapshot.outputs.isEmpty)
    }

    @Test func aThreadThatStoodStillClosesAndCountsWhatWaited() {
        var rig = Rig()
        _ = rig.turn(100)
        let stop = MeterStop.frozen(milliseconds: 25_000)
        #expect(rig.head.stoodStill(milliseconds: 25_000) == .stopped(stop))
        #expect(rig.head.snapshot.outputs.isEmpty && rig.head.snapshot.stop == stop)
        _ = rig.turn(50)
        #expect(rig.head.snapshot.totalCounts == 150)
        // With the valves closed nobody misses a turn.
        #expect(rig.head.stoodStill(milliseconds: 25_000) == nil)
    }

    @Test(arguments: [PumpInput.nozzle, .emergency])
    func lostEdgesOfTheOtherLinesAreWeighedAndTheirLevelsAskedFor(input: PumpInput) {
        var rig = Rig()
        // The nozzle is down and up again, the emergency line active and free: of three edges the last is seen, be they its
        // first or not.
        #expect(rig.receive(input, input == .nozzle, lost: 2) == .pulserFault)
        #expect(rig.head.snapshot.faults.switchGaps == 2 && rig.head.wantsLevels)
        #expect(rig.head.levelsRead(nozzleIsLifted: true, emergency: false).isEmpty)
        _ = rig.receive(input, input == .nozzle)
        #expect(!rig.head.wantsLevels)
        #expect(rig.receive(input, input == .nozzle, lost: 2) == .pulserFault)
        #expect(rig.head.snapshot.faults.switchGaps == 4 && rig.head.wantsLevels)
        #expect(rig.head.levelsRead(nozzleIsLifted: true, emergency: false).isEmpty)
        #expect(!rig.head.wantsLevels)
    }

    /// The queue drops the nozzle's return: only the pulser's numbers show that something is missing.
    @Test func aGapOfThePulserAsksForTheLevelsOfTheOtherLines() {
        var rig = Rig()
        _ = rig.turn(10)
        rig.shaft.time += 3_000_000
        _ = rig.receive(.pulser(.a), false, lost: 100)
        #expect(rig.head.wantsLevels && !rig.head.snapshot.outputs.isEmpty)
        #expect(rig.head.levelsRead(nozzleIsLifted: false, emergency: true).count == 2)
        #expect(rig.head.snapshot.outputs.isEmpty)
        #expect(!rig.head.snapshot.nozzleIsLifted && rig.head.snapshot.emergencyIsActive)
    }

    @Test func faultsOutsideASaleAreReported() {
        var rig = Rig(open: false)
        _ = rig.turn(10)
        #expect(rig.receive(.pulser(.a), true, lost: 7) == .strayFault)
        #expect(rig.head.snapshot.strayFaults.total == 7)
    }

    /// A count that the next edge shows to be none is taken back from every sum.
    @Test func commonModePulsesLeaveNoCountInASale() {
        var rig = Rig()
        for _ in 0..<100 {
            for level in [true, false] {
                rig.shaft.time += 10_000_000
                _ = rig.receive(.pulser(.a), level)
                rig.shaft.time += 2_000
                _ = rig.receive(.pulser(.b), level)
            }
        }
        #expect(rig.head.snapshot.totalCounts == 0 && rig.head.snapshot.allCounts == [0])
        #expect(rig.head.snapshot.faults.bothTogether == 200)
    }
}
