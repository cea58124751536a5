import Metering
import Testing

struct MeterHeadTests {
    private static let all: PumpOutputs = [.motor, .mainValve, .slowValve]

    @Test func theMainValveAndThenEverythingClosesExactlyAtItsCount() {
        var rig = Rig()
        rig.begin(CutOff(slowAtCounts: 90, stopAtCounts: 100, reportAtCounts: .max))
        for count in 1...100 {
            rig.flow(1)
            let expected: PumpOutputs = count < 90 ? Self.all : count < 100 ? [.motor, .slowValve] : []
            #expect(rig.head.snapshot.outputs == expected, "at \(count)")
        }
        #expect(rig.head.snapshot.countsAtClosing == 100)
        // What still runs out is counted and opens nothing.
        rig.flow(7)
        #expect(rig.head.snapshot.totalCounts == 107 && rig.head.snapshot.countsAtClosing == 100)
        #expect(rig.head.snapshot.outputs.isEmpty)
    }

    @Test func eachTargetIsReportedOnce() {
        var rig = Rig()
        rig.begin(CutOff(slowAtCounts: 90, stopAtCounts: 100, reportAtCounts: 40))
        #expect(rig.flow(39).isEmpty)
        #expect(rig.flow(1) == [.countsReached])
        #expect(rig.flow(49).isEmpty)
        #expect(rig.flow(1) == [.countsReached])
        #expect(rig.flow(9).isEmpty)
        #expect(rig.flow(1) == [.countsReached])
        #expect(rig.flow(20).isEmpty)
    }

    @Test func reverseFlowDoesNotReachATarget() {
        var rig = Rig()
        rig.begin(CutOff(slowAtCounts: 8, stopAtCounts: 10, reportAtCounts: .max))
        rig.flow(5)
        rig.flow(-5)
        rig.flow(5)
        #expect(rig.head.snapshot.totalCounts == 5 && rig.head.snapshot.outputs == Self.all)
        rig.flow(5)
        #expect(rig.head.snapshot.outputs.isEmpty)
    }

    @Test func aNewTargetNeverOpensAValve() {
        var rig = Rig()
        rig.begin(CutOff(slowAtCounts: 10, stopAtCounts: 20, reportAtCounts: .max))
        rig.flow(10)
        rig.head.perform(.retarget(CutOff(slowAtCounts: 50, stopAtCounts: 60, reportAtCounts: .max)))
        #expect(rig.head.snapshot.outputs == [.motor, .slowValve])
        rig.flow(15)
        #expect(rig.head.snapshot.outputs == [.motor, .slowValve])
        rig.head.perform(.retarget(CutOff(slowAtCounts: 0, stopAtCounts: 25, reportAtCounts: .max)))
        #expect(rig.head.snapshot.outputs.isEmpty && rig.head.snapshot.countsAtClosing == 25)
        rig.head.perform(.retarget(CutOff(slowAtCounts: 50, stopAtCounts: 60, reportAtCounts: .max)))
        #expect(rig.head.snapshot.outputs.isEmpty)
    }

    private static func held(at count: Int) -> CutOff {
        CutOff(slowAtCounts: 900, stopAtCounts: 1_000, reportAtCounts: .max, holdAtCounts: count)
    }

    @Test func fuelIsHeldAtItsCountUntilTheNextTarget() {
        var rig = Rig()
        rig.begin(Self.held(at: 200))
        #expect(rig.flow(199).isEmpty && rig.head.snapshot.outputs == Self.all)
        #expect(rig.flow(1) == [.countsReached])
        #expect(rig.head.snapshot.outputs.isEmpty && rig.head.snapshot.isHeld)
        // What still runs out is counted.
        #expect(rig.flow(3).isEmpty && rig.head.snapshot.totalCounts == 203)
        rig.head.perform(.retarget(Self.held(at: 400)))
        #expect(rig.head.snapshot.outputs == Self.all && !rig.head.snapshot.isHeld)
        #expect(rig.flow(197) == [.countsReached] && rig.head.snapshot.isHeld)
    }

