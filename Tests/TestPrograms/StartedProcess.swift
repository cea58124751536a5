private import CInspection
private import Foundation
private import Glibc
private import Testing

/// A process that a test started. It has no descriptor of this process but the three that it is given, so that a pipe or a
/// lock of another test never lives on in it, and it ends with its owner.
package final class StartedProcess {
    package let id: Int32
    private let name: String
    private var waitStatus: Int32?

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// - Parameters:
    ///   - command: the program's path and its arguments.
    ///   - environment: its whole environment.
    ///   - input: nil for none.
    package init(
        _ command: [String],
        environment: [String: String] = ProcessInfo.processInfo.environment,
        input: Int32? = nil,
        output: Int32 = STDOUT_FILENO,
        error: Int32 = STDERR_FILENO
    ) throws {
        let path = command.first ?? ""
        name = URL(fileURLWithPath: path).lastPathComponent
        let nothing = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer { close(nothing) }
        let streams = [input ?? nothing, output, error]
        var id: Int32 = 0
        let result = unsafe withCStrings(command) { arguments in
            unsafe withCStrings(environment.map { "\($0)=\($1)" }) { variables in
                unsafe greylock_spawn(path, arguments, variables, streams, &id)
            }
        }
        guard result == 0 else { throw Failure(description: "\(path): \(unsafe String(cString: strerror(errno)))") }
        self.id = id
    }

    /// Takes over a process that leads a group of its own.
    package init(taking id: Int32, name: String) {
        self.id = id
        self.name = name
    }

    deinit {
        if waitStatus == nil {
            killGroup()
            var status: Int32 = 0
            unsafe _ = waitpid(id, &status, 0)
        }
    }

    package var isRunning: Bool {
        if waitStatus == nil { reap(milliseconds: 0) }
        return waitStatus == nil
    }

    package func signal(_ number: Int32) { kill(id, number) }

    /// Waits for the end; where it does not come, that is a failure, and the process is killed.
    ///
    /// - Parameter said: what the process said so far, for the failure.
    /// - Returns: the exit status, or the signal's number negated.
    @discardableResult
    package func end(_ patience: Patience = Patience(), said: @autoclosure () -> String = "") -> Int32 {
        if waitStatus == nil { waitStatus = nextStatus(patience: patience, said: said()) }
        // Killed now.
        if waitStatus == nil { reap(milliseconds: Patience().milliseconds) }
        guard let status = waitStatus else { return .min }
        return status & 0x7F == 0 ? status >> 8 & 0xFF : -(status & 0x7F)
    }

    /// The next status of waitpid(2): the end, or a stop that `options` ask for.
    ///
    /// - Returns: nil when neither comes in time, which is a failure and kills the process.
    package func nextStatus(
        _ options: Int32 = 0,
        patience: Patience = Patience(),
        said: @autoclosure () -> String
    ) -> Int32? {
        var status: Int32 = 0
        guard unsafe greylock_wait(id, options, patience.milliseconds, &status) == id else {
            giveUp(options == 0 ? "its end" : "its stop or end", said: said())
            return nil
        }
        if status & 0xFF != 0x7F { waitStatus = status }
        return status
    }

    /// Something was awaited of the process and did not come: a failure that tells all that can be known of it. The process
    /// and what it started are killed.
    package func giveUp(_ awaited: String, said: String) {
        Issue.record(
            """
            \(name) (\(id)) was waited for, in vain: \(awaited). It said:
            \(said)
            \(ProcessReport.text(of: id))
            """
        )
        killGroup()
    }

    /// Whether it ended by a signal and the kernel wrote its memory to a file, or would have (core(5)).
    package var leftCore: Bool { waitStatus.map { $0 & 0x80 != 0 } ?? false }

    /// Lifts what limits the size of its core, as far as this process may: only its own word forbids one then (PR_SET_DUMPABLE).
    package func allowCore() { _ = greylock_allow_core(id) }

    /// Looks at the memory when everything is done and the last thread is about to end.
    ///
    /// - Parameter finish: makes it end.
    /// - Returns: what was seen, and the exit status.
    package func lookAtExit<Result>(
        said: @autoclosure () -> String,
        finish: () throws -> Void,
        _ look: (ProcessMemory) throws -> Result
    ) throws -> (seen: Result, exitStatus: Int32) {
        guard greylock_stop_at_exit(id) == 0 else { throw Failure(description: "ptrace: \(errorText())") }
        try finish()
        var seen: Swift.Result<Result, any Error>?
        while true {
            guard let status = nextStatus(Int32(__WALL), said: said()) else {
                throw Failure(description: "\(name) neither stops nor ends")
            }
            guard status & 0xFF == 0x7F else {
                guard let seen else { throw Failure(description: "\(name) ended unseen: status \(status)") }
                return (try seen.get(), end())
            }
            var signal = status >> 8 & 0xFF
            if greylock_is_at_exit(status) != 0 {
                seen = Swift.Result { try look(ProcessMemory(of: id)) }
                signal = 0
            } else if status >> 16 != 0 {
                // A group stop, which a SIGCONT before has ended already.
                signal = 0
            }
            guard greylock_continue(id, signal) == 0 else { throw Failure(description: "ptrace: \(errorText())") }
        }
    }

    private func killGroup() {
        if kill(-id, SIGKILL) != 0 { kill(id, SIGKILL) }
    }

    private func reap(milliseconds: Int) {
        var status: Int32 = 0
        if unsafe greylock_wait(id, 0, milliseconds, &status) == id { waitStatus = status }
    }
}

