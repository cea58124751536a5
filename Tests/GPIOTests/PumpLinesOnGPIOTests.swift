import Foundation
import GPIO
import Glibc
import Metering
import TestPrograms
import Testing

/// Which line is what on the chips of these tests.
private enum Offset {
    static let a = 0
    static let b = 1
    static let nozzle = 2
    static let emergency = 3
    static let motor = 4
    static let mainValve = 5
    static let slowValve = 6
    static let outputs = [motor, mainValve, slowValve]
}

private let patienceNanoseconds: UInt64 = 5_000_000_000

private func wiring(_ chip: String) -> GPIOWiring {
    GPIOWiring(
        chip: chip,
        pulserA: .init(offset: Offset.a),
        pulserB: .init(offset: Offset.b),
        nozzle: .init(offset: Offset.nozzle),
        emergency: .init(offset: Offset.emergency),
        motor: .init(offset: Offset.motor),
        mainValve: .init(offset: Offset.mainValve),
        slowValve: .init(offset: Offset.slowValve),
        debounceMicroseconds: 1_000
    )
}

/// The fault that opening ends with; nil when it succeeds.
private func faultOfOpening(_ wiring: GPIOWiring) -> GPIOFault? {
    do throws(GPIOFault) {
        _ = try GPIOPumpLines(wiring)
        return nil
    } catch {
        return error
    }
}

private func nextEdge(_ lines: GPIOPumpLines) throws -> PumpEdge {
    var edges: [PumpEdge] = []
    try lines.wait(timeoutNanoseconds: patienceNanoseconds, into: &edges)
    return try #require(edges.first)
}

@Suite(.serialized, .enabled(if: SimulatedChip.isUsable, Comment(rawValue: SimulatedChip.reasonToSkip)))
enum OnGPIO {}

extension OnGPIO {
    @Suite
    struct GPIOPumpLinesTests {
        /// 20 L at 100 pulses per litre and channel: 50 L/min is 333 edges a second, 200 L/min 1,333.
        @Test(arguments: [500, 2_000])
        func countsTwentyLitresExactly(edgesPerSecond: Int) throws {
            let chip = try SimulatedChip(label: "greylock-pulser")
            let lines = try GPIOPumpLines(wiring(chip.label))
            let levels = try lines.levels()
            #expect(levels == PumpLevels(a: false, b: false, nozzle: false, emergency: false))
            var pulser = Pulser(kind: .quadrature(.alarm), levels: (levels.a, levels.b))
            let source = try PulseSource.turn(
                chip,
                a: Offset.a,
                b: Offset.b,
                cycles: 2_000,
                edgesPerSecond: edgesPerSecond
            )
            var edges: [PumpEdge] = []
            var isOver = false
            let patience = Patience(seconds: Patience.secondsOfRun)
            while !isOver, patience.milliseconds > 0 {
                isOver = !source.isRunning
                try lines.wait(timeoutNanoseconds: 100_000_000, into: &edges)
                if !edges.isEmpty { isOver = false }
                for edge in edges {
                    guard case .pulser(let channel) = edge.input else { continue }
                    pulser.edge(channel, rising: edge.rising, time: edge.nanoseconds, sequence: edge.sequence)
                }
                edges.removeAll(keepingCapacity: true)
            }
            #expect(source.end() == 0)
            #expect(pulser.counts == 8_000)
            #expect(pulser.faults == PulserFaults())
        }

        @Test
        func nozzleAndEmergencyReportBothDirections() throws {
            let chip = try SimulatedChip(label: "greylock-inputs")
            let lines = try GPIOPumpLines(wiring(chip.name))
            for (offset, input) in [(Offset.nozzle, PumpInput.nozzle), (Offset.emergency, .emergency)] {
                var times: [UInt64] = []
                for (number, up) in [true, false].enumerated() {
                    try chip.pull(offset, up: up)
                    let edge = try nextEdge(lines)
                    #expect(edge.input == input)
                    #expect(edge.rising == up)
                    #expect(edge.sequence == UInt32(number + 1))
                    times.append(edge.nanoseconds)
                }
                #expect(times == times.sorted())
            }
            try chip.pull(Offset.nozzle, up: true)
            _ = try nextEdge(lines)
            #expect(try lines.levels() == PumpLevels(a: false, b: false, nozzle: true, emergency: false))
        }

