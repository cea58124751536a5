import Foundation
import Journal
import TestFolders
import TestPrograms
import Testing

/// What cannot be written is said, and is no success.
struct OutputTests {
    private let folder: TestFolder
    private let config: String

    init() throws {
        folder = try TestFolder()
        config = try folder.file("greylock.toml", toolConfiguration(journal: folder.path("journal")))
        let made = try Run("greylock", ["card", "new", "--profile", Self.profile, "--state", folder.path("card")])
        #expect(made.status == 0, "\(made.error)")
        try makeJournal(folder.path("journal"))
    }

    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private static let profile = root.appendingPathComponent("board/card.toml").path

    private var commands: [(program: String, arguments: [String])] {
        let card = folder.path("card")
        let journal = folder.path("journal")
        return [
            ("greylock", ["records", "--journal", journal]), ("greylock", ["records", "--json", "--journal", journal]),
            ("greylock", ["position", "--config", config]),
            ("greylock", ["simulate", "--sales", "50", "--faults", "none"]),
            ("greylock", ["demo", "--litres", "1", "--speed", "100"]),
            ("greylock", ["card", "show", "--state", card]), ("greylock", ["card", "status", "--help"]),
            ("greylock", ["card", "apdu", "--state", card, "00A4040008F0504554524F4C01"]),
            (
                "greylock",
                ["card", "new", "--profile", Self.profile, "--state", folder.path("new-\(UUID().uuidString)")]
            ),
            ("greylock", ["card", "fuzz", "--apdus", "50"]),
            ("greylock", ["--help"]), ("greylock", ["--version"]), ("greylock", ["keys", "show", "--help"]),
            ("greylock", ["help", "records"]),
            ("greylock-bench", ["--help"]), ("greylockd", ["--help"]), ("greylockd", ["--version"]),
        ]
    }

    @Test(arguments: [Run.Output.full, .closed, .brokenPipe])
    func outputThatCannotBeWrittenIsAFailureWithAWord(output: Run.Output) throws {
        let reason =
            switch output {
            case .full: "No space left on device"
            case .closed: "Bad file descriptor"
            case .brokenPipe: "Broken pipe"
            case .read: "nothing"
            }
        for (program, arguments) in commands {
            let run = try Run(program, arguments, output: output)
            let words = "\(program) \(arguments.joined(separator: " ")): \(run.status), \(run.error)"
            #expect(run.status == 74, "\(words)")
            #expect(run.error.hasSuffix("\(program): standard output: \(reason)\n"), "\(words)")
        }
    }

    @Test func theSameCommandsSucceedWhereTheyAreHeard() throws {
        for (program, arguments) in commands {
            let run = try Run(program, arguments)
            #expect(run.status == 0 && !run.output.isEmpty, "\(program) \(arguments): \(run.status), \(run.error)")
        }
    }

    /// Otherwise the journal would be opened as descriptor 1 or 2, and lines would go into it.
    @Test func noLineGoesIntoTheJournalWhenTheStandardDescriptorsAreClosed() throws {
        let before = try Data(contentsOf: URL(filePath: folder.path("journal")))
        let run = try Run(
            script:
                "\"$BIN/greylock\" position --clear --name T --reason mended --accept-clock --config \"$1\" <&- >&- 2>&-",
            [config]
        )
        #expect(run.status == 74)
        #expect(try Data(contentsOf: URL(filePath: folder.path("journal"))).prefix(16) == before.prefix(16))
        let text = String(decoding: try Data(contentsOf: URL(filePath: folder.path("journal"))), as: UTF8.self)
        #expect(!text.contains("position 1") && !text.contains("standard output"))
        #expect(try Run("greylock", ["records", "--journal", folder.path("journal")]).status == 0)
    }

    /// The signal that goes with it would end the program with its valves open.
    @Test func aFileThatMayNotGrowIsAnError() throws {
        let other = try folder.file("other.toml", toolConfiguration(journal: folder.path("other")))
        let run = try Run(script: "ulimit -f 16; \"$BIN/greylock\" run --config \"$1\"", [other])
        #expect(run.status == 74 && run.error.contains("the disk failed"), "\(run.status): \(run.error)")
    }

    @Test func theVersionIsSaid() throws {
        for program in ["greylock", "greylock-bench", "greylockd"] {
            let run = try Run(program, ["--version"])
            #expect(run.status == 0 && run.output.hasPrefix("\(program) ") && run.output.contains("."), "\(run.output)")
        }
    }

