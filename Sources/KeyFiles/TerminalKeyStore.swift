package import CardCryptography
import Codes
package import Files
package import FuelPassbook
private import Glibc
package import KeyCustody

/// A terminal's keys in their file.
package struct TerminalKeyStore: Sendable {
    package let terminal: TerminalID
    fileprivate let file: StoreFile
    private let storageKey: StorageKeyPlace
    fileprivate let memory: BoardMemory?

    /// - Parameter memory: nil on a board that has none.
    package init(
        _ path: String,
        of terminal: TerminalID,
        storageKey: StorageKeyPlace,
        memory: BoardMemory? = nil
    ) {
        file = StoreFile(path)
        self.terminal = terminal
        self.storageKey = storageKey
        self.memory = memory
    }

    package var path: String { file.path }

    package var audit: AuditLogFile { AuditLogFile(of: path, terminal) }

    /// nil where there is no file yet.
    ///
    /// - Throws: ``FileFault`` also where the audit log says that a later store was written.
    package func read() throws(FileFault) -> StoredKeys? {
        guard let bytes = try file.contents() else { return nil }
        let held = try held()
        let keys = try keys(in: bytes, under: storageKey.read(and: held?.half))
        let memoryFault = try held.map { (held) throws(FileFault) in try follow(keys, after: held) } ?? nil
        let (log, fault) = try audit(of: keys)
        return StoredKeys(keys: keys, audit: log, auditFault: fault, memoryFault: memoryFault)
    }

    private func audit(of keys: TerminalKeys) throws(FileFault) -> (log: AuditLog?, fault: String?) {
        let (log, fault) = audit.log(fitting: keys)
        if let log, keys.number != .none, keys.number < log.stored {
            throw FileFault(older(keys.number, "its audit log", log.stored))
        }
        return (log, fault)
    }

    /// Why an older copy of the store is refused.
    package func older(_ number: StoreNumber, _ witness: String, _ known: StoreNumber) -> String {
        let (has, knows) =
            number.begun == known.begun
            ? ("change \(number.change)", "change \(known.change)")
            : ("the number \(number.raw)", "the number \(known.raw)")
        return """
            \(path) is an older copy of the key store: it has \(has), and \(witness) knows \(knows). Put the newest in its \
            place; if that is lost, remove this one and load the keys again
            """
    }

    /// The keys, to be changed by this process alone; a new store's are none.
    ///
    /// - Throws: ``FileFault`` also while another process changes them.
    package func beginChange() throws(FileFault) -> KeyChange {
        let lock = try file.lock()
        guard let bytes = try file.contents() else {
            let half = try halfOfNewStore()
            let opening = try storageKey.read(and: half.known ?? half.new)
            let keys = TerminalKeys(of: terminal)
            return KeyChange(keys, self, try audit(of: keys), opening, lock, newHalf: half.new)
        }
        let held = try held()
        let opening = try storageKey.read(and: held?.half)
        let keys = try keys(in: bytes, under: opening)
        if let held { try follow(keys, after: held) }
        return KeyChange(keys, self, try audit(of: keys), opening, lock, newHalf: nil)
    }

    /// Seals the store under another storage key: on disk when this returns, and only then may the one before go. Where it is
    /// sealed under that already, because an earlier call was cut off, nothing is changed.
    ///
    /// - Throws: ``FileFault``, which says what the store opens with.
    package func rewrap(
        under new: StorageKeyPlace,
        at now: Int64,
        _ facts: [AuditFact] = []
    ) throws(FileFault) -> (keys: TerminalKeys, wasAlready: Bool) {
        let other = try new.read(and: held()?.half)
        let next = TerminalKeyStore(path, of: terminal, storageKey: new, memory: memory)
        let change: KeyChange
        do throws(FileFault) { change = try beginChange() } catch {
            guard file.stamp != nil, let keys = next.opened() else { throw error }
            return (keys, true)
        }
        guard file.stamp != nil else { throw FileFault("there is no key store \(path)") }
        guard next.opened() == nil else {
            throw FileFault("\(new.words) is the storage key that \(path) has already: make a new one")
        }
        let keys: TerminalKeys
        do throws(FileFault) { keys = try change.store(under: other, at: now, facts) } catch {
            let opens = next.opened() == nil ? storageKey : new
            throw FileFault("\(error.reason); \(path) opens with \(opens.words)")
        }
        guard let written = next.opened(), written.number == keys.number else {
            throw FileFault("\(path) was written and does not open with \(new.words): keep both, and look at the disk")
        }
        return (keys, false)
    }

    /// nil also of what does not open.
    private func opened() -> TerminalKeys? {
        do throws(FileFault) { return try read()?.keys } catch { return nil }

    }

    /// With what a change leaves there, also where the store is not.
    package var folderIsThere: Bool { file.folderIsThere }

    private func keys(in bytes: [UInt8], under opening: borrowing SealingKey) throws(FileFault) -> TerminalKeys {
        do throws(KeyStoreFault) {
            return try TerminalKeys(opening: bytes, under: opening, of: terminal)
        } catch {
            throw FileFault("\(path) \(error) [\(error.code.rawValue)]")
        }
    }

    /// What the board's memory holds for a store that is there.
    private func held() throws(FileFault) -> BoardMemory.Content? {
        guard let memory else { return nil }
        guard let held = try memory.read(of: terminal) else {
            throw FileFault(
                """
                the board's memory \(memory.path) is empty: \(path) was sealed without it, or on another board, or the memory was \
                destroyed; take nvmem out of [keys], or greylock keys erase --all and load the keys again
                """
            )
        }
        return held
    }

    /// A change is in the store before it is in the memory: what the power kept from it is made up for.
    ///
    /// - Returns: why the memory does not take it; the keys serve all the same.
    @discardableResult
    private func follow(_ keys: TerminalKeys, after held: BoardMemory.Content) throws(FileFault) -> String? {
        let known = StoreNumber(raw: held.number)
        guard keys.number >= known else { throw FileFault(older(keys.number, "the board's memory", known)) }
        guard keys.number > known else { return nil }
        do throws(FileFault) { try memory?.raise(to: keys.number.raw) } catch { return error.reason }
        return nil
    }

    /// One that was made for a store that was then not written is taken.
    private func halfOfNewStore() throws(FileFault) -> (known: SecretKey?, new: SecretKey?) {
        guard let memory else { return (nil, nil) }
        let new = SecretKey(SystemRandom().secret(BoardMemory.halfLength))
        guard try !memory.isUnfinished(), let held = try memory.read(of: terminal) else { return (nil, new) }
        guard held.number == 0 else {
            throw FileFault(
                """
                there is no key store \(path), and the board's memory knows change \(StoreNumber(raw: held.number).change) of it: put it back, or greylock \
                keys erase --all and load the keys again
                """
            )
        }
        return (held.half, nil)
    }
}

