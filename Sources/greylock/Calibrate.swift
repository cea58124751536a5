import ArgumentParser
import Configuration
import Console
import ISO7816
import Metering
import Parameters
import Proving
import Records
import Station
import Threads
import VirtualPump

struct Calibrate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Calibrate a meter with a prover, guided, and put its factors under seal.",
        subcommands: [CalibrateRun.self, CalibrateReport.self],
        defaultSubcommand: CalibrateRun.self
    )
}

struct CalibrateRun: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "The guided calibration; without a subcommand it is this.",
        discussion: """
            Stop the service first and run this as its user. Each step is in the session's file before the next: whatever interrupts \
            it, the same command goes on. Each delivery is a record of kind test in the journal, and nobody pays for it.

            Exit status: 0 when the session is over; 1 when it was interrupted and can go on; 65 for a session that is refused; 69 \
            without a terminal, lines, parameters or a clock that is right; 74 when a file cannot be read or written, or the service runs; 78 for a wrong \
            configuration or script. \(ExitStatusHelp.common)
            """
    )

    @Option(help: ArgumentHelp("The service's configuration.", valueName: "FILE"))
    var config: String

    @Option(help: ArgumentHelp("The fuelling side; needed where there are several.", valueName: "N"))
    var position: Int?

    @Option(help: ArgumentHelp("The session's file; one that is there is gone on with.", valueName: "FILE"))
    var session: String

    @Option(help: ArgumentHelp("Answers in the place of somebody at the terminal.", valueName: "FILE.toml"))
    var script: String?

    @Flag(help: "Read the display, as an inspector does, and change nothing.")
    var verifyOnly = false

    func run() throws {
        try runTool("calibrate") { () throws(ServiceFailure) in
            let configuration = try Service.configuration(at: config)
            let arms = try Arms(of: configuration)
            let file = CalibrationFile(session, arms.recordKey)
            // A file that is no session is said before anything is opened.
            _ = try file.read()
            // Before any thread begins: its signals are held from all of them.
            let scripted = try script.map { path throws(ServiceFailure) in try ScriptedVoice(path) }
            let voice: any CalibrationVoice = if let scripted { scripted } else { try TypedVoice() }
            var lines: (SimulatedPumpLines, speed: Int)?
            let standing = try StandingSide(configuration, position, arms, say: { voice.say("Notice: \($0).") }) {
                flow,
                meter in
                var script = SimulatedPumpLines.Script(
                    countsPerLitre: meter.calibration.countsPerLitre,
                    centilitres: flow.centilitres,
                    litresPerMinute: flow.litresPerMinute
                )
                script.hasChannelB = meter.pulser != .single
                script.speed = flow.speed
                script.liftNanoseconds = 1_000_000_000 / UInt64(flow.speed)
                let made = SimulatedPumpLines(script)
                lines = (made, flow.speed)
                return made
            }
            do throws(ServiceFailure) {
                _ = try dialogue(configuration, arms, file, voice, scripted, standing, lines).run(
                    verifyOnly ? .verify : .calibrate
                )
            } catch {
                try standing.end()
                throw ServiceFailure(exitStatus: error.exitStatus, reason: "\(error.reason)\(try kept(file, error))")
            }
            try standing.end()
        }
    }

    private func dialogue(
        _ configuration: Configuration,
        _ arms: Arms,
        _ file: CalibrationFile,
        _ voice: any CalibrationVoice,
        _ scripted: ScriptedVoice?,
        _ standing: StandingSide,
        _ lines: (SimulatedPumpLines, speed: Int)?
    ) throws(ServiceFailure) -> CalibrationDialogue {
        let setup = CalibrationSetup(voice: voice)
        let delivery = ProvingDelivery(standing: standing, simulated: lines, voice: voice)
        return CalibrationDialogue(
            file: file,
            voice: voice,
            standing: standing,
            setup: setup,
            runs: CalibrationRuns(
                file: file,
                voice: voice,
                setup: setup,
                delivery: delivery,
                simulatedProver: lines == nil ? nil : try scripted?.reading(standing.set.meter.calibration),
                firstKind: try scripted?.kind() ?? .preset
            ),
            seal: CalibrationSeal(configuration: configuration, arms: arms, standing: standing)
        )
    }

    private func kept(_ file: CalibrationFile, _ failure: ServiceFailure) throws(ServiceFailure) -> String {
        guard failure.exitStatus != KeyTool.refused else { return "" }
        guard let session = try file.read() else {
            return ". The valves are closed. No answer was kept yet: begin again"
        }
        return ". The valves are closed. \(file.path) keeps what was done. \(session.stands) The same command goes on"
    }
}
