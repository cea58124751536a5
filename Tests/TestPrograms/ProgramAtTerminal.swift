private import CInspection
import Foundation
import Glibc

/// One of this project's programs with a terminal of its own: what it writes there and on standard error is read when
/// the test asks for it, and nothing before.
package final class ProgramAtTerminal {
    private var started: greylock_started
    private let process: StartedProcess
    /// All that was read of each stream so far.
    package private(set) var screen = ""
    package private(set) var log = ""
    private var screenBytes: [UInt8] = []
    private var logBytes: [UInt8] = []

    package enum Stream {
        case screen
        case log
    }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    package init(_ name: String, _ arguments: [String], environment: [String] = []) throws {
        let beside = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let path = beside.appendingPathComponent(name).path
        let socket = unsafe getenv("PCSCLITE_CSOCK_NAME").map { unsafe String(cString: $0) }
        let variables =
            environment + ["LLVM_PROFILE_FILE=/dev/null"] + (socket.map { ["PCSCLITE_CSOCK_NAME=\($0)"] } ?? [])
        var started = greylock_started()
        let result = unsafe withCStrings([path] + arguments) { arguments in
            unsafe withCStrings(variables) { unsafe greylock_start_plain(path, arguments, $0, &started) }
        }
        guard result == 0 else { throw Failure(description: "\(path): \(unsafe String(cString: strerror(errno)))") }
        self.started = started
        process = StartedProcess(taking: started.pid, name: name)
    }

    deinit {
        hangUp()
        close(started.errors)
    }

    package var id: Int32 { process.id }

    package func signal(_ number: Int32) { process.signal(number) }

    /// As ``StartedProcess/allowCore()``.
    package func allowCore() { process.allowCore() }

    package var leftCore: Bool { process.leftCore }

    /// Looks at the memory when everything is done and the last thread is about to end.
    package func lookAtExit<Result>(
        finish: () throws -> Void,
        _ look: (ProcessMemory) throws -> Result
    ) throws -> (seen: Result, exitStatus: Int32) {
        try process.lookAtExit(said: said, finish: finish, look)
    }

    package func type(_ keys: [UInt8]) throws {
        guard unsafe Glibc.write(started.terminal, keys, keys.count) == keys.count else {
            throw Failure(description: "the keys cannot be typed")
        }
    }

    package func type(_ keys: String) throws { try type(Array(keys.utf8)) }

    /// Closes the other end of the terminal; done already, does nothing.
    package func hangUp() {
        if started.terminal >= 0 { close(started.terminal) }
        started.terminal = -1
    }

    /// Reads on until a stream has `text` behind what was waited for before.
    ///
    /// - Returns: seconds that it took.
    @discardableResult
    package func wait(for text: String, on stream: Stream) throws -> Double {
        let begun = ContinuousClock.now
        let patience = Patience()
        while !take(text, stream) {
            guard read(stream, "\"\(text)\" on the \(stream)", patience) else {
                throw Failure(description: "no \"\(text)\" on the \(stream); \(said)")
            }
        }
        return (ContinuousClock.now - begun) / .seconds(1)
    }

    /// Whether the terminal shows what is typed, reads whole lines and has keys that send signals.
    package var isOrdinary: Bool {
        var mode = termios()
        unsafe _ = tcgetattr(started.terminal, &mode)
        let flags = tcflag_t(ECHO | ICANON | ISIG)
        return mode.c_lflag & flags == flags
    }

    /// Stops what the program writes to the terminal, as Ctrl-S does at one that has it.
    package func stopOutput() throws {
        guard greylock_stop_output(started.terminal) == 0 else {
            throw Failure(description: "the terminal's output goes on")
        }
    }

    /// As narrow as that from now on.
    package func setColumns(_ columns: UInt16) throws {
        guard greylock_set_columns(started.terminal, columns) == 0 else {
            throw Failure(description: "the terminal keeps its width")
        }
    }

    /// Makes the pipe of standard error as small as the system has them.
    package func narrowLog() throws {
        guard greylock_narrow(started.errors) == 0 else { throw Failure(description: "the pipe stays wide") }
    }

    /// Reads the rest of the log and waits for the end.
    ///
    /// - Returns: the exit status, or the signal's number negated.
    @discardableResult
    package func end() -> Int32 {
        let patience = Patience()
        while read(.log, "its end", patience) {}
        return endUnread()
    }

    /// Waits for the end without reading anything.
    @discardableResult
    package func endUnread() -> Int32 { process.end(said: said) }

    private var said: String { "screen:\n\(screen)\nlog:\n\(log)" }

    /// Whatever is there of the terminal now.
    package func readScreen() {
        var waited = pollfd(fd: started.terminal, events: Int16(POLLIN), revents: 0)
        while unsafe poll(&waited, 1, 0) > 0, read(.screen, "what is there", Patience()) {}
    }

    private func take(_ text: String, _ stream: Stream) -> Bool {
        switch stream {
        case .screen: Self.take(text, &screenBytes)
        case .log: Self.take(text, &logBytes)
        }
    }

    private static func take(_ text: String, _ bytes: inout [UInt8]) -> Bool {
        let data = Data(bytes)
        guard let range = data.firstRange(of: Data(text.utf8)) else { return false }
        bytes.removeSubrange(..<range.upperBound)
        return true
    }

    /// - Returns: false at the stream's end, and when nothing came in time, which is a failure and ends the program.
    private func read(_ stream: Stream, _ awaited: String, _ patience: Patience) -> Bool {
        let descriptor: Int32
        switch stream {
        case .screen: descriptor = started.terminal
        case .log: descriptor = started.errors
        }
        guard patience.awaitInput(of: descriptor) else {
            process.giveUp(awaited, said: said)
            return false
        }
        var more = [UInt8](repeating: 0, count: 4_096)
        let count = unsafe Glibc.read(descriptor, &more, more.count)
        guard count > 0 else { return count < 0 && errno == EINTR }
        let text = String(decoding: more.prefix(count), as: UTF8.self)
        switch stream {
        case .screen:
            screenBytes += more.prefix(count)
            screen += text
        case .log:
            logBytes += more.prefix(count)
            log += text
        }
        return true
    }
}
