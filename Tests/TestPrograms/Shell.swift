import Foundation
import TestFolders

/// A program with a standard output of a chosen kind; what it says is read to its end.
package struct Run {
    package enum Output: CaseIterable, Sendable {
        case read
        /// A disk without space.
        case full
        case closed
        /// A pipe whose reader has gone.
        case brokenPipe
    }

    /// The exit status, or the signal's number negated.
    package let status: Int32
    package let output: String
    package let error: String

    /// Runs one of this project's programs.
    package init(_ name: String, _ arguments: [String], output: Output = .read) throws {
        let program = Program.folder.appendingPathComponent(name).path
        switch output {
        case .read, .brokenPipe:
            try self.init(executable: program, arguments, output: output)
        case .full:
            try self.init(script: "exec \"$@\" >/dev/full", [program] + arguments)
        case .closed:
            try self.init(script: "exec \"$@\" >&-", [program] + arguments)
        }
    }

    /// Runs a script of the shell, with the folder of this project's programs in `BIN`.
    package init(script: String, _ arguments: [String]) throws {
        try self.init(executable: "/bin/sh", ["-c", script, "sh"] + arguments, output: .read)
    }

    /// Runs any program: its path and its arguments.
    package init(command: [String]) throws {
        try self.init(executable: command.first ?? "", Array(command.dropFirst()), output: .read)
    }

    private init(executable: String, _ arguments: [String], output kind: Output) throws {
        var environment = ProcessInfo.processInfo.environment
        environment["BIN"] = Program.folder.path
        // Files, so that no pipe fills while the other is read.
        let folder = try TestFolder()
        let errors = try folder.file("error", "")
        let outputs = try folder.file("output", "")
        let errorFile = try FileHandle(forWritingTo: URL(fileURLWithPath: errors))
        let outputFile = try FileHandle(forWritingTo: URL(fileURLWithPath: outputs))
        let pipe = try ClosedPipe()
        if kind == .brokenPipe { pipe.closeReading() }
        let process = try StartedProcess(
            [executable] + arguments,
            environment: environment,
            output: kind == .brokenPipe ? pipe.writing : outputFile.fileDescriptor,
            error: errorFile.fileDescriptor
        )
        func said() -> String {
            [outputs, errors].map {
                String(decoding: FileManager.default.contents(atPath: $0) ?? Data(), as: UTF8.self)
            }
            .joined(separator: "\n")
        }
        status = process.end(Patience(seconds: Patience.secondsOfRun), said: said())
        output = try String(contentsOfFile: outputs, encoding: .utf8)
        error = try String(contentsOfFile: errors, encoding: .utf8)
    }
}
