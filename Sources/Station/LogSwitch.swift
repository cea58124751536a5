import Logging
package import StationInterface
private import Synchronization

/// How much the log of a running service says. Any thread.
package final class LogSwitch: Sendable {
    private let current = Mutex(LogLevel.info)

    package init() {}

    package var level: LogLevel { current.withLock(\.self) }

    /// - Parameter say: is heard, however little the log says before and afterwards.
    func turn(to level: LogLevel, _ say: () -> Void) {
        current.withLock { $0 = .info }
        say()
        current.withLock { $0 = level }
    }
}

extension LogLevel {
    var logging: Logger.Level {
        switch self {
        case .info: .info
        case .notice: .notice
        case .warning: .warning
        case .error: .error
        }
    }
}
