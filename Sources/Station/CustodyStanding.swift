package import Configuration
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
        guard let audit = stored.audit, head.entries > 0, !audit.contains(head) else { return }
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

extension KeyChange {
    /// Before keys are changed: on an older copy none is. Of a journal that cannot be read nothing is known.
    package borrowing func requireKnown(to configuration: Configuration) throws(FileFault) {
        let stored = stored
        guard FileStamp(configuration.journal.path) != nil, let recordKey = stored.keys.recordKey else { return }
        let mark: CustodyMark?
        do throws(StorageFault) {
            mark = try JournalReader(path: configuration.journal.path, key: recordKey).custodyMark()
        } catch {
            return
        }
        try mark?.require(stored, of: store)
    }
}

extension TerminalKeyStore {
    /// Tells the journal of a change, where no service has it open: a running one sees the change by itself.
    ///
    /// - Returns: in words, why the journal was not told; nil when it was, or need not be.
    package func tellJournal(of configuration: Configuration) -> String? {
        let path = configuration.journal.path
        guard configuration.journal.isFree else { return nil }
        do throws(FileFault) {
            guard let stored = try read(), let recordKey = stored.keys.recordKey else { return nil }
            let journal: SQLiteJournal
            do throws(StorageFault) {
                journal = try SQLiteJournal(configuration.journal, key: recordKey)
            } catch {
                throw FileFault("\(path): \(error)")
            }
            try journal.admit(stored, of: self)
            return nil
        } catch {
            return "the change is stored, but the journal does not know of it yet: \(error.reason)"
        }
    }
}
