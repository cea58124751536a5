package import Foundation
private import Glibc

/// One of this project's programs, run as a user runs it; the test reads what it says.
package final class Program {
    private let process: StartedProcess
    private let said: ClosedPipe
    private var buffered: [UInt8] = []
    /// All lines so far.
    package private(set) var lines: [String] = []

    /// Starts `name`, built beside the tests. Standard error is read; standard output too when `readsOutput`.
    ///
    /// - Parameters:
    ///   - folder: of the program, where it is another build's.
    ///   - variables: of its environment, beside this process's own.
    package init(
        _ name: String,
        _ arguments: [String],
        in folder: URL = Program.folder,
        readsOutput: Bool = false,
        variables: [String: String] = [:]
    ) throws {
        said = try ClosedPipe()
        process = try StartedProcess(
            [folder.appendingPathComponent(name).path] + arguments,
            environment: Self.environment.merging(variables) { $1 },
            output: readsOutput ? said.writing : STDOUT_FILENO,
            error: readsOutput ? STDERR_FILENO : said.writing
        )
        said.closeWriting()
    }

    /// Starts any program, by its path and arguments, and reads its standard output.
    package init(command: [String]) throws {
        said = try ClosedPipe()
        process = try StartedProcess(command, output: said.writing)
        said.closeWriting()
    }

    package var id: Int32 { process.id }

    /// Reads on until a line contains `text`.
    ///
    /// - Returns: that line; nil when the program closed its output without it, and when it did not come in time, which is
    ///   a failure and ends the program.
    @discardableResult
    package func wait(for text: String) -> String? {
        wait(for: "\"\(text)\"") { $0.contains(text) }
    }

    /// Reads on until a line contains one of `texts`.
    package func wait(for texts: [String]) -> String? {
        wait(for: "\(texts)") { line in texts.contains { line.contains($0) } }
    }

    /// Reads on until the log shows a running sale of at least so many litres. It shows each litre when it looks, on a loaded
    /// machine with some centilitres more.
    @discardableResult
    package func wait(litres: Int) -> String? {
        wait(for: "\(litres) L of a sale") { line in
            guard let shown = line.firstMatch(of: #/(\d+)\.\d\d L, /#) else { return false }
            return Int(shown.1).map { $0 >= litres } == true
        }
    }

    private func wait(for awaited: String, _ isMeant: (String) -> Bool) -> String? {
        let patience = Patience()
        while let line = nextLine(awaited, patience) {
            lines.append(line)
            if isMeant(line) { return line }
        }
        return nil
    }

    package func signal(_ number: Int32) { process.signal(number) }

    /// Reads the rest and waits for the end.
    ///
    /// - Returns: the exit status, or the signal's number negated.
    @discardableResult
    package func end() -> Int32 {
        let patience = Patience()
        while let line = nextLine("its end", patience) { lines.append(line) }
        return process.end(said: lines.joined(separator: "\n"))
    }

    private func nextLine(_ awaited: String, _ patience: Patience) -> String? {
        while true {
            if let end = buffered.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: buffered[..<end], as: UTF8.self)
                buffered.removeSubrange(...end)
                return line
            }
            guard patience.awaitInput(of: said.reading) else {
                process.giveUp(awaited, said: lines.joined(separator: "\n"))
                return nil
            }
            var more = [UInt8](repeating: 0, count: 4_096)
            let count = unsafe read(said.reading, &more, more.count)
            if count == 0 { return nil }
            guard count > 0 || errno == EINTR else { preconditionFailure("the pipe is open") }
            buffered += more.prefix(max(0, count))
        }
    }

    /// The tests' own program lies where the others do.
    package static let folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent()

    /// With what this process set for the client library of pcscd.
    private static var environment: [String: String] {
        var variables = ProcessInfo.processInfo.environment
        variables["PCSCLITE_CSOCK_NAME"] =
            unsafe getenv("PCSCLITE_CSOCK_NAME").map { unsafe String(cString: $0) }
        return variables
    }
}

/// `greylock records --json` of a journal.
package struct JournalReport: Decodable {
    package struct Sale: Decodable {
        package let ttc: Int
        package let kind: String
        package let phase: String
        package let volumeMicrolitres: Int
        package let counts: [Int]
        package let amountFen: Int
        package let mac4IsValid: Bool?
        package let settles: Int?
        package let pulserFaults: Int
    }

    package struct Grey: Decodable {
        package let state: String
        package let amountFen: Int
    }

    package let sales: [Sale]
    package let greyRecords: [Grey]

    package init(journal: String) throws {
        let program = try Program(
            "greylock",
            ["records", "--json", "--last", "1000000", "--journal", journal],
            readsOutput: true
        )
        _ = program.end()
        let text = program.lines.joined(separator: "\n")
        self = try JSONDecoder().decode(Self.self, from: Data(text.utf8))
    }
}
