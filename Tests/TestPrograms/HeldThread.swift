import Foundation

/// One thread of another process that stands still while the others go on: `board/bench/hold.c`.
package final class HeldThread {
    package static let reasonToSkip = "holding a thread of another process needs root (CAP_SYS_PTRACE)"

    /// A service forbids its own user to look into it.
    package static let isPossible = getuid() == 0

    private static let program = Result {
        var root = URL(fileURLWithPath: #filePath)
        for _ in ["HeldThread.swift", "TestPrograms", "Tests"] { root.deleteLastPathComponent() }
        let program = FileManager.default.temporaryDirectory.appendingPathComponent("hold-\(getpid())").path
        let source = root.appendingPathComponent("board/bench/hold.c").path
        let compiler = try Run(command: ["/usr/bin/env", "cc", "-O2", "-o", program, source])
        guard compiler.status == 0 else { throw StartedProcess.Failure(description: "cc: \(compiler.error)") }
        return program
    }

    private let holder: Program

    /// Returns when the thread stands. It goes on when this is gone.
    package init(_ thread: String, of process: Int32) throws {
        holder = try Program(command: [Self.program.get(), "\(process)", thread])
        guard holder.wait(for: "held") != nil else {
            throw StartedProcess.Failure(description: "the thread \(thread) of \(process) is not held")
        }
    }
}
