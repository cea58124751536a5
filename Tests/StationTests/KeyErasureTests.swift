import CardCryptography
import Files
import Foundation
import FuelPassbook
import Glibc
import KeyCustody
import KeyFiles
import Quantities
import TestFolders
import Testing

/// A store that opens with a file and the board's memory, and its end.
struct KeyErasureTests {
    private static let terminal = TerminalID(0x3100_0000_0017)

    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    /// What a board has on its disk and in its memory.
    private struct Board {
        let folder: String
        let hasMemory: Bool
        var memory: BoardMemory? { hasMemory ? BoardMemory("\(folder)/nvmem") : nil }
        var storageKey: StorageKeyPlace { .file("\(folder)/storage-key") }
        var store: TerminalKeyStore {
            TerminalKeyStore("\(folder)/keys", of: terminal, storageKey: storageKey, memory: memory)
        }
        var erasure: KeyErasure {
            KeyErasure(store: "\(folder)/keys", storageKey: storageKey, credentialFile: nil, memory: memory)
        }
    }

    private func board(hasMemory: Bool) throws -> Board {
        let board = Board(folder: folder.path("board"), hasMemory: hasMemory)
        try FileManager.default.createDirectory(atPath: board.folder, withIntermediateDirectories: false)
        try Data(repeating: 0xFF, count: 128).write(to: URL(filePath: "\(board.folder)/nvmem"))
        try Data(SystemRandom().bytes(32)).write(to: URL(filePath: "\(board.folder)/storage-key"))
        #expect(unsafe chmod("\(board.folder)/storage-key", 0o600) == 0)
        for version in UInt8(1)...3 { try load(version, board) }
        return board
    }

    private func load(_ version: UInt8, _ board: Board) throws {
        var change = try board.store.beginChange()
        let reference = KeyReference(index: KeyIndex(1), version: KeyVersion(version))
        let made = try TransactionTime(secondsSince1970: 1_790_000_000)
        let delivery = KeyDelivery(
            HeldKeyName(.purchaseMaster, reference),
            .tripleDES,
            made: made,
            SystemRandom().secret(16)
        )
        try change.keys.load(delivery, .block, at: 1_790_000_000)
        try change.store()
    }

