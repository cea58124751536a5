import CardCryptography
import Dispatch
import Files
import FuelPassbook
import Glibc
import KeyCustody
import KeyFiles
import Logging
import Quantities
import SecurityModule
import TestFolders
import TestPrograms
import Testing

@testable import Station

/// A service that looks after a terminal's keys.
@Suite(.timeLimit(.minutes(10)))
struct KeyWatchTests {
    private static let terminal = TerminalID(0x3100_0000_0017)
    private static let master = HeldKeyName(.purchaseMaster, KeyReference(index: KeyIndex(1), version: KeyVersion(1)))

    private let folder: TestFolder
    private let store: TerminalKeyStore

    init() throws {
        folder = try TestFolder()
        let storageKey = try folder.file("storage-key", String(repeating: "k", count: 32))
        #expect(unsafe chmod(storageKey, 0o600) == 0)
        store = TerminalKeyStore(folder.path("keys"), of: Self.terminal, storageKey: .file(storageKey))
        var change = try store.beginChange()
        for usage in [KeyUsage.record, .purchaseMaster] {
            let delivery = KeyDelivery(
                HeldKeyName(usage, Self.master.reference),
                .tripleDES,
                made: try TransactionTime(secondsSince1970: 1_790_000_000),
                SystemRandom().secret(16)
            )
            try change.keys.load(delivery, .block, at: 1_790_000_000)
        }
        try change.keys.activate(Self.master, from: 1_790_000_000, at: 1_790_000_000)
        try change.store()
    }

    private func module() -> SecurityModule {
        SecurityModule(
            terminal: Self.terminal,
            keys: .lockedMemory(MasterKeys()),
            recordKey: .demonstration,
            random: SystemRandom()
        )
    }

    @Test("a change that cannot be read when it is seen is followed once it can be")
    func unreadableMeanwhile() throws {
        let (sells, isUnread, sellsNone) = (
            DispatchSemaphore(value: 0), DispatchSemaphore(value: 0), DispatchSemaphore(value: 0)
        )
        let log = Logger(label: "test") { _ in
            LineLogHandler { line in
                if line.contains("selling=MPK 1 1") { sells.signal() }
                if line.contains("cannot open the storage key") { isUnread.signal() }
                if line.contains("selling=none") { sellsNone.signal() }
            }
        }
        let watch = KeyWatch(
            store,
            try #require(try store.read()?.keys),
            module(),
            log: log,
            admit: { _ in },
            gone: { _ in }
        )
        defer { watch.stop() }
        try sells.wait(for: "the first look")

        let draft = TerminalKeyStore(
            folder.path("draft"),
            of: Self.terminal,
            storageKey: .file(folder.path("storage-key"))
        )
        var change = try draft.beginChange()
        change.keys = try #require(try store.read()?.keys)
        try change.keys.retire(Self.master, at: 1_790_000_001)
        try change.store()
        #expect(unsafe rename(folder.path("storage-key"), folder.path("away")) == 0)
        #expect(unsafe rename(draft.path, store.path) == 0)
        try isUnread.wait(for: "the look without a storage key")
        #expect(unsafe rename(folder.path("away"), folder.path("storage-key")) == 0)
        try sellsNone.wait(for: "the retired key")
    }

    @Test("another record key of the same name, loaded between two looks, ends the service")
    func recordKeyReplaced() throws {
        let name = HeldKeyName(.record, Self.master.reference)
        let gone = DispatchSemaphore(value: 0)
        let keys = try #require(try store.read()?.keys)
        var change = try store.beginChange()
        try change.keys.erase(name, at: 1_790_000_001)
        let made = try TransactionTime(secondsSince1970: 1_790_000_001)
        try change.keys.load(
            KeyDelivery(name, .tripleDES, made: made, SystemRandom().secret(16)),
            .block,
            at: 1_790_000_001
        )
        try change.store()
        let log = Logger(label: "test") { _ in LineLogHandler { _ in } }
        let watch = KeyWatch(store, keys, module(), log: log, admit: { _ in }, gone: { _ in gone.signal() })
        defer { watch.stop() }
        try gone.wait(for: "the end of the service")
    }

    /// The arena of locked memory ends a process that uses it up.
    @Test("keys that were replaced stay in no memory")
    func replaced() throws {
        let module = module()
        func replace() throws { module.replaceKeys(try #require(try store.read()?.keys).holder(at: 1_790_000_000)) }
        try replace()
        let used = LockedBuffer.arenaBytesUsed
        for _ in 0..<5_000 { try replace() }
        #expect(LockedBuffer.arenaBytesUsed < used + LockedBuffer.arenaBytesMax / 4)
    }

    @Test("a store behind a link is refused: what is erased would stay there")
    func link() throws {
        #expect(unsafe rename(store.path, folder.path("elsewhere")) == 0)
        #expect(unsafe symlink(folder.path("elsewhere"), store.path) == 0)
        #expect(throws: FileFault("\(store.path) is a link: name the file itself")) { _ = try store.read() }
    }
}
