import CInspection
import Foundation
import FuelPassbook
import Glibc
import TestPrograms

/// `greylock run` with a terminal of its own, at which the test types the PIN, and whose memory can be looked at.
///
/// `GREYLOCK_WIPE_PROGRAM` names another build of it.
final class ServiceAtTerminal {
    private let started: greylock_started
    private var buffered: [UInt8] = []
    private let process: StartedProcess
    /// All lines so far.
    private(set) var lines: [String] = []

    init(configuration: String) throws {
        let environment = ProcessInfo.processInfo.environment
        let beside = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let path = environment["GREYLOCK_WIPE_PROGRAM"] ?? beside.appendingPathComponent("greylock").path
        let socket = unsafe getenv("PCSCLITE_CSOCK_NAME").map { unsafe String(cString: $0) }
        guard let socket else { throw MemoryFailure(description: "the tests' pcscd is not named") }
        var started = greylock_started()
        let arguments = [path, "run", "--config", configuration]
        let result = unsafe withCStrings(arguments) { arguments in
            unsafe withCStrings(["PCSCLITE_CSOCK_NAME=\(socket)"]) { environment in
                unsafe greylock_start(path, arguments, environment, &started)
            }
        }
        guard result == 0 else { throw MemoryFailure(description: "\(path): \(errorText())") }
        self.started = started
        process = StartedProcess(taking: started.pid, name: "greylock run")
    }

    deinit {
        close(started.terminal)
        close(started.errors)
    }

    /// Reads on until a line contains one of `texts`, and types the PIN whenever it is asked for.
    ///
    /// - Throws: when the service closed its output without such a line.
    @discardableResult
    func wait(for texts: String...) throws -> String {
        let patience = Patience()
        while let line = try nextLine(texts, patience) {
            lines.append(line)
            if line.contains("type your PIN") { try typePIN() }
            if texts.contains(where: { line.contains($0) }) { return line }
        }
        throw MemoryFailure(description: "the service ended without \(texts):\n\(said)")
    }

    private var said: String { lines.joined(separator: "\n") }

    /// Until the running visit of a card has ended, and with it every value that belonged to it.
    func waitForEndOfVisit() throws {
        try wait(for: "take your card", "insert your card")
    }

    /// Looks at the memory between two instructions of every thread.
    func stopped<Result>(_ look: (ProcessMemory) throws -> Result) throws -> Result {
        kill(started.pid, SIGSTOP)
        let status = process.nextStatus(WUNTRACED, said: said)
        guard let status, status & 0xFF == 0x7F else {
            throw MemoryFailure(description: "the service ended: status \(status ?? -1)\n\(said)")
        }
        defer { kill(started.pid, SIGCONT) }
        return try look(ProcessMemory(of: started.pid))
    }

    /// Sends SIGTERM and looks at the memory when everything is done and the last thread is about to end.
    ///
    /// - Returns: what was seen, and the exit status.
    func terminate<Result>(_ look: (ProcessMemory) throws -> Result) throws -> (seen: Result, exitStatus: Int32) {
        try process.lookAtExit(said: said, finish: { kill(started.pid, SIGTERM) }, look)
    }

    private func typePIN() throws {
        let keys = Array((SpyingCard.pin + "\n").utf8)
        guard greylock_await_flush(started.terminal, Int32(clamping: Patience().milliseconds)) == 0,
            unsafe Glibc.write(started.terminal, keys, keys.count) == keys.count
        else { throw MemoryFailure(description: "the PIN cannot be typed: \(errorText())") }
    }

    private func nextLine(_ awaited: [String], _ patience: Patience) throws -> String? {
        while true {
            if let end = buffered.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: buffered[..<end], as: UTF8.self)
                buffered.removeSubrange(...end)
                return line
            }
            guard patience.awaitInput(of: started.errors) else {
                process.giveUp("one of \(awaited)", said: said)
                return nil
            }
            var more = [UInt8](repeating: 0, count: 4_096)
            let count = unsafe Glibc.read(started.errors, &more, more.count)
            if count == 0 { return nil }
            guard count > 0 || errno == EINTR else { throw MemoryFailure(description: "the log: \(errorText())") }
            buffered += more.prefix(max(0, count))
        }
    }
}