    /// As root erases keys in a folder of the service's user.
    @Test(.enabled(if: geteuid() == 0, "only root may make another user's link"), arguments: [0, 65_534] as [uid_t])
    func aLinkOfAnotherUserLeadsRootToNoFile(owner: uid_t) throws {
        let board = try board(hasMemory: false)
        let path = "\(board.folder)/storage-key"
        try FileManager.default.moveItem(atPath: path, toPath: folder.path("elsewhere"))
        #expect(unsafe symlink(folder.path("elsewhere"), path) == 0 && lchown(path, owner, owner) == 0)
        let before = try folder.bytes("elsewhere")
        let result = board.erasure.run().first { $0.place == .storageKey }
        #expect(result?.isLeft == (owner != 0))
        #expect(try folder.bytes("elsewhere") == (owner == 0 ? [UInt8](repeating: 0, count: before.count) : before))
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    private func copy(_ board: Board, _ name: String) throws -> Board {
        try FileManager.default.copyItem(atPath: board.folder, toPath: folder.path(name))
        return Board(folder: folder.path(name), hasMemory: board.hasMemory)
    }

    private func fault(_ body: () throws(FileFault) -> Void) -> String? {
        do throws(FileFault) { try body() } catch { return error.reason }
        return nil
    }

    private func faultOfReading(_ board: Board) -> String? {
        fault { () throws(FileFault) in _ = try board.store.read() }
    }

    @Test("the power goes between any two places: what is left opens nothing", arguments: [false, true])
    func cut(hasMemory: Bool) throws {
        let board = try board(hasMemory: hasMemory)
        #expect(try board.store.read()?.keys.number.change == 3)
        let sealed = try Data(contentsOf: URL(filePath: "\(board.folder)/keys"))
        var cuts: [(place: KeyErasure.Place, board: Board)] = []
        let results = board.erasure.run { place in
            do { cuts.append((place, try copy(board, "before-\(place)"))) } catch {
                Issue.record("\(error)")
            }
        }
        let places: [KeyErasure.Place] = (hasMemory ? [.boardMemory] : []) + [.storageKey, .store]
        #expect(results.map(\.place) == places)
        #expect(results.allSatisfy { $0.outcome == .destroyed })
        #expect(cuts.map(\.place) == KeyErasure.Place.allCases)
        for cut in cuts {
            let isWhole = cut.place == .boardMemory || cut.place == .storageKey && !hasMemory
            #expect((faultOfReading(cut.board) == nil) == isWhole, "\(cut.place): \(faultOfReading(cut.board) ?? "")")
            // Whatever was cut short is finished by doing it again.
            #expect(cut.board.erasure.run().allSatisfy { !$0.isLeft })
            #expect(try cut.board.store.read() == nil)
        }
        #expect(try board.store.read() == nil)

        // A copy of the store that somebody has does not open with what is put in the key's place.
        try sealed.write(to: URL(filePath: "\(board.folder)/keys"))
        #expect(unsafe chmod("\(board.folder)/keys", 0o600) == 0)
        #expect(faultOfReading(board) != nil)
        try Data(SystemRandom().bytes(32)).write(to: URL(filePath: "\(board.folder)/storage-key"))
        #expect(unsafe chmod("\(board.folder)/storage-key", 0o600) == 0)
        #expect(faultOfReading(board) != nil)
        #expect(unsafe unlink("\(board.folder)/keys") == 0)

        // The board is armed anew.
        try load(1, board)
        #expect(try board.store.read()?.keys.number.change == 1)
    }

    @Test("what cannot be destroyed keeps nothing else from it, and is named")
    func left() throws {
        let board = try board(hasMemory: true)
        #expect(unsafe unlink("\(board.folder)/storage-key") == 0)
        try FileManager.default.createDirectory(
            atPath: "\(board.folder)/storage-key",
            withIntermediateDirectories: false
        )
        let results = board.erasure.run()
        #expect(results.map(\.isLeft) == [false, true, false])
        guard case .left(let reason) = results[1].outcome else { return }
        #expect(reason.contains("storage-key"))
        #expect(!FileManager.default.fileExists(atPath: "\(board.folder)/keys"))
    }

    @Test("without the chip the rest is destroyed all the same")
    func chipGone() throws {
        let board = try board(hasMemory: true)
        #expect(unsafe unlink("\(board.folder)/nvmem") == 0)
        #expect(faultOfReading(board)?.contains("cannot open the board's memory") == true)
        #expect(board.erasure.run().map(\.isLeft) == [true, false, false])
    }

    @Test("a credential's sealed file is destroyed where it is named, and named as left where it is not")
    func credential() throws {
        let sealed = try folder.file("sealed", "not to be opened")
        func erasure(_ file: String?) -> KeyErasure {
            KeyErasure(store: folder.path("keys"), storageKey: .credential("key"), credentialFile: file, memory: nil)
        }
        let left = erasure(nil).run()
        #expect(left.map(\.isLeft) == [true, false])
        #expect(erasure(sealed).run().map(\.outcome) == [.destroyed, .absent])
        #expect(!FileManager.default.fileExists(atPath: sealed))
    }

    @Test("an older copy of the store is refused by its number, a newer one is followed")
    func olderStore() throws {
        let board = try board(hasMemory: true)
        let older = try Data(contentsOf: URL(filePath: "\(board.folder)/keys"))
        let before = try Data(contentsOf: URL(filePath: "\(board.folder)/nvmem"))
        try load(4, board)
        let newer = try Data(contentsOf: URL(filePath: "\(board.folder)/keys"))
        try older.write(to: URL(filePath: "\(board.folder)/keys"))
        let said = try #require(faultOfReading(board))
        #expect(
            said.contains("is an older copy of the key store: it has change 3, and the board's memory knows change 4")
        )
        #expect(fault { () throws(FileFault) in _ = try board.store.beginChange() } == said)

        // The power went between the store and its number.
        try newer.write(to: URL(filePath: "\(board.folder)/keys"))
        try before.write(to: URL(filePath: "\(board.folder)/nvmem"))
        #expect(try board.store.read()?.keys.number.change == 4)
        #expect(try board.memory?.read(of: Self.terminal).map { UInt32(truncatingIfNeeded: $0.number) } == 4)

        #expect(unsafe unlink("\(board.folder)/keys") == 0)
        let gone = fault { () throws(FileFault) in _ = try board.store.beginChange() }
        #expect(gone?.contains("knows change 4 of it: put it back") == true)
    }

    @Test("a store that was sealed without the memory, or whose memory is empty, says so")
    func emptyMemory() throws {
        let board = try board(hasMemory: false)
        let with = Board(folder: board.folder, hasMemory: true)
        #expect(faultOfReading(with)?.contains("is empty") == true)
        #expect(fault { () throws(FileFault) in _ = try with.store.beginChange() }?.contains("is empty") == true)
    }

    @Test("the power goes after the memory's half and before the first store: the half is taken")
    func halfWithoutStore() throws {
        let board = try board(hasMemory: true)
        #expect(board.erasure.run().allSatisfy { !$0.isLeft })
        try Data(SystemRandom().bytes(32)).write(to: URL(filePath: "\(board.folder)/storage-key"))
        #expect(unsafe chmod("\(board.folder)/storage-key", 0o600) == 0)
        let half = SecretKey(SystemRandom().secret(32))
        try #require(board.memory).create(half, of: Self.terminal)
        try load(1, board)
        #expect(try board.store.read()?.keys.number.change == 1)
        let held = try #require(try board.memory?.read(of: Self.terminal)).half
        let isSame = held.raw.isEqual(to: half.raw)
        #expect(isSame)
    }

    @Test("a storage key that was overwritten is none for new keys")
    func zeros() throws {
        let board = try board(hasMemory: false)
        try Data(count: 32).write(to: URL(filePath: "\(board.folder)/storage-key"))
        #expect(faultOfReading(board)?.contains("was destroyed: make a new one") == true)
    }
}
