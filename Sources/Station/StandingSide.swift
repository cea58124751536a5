package import Configuration
package import Dispenser
import Files
import GPIO
package import Journal
import Logging
package import Metering
package import Parameters
import Pump
package import Quantities
import Records
package import Threads
import Words

/// One side of a board whose service is stopped, as a tool delivers at it: its journal, its parameters under seal, and its pump,
/// whose valves are closed when this ends.
package final class StandingSide {
    package let side: Configuration.Side
    package let set: ParameterSet
    package let board: BoardSerial
    package let journal: SQLiteJournal
    package let program: ProgramIdentity
    package let bench: TestBench
    package let pump: any Pump
    private let thread: PumpThread

    /// Counting begins with it, and what a crash left open is finished.
    ///
    /// - Parameters:
    ///   - number: nil for the only side.
    ///   - say: takes what the books and the meter have to say, a line each, once: also while something is delivered.
    ///   - simulated: makes the lines of a simulated pump.
    /// - Throws: ``ServiceFailure`` also when the service runs.
    package init(
        _ configuration: Configuration,
        _ number: Int?,
        _ arms: Arms,
        say: @escaping (String) -> Void,
        simulated: (Configuration.SimulatedPump, MeterParameters) -> any PumpLines & Sendable
    ) throws(ServiceFailure) {
        let side = try configuration.side(number)
        do throws(FileFault) { program = try ProgramIdentity.ofThisProcess() } catch {
            throw Self.failure(error.reason)
        }
        let path = configuration.journal.path
        do throws(StorageFault) {
            journal = try SQLiteJournal(configuration.journal, key: arms.recordKey)
        } catch {
            throw Self.failure("\(path): \(error); if the service runs, stop it first: systemctl stop greylockd")
        }
        let desk = try ParameterDesk(of: configuration, arms.parameterKey, journal)
        set = try Self.set(desk, side, path)
        board = desk.board
        thread = try Self.pump(side, set.meter, simulated)
        pump = thread
        self.side = side
        do throws(StorageFault) {
            try journal.noteLastEnd(at: SystemClock().localTime)
            _ = try journal.beginRun { SystemClock().localTime }
        } catch {
            throw Self.failure("\(path): \(error)")
        }
        let displays = Dictionary(
            uniqueKeysWithValues: configuration.sides.map { other in
                (
                    other.number,
                    ToolDisplay { say(configuration.sides.count > 1 ? "Position \(other.number): \($0)" : $0) }
                )
            }
        )
        func display(of side: Configuration.Side) -> ToolDisplay {
            guard let display = displays[side.number] else { preconditionFailure("a side of the configuration") }
            return display
        }
        do throws(SideFailure) {
            let members = try configuration.sides.map { other throws(SideFailure) in
                let meter: MeterParameters?
                do throws(StorageFault) { meter = try desk.set(of: other).success?.meter } catch {
                    throw .storage(error)
                }
                return Board.Member(settings: other.settings(under: meter), display: display(of: other))
            }
            let recovered = try Board(
                terminal: configuration.terminal,
                journal: journal,
                clock: SystemClock(),
                members,
                totals: KeptTotals(configuration.totals.places(of: configuration.terminal, arms.recordKey))
            ).recover()
            var settings = side.settings(under: set.meter)
            settings.identification = program.identification(under: set)
            bench = try TestBench(
                settings,
                pump: thread,
                terminal: configuration.terminal,
                journal: journal,
                clock: SystemClock(),
                display: display(of: side),
                after: recovered
            )
        } catch {
            throw ServiceFailure(error)
        }
    }

    /// How much before a target the slow-flow valve takes over.
    package var slowFlow: Volume { side.settings(under: set.meter).slowFlow }

    /// Closes the valves, and writes down what flowed outside any delivery and that counting ended in order.
    package func end() throws(ServiceFailure) {
        defer { thread.stop() }
        do throws(SideFailure) {
            do throws(PumpFault) { try thread.perform(.close) } catch { throw .pump(error) }
            try bench.recordStray()
            do throws(StorageFault) { try journal.endRun(at: SystemClock().localTime) } catch { throw .storage(error) }
        } catch {
            throw ServiceFailure(error)
        }
    }

    deinit { thread.stop() }

    private static func failure(_ reason: String) -> ServiceFailure {
        ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: reason)
    }

    private static func set(
        _ desk: ParameterDesk,
        _ side: Configuration.Side,
        _ path: String
    ) throws(ServiceFailure) -> ParameterSet {
        let found: Result<ParameterSet, ParameterRefusal>
        do throws(StorageFault) { found = try desk.set(of: side) } catch { throw failure("\(path): \(error)") }
        switch found {
        case .success(let set): return set
        case .failure(let refusal):
            throw ServiceFailure(
                exitStatus: ServiceFailure.unavailable,
                reason: "position \(side.number): \(refusal.words)"
            )
        }
    }

    private static func pump(
        _ side: Configuration.Side,
        _ meter: MeterParameters,
        _ simulated: (Configuration.SimulatedPump, MeterParameters) -> any PumpLines & Sendable
    ) throws(ServiceFailure) -> PumpThread {
        switch side.pump {
        case .simulated(let flow):
            // Its fuel flows faster than it means, and stands at the same points of the curve.
            let calibration = Calibration(
                countsPerLitre: meter.calibration.countsPerLitre,
                points: meter.points.map {
                    CalibrationPoint(
                        litresPerMinute: $0.litresPerMinute * flow.speed,
                        factorMillionths: $0.factorMillionths
                    )
                }
            )
            let limits = MeterLimits(
                calibration: calibration,
                litresPerMinuteMax: meter.litresPerMinute.upperBound * flow.speed,
                reverseCentilitresMax: meter.reverseCentilitresMax
            )
            return try pump(simulated(flow, meter), side, meter.pulser, calibration, limits)
        case .gpio(let wiring):
            let lines: GPIOPumpLines
            do throws(GPIOFault) { lines = try GPIOPumpLines(wiring) } catch {
                throw ServiceFailure(
                    exitStatus: ServiceFailure.unavailable,
                    reason: "pump: \(error); if the service runs, stop it first: systemctl stop greylockd"
                )
            }
            try HeldOutputsFile()?.write([lines.held])
            return try pump(lines, side, meter.pulser, meter.calibration, meter.limits)
        }
    }

    private static func pump(
        _ lines: sending any PumpLines,
        _ side: Configuration.Side,
        _ pulser: PulserKind,
        _ calibration: Calibration,
        _ limits: MeterLimits
    ) throws(ServiceFailure) -> PumpThread {
        do throws(PumpFault) {
            return try PumpThread(
                name: "pump-\(side.nozzle)",
                lines: lines,
                calibration: calibration,
                kind: pulser,
                limits: limits
            ) { _ in }
        } catch {
            throw ServiceFailure(exitStatus: ServiceFailure.unavailable, reason: "pump: \(error.reason)")
        }
    }
}

/// Whoever runs the tool reads it, each notice once; nobody is served.
private final class ToolDisplay: SideDisplay {
    private let vocabulary = Language.technical.vocabulary
    private let say: (String) -> Void
    private var said: Set<String> = []

    init(_ say: @escaping (String) -> Void) { self.say = say }

    func show(_ state: SideState, _ notice: Notice) {
        guard notice.level > .info else { return }
        let words = vocabulary.words(notice)
        if said.insert(words).inserted { say(words) }
    }

    func show(_ state: SideState, centilitres: Int, fen: Int, unitPrice: UnitPrice) {}
    func printReceipt(_ record: Record, balance: Amount?) {}
}

extension Configuration {
    /// The side that is meant: the only one, or that of the number.
    package func side(_ number: Int?) throws(ServiceFailure) -> Side {
        if number == nil, sides.count == 1 { return sides[0] }
        if let side = sides.first(where: { $0.number == number }) { return side }
        let known = sides.map { "\($0.number)" }.joined(separator: ", ")
        throw ServiceFailure(
            exitStatus: 64,
            reason: "--position: expected one of \(known) (found \(number.map { "\($0)" } ?? "nothing"))"
        )
    }
}
