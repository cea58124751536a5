import Foundation
import Glibc
import TestFolders
import TestPrograms
import Testing

/// The sheets of a new key, made and read again.
@Suite("keys generate and keys verify", .timeLimit(.minutes(10)))
struct KeySheetsTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private func run(_ arguments: [String], readsOutput: Bool = false) throws -> (status: Int32, said: String) {
        let program = try Program("greylock", ["keys"] + arguments, readsOutput: readsOutput)
        let status = program.end()
        return (status, program.lines.joined(separator: "\n"))
    }

    private func generate(_ places: [String], _ options: [String] = []) throws -> (status: Int32, said: String) {
        let to = places.flatMap { ["--to", $0] }
        return try run(["generate", "--terminal", "310000000017"] + options + to)
    }

    private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    @Test(
        "each component is on a page that its owner alone reads, and is right",
        arguments: [([], 2), (["--components", "3"], 3), (["--triple-des"], 2), (["--master-index", "1"], 2)]
    )
    func pages(options: [String], count: Int) throws {
        let places = (1...count).map { folder.path("page-\($0)") }
        let made = try generate(places, options)
        #expect(made.status == 0 && made.said.contains("\(count) pages are written"), "\(made.said)")
        let keys = try places.map {
            try text($0).split(separator: "\n").first { $0.hasPrefix("check value of the key") }
        }
        #expect(Set(keys).count == 1 && keys[0] != nil)
        for place in places {
            var status = stat()
            #expect(unsafe stat(place, &status) == 0 && status.st_mode & 0o777 == 0o600)
            #expect(try run(["verify", place]).status == 0)
        }
    }

    @Test("a wrong digit is named by its group, also for another program")
    func wrongDigit() throws {
        let places = [folder.path("one"), folder.path("two")]
        #expect(try generate(places).status == 0)
        let lines = try text(places[0]).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let changed = lines.map { line in
            guard line.hasPrefix("groups 5 to 8") else { return line }
            var line = Array(line)
            line[25] = line[25] == "0" ? "1" : "0"
            return String(line)
        }
        let sheet = try folder.file("changed", changed.joined(separator: "\n"))
        #expect(unsafe chmod(sheet, 0o600) == 0)
        let verified = try run(["verify", sheet])
        #expect(verified.status == 65 && verified.said.contains("wrong groups: 6"), "\(verified.said)")
        let report = try run(["verify", "--json", sheet], readsOutput: true)
        #expect(report.status == 65 && report.said.contains("\"right\" : false"), "\(report.said)")
    }

    @Test("what is no sheet is refused in one line")
    func noSheet() throws {
        for content in ["", "groups 1 to 4: 1", String(repeating: "x", count: 5_000)] {
            let sheet = try folder.file("sheet", content)
            #expect(unsafe chmod(sheet, 0o600) == 0)
            let verified = try run(["verify", sheet])
            #expect([65, 74].contains(verified.status) && verified.said.split(separator: "\n").count == 1)
        }
        #expect(try run(["verify", folder.path("none")]).status == 74)
    }

    @Test("no place takes two, and nothing is left where one takes none")
    func places() throws {
        let there = try folder.file("there", "mine")
        let pipe = folder.path("pipe")
        #expect(unsafe mkfifo(pipe, 0o600) == 0)
        let new = folder.path("new")
        for (second, reason) in [
            (there, "was there before: name a new one"), ("/dev/null", "the page would be lost"),
            (pipe, "nobody reads the pipe"), (new, "would take two components"), (folder.path("none/file"), "folder"),
            (folder.path(""), "directory"),
        ] {
            let made = try generate([new, second])
            #expect(
                made.status == 65 && made.said.contains(reason) && made.said.contains("nothing was made"),
                "\(made.said)"
            )
            #expect(!FileManager.default.fileExists(atPath: new))
        }
        #expect(try text(there) == "mine")
        #expect(try generate([new]).status == 64)
    }

    @Test("a terminal shows no component")
    func terminal() throws {
        let tool = try ProgramAtTerminal(
            "greylock",
            ["keys", "generate", "--terminal", "310000000017", "--to", folder.path("one"), "--to", "-"]
        )
        #expect(tool.end() == 65)
        #expect(tool.log.contains("is a terminal, which would show the component"))
        tool.readScreen()
        #expect(tool.screen.isEmpty && !FileManager.default.fileExists(atPath: folder.path("one")))
    }

    @Test(
        "broken off while a page waits for its reader, nothing is left",
        arguments: [SIGINT, SIGTERM, SIGHUP, SIGQUIT]
    )
    func brokenOff(number: Int32) throws {
        let (read, full) = (try Pipe(folder.path("read")), try Pipe(folder.path("full")))
        full.fill()
        let page = folder.path("page")
        let places = [page, read.path, full.path].flatMap { ["--to", $0] }
        let program = try Program(
            "greylock",
            ["keys", "generate", "--terminal", "310000000017", "--components", "3"] + places
        )
        #expect(Patience().awaitInput(of: read.end))
        #expect(FileManager.default.fileExists(atPath: page))
        program.signal(number)
        #expect(program.end() == (number == SIGHUP ? 69 : 1))
        #expect(program.lines.last?.contains("destroy them, and begin again") == true, "\(program.lines)")
        #expect(!FileManager.default.fileExists(atPath: page))
    }
}

/// A pipe with a name, open at both ends.
final class Pipe {
    let path: String
    let end: Int32

    init(_ path: String) throws {
        self.path = path
        #expect(unsafe mkfifo(path, 0o600) == 0)
        end = unsafe open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
        try #require(end >= 0)
    }

    deinit { close(end) }

    func fill() {
        let block = [UInt8](repeating: 0, count: 4_096)
        while unsafe write(end, block, block.count) > 0 {}
    }

    /// Throws away what is in it.
    func drain() {
        var block = [UInt8](repeating: 0, count: 4_096)
        while unsafe read(end, &block, block.count) > 0 {}
    }

    /// The next page, which a program writes at once.
    func page() throws -> String {
        guard Patience().awaitInput(of: end) else { throw OutOfPatience("a page in \(path)") }
        var page = [UInt8](repeating: 0, count: 4_096)
        let count = unsafe read(end, &page, page.count)
        return String(decoding: page.prefix(max(0, count)), as: UTF8.self)
    }
}
