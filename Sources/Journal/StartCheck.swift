import CardCryptography
import Dispenser
import FuelPassbook
import GRDB
import ISO7816
import SecurityModule

/// Which journal, and how often something was committed to it.
package struct JournalMark: Equatable, Sendable {
    /// Random, made with the journal's first codes.
    package let identity: [UInt8]
    package let commits: Int64
}

/// What is judged before recovery: the journal's state, and the few rows that recovery relies on.
struct StartCheck: Sendable {
    /// nil where not even the journal's identity is there.
    let key: JournalKey?
    let findings: Findings

    /// Makes the codes when the migration has left none.
    init(_ queue: DatabaseQueue, _ keys: MasterKeys, _ goesOn: () -> Void) throws {
        var reading = try queue.read { try $0.journalState(keys) }
        if case .uncoded = reading {
            let (key, state) = try keys.newJournal(nil)
            try queue.commit("make the codes") { try RowWriter.codeEverything($0, key, state.identity, goesOn) }
            reading = try queue.read { try $0.journalState(keys) }
        }
        switch reading {
        case .uncoded: throw StorageFault(operation: "open", reason: "the codes that were made are not there")
        case .believed(let state, let key, let copyFault):
            self.key = key
            var findings = try queue.read { try $0.findings(RowClass.ofRecovery, key, state) }
            if let copyFault { findings.damaged.insert(copyFault, at: 0) }
            self.findings = findings
        case .unbelieved(let fault, let key):
            self.key = key
            var findings = key == nil ? Findings() : try queue.read { try $0.findings(RowClass.ofRecovery, key, nil) }
            findings.damaged.insert(fault, at: 0)
            self.findings = findings
        }
    }
}

extension MasterKeys {
    /// - Parameter key: the journal's, when its identity is known.
    /// - Throws: `StorageFault` without a master key.
    func newJournal(_ key: JournalKey?) throws(StorageFault) -> (JournalKey, JournalState) {
        if let key { return (key, JournalState(identity: key.identity, master: key.master)) }
        let identity = SystemRandom().bytes(JournalKey.identityLength)
        guard let newest, let key = journalKey(from: newest, identity: identity) else {
            throw StorageFault(operation: "open", reason: "a journal needs a master key, and none is loaded")
        }
        return (key, JournalState(identity: identity, master: newest))
    }
}
