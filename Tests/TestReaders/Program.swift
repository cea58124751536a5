package import Foundation
import Glibc

/// One of this project's programs, run as a user runs it; the test reads what it says.
package final class Program {
    private let process = Process()
    private let said = Pipe()
    private var buffered = Data()
    /// All lines so far.
    package private(set) var lines: [String] = []

    /// Starts `name`, built beside the tests. Standard error is read; standard output too when `readsOutput`.
    ///
    /// - Parameter variables: of its environment, beside this process's own.
    package init(
        _ name: String,
        _ arguments: [String],
        readsOutput: Bool = false,
        variables: [String: String] = [:]
    ) throws {
        process.executableURL = Self.folder.appendingPathComponent(name)
        process.arguments = arguments
        process.environment = Self.environment.merging(variables) { $1 }
        process.standardInput = FileHandle.nullDevice
        if readsOutput {
            process.standardOutput = said
        } else {
            process.standardError = said
        }
        try process.run()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
    }

    package var id: pid_t { process.processIdentifier }

    /// Reads on until a line contains `text`.
    ///
    /// - Returns: that line; nil when the program closed its output without it.
    @discardableResult
    package func wait(for text: String) -> String? {
        while let line = nextLine() {
            lines.append(line)
            if line.contains(text) { return line }
        }
        return nil
    }

    package func signal(_ number: Int32) { kill(id, number) }

    /// Reads the rest and waits for the end.
    ///
    /// - Returns: the exit status, or the signal's number negated.
    @discardableResult
    package func end() -> Int32 {
        while let line = nextLine() { lines.append(line) }
        process.waitUntilExit()
        return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }

    private func nextLine() -> String? {
        while true {
            if let end = buffered.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: buffered[..<end], as: UTF8.self)
                buffered.removeSubrange(...end)
                return line
            }
            let more = said.fileHandleForReading.availableData
            if more.isEmpty { return nil }
            buffered += more
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

/// A folder for one test, gone with its owner.
package final class TestFolder {
    package let url: URL

    package init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("greylock-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        do {
            try FileManager.default.removeItem(at: url)
        } catch {
            preconditionFailure("the test's folder stays behind: \(error)")
        }
    }

    package func path(_ name: String) -> String { url.appendingPathComponent(name).path }

    /// Writes a file and returns its path.
    package func file(_ name: String, _ text: String) throws -> String {
        try text.write(toFile: path(name), atomically: false, encoding: .utf8)
        return path(name)
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
        let program = try Program("greylock", ["records", "--json", "--journal", journal], readsOutput: true)
        _ = program.end()
        let text = program.lines.joined(separator: "\n")
        self = try JSONDecoder().decode(Self.self, from: Data(text.utf8))
    }
}
