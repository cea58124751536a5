import Glibc
import Station
import Threads

/// The service's unit, as systemd has it.
struct ServiceUnit: Sendable {
    static let name = "greylockd.service"
    private static let secondsMax: UInt64 = 20
    /// So long a start is waited for: how the last one ended stands there only when this one has ended too.
    private static let startNanoseconds: UInt64 = 6_000_000_000
    private static let againNanoseconds: UInt64 = 200_000_000

    private let properties: SystemdProperties

    /// - Returns: nil where no systemd runs, or it does not answer.
    init?() {
        let names = [
            "LoadState", "ActiveState", "SubState", "Result", "ExecMainCode", "ExecMainStatus", "User",
            "SupplementaryGroups", "LimitRTPRIO", "LimitMEMLOCK", "WatchdogUSec", "UnitFileState", "NeedDaemonReload",
            "MainPID", "ExecStart", "RuntimeDirectory",
        ]
        guard SystemdProperties.isThere, var properties = SystemdProperties(of: Self.name, names) else { return nil }
        let never = MonotonicSemaphore()
        let deadline = MonotonicClock.nanoseconds + Self.startNanoseconds
        while properties["ActiveState"] == "activating", properties["SubState"] != "auto-restart" {
            let now = MonotonicClock.nanoseconds
            guard now < deadline else { break }
            _ = never.wait(until: now + Self.againNanoseconds)
            guard let later = SystemdProperties(of: Self.name, names) else { return nil }
            properties = later
        }
        self.properties = properties
    }

    var isThere: Bool { properties["LoadState"] == "loaded" }
    var isActive: Bool { ["active", "reloading"].contains(properties["ActiveState"]) }
    var user: String { properties["User"].isEmpty ? "root" : properties["User"] }
    var groups: [String] { properties["SupplementaryGroups"].split(separator: " ").map(String.init) }
    var exitStatus: Int { properties.number("ExecMainStatus") ?? 0 }

    /// The main process; nil where none runs.
    var process: pid_t? { properties.number("MainPID").flatMap { $0 > 0 ? pid_t(clamping: $0) : nil } }

    func reads(_ configuration: String) -> Bool {
        let words = properties["ExecStart"].split(whereSeparator: { $0 == " " || $0 == ";" || $0 == "=" })
        return words.contains { $0 == configuration }
    }

    /// Of its files, drop-ins last.
    private var lines: [Substring] {
        let files = ChildOutput.of("/usr/bin/systemctl", ["cat", "--no-pager", Self.name], seconds: Self.secondsMax)
        return (files ?? "").split(separator: "\n")
    }

    /// How long it may be silent: systemd's own figure is there from the first start on, before that its files say it.
    /// nil where nobody watches it.
    private var watchdog: String? {
        guard properties.isOff("WatchdogUSec") else { return properties["WatchdogUSec"] }
        let key = "WatchdogSec="
        guard process == nil, let last = lines.last(where: { $0.hasPrefix(key) }) else { return nil }
        let value = String(last.dropFirst(key.count))
        return ["", "0", "infinity"].contains(value) ? nil : value
    }

    /// As its files say: of credentials systemd shows no property.
    func hands(over credential: String) -> Bool {
        lines.contains { line in
            let words = line.split(whereSeparator: { $0 == "=" || $0 == ":" })
            guard words.count > 1, words[1] == credential else { return false }
            return words[0].hasSuffix("Credential") || words[0].hasSuffix("CredentialEncrypted")
        }
    }

    func makes(_ folder: String) -> Bool {
        properties["RuntimeDirectory"].split(separator: " ").contains { "/run/\($0)/" == folder }
    }
}

