import CardCryptography
import Files
import Foundation
import FuelPassbook
import KeyCustody
import KeyFiles
import Quantities
import SecurityModule
import TestFolders
import TestPrograms
import Testing

@testable import Journal
@testable import Station

/// The mains end at every write by which keys are changed or destroyed, on a disk that loses what was not flushed: every state that it
/// can be in afterwards is looked at.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct PowerCutTests {
    private static let terminal = TerminalID(0x3100_0000_0017)
    private static let now: Int64 = 1_790_000_000

    /// What lies in a folder: key store, audit log, storage key, the board's memory, the journal with its mark, and the file of a
    /// token's key.
    private struct Board {
        let folder: TestFolder
        let hasMemory: Bool

        init(hasMemory: Bool, _ state: LosingDisk.State? = nil) throws {
            folder = try TestFolder(in: .memory)
            self.hasMemory = hasMemory
            try state?.write(to: folder.url)
        }

        var memory: BoardMemory? { hasMemory ? BoardMemory(folder.path("nvmem")) : nil }
        var storageKey: StorageKeyPlace { .file(folder.path("storage-key")) }
        var store: TerminalKeyStore {
            TerminalKeyStore(folder.path("keys"), of: terminal, storageKey: storageKey, memory: memory)
        }
        var erasure: KeyErasure {
            let token = folder.path("token-key")
            return KeyErasure(
                store: folder.path("keys"),
                storageKey: storageKey,
                credentialFile: nil,
                memory: memory
            ) {
                do throws(FileFault) { return try WipedFile.destroy(token) ? .destroyed : .absent } catch {
                    return .left(error.reason)
                }
            }
        }

        func makeNew() throws {
            try folder.write("nvmem", Array(repeating: 0xFF, count: 96))
            try folder.write("storage-key", SystemRandom().bytes(32))
            try folder.write("token-key", SystemRandom().bytes(64))
        }

        func load(_ usage: KeyUsage, _ version: UInt8 = 1) throws {
            var change = try store.beginChange()
            let made = try TransactionTime(secondsSince1970: Int(now))
            let name = PowerCutTests.name(usage, version)
            try change.keys.load(
                KeyDelivery(name, .tripleDES, made: made, SystemRandom().secret(16)),
                .block,
                at: now
            )
            try change.store()
        }

        func erase(_ version: UInt8) throws {
            var change = try store.beginChange()
            try change.keys.erase(PowerCutTests.name(.purchaseMaster, version), at: now + 1, [.reason("worn")])
            try change.store()
        }

        /// As the service and the tools tell the journal.
        func admit() throws {
            let journal = try SQLiteJournal(path: folder.path("journal"), capacity: 10, key: .demonstration)
            try journal.admit(#require(try store.read()), of: store)
            _ = try journal.reserve()
        }
    }

    private static func name(_ usage: KeyUsage, _ version: UInt8) -> HeldKeyName {
        HeldKeyName(usage, KeyReference(index: KeyIndex(1), version: KeyVersion(version)))
    }

    private func fault(_ body: () throws -> Void) -> String? {
        do { try body() } catch { return (error as? FileFault)?.reason ?? "\(error)" }
        return nil
    }

    @Test(
        "store, audit log, the board's memory, and journal and mark that are told: the old keys or the new, and the change can be made again",
        arguments: [false, true]
    )
    func change(hasMemory: Bool) throws {
        let board = try Board(hasMemory: hasMemory)
        try board.makeNew()
        for usage in [KeyUsage.record, .purchaseMaster] { try board.load(usage) }
        try board.load(.purchaseMaster, 2)
        try board.admit()
        var disk = try LosingDisk(of: board.folder.url)
        try disk.record {
            try board.erase(1)
            LosingDisk.mark(1)
            try board.admit()
            LosingDisk.mark(2)
        }
        let states = disk.states()
        var counts = [false: 0, true: 0]
        for (state, mark) in states {
            let board = try Board(hasMemory: hasMemory, state)
            let stored = try #require(try board.store.read())
            #expect(stored.faults.isEmpty)
            let isNew = stored.keys[Self.name(.purchaseMaster, 1)] == nil
            #expect(isNew || mark == 0)
            counts[isNew, default: 0] += 1
            try board.admit()
            try board.erase(isNew ? 2 : 1)
            let after = try #require(try board.store.read())
            #expect(after.faults.isEmpty)
            #expect(after.audit?.faults.isEmpty == true)
            try board.admit()
            if hasMemory { #expect(try board.memory?.read(of: Self.terminal)?.number == after.keys.number.raw) }
        }
        print(
            "a change\(hasMemory ? " with a board's memory" : ""): \(disk.callsCount) calls, \(counts) states, true for new"
        )
        #expect(counts.values.allSatisfy { $0 > 1 })
    }

    @Test("the first key of a terminal: it is there, or it can be loaded", arguments: [false, true])
    func firstKey(hasMemory: Bool) throws {
        let board = try Board(hasMemory: hasMemory)
        try board.makeNew()
        var disk = try LosingDisk(of: board.folder.url)
        try disk.record {
            try board.load(.record)
            LosingDisk.mark(1)
        }
        for (state, mark) in disk.states() {
            let board = try Board(hasMemory: hasMemory, state)
            let isThere = try board.store.read() != nil
            #expect(isThere || mark == 0)
            try board.load(isThere ? .purchaseMaster : .record)
            let after = try #require(try board.store.read())
            #expect(after.keys.only(.record) != nil && after.faults.isEmpty)
        }
    }

    @Test(
        "all keys destroyed, cut at every write: nothing opens once the first place is destroyed, and doing it again finishes it",
        arguments: [false, true]
    )
    func wipe(hasMemory: Bool) throws {
        let board = try Board(hasMemory: hasMemory)
        try board.makeNew()
        try board.load(.record)
        try board.load(.purchaseMaster)
        try board.folder.write("keys.greylock-draft", try board.folder.bytes("keys"))
        var disk = try LosingDisk(of: board.folder.url)
        let half = try board.memory?.read(of: Self.terminal).map { held in
            held.half.raw.withSpan { span in span.indices.map { span[$0] } }
        }
        let secrets = try [board.folder.bytes("storage-key"), board.folder.bytes("keys")] + (half.map { [$0] } ?? [])
        let first: KeyErasure.Place = hasMemory ? .boardMemory : .storageKey
        try disk.record {
            var isPast = false
            _ = board.erasure.run { place in
                if isPast { LosingDisk.mark(1) }
                if place == first { isPast = true }
            }
            LosingDisk.mark(2)
            try board.store.audit.noteErasure([.reason("opened")], left: [], at: Self.now)
            LosingDisk.mark(3)
        }
        // Overwritten before they lose their names.
        let remains = disk.remains().map { Data($0) }
        #expect(!remains.isEmpty)
        #expect(!remains.contains { bytes in secrets.contains { bytes.firstRange(of: $0) != nil } })
        var opened = 0
        let states = disk.states()
        for (state, mark) in states {
            let board = try Board(hasMemory: hasMemory, state)
            // What it says of itself, or that there is no store.
            let refusal = fault { if try board.store.read() != nil { opened += 1 } else { throw FileFault("gone") } }
            #expect(refusal != nil || mark == 0, "\(mark)")
            #expect(refusal != "")
            let left = board.erasure.run().filter(\.isLeft)
            #expect(left.isEmpty, "\(left)")
            try board.store.audit.noteErasure([.reason("opened")], left: [], at: Self.now)
            #expect(try board.store.audit.read()?.faults == [])
            #expect(try board.store.read() == nil)
            for name in try FileManager.default.contentsOfDirectory(atPath: board.folder.url.path) {
                let bytes = Data(try board.folder.bytes(name))
                #expect(!secrets.contains { bytes.firstRange(of: $0) != nil }, "\(name)")
            }
            try board.folder.write("storage-key", SystemRandom().bytes(32))
            try board.load(.record)
            #expect(try board.store.read() != nil)
        }
        print(
            "a wipe\(hasMemory ? " with a board's memory" : ""): \(disk.callsCount) calls, \(states.count) states, \(opened) still open"
        )
        #expect(opened > 0 && opened < states.count)
    }
}