/// Keys as they are in their file, and what their audit log says of them.
package struct StoredKeys: Sendable {
    package let keys: TerminalKeys
    /// nil where it is missing, or does not fit.
    package let audit: AuditLog?
    /// In words.
    package let auditFault: String?
    /// Why the board's memory does not take the store's number.
    package let memoryFault: String?

    package var faults: [String] { [auditFault, memoryFault].compactMap(\.self) }

    /// Where the log stands; where there is none that fits, where it stood.
    package var auditHead: AuditHead { audit?.head ?? keys.audit }
}

/// Keys while they are changed: nothing of it is in the file until it is stored, whole.
package struct KeyChange: ~Copyable {
    package var keys: TerminalKeys
    /// What is wrong with the audit log, in words: another is begun then.
    package let auditFault: String?
    package let store: TerminalKeyStore
    private let log: AuditLog?
    private let last: StoreNumber
    /// nil where there was no record key.
    private let auditKey: AuditKey?
    private let storageKey: SealingKey
    private let lock: FileLock
    /// Of a new store, for the board's memory.
    private let newHalf: SecretKey?
    private let stamps: [FileStamp?]

    fileprivate init(
        _ keys: TerminalKeys,
        _ store: TerminalKeyStore,
        _ audit: (log: AuditLog?, fault: String?),
        _ storageKey: consuming SealingKey,
        _ lock: consuming FileLock,
        newHalf: SecretKey?
    ) {
        self.keys = keys
        self.store = store
        log = audit.log
        auditFault = audit.fault
        self.storageKey = storageKey
        self.lock = lock
        self.newHalf = newHalf
        last = keys.number
        auditKey = keys.auditKey()
        stamps = Self.stamps(store)
    }

    /// As they are in their file, while nothing is changed.
    package var stored: StoredKeys {
        StoredKeys(keys: keys, audit: log, auditFault: auditFault, memoryFault: nil)
    }

    private static func stamps(_ store: TerminalKeyStore) -> [FileStamp?] {
        [store.file.stamp, FileStamp(store.audit.path)]
    }

    /// Before anything is written, here or in a token: keys that were destroyed meanwhile do not come back.
    package borrowing func requireStanding() throws(FileFault) {
        guard Self.stamps(store) == stamps else {
            throw FileFault("\(store.path) was destroyed or replaced meanwhile: look who did that, and begin again")
        }
    }

    /// Enters what ended a ceremony; the keys stay as they are.
    package borrowing func noteRefusal(_ facts: [AuditFact], at now: Int64) throws(FileFault) {
        try requireStanding()
        var entered = log ?? AuditLog(of: keys.terminal, after: keys.audit)
        let line = entered.noteRefusal(facts, after: last, at: now, under: auditKey)
        if let log {
            try store.audit.append([line], cutting: log.tornBytes)
        } else {
            try store.audit.begin([entered.firstLine, line])
        }
    }

    /// On disk when this returns, in the log and after that in the store.
    ///
    /// - Returns: in words, what of a change that is stored could not be done; nil as a rule.
    /// - Throws: ``FileFault``; the store is as it was then, and the log's last entries say what was not stored.
    @discardableResult
    package consuming func store(random: any RandomSource = SystemRandom()) throws(FileFault) -> String? {
        try write(under: storageKey, random: random).warning
    }

    /// The same, under another storage key.
    ///
    /// - Returns: the keys as they are now.
    fileprivate consuming func store(
        under other: borrowing SealingKey,
        at now: Int64,
        _ facts: [AuditFact]
    ) throws(FileFault) -> TerminalKeys {
        keys.noteSealedAnew(at: now, facts)
        return try write(under: other, random: SystemRandom()).keys
    }

    private borrowing func write(
        under opening: borrowing SealingKey,
        random: any RandomSource
    ) throws(FileFault) -> (keys: TerminalKeys, warning: String?) {
        try requireStanding()
        var keys = keys
        let key = auditKey ?? keys.auditKey()
        var entered = log ?? AuditLog(of: keys.terminal, after: keys.audit)
        guard let (lines, confirmation) = keys.enter(into: &entered, under: key, after: last) else {
            return (keys, nil)
        }
        if let log {
            try store.audit.append(lines, cutting: log.tornBytes)
        } else {
            try store.audit.begin([entered.firstLine] + lines)
        }
        if let newHalf { try store.memory?.create(newHalf, of: keys.terminal) }
        try store.file.replace(with: keys.sealed(under: opening, random: random))
        // What does not get in here, the next change enters.
        do throws(FileFault) { try store.audit.append([confirmation], cutting: 0) } catch {}
        do throws(FileFault) { try store.memory?.raise(to: keys.number.raw) } catch {
            return (keys, "the change is stored, but its number is not: \(error.reason)")
        }
        return (keys, nil)
    }
}