extension ServiceUnit {
    /// What of it is not as it must be.
    func examine(_ diagnosis: inout Diagnosis) {
        if properties["NeedDaemonReload"] == "yes" {
            diagnosis.find(.unitChanged, "\(Self.name) is not what systemd has read")
        }
        examineState(&diagnosis)
        examineLimits(&diagnosis)
        if let watchdog {
            diagnosis.see(.service, "systemd watches it, for \(watchdog)")
        } else {
            diagnosis.find(.watchdogOff, "WatchdogSec= of \(Self.name) is off")
        }
    }

    private func examineState(_ diagnosis: inout Diagnosis) {
        let state = properties["UnitFileState"]
        if ["disabled", "masked"].contains(state) {
            diagnosis.find(.unitDisabled, "\(Self.name) is \(state)")
        }
        switch properties["ActiveState"] {
        case "active", "reloading":
            diagnosis.see(.service, "\(Self.name) is active, process \(properties["MainPID"])")
        case "failed":
            diagnosis.find(.serviceFailed, "\(Self.name) ended with \(ending)", mend: mending)
        case "activating":
            guard properties["SubState"] == "auto-restart" else {
                return diagnosis.find(.serviceStopped, "\(Self.name) is starting", mend: "wait, and ask again")
            }
            diagnosis.find(
                .serviceFailed,
                "\(Self.name) is started again and again: it ended with \(ending)",
                mend: mending
            )
        case let other: diagnosis.find(.serviceStopped, "\(Self.name) is \(other)")
        }
    }

    private var ending: String {
        properties["Result"] == "exit-code" ? "status \(exitStatus)" : properties["Result"]
    }

    /// nil for what the table says.
    private var mending: String? {
        switch exitStatus {
        case 77: "look at the board: its housing was opened, and its keys are destroyed; then load keys anew"
        case 78: "mend the configuration, greylockd --config FILE --check, then systemctl restart greylockd"
        case 243: FindingRow.of(.credentialUnopened).mend
        case _: nil
        }
    }

    private func examineLimits(_ diagnosis: inout Diagnosis) {
        if let limit = properties.number("LimitRTPRIO"), user != "root" {
            if limit < ServiceLimits.realTimePriority {
                diagnosis.find(
                    .realTimeForbidden,
                    "LimitRTPRIO is \(limit), and \(ServiceLimits.realTimePriority) is needed"
                )
            } else {
                diagnosis.see(.service, "real-time priority up to \(limit)")
            }
        }
        if let limit = properties.number("LimitMEMLOCK"), limit < ServiceLimits.lockedBytes {
            diagnosis.find(
                .memoryLockForbidden,
                "LimitMEMLOCK is \(limit) bytes, and \(ServiceLimits.lockedBytes) are needed"
            )
        }
        guard let process else { return }
        let pumps = ProcessThread.all(of: process).filter { $0.name.hasPrefix("pump-") }
        let slow = pumps.filter { !$0.isRealTime }
        if !slow.isEmpty {
            diagnosis.find(.pumpNotRealTime, slow.map { "thread \($0.name)" }.joined(separator: ", "))
        } else if !pumps.isEmpty {
            diagnosis.see(.service, "\(pumps.map(\.name).joined(separator: ", ")) with real-time priority")
        }
    }

    /// What is watched when the kernel stands still (systemd-system.conf(5)).
    static func examineHardwareWatchdog(_ diagnosis: inout Diagnosis) {
        guard unsafe access("/dev/watchdog", F_OK) == 0 || access("/dev/watchdog0", F_OK) == 0 else {
            return diagnosis.find(.hardwareWatchdogMissing, "there is no /dev/watchdog")
        }
        guard let manager = SystemdProperties(of: nil, ["RuntimeWatchdogUSec"]) else { return }
        if manager.isOff("RuntimeWatchdogUSec") {
            diagnosis.find(.hardwareWatchdogOff, "/dev/watchdog is there, and RuntimeWatchdogSec= is off")
        } else {
            diagnosis.see(.service, "systemd feeds the board's watchdog, of \(manager["RuntimeWatchdogUSec"])")
        }
    }
}
