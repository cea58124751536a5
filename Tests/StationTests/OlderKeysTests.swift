import CardCryptography
import Files
import FuelPassbook
import Glibc
import ISO7816
import Journal
import KeyCustody
import KeyFiles
import Quantities
import Records
import SecurityModule
import TestFolders
import Testing

@testable import Station

/// A terminal's key store, its audit log and its journal: older copies put back, and the mains cut at every write.
@Suite struct OlderKeysTests {
    private static let terminal = TerminalID(0x3100_0000_0017)
    private static let now: Int64 = 1_790_000_000
    private static let first = HeldKeyName(.purchaseMaster, KeyReference(index: KeyIndex(1), version: KeyVersion(1)))
    private static let second = HeldKeyName(.purchaseMaster, KeyReference(index: KeyIndex(1), version: KeyVersion(2)))

    private let folder: TestFolder
    private let store: TerminalKeyStore

    init() throws {
        folder = try TestFolder()
        let storageKey = try folder.file("storage-key", String(repeating: "k", count: 32))
        #expect(unsafe chmod(storageKey, 0o600) == 0)
        store = TerminalKeyStore(folder.path("keys"), of: Self.terminal, storageKey: .file(storageKey))
        var change = try store.beginChange()
        let made = try TransactionTime(secondsSince1970: Int(Self.now))
        for (usage, reference) in [
            (KeyUsage.record, Self.first.reference), (.purchaseMaster, Self.first.reference),
            (.purchaseMaster, Self.second.reference),
        ] {
            let name = HeldKeyName(usage, reference)
            try change.keys.load(
                KeyDelivery(name, .tripleDES, made: made, SystemRandom().secret(16)),
                .block,
                at: Self.now
            )
        }
        try change.store()
    }

    /// A process that another test starts has the lock too, until it runs its own program.
    private func change() throws(FileFault) -> KeyChange {
        for _ in 0..<10_000 {
            do throws(FileFault) { return try store.beginChange() } catch {
                guard error.reason.contains("changed by another program") else { throw error }
                sched_yield()
            }
        }
        return try store.beginChange()
    }

    private func erase(_ name: HeldKeyName) throws {
        var change = try change()
        try change.keys.erase(name, at: Self.now + 1, [.reason("worn")])
        try change.store()
    }

    private func journal() throws -> SQLiteJournal {
        try SQLiteJournal(path: folder.path("journal"), capacity: 10, key: .demonstration)
    }

    private func admit() throws {
        try journal().admit(#require(try store.read()), of: store)
    }

    private func reason(_ body: () throws -> Void) -> String? {
        do { try body() } catch { return (error as? FileFault)?.reason ?? "\(error)" }
        return nil
    }

    // MARK: - Older copies

    @Test func anOlderStoreIsRefusedByItsAuditLog() throws {
        let old = try folder.bytes("keys")
        try erase(Self.first)
        try folder.write("keys", old)
        let refusal = try #require(reason { _ = try store.read() })
        #expect(
            refusal.contains("is an older copy of the key store: it has change 3, and its audit log knows change 4")
        )
        #expect(reason { _ = try change() } == refusal)
    }

    @Test func anOlderStoreWithItsLogIsRefusedByTheJournal() throws {
        let (old, oldLog) = (try folder.bytes("keys"), try folder.bytes("keys-audit"))
        try erase(Self.first)
        try admit()
        try folder.write("keys", old)
        try folder.write("keys-audit", oldLog)
        #expect(try store.read() != nil)
        #expect(try #require(reason(admit)).contains("it has change 3, and the journal knows change 4"))
    }

    /// As many changes were made on the older copy as the journal knows, and one more.
    @Test(arguments: 1...2)
    func changesOnAnOlderCopyAreRefused(_ changes: Int) throws {
        let (old, oldLog) = (try folder.bytes("keys"), try folder.bytes("keys-audit"))
        try erase(Self.first)
        try admit()
        try folder.write("keys", old)
        try folder.write("keys-audit", oldLog)
        try erase(Self.second)
        if changes > 1 { try erase(HeldKeyName(.record, Self.first.reference)) }
        #expect(try #require(reason(admit)).contains("is not the audit log that the journal knows"))
    }

