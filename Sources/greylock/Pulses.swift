import ArgumentParser
import Configuration
import Console
import GPIO
import Metering
import Parameters
import Station
import Threads

struct Pulses: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look at a pulser's lines, keep what they did, and say what each fault was.",
        subcommands: [PulsesWatch.self, PulsesRecord.self, PulsesReplay.self, PulsesGenerate.self]
    )
}

/// Whose lines are looked at. The outputs are not touched.
struct PulseLinesOption: ParsableArguments {
    @Option(help: ArgumentHelp("The service's configuration, which names the lines.", valueName: "FILE"))
    var config: String

    @Option(help: ArgumentHelp("The fuelling side; needed where there are several.", valueName: "N"))
    var position: Int?

    @Option(
        help: ArgumentHelp(
            """
            What the meter makes at its largest flow, 1 to 1000000; beyond it is too fast. Without it, what the parameters under seal \
            say, as in the service; where there are none, \(MeterLimits.edgesPerSecondDesign).
            """,
            valueName: "N"
        )
    )
    var edgesPerSecondMax: Int?

    func validate() throws {
        guard edgesPerSecondMax.map((1...1_000_000).contains) ?? true else {
            throw ValidationError("--edges-per-second-max: expected 1 to 1000000")
        }
    }

    func open() throws(ServiceFailure) -> WatchedLines {
        let configuration = try Service.configuration(at: config)
        let side = try configuration.side(position)
        guard case .gpio(let wiring) = side.pump else {
            throw ServiceFailure(
                exitStatus: ServiceFailure.unavailable,
                reason: "side \(side.number) has a simulated pump and no lines: greylock pulses generate makes a trace"
            )
        }
        let limits = try limits(of: side, configuration)
        do throws(GPIOFault) {
            let lines = try GPIOPumpLines(wiring.inputsAlone)
            let kind: PulserKind = wiring.pulserB == nil ? .single : .quadrature(.alarm)
            return WatchedLines(lines: lines, side: side.number, kind: kind, limits: limits)
        } catch {
            let isOwn = if case .lineBusy(_, _, _, GPIOWiring.ownConsumer) = error { true } else { false }
            throw ServiceFailure(
                exitStatus: error.isInSettings ? ServiceFailure.configuration : ServiceFailure.unavailable,
                reason: isOwn ? "\(error). A running service or a calibration holds them: stop it first" : "\(error)"
            )
        }
    }

    private func limits(
        of side: Configuration.Side,
        _ configuration: Configuration
    ) throws(ServiceFailure) -> MeterLimits {
        guard let edgesPerSecondMax else {
            let book = try ParameterTool.read(configuration.parameters.path)
            return book?.newest(of: side.number)?.meter.limits ?? MeterLimits()
        }
        var limits = MeterLimits()
        limits.edgesPerSecondMax = edgesPerSecondMax
        return limits
    }
}

/// The input lines of one side, which nobody else has now.
struct WatchedLines {
    private static let waitNanosecondsMax: UInt64 = 100_000_000

    let lines: GPIOPumpLines
    let side: Int
    let kind: PulserKind
    let limits: MeterLimits

    var title: String {
        let inputs = lines.wired.map { "\($0.role.rawValue) \($0.line)" }.joined(separator: ", ")
        return "side \(side), \(lines.chip.name) (\(lines.chip.label)): \(inputs)"
    }

    func levels() throws(ServiceFailure) -> PumpLevels {
        do throws(PumpFault) { return try lines.levels() } catch {
            throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: error.reason)
        }
    }

    /// Waits for edges until `deadline` on the monotonic clock, and a tenth of a second at most: somebody may want an end.
    func edges(beforeNanoseconds deadline: UInt64) throws(ServiceFailure) -> [PumpEdge] {
        let now = MonotonicClock.nanoseconds
        let limit = deadline > now ? min(deadline - now, Self.waitNanosecondsMax) : 0
        var edges: [PumpEdge] = []
        do throws(PumpFault) { try lines.wait(timeoutNanoseconds: limit, into: &edges) } catch {
            throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: error.reason)
        }
        return edges
    }
}

extension GPIOWiring {
    /// Motor and valves stay as the board holds them.
    fileprivate var inputsAlone: GPIOWiring {
        var wiring = self
        (wiring.motor, wiring.mainValve, wiring.slowValve) = (nil, nil, nil)
        wiring.consumer = "greylock pulses"
        return wiring
    }
}

extension PulserFault {
    /// "2 missed-edges on A"
    var words: String {
        switch channel {
        case .a: "\(count) \(kind.rawValue) on A"
        case .b: "\(count) \(kind.rawValue) on B"
        case nil: "\(count) \(kind.rawValue)"
        }
    }
}
