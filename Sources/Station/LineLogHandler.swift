import Console
import FuelPassbook
private import Glibc
package import Logging
import Quantities

/// One line a message on standard error: for journald with its priority prefix when it listens there, else with the
/// local time and the level's name.
package struct LineLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level {
        get { own ?? level?.level.logging ?? .info }
        set { own = newValue }
    }
    private var own: Logger.Level?
    private let level: LogSwitch?
    private let write: @Sendable (String) -> Void
    private let clock = SystemClock()

    /// - Parameters:
    ///   - level: what is said, until a level is set; nil for information and more.
    ///   - write: takes each line, without an end.
    package init(level: LogSwitch? = nil, write: @escaping @Sendable (String) -> Void = { standardError($0) }) {
        self.level = level
        self.write = write
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var line = Self.prefix(event.level) ?? "\(timestamp) \(event.level) "
        line += "\(event.message)"
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            line += " \(key)=\(value)"
        }
        write(line.printable)
    }

    private var timestamp: String { clock.localTime?.description ?? "clock not set" }

    /// The priority prefix of a line that journald gets (sd-daemon(3)); nil where it does not listen.
    package static func prefix(_ level: Logger.Level) -> String? { isForJournald ? "<\(priority(level))>" : nil }

    /// journald names its stream in the environment (systemd.exec(5), JOURNAL_STREAM): standard error may be another.
    static let isForJournald: Bool = {
        guard let named = unsafe getenv("JOURNAL_STREAM") else { return false }
        var status = stat()
        guard unsafe fstat(STDERR_FILENO, &status) == 0 else { return false }
        return unsafe String(cString: named) == "\(status.st_dev):\(status.st_ino)"
    }()

    private static func priority(_ level: Logger.Level) -> Int {
        switch level {
        case .critical: 2
        case .error: 3
        case .warning: 4
        case .notice: 5
        case .info: 6
        case .debug, .trace: 7
        }
    }
}
