import CardCryptography
import FuelPassbook
import ISO7816
import Quantities
import Records
import SQLite
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
    init(_ connection: Connection, _ keys: MasterKeys, _ goesOn: () -> Void) throws {
        let mended = try Self.mendedIndex(connection, keys)
        var reading = try connection.read { try $0.journalState(keys) }
        if case .uncoded = reading {
            let (key, state) = try keys.newJournal(nil)
            try connection.commit("make the codes") { try RowWriter.codeEverything($0, key, state.identity, goesOn) }
            reading = try connection.read { try $0.journalState(keys) }
        }
        switch reading {
        case .uncoded: throw StorageFault(operation: "open", reason: "the codes that were made are not there")
        case .believed(let state, let key, let copyFault):
            self.key = key
            var findings = try connection.read { try $0.findings(RowClass.ofRecovery, key, state) }
            if let copyFault { findings.damaged.insert(copyFault, at: 0) }
            if let mended { findings.damaged.append(mended) }
            self.findings = findings
        case .unbelieved(let fault, let key):
            self.key = key
            var findings =
                key == nil ? Findings() : try connection.read { try $0.findings(RowClass.ofRecovery, key, nil) }
            findings.damaged.insert(fault, at: 0)
            if let mended { findings.damaged.append(mended) }
            self.findings = findings
        }
    }

    /// What recovery and the unlock of a grey card find by an index is what its table says. The sum of the open sales tells
    /// it of theirs; without the sum, or where it differs, the whole file is checked.
    private static func mendedIndex(_ connection: Connection, _ keys: MasterKeys) throws -> DamagedRow? {
        let isSound: Bool
        do {
            isSound = try connection.read { db in
                guard try db.finding("integrity_check(\(JournalTable.greyRecord.name))") == nil else { return false }
                switch try db.journalState(keys) {
                case .uncoded: return try db.value("SELECT 1 FROM sale LIMIT 1") == nil
                case .believed(let state, let key, _):
                    return try db.findings([.openSale], key, state).damaged.isEmpty
                case .unbelieved: return false
                }
            }
        } catch let error as DatabaseError where error.code == .corrupt {
            return try connection.mendIndexes()
        }
        return isSound ? nil : try connection.mendIndexes()
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