/// What the kernel says of a process that should have ended: the state of it and of all that it started, and where each
/// thread stands.
package enum ProcessReport {
    package static func text(of process: Int32) -> String {
        let folder = "/proc/\(process)"
        var lines = ["process \(process): \(words(of: "\(folder)/cmdline"))"]
        lines += content(of: "\(folder)/status").split(separator: "\n").map(String.init)
            .filter { $0.hasPrefix("State") || $0.hasPrefix("Sig") || $0.hasPrefix("Shd") }
        for thread in names(in: "\(folder)/task") {
            let task = "\(folder)/task/\(thread)"
            lines.append("thread \(thread) \(words(of: "\(task)/comm")): \(words(of: "\(task)/wchan"))")
            lines += content(of: "\(task)/stack").split(separator: "\n").map { "    \($0)" }
        }
        for descriptor in names(in: "\(folder)/fd") {
            do {
                let target = try FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/fd/\(descriptor)")
                lines.append("descriptor \(descriptor): \(target)")
            } catch {
                lines.append("descriptor \(descriptor): \(error.localizedDescription)")
            }
        }
        return (lines + children(of: process).map { text(of: $0) }).joined(separator: "\n")
    }

    package static func children(of process: Int32) -> [Int32] {
        names(in: "/proc/\(process)/task").flatMap { thread in
            words(of: "/proc/\(process)/task/\(thread)/children").split(separator: " ").compactMap { Int32($0) }
        }
    }

    /// Whether the thread of this process that is named so waits in the kernel.
    package static func isWaiting(_ thread: String) -> Bool {
        names(in: "/proc/self/task").contains { task in
            words(of: "/proc/self/task/\(task)/comm") == thread
                && content(of: "/proc/self/task/\(task)/status").contains("State:\tS")
        }
    }

    /// A signal that stops a process reaches its threads one after the other.
    package static func isStopped(_ process: Int32) -> Bool { isEachThread(of: process, "T") }

    /// Returns when each thread of the process waits in the kernel.
    package static func awaitSleep(of process: Int32) throws {
        let patience = Patience()
        while !isEachThread(of: process, "S") {
            guard patience.milliseconds > 0 else { throw OutOfPatience("the sleep of \(process)") }
            sched_yield()
        }
    }

    /// - Parameter state: as proc(5) has it.
    private static func isEachThread(of process: Int32, _ state: String) -> Bool {
        names(in: "/proc/\(process)/task").allSatisfy { task in
            content(of: "/proc/\(process)/task/\(task)/status").contains("State:\t\(state)")
        }
    }

    private static func names(in folder: String) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: folder).sorted { $0.count < $1.count }
        } catch {
            // The process has ended by now.
            return []
        }
    }

    private static func content(of file: String) -> String {
        String(decoding: FileManager.default.contents(atPath: file) ?? Data("unreadable".utf8), as: UTF8.self)
    }

    private static func words(of file: String) -> String {
        content(of: file).split { $0 == "\0" || $0 == "\n" }.joined(separator: " ")
    }
}

/// The texts as C has them: with a nil behind the last.
@unsafe
package func withCStrings<Result>(
    _ texts: [String],
    _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    let copies: [UnsafeMutablePointer<CChar>?] = unsafe texts.map { unsafe strdup($0) } + [nil]
    defer { for index in unsafe copies.indices { unsafe free(copies[index]) } }
    return unsafe copies.withUnsafeBufferPointer { pointers in
        guard let base = pointers.baseAddress else { preconditionFailure("there is the terminating nil") }
        return unsafe body(base)
    }
}

/// A pipe that no program inherits unless it is given it.
final class ClosedPipe {
    private(set) var reading: Int32
    private(set) var writing: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        guard unsafe greylock_pipe(&ends) == 0 else {
            throw StartedProcess.Failure(description: "no pipe: \(unsafe String(cString: strerror(errno)))")
        }
        reading = ends[0]
        writing = ends[1]
    }

    deinit {
        closeReading()
        closeWriting()
    }

    /// Closed already, it does nothing.
    func closeReading() {
        if reading >= 0 { close(reading) }
        reading = -1
    }

    /// Closed already, it does nothing.
    func closeWriting() {
        if writing >= 0 { close(writing) }
        writing = -1
    }
}