    /// What the mark beside the journal tells.
    @Test func anOlderJournalIsRefusedByItsMark() throws {
        try admit()
        let old = try folder.bytes("journal")
        try erase(Self.first)
        do {
            let journal = try journal()
            try journal.admit(#require(try store.read()), of: store)
            _ = try journal.reserve()
        }
        try folder.write("journal", old)
        let journal = try JournalReader(path: folder.path("journal"), key: .demonstration)
        #expect(try journal.standing(markPath: nil).refusal?.contains("the journal is an older copy") == true)
    }

    @Test func aNewStoreAfterTheOldOneWasLostIsAdmitted() throws {
        try erase(Self.first)
        try admit()
        #expect(unsafe unlink(folder.path("keys")) == 0)
        var change = try change()
        let made = try TransactionTime(secondsSince1970: Int(Self.now) + 10)
        try change.keys.load(
            KeyDelivery(Self.first, .tripleDES, made: made, SystemRandom().secret(16)),
            .block,
            at: Self.now + 10
        )
        try change.store()
        try admit()
        #expect(try store.audit.read()?.faults == [])
    }

    @Test(arguments: ["", "none of it\n", nil])
    func aLostAuditLogIsBegunAnewAfterTheLastEntry(_ content: String?) throws {
        try admit()
        let head = try #require(try store.read()).keys.audit
        if let content {
            try folder.write("keys-audit", Array(content.utf8))
        } else {
            unsafe unlink(folder.path("keys-audit"))
        }
        #expect(try store.read()?.auditFault != nil)
        try erase(Self.first)
        #expect(try store.audit.read()?.base == head)
        #expect(try store.read()?.auditFault == nil)
        #expect(FileStamp(folder.path("keys-audit.1")) != nil || content == nil)
        try admit()
    }

    /// Custodians sit at their prompts while all keys are destroyed.
    @Test func whatWasDestroyedMeanwhileDoesNotComeBack() throws {
        var change = try change()
        #expect(unsafe unlink(folder.path("keys")) == 0)
        try change.keys.erase(Self.first, at: Self.now + 1)
        do throws(FileFault) {
            try change.store()
            Issue.record("it was stored")
        } catch {
            #expect(error.reason.contains("destroyed or replaced meanwhile"))
        }
        #expect(FileStamp(folder.path("keys")) == nil)
    }

    // MARK: - The mains cut

    /// The log is flushed before the store is written, and the store before the log's confirmation: so these are all the states
    /// that a disk can be in, what was not flushed being there, cut short, or zeros.
    @Test func everyCutLeavesTheOldKeysOrTheNew() throws {
        let (oldStore, oldLog) = (try folder.bytes("keys"), try folder.bytes("keys-audit"))
        try admit()
        let (oldJournal, oldMark) = (try folder.bytes("journal"), try folder.bytes("journal-mark"))
        try erase(Self.first)
        let (newStore, newLog) = (try folder.bytes("keys"), try folder.bytes("keys-audit"))
        let lines = newLog.dropFirst(oldLog.count).split(
            separator: UInt8(ascii: "\n"),
            omittingEmptySubsequences: false
        )
        let entered = oldLog.count + lines[0].count + 1
        var states: [(store: [UInt8], log: [UInt8], draft: [UInt8]?)] = []
        for end in oldLog.count...entered {
            states.append((oldStore, Array(newLog.prefix(end)), nil))
            states.append((oldStore, oldLog + Array(repeating: 0, count: end - oldLog.count), nil))
        }
        for end in [0, 1, newStore.count / 2, newStore.count] {
            states.append((oldStore, Array(newLog.prefix(entered)), Array(newStore.prefix(end))))
        }
        for end in entered...newLog.count { states.append((newStore, Array(newLog.prefix(end)), nil)) }
        for (index, state) in states.enumerated() {
            for seen in [false, true] where !seen || state.store == newStore {
                try folder.write("keys", state.store)
                try folder.write("keys-audit", state.log)
                if let draft = state.draft { try folder.write("keys.greylock-draft", draft) }
                try folder.write("journal", oldJournal)
                try folder.write("journal-mark", oldMark)
                if seen { try admit() }
                let isOld = state.store == oldStore
                let stored = try #require(try store.read(), "state \(index)")
                #expect(stored.auditFault == nil, "state \(index)")
                #expect((stored.keys[Self.first] != nil) == isOld, "state \(index)")
                try erase(isOld ? Self.first : Self.second)
                let after = try #require(try store.read(), "state \(index)")
                #expect(after.auditFault == nil, "state \(index)")
                let log = try #require(after.audit)
                #expect(log.faults.isEmpty, "state \(index)")
                #expect(log.unstored.count == (isOld && state.log.count == entered && state.log.last != 0 ? 1 : 0))
                try admit()
            }
        }
    }

    /// A disk that takes no more of the log leaves the store as it is.
    @Test func withoutAnEntryNothingIsStored() throws {
        let old = try folder.bytes("keys")
        #expect(unsafe unlink(folder.path("keys-audit")) == 0)
        #expect(unsafe mkdir(folder.path("keys-audit.greylock-draft"), 0o700) == 0)
        #expect(reason { try erase(Self.first) } != nil)
        #expect(try folder.bytes("keys") == old)
    }

    /// One that takes no more of the store leaves it as it is, and the log says that the change was not stored.
    @Test func whatIsNotStoredIsToldByTheLog() throws {
        let old = try folder.bytes("keys")
        #expect(unsafe mkdir(folder.path("keys.greylock-draft"), 0o700) == 0)
        #expect(reason { try erase(Self.first) } != nil)
        #expect(try folder.bytes("keys") == old)
        #expect(try store.read()?.audit?.unstored.map(\.action) == ["erase"])
    }
}
