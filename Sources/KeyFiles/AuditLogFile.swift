package import Files
package import FuelPassbook
private import Glibc
package import KeyCustody
private import Threads

/// A terminal's audit log in its file, beside the store. Nothing that stands in it is written over.
package struct AuditLogFile: Sendable {
    package let path: String
    private let terminal: TerminalID

    package init(of store: String, _ terminal: TerminalID) {
        path = store + "-audit"
        self.terminal = terminal
    }

    /// nil where there is none.
    ///
    /// - Throws: ``FileFault`` also of what is no audit log of this terminal.
    package func read() throws(FileFault) -> AuditLog? {
        guard let bytes = try WholeFile.contents(path, bytesMax: AuditLog.fileBytesMax) else { return nil }
        let log: AuditLog
        do throws(AuditFault) { log = try AuditLog(parsing: bytes) } catch {
            throw FileFault("\(path), \(error.words)")
        }
        guard log.terminal == terminal else {
            throw FileFault("\(path) is the audit log of terminal \(log.terminal), and this is \(terminal)")
        }
        return log
    }

    /// The log as far as it fits the keys, and in words what is wrong with the file.
    func log(fitting keys: TerminalKeys) -> (log: AuditLog?, fault: String?) {
        do throws(FileFault) {
            guard let log = try read() else {
                return (nil, keys.audit == .none ? nil : "the audit log \(path) is missing")
            }
            if let fault = log.faults.first { return (nil, "\(path), \(fault.words)") }
            guard keys.number == .none || log.contains(keys.audit) else {
                return (nil, "\(path) ends before entry \(keys.audit.entries), or is another one")
            }
            return (log, nil)
        } catch {
            return (nil, error.reason)
        }
    }

    /// Enters that all keys were destroyed. Without a log there is nothing to go on from.
    ///
    /// - Parameters:
    ///   - left: what could not be destroyed.
    ///   - now: seconds of UTC since 1970; 0 where the clock was never set.
    package func noteErasure(_ facts: [AuditFact], left: [String], at now: Int64) throws(FileFault) {
        guard var log = try read(), log.faults.isEmpty else { return }
        let torn = log.tornBytes
        try append([log.noteErasure(facts, left: left, at: now)], cutting: torn)
    }

    /// On disk when this returns, as `append` does. What is there is set aside, under a name that is not in use.
    func begin(_ lines: [String]) throws(FileFault) {
        if FileStamp(path) != nil {
            guard let other = (1...999).map({ "\(path).\($0)" }).first(where: { FileStamp($0) == nil }) else {
                throw FileFault("\(path) cannot be set aside: \(path).1 to .999 are there")
            }
            guard unsafe rename(path, other) == 0 else { throw FileFault("cannot rename \(path): \(systemError())") }
        }
        try WholeFile.replace(path, with: Self.text(lines))
    }

    /// On disk when this returns.
    ///
    /// - Parameter torn: bytes of a last line that was cut short: they are cut off.
    func append(_ lines: [String], cutting torn: Int) throws(FileFault) {
        try WholeFile.append(Self.text(lines), to: path, cutting: torn)
    }

    private static func text(_ lines: [String]) -> [UInt8] { Array(lines.map { $0 + "\n" }.joined().utf8) }
}

extension AuditFault {
    package var words: String { "line \(line): \(reason)" }
}