        @Test
        func anActiveLowLineIsActiveAtTheLowLevel() throws {
            let chip = try SimulatedChip(label: "greylock-inverted")
            var wiring = wiring("/dev/\(chip.name)")
            wiring.nozzle = .init(offset: Offset.nozzle, isActiveLow: true, bias: .pullUp)
            wiring.motor = .init(offset: Offset.motor, isActiveLow: true)
            let lines = try GPIOPumpLines(wiring)
            #expect(try !lines.levels().nozzle)
            #expect(try chip.level(Offset.motor))
            try lines.set(.motor)
            #expect(try !chip.level(Offset.motor))
            try chip.pull(Offset.nozzle, up: false)
            #expect(try nextEdge(lines).rising)
        }

        @Test
        func levelsTakeInTheEdgesBeforeThem() throws {
            let chip = try SimulatedChip(label: "greylock-levels")
            let lines = try GPIOPumpLines(wiring(chip.label))
            try chip.pull(Offset.a, up: true)
            #expect(try lines.levels().a)
            try chip.pull(Offset.b, up: true)
            #expect(try nextEdge(lines).input == .pulser(.b))
        }

        @Test
        func wakeEndsTheNextWaitAndOnlyThat() throws {
            let chip = try SimulatedChip(label: "greylock-wake")
            let lines = try GPIOPumpLines(wiring(chip.label))
            var edges: [PumpEdge] = []
            lines.wake()
            _ = try lines.levels()
            let begun = ContinuousClock.now
            try lines.wait(timeoutNanoseconds: patienceNanoseconds, into: &edges)
            #expect(edges.isEmpty && ContinuousClock.now - begun < .nanoseconds(patienceNanoseconds))
            try chip.pull(Offset.a, up: true)
            #expect(try nextEdge(lines).input == .pulser(.a))
        }

        @Test
        func aFullQueueShowsAsASequenceGap() throws {
            let chip = try SimulatedChip(label: "greylock-full")
            let lines = try GPIOPumpLines(wiring(chip.label))
            let source = try PulseSource.turn(chip, a: Offset.a, b: Offset.b, cycles: 512, edgesPerSecond: 0)
            #expect(source.end() == 0)
            var edges: [PumpEdge] = []
            var pulser = Pulser(kind: .quadrature(.alarm), levels: (false, false))
            let patience = Patience()
            while edges.count < GPIOPumpLines.eventBufferMax, patience.milliseconds > 0 {
                try lines.wait(timeoutNanoseconds: patienceNanoseconds, into: &edges)
            }
            for edge in edges {
                guard case .pulser(let channel) = edge.input else { continue }
                pulser.edge(channel, rising: edge.rising, time: edge.nanoseconds, sequence: edge.sequence)
            }
            #expect(edges.count == GPIOPumpLines.eventBufferMax)
            // Of 1,024 edges of each line the last half is there.
            #expect(pulser.faults.sequenceGaps == [512, 512])
            #expect(try lines.levelsAhead() == PumpLevels(a: false, b: false, nozzle: false, emergency: false))
        }

        @Test(arguments: [(GPIOWiring.Bias.pullUp, true), (.pullDown, false)])
        func anInputIsHeldByTheBiasItAsksFor(bias: GPIOWiring.Bias, level: Bool) throws {
            let chip = try SimulatedChip(label: "greylock-bias")
            var wiring = wiring(chip.label)
            wiring.pulserA.bias = bias
            wiring.pulserB?.bias = bias
            wiring.nozzle.bias = bias
            wiring.emergency?.bias = bias
            try chip.pull(Offset.a, up: !level)
            let lines = try GPIOPumpLines(wiring)
            #expect(try lines.levels() == PumpLevels(a: level, b: level, nozzle: level, emergency: level))
            #expect(lines.chip == (chip.name, chip.label))
        }

        /// What is read ahead of the queue leaves the queue as it is.
        @Test
        func levelsReadAheadKeepTheEdges() throws {
            let chip = try SimulatedChip(label: "greylock-ahead")
            let lines = try GPIOPumpLines(wiring(chip.label))
            try chip.pull(Offset.a, up: true)
            #expect(try lines.levelsAhead().a)
            #expect(try nextEdge(lines).input == .pulser(.a))
        }

