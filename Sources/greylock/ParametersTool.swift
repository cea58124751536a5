import ArgumentParser
import Configuration
import Console
import Files
import FuelPassbook
import Journal
import ParameterFiles
import Parameters
import Quantities
import Records
import Station
import Threads

struct ParametersTool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "parameters",
        abstract:
            "The parameters of the meters under seal: what a count is worth, which are believed, when valves close.",
        subcommands: [
            ParametersImport.self, ParametersShow.self, ParametersDiff.self, ParametersHistory.self,
            ParametersVerify.self,
        ]
    )
}

/// Which book, and which side of it.
struct SealOptions: ParsableArguments {
    @Argument(help: ArgumentHelp("The book of parameters; not with --config.", valueName: "BOOK"))
    var book: String?

    @Option(help: ArgumentHelp("The service's configuration, which says where the book is.", valueName: "FILE"))
    var config: String?

    @Option(help: ArgumentHelp("The fuelling side, all without it.", valueName: "N"))
    var position: Int?

    func validate() throws {
        guard (book == nil) != (config == nil) else { throw ValidationError("name the book, or --config FILE") }
    }

    /// - Throws: with 65 for a book that was altered.
    func read() throws(ServiceFailure) -> ParameterBook {
        if let book { return try ParameterTool.book(at: book) }
        guard let config else { preconditionFailure("validated above") }
        return try ParameterTool.book(at: ParameterTool.seal(config).parameters.path)
    }

    /// The sets of the sides that are meant, from the first.
    func sets(of book: ParameterBook) throws(ServiceFailure) -> [ParameterSet] {
        guard let position else { return book.sets }
        let sets = book.sets(of: position)
        guard !sets.isEmpty else {
            throw ServiceFailure(
                exitStatus: ExitCode.validationFailure.rawValue,
                reason: "--position: expected one of \(ParameterTool.list(book.sides)) (found \(position))"
            )
        }
        return sets
    }
}

/// What the tools of the parameters have in common.
enum ParameterTool {
    static func seal(_ config: String) throws(ServiceFailure) -> Configuration.Seal {
        do throws(ConfigurationError) { return try Configuration.seal(path: config) } catch {
            throw ServiceFailure(error)
        }
    }

    static func list(_ sides: [Int]) -> String {
        sides.isEmpty ? "none, for the book is empty" : sides.map { "\($0)" }.joined(separator: ", ")
    }

    static func book(at path: String) throws(ServiceFailure) -> ParameterBook {
        guard let book = try read(path) else {
            throw ServiceFailure(
                exitStatus: ServiceFailure.inputOutput,
                reason: "there is no book of parameters \(path): greylock parameters import begins one"
            )
        }
        return book
    }

    /// nil where there is no file.
    static func read(_ path: String) throws(ServiceFailure) -> ParameterBook? {
        do throws(ParameterRefusal) { return try ParameterFile(path).read() } catch {
            switch error {
            case .unreadable(let reason): throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: reason)
            case .broken(let fault):
                throw ServiceFailure(
                    exitStatus: KeyTool.refused,
                    reason: """
                        \(path), \(fault.words); put the newest book in its place, or if there is none, move this one away and go on \
                        with greylock parameters import --after-loss
                        """
                )
            case _: preconditionFailure("reading refuses nothing else")
            }
        }
    }

    /// What the journal knows of the sides; empty where there is none.
    static func marks(of seal: Configuration.Seal, _ key: RecordKey) throws(ServiceFailure) -> [ParameterMark] {
        guard FileStamp(seal.journal.path) != nil else { return [] }
        do throws(StorageFault) { return try JournalReader(path: seal.journal.path, key: key).parameterMarks() } catch {
            throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: "\(seal.journal.path): \(error)")
        }
    }
}

struct ParametersShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "The parameters that are in force, of each side.",
        discussion: """
            Whether they are to be believed, greylock parameters verify says.

            With --json: `terminal`, `sets`: each with `position`, `version`, `checksum`, `hash`, `calibrationCounter`, \
            `configurationCounter`, `board`, `date` by UTC, `author`, `second`, `reason`, `parameters`: by their names in a book.

            Exit status: 0; 65 when the book was altered; 74 when it cannot be read; 78 for a wrong configuration. \
            \(ExitStatusHelp.common)
            """
    )

    @OptionGroup var options: SealOptions
    @OptionGroup var output: JSONOption

    func run() throws {
        try runTool("parameters show") { () throws(ServiceFailure) in
            let book = try options.read()
            let newest = try options.sets(of: book).filter { book.newest(of: $0.side) == $0 }.sorted {
                $0.side < $1.side
            }
            if output.json { return writeLine(try jsonText(ParametersReport(book, newest))) }
            writeLine("terminal \(book.terminal)")
            for set in newest {
                for line in set.headLines + set.fieldLines { writeLine(line) }
            }
        }
    }
}

