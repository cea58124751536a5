import ArgumentParser
import Configuration
import Console
import Files
import ISO7816
import ParameterFiles
import Parameters
import Station
import Threads
import Words

struct Identify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "identify",
        abstract: "Which program this is, and which parameters are under seal: what an inspector compares.",
        discussion: """
            The checksum of a program is SHA-256 of its file, read now. Without --program it is this program's own; the service's \
            is told by --program /usr/bin/greylockd, and stands in its log at its start and in each record. With --config: version and \
            checksum of each side's parameters too, or why they are not in order.

            With --json: `version`, `program`, `sha256`, `exchanged`: another file has the program's name since it was begun; with \
            --config `parameters`: each with `position` and `version`, `checksum`, `hash`, `calibrationCounter`, \
            `configurationCounter`, or `refused`.

            Exit status: 0; 65 when parameters are not in order; 69 when the terminal has no record key yet; 74 when a file cannot be \
            read; 78 for a wrong configuration. \(ExitStatusHelp.common)
            """
    )

    @Option(help: ArgumentHelp("The service's configuration.", valueName: "FILE"))
    var config: String?

    @Option(help: ArgumentHelp("The program's file.", valueName: "FILE"))
    var program: String?

    @OptionGroup var output: JSONOption

    func run() throws {
        try runTool("identify") { () throws(ServiceFailure) in
            let identity = try KeyTool.stored { () throws(FileFault) in
                if let program { try ProgramIdentity(ofFile: program) } else { try ProgramIdentity.ofThisProcess() }
            }
            let lines = try config.map { path throws(ServiceFailure) in try parameters(path) }
            let report = IdentityReport(identity, isOwn: program == nil, lines)
            if output.json { writeLine(try jsonText(report)) } else { for line in report.lines { writeLine(line) } }
            guard lines?.contains(where: { $0.refused != nil }) != true else {
                throw ServiceFailure(exitStatus: KeyTool.refused, reason: "parameters are not in order")
            }
        }
    }

    private func parameters(_ config: String) throws(ServiceFailure) -> [SideIdentity] {
        let seal = try ParameterTool.seal(config)
        let arms = try Arms(of: seal)
        let board = try KeyTool.stored { () throws(FileFault) in try seal.parameters.serial }
        let marks = try ParameterTool.marks(of: seal, arms.recordKey)
        let book: Result<ParameterBook?, ParameterRefusal>
        do throws(ParameterRefusal) { book = .success(try ParameterFile(seal.parameters.path).read()) } catch {
            book = .failure(error)
        }
        return seal.sides.map { side in
            do throws(ParameterRefusal) {
                guard let book = try book.get() else { throw .missing }
                let mark = marks.first { $0.side == side }
                return SideIdentity(
                    try book.set(of: side, of: seal.terminal, on: board, mark, under: arms.parameterKey)
                )
            } catch {
                return SideIdentity(side, error.words)
            }
        }
    }
}

private struct SideIdentity: Encodable {
    let position: Int
    var version: Int?
    var checksum: String?
    var hash: String?
    var calibrationCounter: Int?
    var configurationCounter: Int?
    var refused: String?
    private let words: String

    private enum CodingKeys: String, CodingKey {
        case position, version, checksum, hash, calibrationCounter, configurationCounter, refused
    }

    init(_ set: ParameterSet) {
        position = set.side
        version = set.version
        checksum = set.checksum
        hash = Hex.string(set.hash)
        calibrationCounter = set.counters.calibration
        configurationCounter = set.counters.configuration
        words = "parameters version \(set.version), checksum \(set.checksum), \(set.counters.words)"
    }

    init(_ side: Int, _ refused: String) {
        position = side
        self.refused = refused
        words = refused
    }

    var line: String { "position \(position): \(words)" }
}

private struct IdentityReport: Encodable {
    let version: String?
    let program: String
    let sha256: String
    let exchanged: Bool
    let parameters: [SideIdentity]?

    init(_ identity: ProgramIdentity, isOwn: Bool, _ parameters: [SideIdentity]?) {
        version = isOwn ? Release.version : nil
        program = identity.path
        sha256 = identity.digits
        exchanged = identity.wasExchanged
        self.parameters = parameters
    }

    var lines: [String] {
        let name = version.map { "greylock \($0), \(program)" } ?? program
        let warning = exchanged ? ["another file has this program's name since it was begun"] : []
        return [name, "SHA-256 \(sha256)"] + warning + (parameters ?? []).map(\.line)
    }
}