        @Test
        func outputsAreInactiveAtTheStartFollowAndAreInactiveAtTheEnd() throws {
            let chip = try SimulatedChip(label: "greylock-outputs")
            // A line that nobody drives follows its pull: only a driven one is low here.
            for offset in Offset.outputs { try chip.pull(offset, up: true) }
            #expect(try chip.levels(Offset.outputs) == [true, true, true])
            do {
                let lines = try GPIOPumpLines(wiring(chip.label))
                #expect(try chip.levels(Offset.outputs) == [false, false, false])
                try lines.set([.motor, .mainValve, .slowValve])
                #expect(try chip.levels(Offset.outputs) == [true, true, true])
                try lines.set([.motor, .slowValve])
                #expect(try chip.levels(Offset.outputs) == [true, false, true])
                for offset in Offset.outputs { try chip.pull(offset, up: false) }
            }
            #expect(try chip.levels(Offset.outputs) == [false, false, false])
        }

        /// What a killed process leaves is the board's: here the pull of a released line, low.
        @Test
        func outputsOfAKilledProcessAreInactive() async throws {
            let chip = try SimulatedChip(label: "greylock-killed")
            await #expect(processExitsWith: .signal(SIGKILL)) {
                let lines = try GPIOPumpLines(wiring("greylock-killed"))
                try lines.set([.motor, .mainValve, .slowValve])
                let levels = try SimulatedChip.levels(ofLabel: "greylock-killed", Offset.outputs)
                try #require(levels == [true, true, true])
                kill(getpid(), SIGKILL)
            }
            #expect(try chip.levels(Offset.outputs) == [false, false, false])
            _ = try GPIOPumpLines(wiring(chip.label))
        }
    }
}

extension OnGPIO {
    @Suite
    struct GPIOOpeningTests {
        @Test
        func aSecondReaderIsRefusedAndHearsWhoHoldsTheLine() throws {
            let chip = try SimulatedChip(label: "greylock-busy")
            var first = wiring(chip.label)
            first.consumer = "first"
            let lines = try GPIOPumpLines(first)
            let readersOnly = GPIOWiring(
                chip: chip.label,
                pulserA: .init(offset: 7),
                pulserB: .init(offset: Offset.b),
                nozzle: .init(offset: 3)
            )
            let fault = GPIOFault.lineBusy(
                .pulserB,
                line: ChipLine(offset: Offset.b),
                chip: chip.name,
                consumer: "first"
            )
            #expect(faultOfOpening(readersOnly) == fault)
            #expect(fault.description.contains("held by \"first\""))
            #expect(
                faultOfOpening(wiring(chip.label))
                    == .lineBusy(.motor, line: ChipLine(offset: Offset.motor), chip: chip.name, consumer: "first")
            )
            try lines.set([])
        }

        @Test
        func aLineThatTheChipDoesNotHaveIsRefused() throws {
            let chip = try SimulatedChip(label: "greylock-offset")
            var wiring = wiring(chip.label)
            wiring.nozzle.place = .offset(chip.lineCount)
            #expect(faultOfOpening(wiring) == .noSuchLine(.nozzle, offset: 8, chip: chip.name, lineCount: 8))
            wiring.nozzle.place = .offset(-1)
            #expect(faultOfOpening(wiring) == .noSuchLine(.nozzle, offset: -1, chip: chip.name, lineCount: 8))
        }

        @Test
        func aLineThatIsWiredTwiceIsRefused() throws {
            let chip = try SimulatedChip(label: "greylock-twice")
            var wiring = wiring(chip.label)
            wiring.motor?.place = .offset(Offset.a)
            #expect(faultOfOpening(wiring) == .wiredTwice(.pulserA, .motor, line: ChipLine(offset: Offset.a)))
        }

        @Test
        func aMissingChipIsRefusedWithTheChipsThereAre() throws {
            let chip = try SimulatedChip(label: "greylock-present")
            for missing in ["greylock-absent", "/dev/gpiochip99", "/dev/null"] {
                guard case .noSuchChip(missing, let present) = faultOfOpening(wiring(missing)) else {
                    Issue.record("opening \(missing) is another fault, or none")
                    continue
                }
                #expect(present.contains("\(chip.name) (\(chip.label))"))
            }
        }
    }
}