    @Test(arguments: [["bench"], ["bench", "--programs", ".build/board"]])
    func whoAsksTheToolsForABenchIsToldItsProgram(arguments: [String]) throws {
        let run = try Run("greylock", arguments)
        #expect(run.status == 64 && run.output.isEmpty)
        #expect(run.error.hasSuffix("The benches are a program of their own: greylock-bench\n"), "\(run.error)")
        #expect(try !Run("greylock", ["demo", "bench"]).error.contains("greylock-bench"))
    }

    /// `print` does not look at its writes.
    @Test func noProgramPrintsPastTheWriter() throws {
        let sources = Self.root.appendingPathComponent("Sources")
        let files = try #require(FileManager.default.enumerator(atPath: sources.path))
        var count = 0
        for case let file as String in files where file.hasSuffix(".swift") {
            let text = try String(contentsOf: sources.appendingPathComponent(file), encoding: .utf8)
            count += 1
            guard !text.contains("let print: (String) -> Void") else { continue }
            #expect(text.firstMatch(of: /(^|[^.\w])print\(/) == nil, "\(file)")
        }
        #expect(count > 100)
    }
}

/// A default as one types it.
struct HelpTests {
    private func help(_ path: [String]) throws -> String {
        let run = try Run("greylock", path + ["--help"])
        #expect(run.status == 0)
        return run.output
    }

    private func subcommands(_ text: String) -> [String] {
        guard let list = text.range(of: "SUBCOMMANDS:\n") else { return [] }
        return text[list.upperBound...].split(separator: "\n", omittingEmptySubsequences: false)
            .prefix { $0.hasPrefix("  ") }
            .filter { !$0.hasPrefix("   ") }
            .map { String($0.drop { $0 == " " }.prefix { $0 != " " }) }
    }

    @Test func everyHelpShowsDefaultsAsOneTypesThem() throws {
        var waiting: [[String]] = [[]]
        var defaults: [String] = []
        var seen = 0
        while let path = waiting.popLast() {
            let text = try help(path)
            waiting += subcommands(text).map { path + [$0] }
            seen += 1
            for match in text.matches(of: /\(default: ([^)]*)\)/) {
                let value = String(match.1)
                defaults.append(value)
                #expect(value.wholeMatch(of: /[A-Za-z0-9.\/_-]+/) != nil, "\(path): \(value)")
            }
            #expect(!text.contains("(count:") && !text.contains("Optional("), "\(path)")
        }
        #expect(seen > 12 && defaults.contains("8L"), "\(defaults)")
    }

    /// Every command that does something, and the other programs.
    @Test func everyHelpSaysItsExitStatuses() throws {
        var waiting: [[String]] = [[]]
        var seen = 0
        while let path = waiting.popLast() {
            let text = try help(path)
            let further = subcommands(text)
            waiting += further.map { path + [$0] }
            guard further.isEmpty else { continue }
            seen += 1
            let missing = Self.statuses(path.joined(separator: " ")).subtracting(Self.numbers(text))
            #expect(missing.isEmpty, "\(path): \(missing)")
        }
        #expect(seen > 11)
        let bench = try Run("greylock-bench", ["--help"]).output
        #expect(Self.numbers(bench).isSuperset(of: [0, 64, 71, 74]), "\(bench)")
        let service = try Run("greylockd", ["--help"]).output
        #expect(Self.numbers(service).isSuperset(of: [0, 64, 69, 71, 74, 75, 78]), "\(service)")
    }

    private static func statuses(_ command: String) -> Set<Int> {
        let own: Set<Int> =
            switch command {
            case "demo": [1, 69, 78]
            case "run": [69, 74, 75, 78]
            case "card serve", "card show", "keys new", "keys show", "card status", "card apdu": [1, 69]
            case "card new", "card script": [1, 69, 78]
            case "card fuzz", "simulate": [1]
            case "position": [69, 78]
            case "records": [78]
            case _: []
            }
        return own.union([0, 64, 71, 74])
    }

    /// Those that stand behind "Exit status".
    private static func numbers(_ help: String) -> Set<Int> {
        guard let begin = help.range(of: "Exit status:") else { return [] }
        return Set(help[begin.upperBound...].matches(of: /\b(\d+)\b/).compactMap { Int($0.1) })
    }

    @Test(arguments: ["1", "1L", "1l", "1.5", "0.01L"])
    func litresAreTypedWithTheirUnitOrWithout(litres: String) throws {
        #expect(try Run("greylock", ["demo", "--speed", "100", "--litres", litres]).status == 0)
    }

    @Test(arguments: ["L", "8 L", "1.234L", "-1L", "8LL"])
    func whatAreNoLitresAreRefused(litres: String) throws {
        #expect(try Run("greylock", ["demo", "--litres=\(litres)"]).status == 64)
    }
}
