import FuelPassbook
private import Glibc
package import Logging

/// One line a message on standard error: for journald with its priority prefix when it listens there, else with the
/// local time and the level's name.
package struct LineLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level = .info
    private let forJournald: Bool
    private let clock = SystemClock()

    /// journald announces itself in the environment (systemd.exec(5), JOURNAL_STREAM).
    package init() {
        forJournald = unsafe getenv("JOURNAL_STREAM") != nil
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var line = forJournald ? "<\(priority(event.level))>" : "\(timestamp) \(event.level) "
        line += "\(event.message)"
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            line += " \(key)=\(value)"
        }
        standardError(line)
    }

    private var timestamp: String { clock.localTime?.description ?? "clock not set" }

    /// sd-daemon(3)
    private func priority(_ level: Logger.Level) -> Int {
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

/// Writes one whole line to standard error; a closed standard error loses it.
package func standardError(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    unsafe _ = write(STDERR_FILENO, bytes, bytes.count)
}
