import ArgumentParser
import Configuration
import Console
import Files
import Parameters
import Station
import Threads
import Words

struct ParametersVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Whether the book of parameters is whole, in order and authentic, and the newest that there was.",
        discussion: """
            Anybody can see whether sets follow one another: each is bound to all before it. On the terminal (--config) codes, board \
            and what the journal knows are judged too; without the terminal's keys this says that codes were not checked.

            With --json: `terminal`, `sets`: how many; `codesChecked`, or `unchecked`: why they were not; `findings`: what is wrong, a \
            line each. Of a book that is no chain there are `codesChecked` and `findings` alone.

            Exit status: 0 when nothing is wrong; 65 when something is, each of it in a line; 74 when a file cannot be read; 78 for a \
            wrong configuration. \(ExitStatusHelp.common)
            """
    )

    @OptionGroup var options: SealOptions
    @OptionGroup var output: JSONOption

    func run() throws {
        try runTool("parameters verify") { () throws(ServiceFailure) in
            let book: ParameterBook
            do throws(ServiceFailure) { book = try options.read() } catch {
                guard output.json, error.exitStatus == KeyTool.refused else { throw error }
                writeLine(try jsonText(BrokenBook(findings: [error.reason])))
                throw error
            }
            var verdict = Verdict(terminal: "\(book.terminal)", sets: book.sets.count)
            _ = try options.sets(of: book)
            if let config = options.config {
                try verdict.judge(book, ParameterTool.seal(config), options.position)
            } else {
                verdict.unchecked = "the keys are on the terminal: --config FILE there"
            }
            try verdict.say(asJSON: output.json)
        }
    }
}

/// What can be said of a book that is not what this program wrote.
private struct BrokenBook: Encodable {
    let codesChecked = false
    let findings: [String]
}

private struct Verdict: Encodable {
    let terminal: String
    let sets: Int
    var codesChecked = false
    var findings: [String] = []
    /// Why no code was checked.
    var unchecked: String?
    /// Something else than a set that was never made.
    private var isDoubtful = false

    private enum CodingKeys: String, CodingKey { case terminal, sets, codesChecked, findings, unchecked }

    init(terminal: String, sets: Int) {
        self.terminal = terminal
        self.sets = sets
    }

    mutating func judge(
        _ book: ParameterBook,
        _ seal: Configuration.Seal,
        _ position: Int?
    ) throws(ServiceFailure) {
        let arms: Arms
        do throws(ServiceFailure) { arms = try Arms(of: seal) } catch {
            unchecked = error.reason
            return
        }
        codesChecked = true
        let marks = try ParameterTool.marks(of: seal, arms.recordKey)
        let board = try KeyTool.stored { () throws(FileFault) in try seal.parameters.serial }
        for side in seal.sides where position == nil || position == side {
            let mark = marks.first { $0.side == side }
            do throws(ParameterRefusal) {
                _ = try book.set(of: side, of: seal.terminal, on: board, mark, under: arms.parameterKey)
            } catch {
                findings.append("position \(side): \(error.words)")
                isDoubtful = isDoubtful || error != .noSet
            }
        }
    }

    func say(asJSON: Bool) throws(ServiceFailure) {
        if asJSON {
            writeLine(try jsonText(self))
        } else {
            writeLine("terminal \(terminal): \(sets == 1 ? "1 set" : "\(sets) sets"), the chain is whole")
            if codesChecked { writeLine("codes, board and counters were judged") }
            if let unchecked { writeLine("codes were not checked: \(unchecked)") }
            for finding in findings { standardError(finding) }
        }
        guard findings.isEmpty else {
            throw ServiceFailure(
                exitStatus: KeyTool.refused,
                reason: isDoubtful
                    ? "the parameters are not to be believed; keep the book, and ask who had the terminal"
                    : "what is there is in order, and not all positions have parameters"
            )
        }
    }
}
