private import Glibc
package import Logging

/// The two streams of a service: its log on standard error, the customer's words at the console.
package struct ServiceStreams: Sendable {
    /// So long the end waits for readers.
    private static let drainNanoseconds: UInt64 = 200_000_000

    private let errors: OutputQueue

    /// Must be made after ``SignalWatch/hold()``: it starts a thread.
    package init() {
        StandardStreams.keepErrorsFromWaiting()
        errors = OutputQueue(
            name: "log",
            descriptor: STDERR_FILENO,
            overflow: .losesNewest { lost in
                "\(LineLogHandler.prefix(.warning) ?? "")\(lost) lines were dropped: nobody read the log\n"
            }
        )
    }

    package func logger(_ label: String) -> Logger {
        let errors = errors
        return Logger(label: label) { _ in LineLogHandler { errors.post($0 + "\n") } }
    }

    /// One line that is no event: why the program ends.
    package func say(_ line: String) { errors.post("\(LineLogHandler.prefix(.error) ?? "")\(line)\n") }

    /// Returns when everything is written, or cannot be in time.
    package func drain() { errors.drain(withinNanoseconds: Self.drainNanoseconds) }

    /// The console of a service with these settings; nil where it needs none and was not started at one.
    package static func console(for configuration: Configuration) throws(ServiceFailure) -> Console? {
        switch configuration.pin {
        case .terminal: try Console()
        case .fixed: Console.isStandardInput ? try Console() : nil
        }
    }

    /// Ends the console's part: the terminal is as it was.
    package func finish(_ console: Console?) {
        console?.close(withinNanoseconds: Self.drainNanoseconds)
        drain()
    }
}