    @Test(arguments: ["nozzle", "emergency", "close", "end"])
    func whatClosesWhileFuelIsHeldStaysClosed(cause: String) {
        var rig = Rig()
        rig.begin(Self.held(at: 200))
        rig.flow(200)
        switch cause {
        case "nozzle": rig.input(.nozzle, false)
        case "emergency": rig.input(.emergency, true)
        case "close": rig.head.perform(.close)
        case _: rig.head.perform(.endSale)
        }
        rig.head.perform(.retarget(Self.held(at: 400)))
        #expect(rig.head.snapshot.outputs.isEmpty && !rig.head.snapshot.isHeld)
    }

    @Test func aHeldSaleThatReachesItsEndOpensNothing() {
        var rig = Rig()
        rig.begin(Self.held(at: 200))
        rig.flow(200)
        rig.head.perform(.retarget(CutOff(slowAtCounts: 100, stopAtCounts: 200, reportAtCounts: .max)))
        #expect(rig.head.snapshot.outputs.isEmpty && rig.head.snapshot.countsAtClosing == 200)
    }

    @Test func aTargetThatIsReachedAlreadyOpensNothing() {
        var rig = Rig()
        rig.begin(CutOff(slowAtCounts: 0, stopAtCounts: 0, reportAtCounts: .max))
        #expect(rig.head.snapshot.outputs.isEmpty)
    }

    @Test func theNozzlePutBackCloses() {
        var rig = Rig()
        rig.begin(Rig.far)
        #expect(rig.input(.nozzle, false) == .nozzle(lifted: false))
        #expect(rig.head.snapshot.outputs.isEmpty && !rig.head.snapshot.nozzleIsLifted)
        #expect(rig.input(.nozzle, false) == nil)
        #expect(rig.input(.nozzle, true) == .nozzle(lifted: true))
        #expect(rig.head.snapshot.outputs.isEmpty)
    }

    @Test func emergencyClosesAndRefusesToOpen() {
        var rig = Rig()
        rig.begin(Rig.far)
        #expect(rig.input(.emergency, true) == .emergency(active: true))
        #expect(rig.head.snapshot.outputs.isEmpty)
        rig.head.perform(.open(Rig.far))
        #expect(rig.head.snapshot.outputs.isEmpty)
        #expect(rig.input(.emergency, false) == .emergency(active: false))
        #expect(rig.head.snapshot.outputs.isEmpty)
        rig.head.perform(.open(Rig.far))
        #expect(rig.head.snapshot.outputs == Self.all)
    }

    @Test func anEmergencyThatStoodAtTheStartRefusesToOpen() {
        var rig = Rig(emergency: true)
        rig.begin(Rig.far)
        #expect(rig.head.snapshot.outputs.isEmpty)
    }

    @Test func nothingOpensOutsideASale() {
        var rig = Rig()
        rig.head.perform(.open(Rig.far))
        #expect(rig.head.snapshot.outputs.isEmpty)
        rig.begin(Rig.far)
        rig.head.perform(.endSale)
        #expect(rig.head.snapshot.outputs.isEmpty)
        rig.head.perform(.open(Rig.far))
        #expect(rig.head.snapshot.outputs.isEmpty)
        rig.begin(Rig.far)
        rig.head.perform(.beginSale)
        #expect(rig.head.snapshot.outputs.isEmpty && rig.head.snapshot.totalCounts == 0)
    }

    @Test func countsOutsideASaleAreStray() {
        var rig = Rig()
        rig.flow(3)
        rig.begin(Rig.far)
        rig.flow(10)
        rig.head.perform(.close)
        rig.flow(2)
        #expect(rig.head.snapshot.totalCounts == 12 && rig.head.snapshot.strayCounts == 3)
        rig.head.perform(.endSale)
        rig.flow(4)
        #expect(rig.head.snapshot.totalCounts == 0 && rig.head.snapshot.strayCounts == 7)
        rig.begin(Rig.far)
        #expect(rig.head.snapshot.totalCounts == 0 && rig.head.snapshot.strayCounts == 7)
        #expect(rig.head.snapshot.lastCountNanoseconds == nil)
        #expect(rig.head.snapshot.allCounts == [19])
    }

