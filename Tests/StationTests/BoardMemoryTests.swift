import CardCryptography
import Files
import Foundation
import FuelPassbook
import KeyCustody
import KeyFiles
import TestFolders
import Testing

/// The board's small memory, as a file of the size of a 24C02.
struct BoardMemoryTests {
    private static let terminal = TerminalID(0x3100_0000_0017)
    private static let offset = 32

    private let folder: TestFolder
    private let memory: BoardMemory

    init() throws {
        folder = try TestFolder()
        memory = BoardMemory(folder.path("nvmem"), offset: Self.offset)
        try write([UInt8](repeating: 0xFF, count: 256))
    }

    private func write(_ bytes: [UInt8]) throws { try Data(bytes).write(to: folder.url.appending(path: "nvmem")) }

    private func bytes() throws -> [UInt8] { Array(try Data(contentsOf: folder.url.appending(path: "nvmem"))) }

    private func create(_ half: SecretKey = SecretKey(SystemRandom().secret(32))) throws -> SecretKey {
        try memory.create(half, of: Self.terminal)
        return half
    }

    private func number() throws -> UInt64? { try memory.read(of: Self.terminal)?.number }

    private func fault(_ body: () throws(FileFault) -> Void) -> String? {
        do throws(FileFault) { try body() } catch { return error.reason }
        return nil
    }

    @Test("a chip that was never written holds nothing", arguments: [UInt8.min, .max])
    func fresh(blank: UInt8) throws {
        try write([UInt8](repeating: blank, count: 256))
        #expect(try memory.read(of: Self.terminal) == nil)
        #expect(try !memory.destroy())
    }

    @Test("it keeps half and number, which only rises, and touches no other byte")
    func kept() throws {
        let half = try create()
        #expect(try number() == 0)
        for (told, kept) in [(1, 1), (7, 7), (3, 7), (7, 7), (8, 8), (.max, .max)] as [(UInt64, UInt64)] {
            try memory.raise(to: told)
            #expect(try number() == kept)
        }
        let held = try #require(try memory.read(of: Self.terminal))
        let isSame = held.half.raw.isEqual(to: half.raw)
        #expect(isSame)
        let around = try bytes()
        #expect((around.prefix(Self.offset) + around.suffix(256 - Self.offset - 80)).allSatisfy { $0 == 0xFF })
    }

    @Test("a torn number leaves the one before it, wherever it is torn")
    func tornNumber() throws {
        _ = try create()
        for number in UInt64(1)...4 {
            let before = try bytes()
            try memory.raise(to: number)
            let after = try bytes()
            let changed = before.indices.filter { before[$0] != after[$0] }
            for cut in 0...changed.count {
                var torn = before
                for place in changed.prefix(cut) { torn[place] = after[place] }
                // The cell that was being written has some value.
                if cut < changed.count { torn[changed[cut]] ^= 0x5A }
                try write(torn)
                let read = try self.number()
                #expect(read == number - 1 || cut == changed.count && read == number)
            }
            try write(after)
        }
    }

    @Test("once a byte of the half is overwritten nothing reads it, however the rest is cut short")
    func tornDestruction() throws {
        _ = try create()
        try memory.raise(to: 5)
        let before = try bytes()
        let order = [16..<48, 48..<80, 8..<16, 0..<8].joined().map { $0 + Self.offset }
        let first = try #require(order.firstIndex { before[$0] != 0 })
        for cut in (first + 1)..<order.count {
            var torn = before
            for place in order.prefix(cut) { torn[place] = 0 }
            try write(torn)
            let said = fault { () throws(FileFault) in _ = try memory.read(of: Self.terminal) }
            #expect(said?.contains("is damaged") == true || cut > order.count - 8, "\(cut): \(said ?? "it reads")")
            if cut <= order.count - 8 { #expect(try memory.destroy()) }
        }
        try write(before)
        #expect(try memory.destroy())
        #expect(try memory.read(of: Self.terminal) == nil)
        #expect(try bytes()[Self.offset..<Self.offset + 80].allSatisfy { $0 == 0 })
    }

    @Test("what another program wrote is neither used nor overwritten")
    func foreign() throws {
        let theirs = Array("SERIAL 0001".utf8) + [UInt8](repeating: 0xFF, count: 245)
        let memory = BoardMemory(folder.path("nvmem"))
        try write(theirs)
        let read = fault { () throws(FileFault) in _ = try memory.read(of: Self.terminal) }
        let made = fault { () throws(FileFault) in
            try memory.create(SecretKey(SystemRandom().secret(32)), of: Self.terminal)
        }
        let destroyed = fault { () throws(FileFault) in _ = try memory.destroy() }
        for said in [read, made, destroyed] { #expect(said?.contains("holds something else at 0") == true) }
        #expect(try bytes() == theirs)
    }

    @Test("no chip, one that is too small, and another terminal's are named")
    func unusable() throws {
        let missing = fault { () throws(FileFault) in
            _ = try BoardMemory(folder.path("none")).read(of: Self.terminal)
        }
        #expect(missing?.contains("No such file") == true)
        let small = fault { () throws(FileFault) in
            _ = try BoardMemory(folder.path("nvmem"), offset: 177).read(of: Self.terminal)
        }
        #expect(small?.contains("too small: 80 bytes from 177 on are needed") == true)
        _ = try create()
        let other = fault { () throws(FileFault) in _ = try memory.read(of: TerminalID(0x3100_0000_0018)) }
        #expect(other?.contains("belongs to the keys of terminal 310000000017") == true)
    }
}
