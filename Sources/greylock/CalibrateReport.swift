import ArgumentParser
import Configuration
import Console
import Files
import FuelPassbook
import ISO7816
import Proving
import Quantities
import Records
import Station
import Threads

struct CalibrateReport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "The report of a calibration, in Chinese and English, or whether one was edited.",
        discussion: """
            One HTML file without scripts that prints on A4, or with --json the same for programs; --schema says what that has. A \
            report is coded under the terminal's record key: whoever has that key checks it with --check, on the terminal or at its \
            maker of keys, and nobody else can.

            Exit status: 0; 65 for a session that is refused, or a report that was edited or is none; 69 when the terminal has no \
            record key yet; 74 when a file cannot be read or written; 78 for a wrong configuration. \(ExitStatusHelp.common)
            """
    )

    @Option(help: ArgumentHelp("The service's configuration, which says where the record key is.", valueName: "FILE"))
    var config: String?

    @Option(help: ArgumentHelp("The session's file.", valueName: "FILE"))
    var session: String?

    @Option(help: ArgumentHelp("A new file or an earlier report; standard output without it.", valueName: "FILE"))
    var into: String?

    @Option(help: ArgumentHelp("Say whether this report is as it was written.", valueName: "FILE"))
    var check: String?

    @Flag(help: "Write JSON.")
    var json = false

    @Flag(help: "Write the schema of the JSON.")
    var schema = false

    func validate() throws {
        guard [schema, check != nil, session != nil].count(where: { $0 }) == 1 else {
            throw ValidationError("one of --session FILE, --check FILE and --schema is needed")
        }
        guard schema || config != nil else {
            throw ValidationError("--config FILE is needed: a report is coded under the terminal's record key")
        }
        guard into == nil || session != nil else { throw ValidationError("--into belongs to --session") }
    }

    func run() throws {
        try runTool("calibrate report") { () throws(ServiceFailure) in
            guard !schema, let config else { return writeLine(Report.schema) }
            let arms = try Arms(of: Service.configuration(at: config))
            if let check { return try judge(check, arms) }
            let path = session ?? ""
            let file = CalibrationFile(path, arms.recordKey)
            guard let found = try file.read() else {
                throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: "there is no file \(path)")
            }
            let report = try report(of: found, arms)
            let text = json ? file.json(report) : file.html(report)
            guard let into else { return writeLine(text) }
            try requireNoOther(into)
            try KeyTool.stored { () throws(FileFault) in try WholeFile.replace(into, with: Array(text.utf8)) }
        }
    }

    /// An earlier report may be written over, and nothing else: not the session, a journal or a device.
    private func requireNoOther(_ path: String) throws(ServiceFailure) {
        try KeyTool.stored { () throws(FileFault) in
            guard let there = try WholeFile.contents(path, bytesMax: Report.bytesMax, isReplaced: true) else { return }
            guard Report.isReport(there) else {
                throw FileFault("\(path) is there already, is no report, and is left as it is: name a new file")
            }
        }
    }

    private func report(of session: CalibrationSession, _ arms: Arms) throws(ServiceFailure) -> Report {
        guard let now = SystemClock().localTime else {
            throw ServiceFailure(exitStatus: ServiceFailure.unavailable, reason: "the clock is not set: set it first")
        }
        let program = try KeyTool.stored { () throws(FileFault) in try ProgramIdentity.ofThisProcess() }
        do throws(ProvingFault) {
            return try Report(
                of: session,
                made: now,
                software: program.software(),
                keyName: TypedText(arms.recordKey.name, "the record key")
            )
        } catch {
            throw ServiceFailure(exitStatus: KeyTool.refused, reason: error.reason)
        }
    }

    private func judge(_ path: String, _ arms: Arms) throws(ServiceFailure) {
        let bytes = try KeyTool.bytes(of: path, max: Report.bytesMax)
        switch CalibrationFile.check(bytes, arms.recordKey) {
        case .authentic: writeLine("\(path): as it was written")
        case .edited:
            let key = Report.keyName(of: bytes) ?? "an unknown one"
            throw ServiceFailure(
                exitStatus: KeyTool.refused,
                reason:
                    "\(path): changed since it was written, or written under another record key (it names \(key), this terminal has \(arms.recordKey.name))"
            )
        case .noReport:
            throw ServiceFailure(exitStatus: KeyTool.refused, reason: "\(path): no report of this program")
        }
    }
}

extension RecordKey {
    /// Index and version, as keys list has them.
    fileprivate var name: String { "\(reference.index.number).\(reference.version.number)" }
}