    @Test func faultsAreThoseOfTheSale() {
        var rig = Rig()
        rig.disturb()
        #expect(rig.head.snapshot.faults.total == 0)
        rig.begin(Rig.far)
        #expect(rig.disturb().contains(.pulserFault))
        #expect(rig.head.snapshot.faults.bothTogether == 2 && rig.head.snapshot.faults.total == 2)
        rig.begin(Rig.far)
        #expect(rig.head.snapshot.faults.total == 0)
    }

    @Test func countsGoToThePointsBesideTheirFlowRate() {
        var rig = Rig(points: [10, 50])
        rig.begin(Rig.far)
        // 400 counts a litre: 50 L/min is one count in 3 ms. The rate is known after the first 50 ms, 17 counts behind the first.
        rig.shaft.stepNanoseconds = 3_000_000
        rig.flow(18)
        #expect(rig.head.snapshot.counts == [18, 0] && rig.head.snapshot.millilitresPerMinute == 50_000)
        rig.flow(102)
        #expect(rig.head.snapshot.counts == [18, 102])
        // 30 L/min, in the middle, is one count in 5 ms: known after ten.
        rig.shaft.stepNanoseconds = 5_000_000
        rig.flow(10)
        #expect(rig.head.snapshot.counts == [18, 112] && rig.head.snapshot.millilitresPerMinute == 30_000)
        rig.flow(100)
        #expect(rig.head.snapshot.counts == [68, 162])
        // 20 L/min, a quarter of the way, is one count in 7.5 ms: known after seven.
        rig.shaft.stepNanoseconds = 7_500_000
        rig.flow(7)
        let before = rig.head.snapshot.counts
        #expect(rig.head.snapshot.millilitresPerMinute == 20_000)
        rig.flow(400)
        #expect(rig.head.snapshot.counts == [before[0] + 300, before[1] + 100])
    }

    @Test func theFirstCountsOfASaleBelongToTheLowestPoint() {
        var rig = Rig(points: [10, 50])
        rig.begin(Rig.far)
        rig.shaft.stepNanoseconds = 3_000_000
        rig.flow(100)
        #expect(rig.head.snapshot.counts == [18, 82])
        rig.begin(Rig.far)
        #expect(rig.head.snapshot.millilitresPerMinute == 0)
        rig.flow(18)
        #expect(rig.head.snapshot.counts == [18, 0])
    }

    @Test func aCutOffThatClosesWhileFuelFlowsSaysAtWhatRate() throws {
        var rig = Rig()
        rig.begin(CutOff(slowAtCounts: 400, stopAtCounts: 500, reportAtCounts: .max))
        rig.shaft.stepNanoseconds = 3_000_000
        rig.flow(400)
        var changeOver = try #require(rig.head.snapshot.changeOver)
        #expect(changeOver.counts == 400 && changeOver.millilitresPerMinute == 50_000)
        #expect(changeOver.countsWhenSlow == 400)
        // It falls by and by, and stays at 5 L/min from the 60th count on.
        for milliseconds: UInt64 in [3, 3, 6, 6, 15, 30] {
            rig.shaft.stepNanoseconds = milliseconds * 1_000_000
            rig.flow(10)
        }
        rig.flow(40)
        changeOver = try #require(rig.head.snapshot.changeOver)
        #expect((450...464).contains(changeOver.countsWhenSlow) && changeOver.slowMillilitresPerMinute == 5_000)
        let closing = ValveClosing(counts: 500, millilitresPerMinute: 5_000, isOfMainValve: false)
        #expect(rig.head.snapshot.closing == closing)
        rig.flow(3)
        #expect(rig.head.snapshot.closing == closing && rig.head.snapshot.totalCounts == 503)
    }

    @Test func aTargetThatComesTooLateTeachesNothing() {
        var rig = Rig()
        rig.begin(Rig.far)
        rig.flow(100)
        rig.head.perform(.retarget(CutOff(slowAtCounts: 50, stopAtCounts: 90, reportAtCounts: .max)))
        #expect(rig.head.snapshot.outputs.isEmpty && rig.head.snapshot.closing == nil)
    }

