import ArgumentParser
import CardCryptography
import CardWorkshop
import Configuration
import Console
import Files
import FuelPassbook
import Issuer
import Journal
import KeyCustody
import KeyFiles
import Quantities
import Records
import Station
import Threads

struct Audit: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The audit log: what custodians did to a terminal's keys.",
        subcommands: [AuditList.self, AuditVerify.self]
    )
}

struct AuditList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "The entries of an audit log, in words.",
        discussion: """
            Exit status: 0; 65 when the file is no audit log; 74 when it cannot be read. Whether an entry is to be believed, \
            greylock audit verify says. \(ExitStatusHelp.common)
            """
    )

    @Argument(help: ArgumentHelp("The audit log: the key store's name with \"-audit\" behind it.", valueName: "LOG"))
    var log: String

    func run() throws {
        try runTool("audit list") { () throws(ServiceFailure) in
            let log = try AuditLog.read(log)
            writeLine("terminal \(log.terminal)")
            for entry in log.entries { writeLine(entry.words) }
        }
    }
}

struct AuditVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Whether an audit log is whole, in order and authentic.",
        discussion: """
            Anybody can see whether entries follow one another: each is bound to all before it. Who has the terminal's record key \
            also sees whether the terminal wrote them: on the terminal (--config), where the log is compared with the key store and \
            the journal too, or the issuer (--store), whose passphrase is asked for.

            Exit status: 0 when nothing is wrong; 1 when no passphrase was typed; 65 when something is wrong, each of it in a line; 69 \
            when the terminal has no keys, or there is no terminal for the passphrase; 74 when a file cannot be read or does not open; \
            78 for a wrong configuration. \(ExitStatusHelp.common)
            """
    )

    @Argument(help: ArgumentHelp("The audit log; not with --config.", valueName: "LOG"))
    var log: String?

    @Option(help: ArgumentHelp("The configuration of the service, on the terminal itself.", valueName: "FILE"))
    var config: String?

    @Option(help: ArgumentHelp("The issuer's key store.", valueName: "FILE"))
    var store: String?

    @Option(help: ArgumentHelp("The log that was set aside when this one was begun anew.", valueName: "LOG"))
    var before: String?

    func validate() throws {
        guard (log == nil) != (config == nil) else { throw ValidationError("name the log, or --config FILE") }
        guard store == nil || config == nil else { throw ValidationError("--store is for a log that is named") }
    }

    func run() throws {
        try runTool("audit verify") { () throws(ServiceFailure) in
            var findings = AuditFindings()
            if let log {
                let log = try AuditLog.read(log)
                try findings.judge(
                    log,
                    after: before.map { path throws(ServiceFailure) in try AuditLog.read(path) },
                    store.map { path throws(ServiceFailure) in try Self.issuersKeys(path, log.terminal) } ?? []
                )
            } else if let config {
                let before = try before.map { path throws(ServiceFailure) in try AuditLog.read(path) }
                try Self.judgeTerminal(config, after: before, &findings)
            }
            for line in findings.lines { writeLine(line) }
            for fault in findings.faults { standardError(fault) }
            guard findings.faults.isEmpty else {
                throw ServiceFailure(
                    exitStatus: KeyTool.refused,
                    reason: "the audit log is not to be believed from there on; keep it, and ask who had the terminal"
                )
            }
        }
    }

    /// One of each version: whichever the terminal's record key was drawn from.
    private static func issuersKeys(_ path: String, _ terminal: TerminalID) throws(ServiceFailure) -> [AuditKey] {
        try KeyStoreFile.open(path).versions.map { AuditKey($0.recordKey(of: terminal), as: $0.reference) }
    }

    private static func judgeTerminal(
        _ config: String,
        after before: AuditLog?,
        _ findings: inout AuditFindings
    ) throws(ServiceFailure) {
        let settings = try Service.configuration(at: config)
        let store = try KeyTool.store(of: settings, config)
        guard let stored = try KeyTool.stored({ () throws(FileFault) in try store.read() }) else {
            throw ServiceFailure(
                exitStatus: ServiceFailure.unavailable,
                reason: "terminal \(store.terminal) holds no keys: name its audit log, \(store.audit.path), by itself"
            )
        }
        if let fault = stored.auditFault { findings.faults.append(fault) }
        guard let log = stored.audit else { return }
        findings.judge(log, after: before, stored.keys.auditKey().map { [$0] } ?? [])
        findings.lines.append(
            "the key store, change \(stored.keys.number.change), stands at entry \(stored.keys.audit.entries)"
        )
        guard let recordKey = stored.keys.recordKey, FileStamp(settings.journal.path) != nil else { return }
        let mark: CustodyMark?
        do throws(StorageFault) {
            mark = try JournalReader(path: settings.journal.path, key: recordKey).custodyMark()
        } catch {
            throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: "\(settings.journal.path): \(error)")
        }
        guard let mark else { return findings.faults.append("what the journal knows of the keys is not believed") }
        let head = AuditHead(entries: mark.auditEntries, hash: mark.auditHash)
        guard head.entries == 0 || log.contains(head) else {
            return findings.faults.append(
                "the journal knows entry \(head.entries), which is not in the log, or is another one there"
            )
        }
        findings.lines.append("the journal has seen it up to entry \(head.entries)")
    }
}