struct ParametersHistory: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Every set that ever was in force: who changed what, when and why.",
        discussion: """
            With --json as greylock parameters show, each set with `changes` too: `field`, `before`, `after`.

            Exit status: 0; 65 when the book was altered; 74 when it cannot be read; 78 for a wrong configuration. \
            \(ExitStatusHelp.common)
            """
    )

    @OptionGroup var options: SealOptions
    @OptionGroup var output: JSONOption

    func run() throws {
        try runTool("parameters history") { () throws(ServiceFailure) in
            let book = try options.read()
            let sets = try options.sets(of: book)
            if output.json { return writeLine(try jsonText(ParametersReport(book, sets, withChanges: true))) }
            writeLine("terminal \(book.terminal)")
            for set in sets {
                for line in set.headLines { writeLine(line) }
                guard let before = book.set(before: set) else {
                    let lost = set.lost.map { "the book with version \($0.version) and those before it was lost" }
                    writeLine("    \(lost ?? "the first set of this position")")
                    continue
                }
                let changes = ParameterDifference.all(from: before, to: set)
                for change in changes { writeLine("    \(change.words)") }
                if changes.isEmpty { writeLine("    the same parameters, under another key") }
            }
        }
    }
}

struct ParametersDiff: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "What two versions of a side's parameters say otherwise.",
        discussion: """
            Without versions: the last two. With --json: `position`, `from`, `to`, `changes`: each with `field`, `before`, `after`.

            Exit status: 0, also when they say the same; 65 when the book was altered; 74 when it cannot be read; 78 for a wrong \
            configuration. \(ExitStatusHelp.common)
            """
    )

    @Option(help: ArgumentHelp("The book of parameters; not with --config.", valueName: "BOOK"))
    var book: String?

    @Option(help: ArgumentHelp("The service's configuration, which says where the book is.", valueName: "FILE"))
    var config: String?

    @Option(help: ArgumentHelp("The fuelling side; needed where the book has several.", valueName: "N"))
    var position: Int?

    @Argument(help: ArgumentHelp("Two versions.", valueName: "VERSION"))
    var versions: [Int] = []

    @OptionGroup var output: JSONOption

    func validate() throws {
        guard (book == nil) != (config == nil) else { throw ValidationError("--book BOOK or --config FILE is needed") }
        guard versions.isEmpty || versions.count == 2 else { throw ValidationError("name two versions, or none") }
    }

    func run() throws {
        try runTool("parameters diff") { () throws(ServiceFailure) in
            let path = if let book { book } else { try ParameterTool.seal(config ?? "").parameters.path }
            let book = try ParameterTool.book(at: path)
            let side = position ?? (book.sides.count == 1 ? book.sides[0] : nil)
            guard let side, book.sides.contains(side) else {
                throw usage("--position: expected one of \(ParameterTool.list(book.sides))")
            }
            let sets = book.sets(of: side)
            let (first, last) = (sets[0].version, sets[sets.count - 1].version)
            let wanted = versions.isEmpty ? [max(first, last - 1), last] : versions
            for version in wanted where !(first...last).contains(version) {
                throw usage("position \(side) has the versions \(first) to \(last) (found \(version))")
            }
            let (from, to) = (sets[wanted[0] - first], sets[wanted[1] - first])
            let changes = ParameterDifference.all(from: from, to: to)
            if output.json { return writeLine(try jsonText(DifferenceReport(side, wanted, changes))) }
            writeLine("position \(side), version \(from.version) to version \(to.version)")
            for change in changes { writeLine("    \(change.words)") }
            if changes.isEmpty { writeLine("    the same") }
        }
    }

    private func usage(_ reason: String) -> ServiceFailure {
        ServiceFailure(exitStatus: ExitCode.validationFailure.rawValue, reason: reason)
    }
}
