import Console
import Quantities

/// What doctor may find. The raw value is the finding's name for other programs, and never becomes another's.
enum FindingCode: String, CaseIterable, Encodable, Sendable {
    case configurationMissing = "configuration-missing"
    case configurationWrong = "configuration-wrong"
    case configurationForbidden = "configuration-forbidden"
    case demonstration
    case edgesVirtual = "edges-virtual"
    case notAllSeen = "not-all-seen"

    case chipMissing = "chip-missing"
    case chipAmbiguous = "chip-ambiguous"
    case chipForbidden = "chip-forbidden"
    case chipByNumber = "chip-by-number"
    case chipFailed = "chip-failed"
    case lineMissing = "line-missing"
    case lineAmbiguous = "line-ambiguous"
    case lineWiredTwice = "line-wired-twice"
    case lineHeld = "line-held"
    case lineOtherwise = "line-otherwise"
    case pullOtherThanProfile = "pull-other-than-profile"

    case pcscdStopped = "pcscd-stopped"
    case pcscdSilent = "pcscd-silent"
    case readerForbidden = "reader-forbidden"
    case polkitRuleMissing = "polkit-rule-missing"
    case readerMissing = "reader-missing"
    case readersAlike = "readers-alike"
    case readerAmbiguous = "reader-ambiguous"
    case readerBroken = "reader-broken"
    case readerInUse = "reader-in-use"
    case cardMute = "card-mute"

    case keypadMissing = "keypad-missing"
    case keypadUnfit = "keypad-unfit"
    case keypadForbidden = "keypad-forbidden"
    case keypadHeld = "keypad-held"

    case storageKeyMissing = "storage-key-missing"
    case storageKeyForbidden = "storage-key-forbidden"
    case storageKeyUnguarded = "storage-key-unguarded"
    case credentialMissing = "credential-missing"
    case credentialUnopened = "credential-unopened"
    case keysMissing = "keys-missing"
    case keysUnopened = "keys-unopened"
    case keysNotActive = "keys-not-active"
    case auditLogUnfit = "audit-log-unfit"
    case boardMemoryUnfit = "board-memory-unfit"
    case tokenUnfit = "token-unfit"

    case parametersMissing = "parameters-missing"
    case parametersRefused = "parameters-refused"
    case boardSerialMissing = "board-serial-missing"

    case journalNewer = "journal-newer"
    case journalUnreadable = "journal-unreadable"
    case journalDamaged = "journal-damaged"
    case journalNotNewest = "journal-not-newest"
    case journalFull = "journal-full"
    case journalFilling = "journal-filling"
    case sideClosedItself = "side-closed-itself"

    case clockUnset = "clock-unset"
    case clockBehind = "clock-behind"
    case clockUnsynchronised = "clock-unsynchronised"
    case rtcMissing = "rtc-missing"
    case rtcOff = "rtc-off"

    case folderMissing = "folder-missing"
    case folderForbidden = "folder-forbidden"
    case fileForbidden = "file-forbidden"
    case folderInMemory = "folder-in-memory"
    case diskReadOnly = "disk-read-only"
    case diskFull = "disk-full"
    case diskFilling = "disk-filling"
    case diskFailed = "disk-failed"
    case diskSlow = "disk-slow"
    case diskSilent = "disk-silent"
    case diskWorn = "disk-worn"

    case socketGroupMissing = "socket-group-missing"
    case socketGroupForeign = "socket-group-foreign"
    case socketFolderMissing = "socket-folder-missing"
    case serviceSilent = "service-silent"
    case serviceOtherVersion = "service-other-version"
    case sideOutOfOrder = "side-out-of-order"

    case userMissing = "user-missing"
    case unitMissing = "unit-missing"
    case unitChanged = "unit-changed"
    case unitDisabled = "unit-disabled"
    case serviceStopped = "service-stopped"
    case serviceFailed = "service-failed"
    case realTimeForbidden = "real-time-forbidden"
    case pumpNotRealTime = "pump-not-real-time"
    case memoryLockForbidden = "memory-lock-forbidden"
    case watchdogOff = "watchdog-off"
    case hardwareWatchdogMissing = "hardware-watchdog-missing"
    case hardwareWatchdogOff = "hardware-watchdog-off"
}

enum Severity: String, Encodable, Sendable {
    case warning
    case fault
}

/// What was looked at.
enum Area: String, Encodable, Sendable {
    case configuration, lines, reader, keypad, keys, parameters, journal, clock, disk, sockets, service
}

struct Finding: Encodable {
    let code: FindingCode
    let severity: Severity
    let area: Area
    /// nil where it is no side's.
    let position: Int?
    let saw: String
    let mend: String
    let page: String
}

/// What doctor saw so far.
struct Diagnosis {
    struct Sight: Encodable {
        let area: Area
        let saw: String
    }

    /// The configuration's path, for advice that names it.
    private let config: String
    /// How much this user may not see.
    private(set) var forbidden = 0

    private(set) var findings: [Finding] = []
    private(set) var inOrder: [Sight] = []
    /// What could not be looked at, and why.
    private(set) var notSeen: [Sight] = []

    init(of config: String) { self.config = config }

    /// - Parameters:
    ///   - side: nil where it is no side's.
    ///   - mend: where more is known than the table of findings says.
    mutating func find(_ code: FindingCode, _ saw: String, side: Int? = nil, mend: String? = nil) {
        let row = FindingRow.of(code)
        let advice = (mend ?? row.mend).replacing("--config CONFIG", with: "--config \(config)")
        findings.append(
            Finding(
                code: code,
                severity: row.severity,
                area: row.area,
                position: side,
                saw: saw.printable,
                mend: (side.map { advice.replacing("--position N", with: "--position \($0)") } ?? advice).printable,
                page: row.page
            )
        )
    }

    mutating func see(_ area: Area, _ saw: String) { inOrder.append(Sight(area: area, saw: saw.printable)) }

    mutating func miss(_ area: Area, _ why: String) { notSeen.append(Sight(area: area, saw: why.printable)) }

    /// The same, of what another user would see.
    mutating func mayNotSee(_ area: Area, _ why: String) {
        forbidden += 1
        miss(area, why)
    }

    var verdict: Severity? {
        findings.contains { $0.severity == .fault } ? .fault : findings.isEmpty ? nil : .warning
    }

    func lines() -> [String] {
        var lines: [String] = []
        for sight in inOrder { lines.append(Self.row("ok", sight.area.rawValue, sight.saw)) }
        for sight in notSeen { lines.append(Self.row("not seen", sight.area.rawValue, sight.saw)) }
        for severity in [Severity.warning, .fault] {
            for finding in findings where finding.severity == severity {
                let place = finding.position.map { "position \($0): " } ?? ""
                lines.append("")
                lines.append("\(severity.rawValue.uppercased()) \(finding.code.rawValue)")
                lines.append("  saw   \(place)\(finding.saw)")
                lines.append("  mend  \(finding.mend)")
                lines.append("  page  \(finding.page)")
            }
        }
        lines.append("")
        lines.append(summary)
        return lines
    }

    private static func row(_ mark: String, _ area: String, _ words: String) -> String {
        "\(mark.padded(toColumns: 10))\(area.padded(toColumns: 15))\(words)"
    }

    private var summary: String {
        func count(_ severity: Severity) -> Int { findings.count { $0.severity == severity } }
        func words(_ count: Int, _ word: String) -> String { count == 1 ? "1 \(word)" : "\(count) \(word)s" }
        guard verdict != nil else { return "all well" }
        return "\(words(count(.fault), "fault")), \(words(count(.warning), "warning"))"
    }
}