private struct AuditFindings {
    var lines: [String] = []
    var faults: [String] = []

    /// - Parameter keys: none for anybody.
    mutating func judge(_ log: AuditLog, after before: AuditLog?, _ keys: [AuditKey]) {
        let span = log.entries.isEmpty ? "none" : "\(log.base.entries + 1) to \(log.head.entries)"
        lines.append("terminal \(log.terminal), entries: \(span)")
        if log.base.entries > 0 {
            let fits = before.map { $0.faults.isEmpty && $0.terminal == log.terminal && $0.contains(log.base) }
            switch fits {
            case true?: lines.append("entries 1 to \(log.base.entries) stand in the log before it")
            case false?: faults.append("the log that was named by --before does not go on with this one")
            case nil:
                faults.append(
                    "it begins after entry \(log.base.entries): name the log before it with --before, or it was cut off"
                )
            }
        }
        for fault in log.faults { faults.append(fault.words) }
        if log.tornBytes > 0 { lines.append("the last line was cut short when it was written: it is none") }
        for entry in log.unstored {
            lines.append("entry \(entry.number) (\(entry.action.printable)) was begun, and its change was not stored")
        }
        guard !keys.isEmpty else {
            return lines.append(
                "whether the terminal wrote them, its record key tells: --config, or --store of the issuer"
            )
        }
        judgeCodes(of: log.entries, keys)
    }

    private mutating func judgeCodes(of entries: [AuditEntry], _ keys: [AuditKey]) {
        var right: [KeyReference: Int] = [:]
        var counts = (uncoded: 0, foreign: 0)
        var lastRight: UInt64?
        for entry in entries {
            let judged = keys.lazy.compactMap { key in key.isAuthentic(entry).map { (key.reference, $0) } }.first
            switch judged {
            case (let reference, true)?:
                right[reference, default: 0] += 1
                lastRight = entry.number
            case (_, false)?: faults.append("entry \(entry.number): its code is wrong; the terminal did not write it")
            case nil: if entry.code == nil { counts.uncoded += 1 } else { counts.foreign += 1 }
            }
        }
        for reference in keys.map(\.reference) {
            guard let count = right[reference] else { continue }
            lines.append("codes under \(HeldKeyName(.record, reference).words): \(count) right")
        }
        if right.isEmpty, !entries.isEmpty {
            faults.append("no entry has a right code: the terminal wrote none of them")
        }
        if counts.uncoded > 0 {
            lines.append("entries without a code, where there was no record key: \(counts.uncoded)")
        }
        if counts.foreign > 0 { lines.append("entries under another record key, not judged: \(counts.foreign)") }
        // A right code is one for all entries before it too.
        if let lastRight, let last = entries.last?.number, lastRight < last {
            let span = lastRight + 1 == last ? "entry \(last) follows" : "entries \(lastRight + 1) to \(last) follow"
            lines.append("\(span) the last right code: nothing shows that the terminal wrote that")
        }
    }
}

extension AuditLog {
    fileprivate static func read(_ path: String) throws(ServiceFailure) -> AuditLog {
        let bytes = try KeyTool.bytes(of: path, max: fileBytesMax)
        do throws(AuditFault) { return try AuditLog(parsing: bytes) } catch {
            throw ServiceFailure(exitStatus: KeyTool.refused, reason: "\(path), \(error.words)")
        }
    }
}

extension AuditEntry {
    /// "3  2026-11-26 15:15:00 UTC  change 2  activate  key MPK 1 2, ..."
    fileprivate var words: String {
        let facts = facts.map { "\($0.name) \($0.value.printable)" }.joined(separator: ", ")
        let head = "\(number)  \(time) UTC  change \(change.change)  \(action)"
        return (facts.isEmpty ? head : "\(head)  \(facts)").printable
    }
}
