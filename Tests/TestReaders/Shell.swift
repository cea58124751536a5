import Foundation

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

    private init(executable: String, _ arguments: [String], output kind: Output) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        var environment = ProcessInfo.processInfo.environment
        environment["BIN"] = Program.folder.path
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        // Files, so that no pipe fills while the other is read.
        let folder = try TestFolder()
        let errors = try folder.file("error", "")
        let outputs = try folder.file("output", "")
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errors))
        let pipe = Pipe()
        if kind == .brokenPipe {
            try pipe.fileHandleForReading.close()
            process.standardOutput = pipe.fileHandleForWriting
        } else {
            process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: outputs))
        }
        try process.run()
        process.waitUntilExit()
        status = process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
        output = try String(contentsOfFile: outputs, encoding: .utf8)
        error = try String(contentsOfFile: errors, encoding: .utf8)
    }
}
