import Codes
package import Console
import FuelPassbook
private import Glibc
package import Logging
import Quantities

/// One line a message on standard error, with the local time and the level's name. Where journald listens there, an entry with
/// fields of its own; what its socket does not take is a line with a priority prefix (<doc:0067-the-journals-own-messages>).
package struct LineLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level {
        get { own ?? level?.level.logging ?? .info }
        set { own = newValue }
    }
    private var own: Logger.Level?
    private let level: LogSwitch?
    private let label: String
    private let journal: JournalSocket?
    private let write: @Sendable (String) -> Void
    private let clock = SystemClock()

    /// - Parameters:
    ///   - label: the program's name in the journal.
    ///   - level: what is said, until a level is set; nil for information and more.
    ///   - journal: nil where nothing but lines is written.
    ///   - write: takes each line, without an end.
    package init(
        label: String = "greylock",
        level: LogSwitch? = nil,
        journal: JournalSocket? = nil,
        write: @escaping @Sendable (String) -> Void = { standardError($0) }
    ) {
        self.label = label
        self.level = level
        self.journal = journal
        self.write = write
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        log(CodedEvent(event, metadata)) { "\(timestamp) \($0) " }
    }

    /// A line that is no event, but why a program ends.
    func say(_ line: String, _ code: EventCode?) {
        log(CodedEvent(saying: line, code)) { _ in "" }
    }

    private func log(_ event: CodedEvent, begin: (Logger.Level) -> String) {
        if event.level != .critical, let journal, journal.send(event.entry(label)) { return }
        write(((Self.prefix(event.level) ?? begin(event.level)) + event.line).printable)
    }

    private var timestamp: String { clock.localTime?.description ?? "clock not set" }

    /// The priority prefix of a line that journald gets (sd-daemon(3)); nil where it does not listen.
    package static func prefix(_ level: Logger.Level) -> String? { isForJournald ? "<\(level.priority)>" : nil }

    /// journald names its stream in the environment (systemd.exec(5), JOURNAL_STREAM): standard error may be another.
    static let isForJournald: Bool = {
        guard let named = unsafe getenv("JOURNAL_STREAM") else { return false }
        var status = stat()
        guard unsafe fstat(STDERR_FILENO, &status) == 0 else { return false }
        return unsafe String(cString: named) == "\(status.st_dev):\(status.st_ino)"
    }()
}

/// A message with what is known of it.
private struct CodedEvent {
    let level: Logger.Level
    private let message: String
    /// Sorted by keys.
    private let fields: [(key: String, value: String)]
    private let code: String?
    private let cause: String?

    init(_ event: LogEvent, _ metadata: Logger.Metadata) {
        level = event.level
        message = "\(event.message)"
        var all = metadata.merging(event.metadata ?? [:]) { $1 }
        code = all.removeValue(forKey: Logger.codeKey).map { "\($0)" }
        cause = all.removeValue(forKey: Logger.causeKey).map { "\($0)" }
        fields = all.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") }
    }

    init(saying line: String, _ code: EventCode?) {
        level = .error
        message = line
        fields = []
        self.code = code?.rawValue
        cause = nil
    }

    /// The code stands last, as `greylock explain` takes it.
    var line: String {
        var line = message
        for (key, value) in fields { line += " \(key)=\(value)" }
        guard let code else { return line }
        return line + " [" + code + (cause.map { ", \($0)" } ?? "") + "]"
    }

    func entry(_ label: String) -> JournaldEntry {
        var entry = JournaldEntry()
        // Of a message of several lines each begins where it did.
        let lines = line.split(separator: "\n", omittingEmptySubsequences: false).map { String($0).printable }
        entry.add("MESSAGE", lines.joined(separator: "\n"))
        entry.add("PRIORITY", "\(level.priority)")
        entry.add("SYSLOG_IDENTIFIER", label)
        if let code = code.flatMap(EventCode.init(rawValue:)) { entry.add("MESSAGE_ID", "\(MessageID(of: code))") }
        if let code { entry.add("GREYLOCK_CODE", code) }
        if let cause { entry.add("GREYLOCK_CAUSE", cause) }
        for (key, value) in fields { entry.add("GREYLOCK_\(key)", value.printable) }
        return entry
    }
}

extension Logger.Level {
    /// syslog(3).
    fileprivate var priority: Int {
        switch self {
        case .critical: 2
        case .error: 3
        case .warning: 4
        case .notice: 5
        case .info: 6
        case .debug, .trace: 7
        }
    }
}
