import ArgumentParser
import Configuration
import Console
import Files
import FuelPassbook
import Metering
import ParameterFiles
import Parameters
import Quantities
import Station
import Threads
import Words

struct ParametersImport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Put parameters from a TOML file under seal: a new set of each side that the file has.",
        discussion: """
            The file has them under [side.N.pump], as parameters.toml of the examples shows; what else stands in it is not looked at. Where it is \
            the configuration itself, the parameters are taken out of it, and a copy of the file as it was stays beside it. A side whose \
            parameters are in force already keeps its set. A running service takes a new set between two sales.

            The second person is another than the author, and has looked at what is put under seal.

            With --json: `terminal`, `sets` as greylock parameters show has them: those that were added, with `changes` \
            where the position had one before; `copy`: the configuration as \
            it was, where it was changed.

            Where it was interrupted after the set, the same command takes the parameters out of the configuration.

            Exit status: 0; 65 when nothing was put under seal; 69 when the terminal has no record key yet, or the clock is not set; \
            74 when a file cannot be read or written; 78 for a wrong configuration or a wrong file of parameters. \
            \(ExitStatusHelp.common)
            """
    )

    @Argument(help: ArgumentHelp("The file that has the parameters.", valueName: "FILE"))
    var file: String

    @Option(help: ArgumentHelp("The service's configuration.", valueName: "FILE"))
    var config: String

    @Option(help: ArgumentHelp("Who puts them under seal.", valueName: "NAME"))
    var name: String

    @Option(help: ArgumentHelp("Who has looked at them too.", valueName: "NAME"))
    var second: String

    @Option(help: ArgumentHelp("Why they are changed.", valueName: "TEXT"))
    var reason: String

    @Flag(help: "The book is lost: go on from the version and the counters that the journal knows.")
    var afterLoss = false

    @OptionGroup var output: JSONOption

    func run() throws {
        try runTool("parameters import") { () throws(ServiceFailure) in
            let seal = try ParameterTool.seal(config)
            let document: ConfigurationDocument
            let meters: [(side: Int, meter: MeterParameters)]
            let bytes: [UInt8]
            do throws(ConfigurationError) {
                bytes = try ConfigurationDocument.contents(of: file)
                document = try ConfigurationDocument(file: file, bytes: bytes)
            } catch {
                throw ServiceFailure(error)
            }
            guard Configuration.hasParameters(bytes) else {
                throw refused(
                    "\(file) has no parameters of a meter under [side.N.pump]: parameters.toml of the examples shows them"
                )
            }
            do throws(ConfigurationError) { meters = try Configuration.meters(in: document) } catch {
                throw ServiceFailure(error)
            }
            try requireSides(meters.map(\.side), seal)
            let rest = try FilePlace.areSame(file, config) ? textWithoutParameters(bytes) : nil
            let added = try add(meters, seal, isConfiguration: rest != nil)
            let copy = try rest.map { rest throws(ServiceFailure) in try replaceConfiguration(bytes, rest) }
            try say(added, seal, copy)
        }
    }

    private func requireSides(_ sides: [Int], _ seal: Configuration.Seal) throws(ServiceFailure) {
        for side in sides where !seal.sides.contains(side) {
            throw ServiceFailure(
                exitStatus: KeyTool.refused,
                reason:
                    "\(file) has parameters of side \(side), which \(config) does not have; nothing was put under seal"
            )
        }
    }

    private func textWithoutParameters(_ bytes: [UInt8]) throws(ServiceFailure) -> [UInt8] {
        guard let rest = Configuration.withoutParameters(bytes) else {
            throw ServiceFailure(
                exitStatus: KeyTool.refused,
                reason: """
                    \(file): the parameters do not stand in lines of their own; write them so under [side.N.pump], or into a file \
                    of their own; nothing was put under seal
                    """
            )
        }
        return rest
    }

    /// - Returns: the sets that are new, and what each changes of the one before it.
    private func add(
        _ meters: [(side: Int, meter: MeterParameters)],
        _ seal: Configuration.Seal,
        isConfiguration: Bool
    ) throws(ServiceFailure) -> [AddedSet] {
        let arms = try Arms(of: seal)
        let place = ParameterFile(seal.parameters.path)
        let lock = try KeyTool.stored { () throws(FileFault) in try place.lock() }
        var book = try ParameterTool.read(place.path) ?? ParameterBook(of: seal.terminal)
        guard book.terminal == seal.terminal else {
            throw refused("\(place.path) is the book of terminal \(book.terminal), and this is \(seal.terminal)")
        }
        var lost: [Int: ParameterMark] = [:]
        for mark in try ParameterTool.marks(of: seal, arms.recordKey) {
            if afterLoss, book.newest(of: mark.side) == nil {
                lost[mark.side] = mark
                continue
            }
            do throws(ParameterRefusal) { try book.require(mark) } catch {
                throw refused("\(place.path): \(error.words)\(remedy(error))")
            }
        }
        let board = try KeyTool.stored { () throws(FileFault) in try seal.parameters.serial }
        var added: [ParameterSet] = []
        do throws(ParameterProblem) {
            let date = TransactionTime(utc: try now())
            let change = try ParameterChange(author: name, second: second, reason: reason, date: date)
            for (side, meter) in meters {
                let key = arms.parameterKey
                let mayBeThere = meters.count > 1 || isConfiguration
                if mayBeThere, try book.isInForce(meter, of: side, on: board, under: key) { continue }
                added.append(try book.add(meter, of: side, on: board, by: change, after: lost[side], under: key))
            }
        } catch {
            throw refused(error.words)
        }
        if added.isEmpty {
            guard isConfiguration else { throw refused("all sides have these parameters already") }
            return []
        }
        try KeyTool.stored { () throws(FileFault) in try place.replace(with: book) }
        _ = consume lock
        if let untold = seal.tellJournal(of: added, arms.recordKey) { standardError("warning: \(untold)") }
        return added.map { AddedSet($0, book.set(before: $0)) }
    }

    /// What is there is kept for whoever looks into it, and is nothing to go on from.
    private func remedy(_ refusal: ParameterRefusal) -> String {
        if case .gone = refusal { return "" }
        return afterLoss
            ? "; if that is lost: move this one away, keep it, and give the same command again"
            : ", or if that is lost for good: move this one away, keep it, and give the command with --after-loss"
    }

    private func now() throws(ParameterProblem) -> Int64 {
        do throws(ServiceFailure) { return try KeyTool.now() } catch { throw ParameterProblem(error.reason) }
    }

    private func refused(_ words: String) -> ServiceFailure {
        ServiceFailure(exitStatus: KeyTool.refused, reason: "\(words); nothing was put under seal")
    }

    /// A link to the configuration stays one.
    ///
    /// - Returns: where the file as it was is now.
    private func replaceConfiguration(_ old: [UInt8], _ new: [UInt8]) throws(ServiceFailure) -> String {
        let config = FilePlace.real(config)
        do throws(FileFault) {
            let names = (1...999).lazy.map { "\(config).before-seal\($0 == 1 ? "" : ".\($0)")" }
            guard let copy = names.first(where: { FileStamp($0) == nil }) else {
                throw FileFault("it has too many copies beside it: take them away")
            }
            try WholeFile.replace(copy, with: old)
            try WholeFile.replace(config, with: new, keepingMode: true)
            return copy
        } catch {
            throw ServiceFailure(
                exitStatus: ServiceFailure.inputOutput,
                reason: """
                    the parameters are under seal, but stand in \(config) still: \(error.reason); the same command takes them out \
                    when that is mended
                    """
            )
        }
    }

    private func say(_ added: [AddedSet], _ seal: Configuration.Seal, _ copy: String?) throws(ServiceFailure) {
        if output.json { return writeLine(try jsonText(ImportReport(seal.terminal, added, copy))) }
        for new in added {
            let set = new.set
            writeLine(
                "position \(set.side): version \(set.version) is under seal, checksum \(set.checksum), \(set.counters.words)"
            )
            for change in new.changes ?? [] { writeLine("    \(change.words)") }
            if new.isWorthChanged {
                writeLine("    a count is worth something else now: where that was not meant, import what was before")
            }
        }
        if added.isEmpty { writeLine("these parameters are under seal already") }
        if let copy { writeLine("the parameters were taken out of \(config); the file as it was is \(copy)") }
    }
}

/// A set that was put under seal, beside the one before it.
private struct AddedSet {
    let set: ParameterSet
    /// nil of a side's first.
    let changes: [ParameterDifference]?
    /// An old file brings old factors back.
    let isWorthChanged: Bool

    init(_ set: ParameterSet, _ before: ParameterSet?) {
        self.set = set
        changes = before.map { ParameterDifference.all(from: $0, to: set) }
        isWorthChanged = before.map { $0.counters.calibration < set.counters.calibration } ?? false
    }
}

private struct ImportReport: Encodable {
    let terminal: String
    let sets: [SetReport]
    let copy: String?

    init(_ terminal: TerminalID, _ sets: [AddedSet], _ copy: String?) {
        self.terminal = "\(terminal)"
        self.sets = sets.map { SetReport($0.set, $0.changes) }
        self.copy = copy
    }
}
