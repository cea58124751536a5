package import Codes
package import Configuration
package import Console
private import Glibc
package import Logging
private import Synchronization
package import Threads

/// The two streams of a service: its log on standard error, the customer's words at the console.
package final class ServiceStreams: Sendable {
    /// So long the end waits for readers.
    private static let drainNanoseconds: UInt64 = 200_000_000

    private let errors: OutputQueue
    /// Of all its loggers.
    package let level = LogSwitch()
    /// nil where standard error is not journald's.
    private let journal: JournalSocket?
    private let console: Mutex<Console?> = Mutex(nil)

    /// Must be made after ``SignalWatch/hold()``: it starts a thread.
    package init() {
        StandardStreams.keepErrorsFromWaiting()
        var reopen: (@Sendable () -> Int32?)?
        if LineLogHandler.isForJournald { reopen = { JournalStream.open() } }
        journal = LineLogHandler.isForJournald ? JournalSocket() : nil
        errors = OutputQueue(
            name: "log",
            descriptor: STDERR_FILENO,
            overflow: .losesNewest { lost in
                "\(LineLogHandler.prefix(.warning) ?? "")\(lost) lines were dropped: nobody read the log\n"
            },
            reopen: reopen
        )
    }

    package func logger(_ label: String) -> Logger {
        let errors = errors
        return Logger(label: label) { [level, journal] _ in
            LineLogHandler(label: label, level: level, journal: journal) { errors.post($0 + "\n") }
        }
    }

    /// One line that is no event: why the program ends, or what its last act did.
    ///
    /// - Parameter program: who says it.
    package func say(_ program: String, _ line: String, _ code: EventCode? = nil) {
        // As a line in the stream: journald still knows whose it is when the process has ended.
        LineLogHandler(label: program) { [errors] in errors.post($0 + "\n") }
            .say("\(program): \(line)", code)
    }

    /// Returns when everything is written, or cannot be in time.
    package func drain() { errors.drain(withinNanoseconds: Self.drainNanoseconds) }

    /// A stream's reader may stand still; the threads that serve it may not.
    var loops: [WatchedLoop] {
        let console = console.withLock(\.self)
        let ofConsole = console.map { console in
            [
                WatchedLoop("the console's thread", console.reading),
                WatchedLoop("the display's thread", console.writing),
            ]
        }
        return [WatchedLoop("the log's thread", errors.progress)] + (ofConsole ?? [])
    }

    /// Takes the console of a service with these settings.
    ///
    /// - Returns: nil where it needs none and was not started at one.
    package func takeConsole(for configuration: Configuration) throws(ServiceFailure) -> Console? {
        guard let side = configuration.consoleSide, side.pin == .terminal || Console.isStandardInput else {
            return nil
        }
        let taken: Console
        do throws(ConsoleFault) { taken = try Console() } catch { throw ServiceFailure(error, at: side) }
        console.withLock { $0 = taken }
        return taken
    }

    /// The process was stopped and goes on: the terminal may have been another program's.
    package func continued() { console.withLock { $0 }?.becomeSilentAgain() }

    /// Before the process ends as it is: the terminal is as it was.
    package func breakOff() {
        drain()
        giveBack()
    }

    /// The terminal is as it was; waits for nobody who reads.
    func giveBack() { console.withLock { $0 }?.giveBack() }

    /// The terminal is as it was.
    package func finish() {
        console.withLock { $0 }?.close(withinNanoseconds: Self.drainNanoseconds)
        drain()
    }
}
