package import Dispatch
private import Glibc

/// How long a test waits for anything outside its own thread: far longer than it takes on a loaded machine, and short enough
/// that what never comes is a failure with a name instead of a run without an end.
package struct Patience: Sendable {
    package static let seconds = 90
    /// For a whole run of a program.
    package static let secondsOfRun = 600

    private let end: ContinuousClock.Instant

    package init(seconds: Int = Self.seconds) { end = .now + .seconds(seconds) }

    /// What is left; 0 when it is over.
    package var milliseconds: Int { max(0, Int((end - .now) / .milliseconds(1))) }

    /// - Returns: false when nothing can be read from `descriptor` in time; true at its end too.
    package func awaitInput(of descriptor: Int32) -> Bool {
        var waited = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while true {
            let left = milliseconds
            let count = unsafe poll(&waited, 1, Int32(clamping: left))
            if count > 0 { return true }
            guard count < 0 && errno == EINTR || count == 0 && left > 0 else { return false }
        }
    }
}

/// Something did not come while ``Patience`` lasted.
package struct OutOfPatience: Error, CustomStringConvertible {
    package let description: String

    package init(_ awaited: String) { description = "\(awaited): not within \(Patience.seconds) s" }
}

extension DispatchSemaphore {
    package func wait(for awaited: String) throws {
        guard wait(timeout: .now() + .seconds(Patience.seconds)) == .success else { throw OutOfPatience(awaited) }
    }
}