    /// Whatever comes in whatever order: no output outside a sale, at or after the stop count, or in an emergency; and
    /// no valve opens but by the command to open.
    @Test(arguments: 0..<200 as Range<UInt64>) func outputsObeyTheirInvariant(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var rig = Rig()
        var (inSale, emergency, stop) = (false, false, 0)
        for _ in 0..<400 {
            let before = rig.head.snapshot.outputs
            var mayOpen = false
            switch Int.random(in: 0..<10, using: &generator) {
            case 0:
                rig.head.perform(.beginSale)
                inSale = true
            case 1, 2:
                let target = rig.target(&generator)
                rig.head.perform(.open(target))
                (mayOpen, stop) = (true, inSale && !emergency ? target.stopAtCounts : stop)
            case 3:
                let target = rig.target(&generator)
                rig.head.perform(.retarget(target))
                if !before.isEmpty { stop = target.stopAtCounts }
            case 4: rig.head.perform(.close)
            case 5:
                rig.head.perform(.endSale)
                inSale = false
            case 6:
                emergency = Bool.random(using: &generator)
                rig.input(.emergency, emergency)
            case 7: rig.input(.nozzle, Bool.random(using: &generator))
            case _: rig.flow(Bool.random(using: &generator) ? 3 : -2)
            }
            let outputs = rig.head.snapshot.outputs
            if !mayOpen { #expect(outputs.isSubset(of: before)) }
            if !outputs.isEmpty {
                #expect(inSale && !emergency && rig.head.snapshot.totalCounts < stop)
                #expect(outputs.isSuperset(of: [.motor, .slowValve]))
            }
        }
    }

    /// A meter head with a shaft in front of it.
    private struct Rig {
        static let far = CutOff(slowAtCounts: 1_000_000, stopAtCounts: 1_000_100, reportAtCounts: .max)

        var head: MeterHead
        var shaft = Shaft()

        init(points: [Int] = [50], emergency: Bool = false) {
            let calibration = Calibration(
                countsPerLitre: 400,
                points: points.map { CalibrationPoint(litresPerMinute: $0, factorMillionths: 1_000_000) }
            )
            head = MeterHead(
                calibration: calibration,
                kind: .quadrature(.correct),
                levels: shaft.levels,
                nozzleIsLifted: true,
                emergency: emergency
            )
        }

        mutating func begin(_ cutOff: CutOff) {
            head.perform(.beginSale)
            head.perform(.open(cutOff))
        }

        @discardableResult
        mutating func flow(_ steps: Int) -> [PumpReport] {
            (0..<abs(steps)).compactMap { _ in receive(shaft.step(steps.signum())) }
        }

        /// Both lines up and down again together.
        @discardableResult
        mutating func disturb() -> [PumpReport] {
            let levels = shaft.levels
            return [!levels.a, levels.a].flatMap { level in
                [
                    receive(shaft.edge(.a, rising: level)),
                    receive(shaft.edge(.b, rising: levels.a == levels.b ? level : !level, after: 100)),
                ].compactMap(\.self)
            }
        }

        @discardableResult
        mutating func input(_ input: PumpInput, _ rising: Bool) -> PumpReport? {
            shaft.time += 1_000_000
            return head.receive(PumpEdge(input: input, rising: rising, nanoseconds: shaft.time, sequence: 0))
        }

        func target(_ generator: inout SeededGenerator) -> CutOff {
            let stop = head.snapshot.totalCounts + Int.random(in: -5...60, using: &generator)
            return CutOff(
                slowAtCounts: stop - 10,
                stopAtCounts: stop,
                reportAtCounts: stop - Int.random(in: 0...30, using: &generator)
            )
        }

        private mutating func receive(_ edge: Shaft.Edge) -> PumpReport? {
            head.receive(
                PumpEdge(
                    input: .pulser(edge.channel),
                    rising: edge.rising,
                    nanoseconds: edge.time,
                    sequence: edge.sequence
                )
            )
        }
    }
}
