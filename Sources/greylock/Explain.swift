import ArgumentParser
import Codes
import Console
import Explanations
import Foundation
import Quantities

struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "What a code of the log, a socket or an exit status means, and what to do.",
        discussion: """
            The code stands last in each line of the log, in brackets: greylock explain pin-wrong. A number is an exit status. Without a code, \
            all of them are listed. In the journal the same text stands behind an entry with journalctl -x, and journalctl \
            MESSAGE_ID=... finds all entries of a code.

            Exit status: 0; 64 for a code that there is not. \(ExitStatusHelp.common)
            """
    )

    @Argument(help: ArgumentHelp("As in the log; without it, all.", valueName: "CODE"))
    var code: String?

    @Flag(help: "`code`, `kind`, `subject`, `meaning`, `money`, `acts`, `messageID` of the code, or of all in a list.")
    var json = false

    @Flag(help: "All texts as systemd's journal catalogue has them.")
    var catalogue = false

    func validate() throws {
        guard !catalogue || (code == nil && !json) else { throw ValidationError("--catalogue is of all codes") }
    }

    func run() throws {
        if catalogue { return writeLine(Catalogue.text { "\(MessageID(of: $0))" }) }
        guard let code else {
            if json { return writeLine(try text(EventCode.allCases.map(ExplainedCode.init))) }
            let width = EventCode.allCases.map(\.rawValue.count).max() ?? 0
            for code in EventCode.allCases {
                writeLine("\(code.rawValue.padding(width))  \(code.explanation.subject)")
            }
            return
        }
        let found = try code.split(separator: ",", omittingEmptySubsequences: false).map {
            ExplainedCode(try known(String($0)))
        }
        if json, let one = found.first { return writeLine(found.count == 1 ? try text(one) : try text(found)) }
        writeLine(found.map(\.text).joined(separator: "\n\n"))
    }

    /// As somebody copies it: with brackets, two of one line, in capitals, or a status as a number.
    private func known(_ text: String) throws -> EventCode {
        let trimmed = text.lowercased().trimmingCharacters(in: CharacterSet(charactersIn: "[], "))
        if let code = EventCode(rawValue: trimmed) ?? EventCode(rawValue: "exit-\(trimmed)") { return code }
        if FindingCode(rawValue: trimmed) != nil {
            standardError(
                "greylock explain: \"\(trimmed)\" is a finding of greylock doctor: greylock doctor --list explains it"
            )
            throw ExitCode.validationFailure
        }
        let near = nearNames(to: trimmed, among: EventCode.allCases.map(\.rawValue))
        let advice =
            near.isEmpty ? "greylock explain lists all" : "perhaps \(near.prefix(3).joined(separator: ", "))"
        standardError("greylock explain: there is no code \"\(text.printable)\": \(advice)")
        throw ExitCode.validationFailure
    }

    private func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}

private struct ExplainedCode: Encodable {
    struct Act: Encodable {
        let who: String
        let act: String
    }

    let code: String
    let kind: String
    let subject: String
    let meaning: String
    let money: String
    let acts: [Act]
    let messageID: String

    init(_ code: EventCode) {
        let explanation = code.explanation
        self.code = code.rawValue
        kind = code.kind
        subject = explanation.subject
        meaning = explanation.meaning
        money = explanation.money.words
        acts = explanation.acts.map { Act(who: $0.audience, act: $0.words) }
        messageID = "\(MessageID(of: code))"
    }

    var text: String {
        var lines = ["\(code) (\(kind)): \(subject)", "", meaning, "Money: \(money)"]
        if !acts.isEmpty { lines.append("") }
        for act in acts { lines.append("\(act.who): \(act.act).") }
        return (lines + ["", "In the journal: journalctl -x MESSAGE_ID=\(messageID)"]).joined(separator: "\n")
    }
}

extension String {
    fileprivate func padding(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
