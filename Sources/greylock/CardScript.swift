import ArgumentParser
import Console
import Dispenser
import Foundation
import FuelPassbook
import ISO7816
import Threads

struct CardScript: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "script",
        abstract: "Run a script of exchanges and stop at the first answer that is not as expected.",
        discussion: """
            One statement a line; blanks between bytes are allowed, and a # begins a comment:

              > 80 5C 00 01 04        a command
              < {balance:4} 90 00     its answer, all of it
              !reset                  power down and up
              !verify                 VERIFY, asking for the PIN at the terminal
              !verify demonstration   VERIFY with the published PIN

            In an answer, .. is any byte, {:4} any four, and {name:4} keeps four bytes for {name} in later lines. The \
            answer to !verify stands on the next line too.

            board/scripts/refusals.apdu is an example. Scripts make no MACs. What is sent takes effect.

            Exit status: 0 when every answer was as expected, 1 when one was not, 69 when the card cannot be reached, \
            74 when the card's file cannot be read, 78 when the script cannot be; nothing has been sent then. \
            \(ExitStatusHelp.common)
            """
    )

    @Argument(help: ArgumentHelp("The script.", valueName: "FILE"))
    var file: String

    @OptionGroup var target: CardTarget

    @Flag(help: "Show each exchange, field by field.")
    var trace = false

    func run() throws {
        try runTool("card script") { () throws(ServiceFailure) in
            let script = try load()
            let card = try target.connect()
            defer { card.disconnect() }
            var kept: [String: [UInt8]] = [:]
            var exchanges = 0
            for line in script.lines {
                if try run(line, card, &kept) { exchanges += 1 }
            }
            writeLine("\(file): \(exchanges) answers as expected")
        }
    }

    /// - Returns: whether there was an answer.
    private func run(
        _ line: ExchangeScript.Line,
        _ card: any CardReader,
        _ kept: inout [String: [UInt8]]
    ) throws(ServiceFailure) -> Bool {
        let say: (String) -> Void = trace ? { writeLine($0) } : { _ in }
        switch line.statement {
        case .reset:
            say("-- power down and up")
            card.disconnect()
            try card.powerUp()
            return false
        case .exchange(let tokens, let expected):
            let command = RawCommand(bytes: bytes(of: tokens, kept))
            try check(try card.exchange(command, show: say), expected, command.name, &kept)
        case .verify(let source, let expected):
            let answer =
                switch source {
                case .ask: try card.verify(try PINPrompt().ask("PIN"), show: say)
                case .demonstration: try card.verify(Demonstration.pin, show: say)
                }
            try check(answer, expected, Instruction.verify.name, &kept)
        }
        return true
    }

    private func bytes(of tokens: [ExchangeScript.Token], _ kept: [String: [UInt8]]) -> [UInt8] {
        tokens.flatMap { token in
            switch token {
            case .byte(let byte): return [byte]
            case .kept(let name):
                guard let bytes = kept[name] else { preconditionFailure("checked when the script was read") }
                return bytes
            case .any, .capture: preconditionFailure("checked when the script was read")
            }
        }
    }

    private func check(
        _ answer: ResponseAPDU,
        _ expected: ExchangeScript.Expectation,
        _ name: String,
        _ kept: inout [String: [UInt8]]
    ) throws(ServiceFailure) {
        let before = kept
        guard !expected.matches(answer.bytes, keeping: &kept) else { return }
        let words = answer.status.words.map { " (\($0))" } ?? ""
        throw ServiceFailure(
            exitStatus: 1,
            reason: """
                \(file):\(expected.line): the answer to \(name) is another one
                  expected  \(expected.text(before))
                  got       \(Hex.string(answer.bytes))\(words)
                """
        )
    }

    private func load() throws(ServiceFailure) -> ExchangeScript {
        func fault(_ line: Int, _ reason: String) -> ServiceFailure {
            ServiceFailure(exitStatus: ServiceFailure.configuration, reason: "\(file):\(line): \(reason)")
        }
        let data: Data
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: file))
            data = try handle.read(upToCount: ExchangeScript.sizeMax + 1) ?? Data()
        } catch {
            throw fault(1, "expected a readable file (\(error.localizedDescription))")
        }
        guard data.count <= ExchangeScript.sizeMax else {
            throw fault(1, "expected at most \(ExchangeScript.sizeMax) bytes")
        }
        guard let text = String(validating: data, as: UTF8.self) else { throw fault(1, "expected a text in UTF-8") }
        do throws(ExchangeScript.Fault) {
            return try ExchangeScript(parsing: text)
        } catch {
            throw fault(error.line, error.reason)
        }
    }
}
