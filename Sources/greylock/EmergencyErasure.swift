import CardCryptography
import Configuration
import Console
import FuelPassbook
import KeyCustody
import Quantities
import Station
import Threads

/// `greylock keys erase --all`: everything that is a key of this terminal, or opens one, at once.
struct EmergencyErasure {
    private let terminal: TerminalID
    private let keys: Configuration.KeySettings
    private let facts: [AuditFact]

    /// - Parameter file: the configuration's.
    init(_ file: String, _ facts: [AuditFact]) throws(ServiceFailure) {
        let settings: Configuration.Custody
        do throws(ConfigurationError) { settings = try Configuration.custody(path: file) } catch {
            throw ServiceFailure(error)
        }
        guard let keys = settings.keys else { throw KeyTool.noKeys(file) }
        self.keys = keys
        self.facts = facts
        terminal = settings.terminal
    }

    /// - Parameter typed: the terminal's id; nil to have it typed.
    func run(confirmedBy typed: String?, _ output: JSONOption) throws(ServiceFailure) {
        let isConfirmed: Bool
        if let typed { isConfirmed = isMeant(typed) } else { isConfirmed = try asked() }
        guard isConfirmed else {
            throw ServiceFailure(
                exitStatus: KeyTool.refused,
                reason: "the keys are those of terminal \(terminal), and that is another id; nothing was changed"
            )
        }
        let why = facts.map(\.value.printable).joined(separator: ", ")
        var lines: [String] = []
        func say(_ line: String) {
            lines.append(line)
            if !output.json { writeLine(line) }
        }
        say("terminal \(terminal), all keys: \(why)")
        let report = Erasure(of: keys, terminal).run(facts, say: say)
        if report.isComplete { say("a service that runs ends within a second or two") }
        if output.json {
            writeLine(
                try jsonText(
                    EmergencyErasureReport(terminal: "\(terminal)", complete: report.isComplete, lines: lines)
                )
            )
        }
        guard report.isComplete else {
            throw ServiceFailure(
                exitStatus: ServiceFailure.inputOutput,
                reason: "not all keys are destroyed: the lines above say what is left; mend that and type it again"
            )
        }
    }

    private func asked() throws(ServiceFailure) -> Bool {
        let terminal = try SilentTerminal(for: "terminal id")
        terminal.say("All keys of terminal \(self.terminal) will be destroyed. They do not come back.\n")
        return try terminal.ask(
            "type the terminal's id",
            .text(bytesMax: 64),
            rule: "a terminal's id has 12 hexadecimal digits"
        ) { line in
            let count = line.count
            let text = line.bytes.withSpan { span in String(decoding: (0..<count).map { span[$0] }, as: UTF8.self) }
            return isMeant(text)
        }
    }

    private func isMeant(_ typed: String) -> Bool {
        typed.filter { $0 != " " }.uppercased() == "\(terminal)".uppercased()
    }
}
