package import Files
package import Journal
import KeyCustody
package import KeyFiles
import Records

extension SQLiteJournal {
    /// Holds a key store to what this journal knows, and notes how far it has come.
    ///
    /// - Throws: ``FileFault`` for a store that is older than the journal knows, or whose audit log tells something else.
    package func admit(_ stored: StoredKeys, of store: TerminalKeyStore) throws(FileFault) {
        let known: CustodyMark?
        do throws(StorageFault) { known = try custodyMark() } catch { throw FileFault("\(path): \(error)") }
        if let known { try known.require(stored, of: store) }
        do throws(StorageFault) { try note(CustodyMark(stored.keys)) } catch { throw FileFault("\(path): \(error)") }
    }
}

extension CustodyMark {
    fileprivate func require(_ stored: StoredKeys, of store: TerminalKeyStore) throws(FileFault) {
        let knownNumber = StoreNumber(raw: storeNumber)
        guard stored.keys.number >= knownNumber else {
            throw FileFault(store.older(stored.keys.number, "the journal", knownNumber))
        }
        let head = AuditHead(entries: auditEntries, hash: auditHash)
        guard let audit = stored.audit, head.entries >= audit.base.entries, !audit.contains(head) else { return }
        throw FileFault(
            """
            \(store.audit.path) is not the audit log that the journal knows: its entry \(head.entries) is missing or another. Put \
            the newest store and audit log in their places; if they are lost, remove both and load the keys again
            """
        )
    }

    fileprivate init(_ keys: TerminalKeys) {
        self.init(storeNumber: keys.number.raw, auditEntries: keys.audit.entries, auditHash: keys.audit.hash)
    }
}
