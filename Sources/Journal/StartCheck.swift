import CardCryptography
import FuelPassbook
import ISO7816
import Quantities
import Records
import SQLite

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
    init(_ connection: Connection, _ recordKey: RecordKey, _ goesOn: () -> Void) throws {
        let mended = try Self.mendedIndex(connection, recordKey)
        var reading = try connection.read { try $0.journalState(recordKey) }
        if case .uncoded = reading {
            let (key, state) = recordKey.newJournal(nil)
            try connection.commit("make the codes") { try RowWriter.codeEverything($0, key, state.identity, goesOn) }
            reading = try connection.read { try $0.journalState(recordKey) }
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
    private static func mendedIndex(_ connection: Connection, _ recordKey: RecordKey) throws -> DamagedRow? {
        let isSound: Bool
        do {
            isSound = try connection.read { db in
                guard try db.finding("integrity_check(\(JournalTable.greyRecord.name))") == nil else { return false }
                switch try db.journalState(recordKey) {
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

extension RecordKey {
    /// - Parameter key: the journal's, when its identity is known.
    func newJournal(_ key: JournalKey?) -> (JournalKey, JournalState) {
        let key = key ?? journalKey(identity: SystemRandom().bytes(JournalKey.identityLength))
        return (key, JournalState(identity: key.identity, reference: key.reference))
    }
}
