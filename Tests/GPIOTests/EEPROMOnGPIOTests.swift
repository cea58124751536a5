import CardCryptography
import Files
import Foundation
import FuelPassbook
import KeyCustody
import KeyFiles
import Testing

extension OnGPIO {
    /// The board's memory in an EEPROM, through the kernel's own driver of such chips.
    struct EEPROMOnGPIOTests {
        private static let terminal = TerminalID(0x3100_0000_0017)

        private let eeprom: SimulatedEEPROM
        private let memory: BoardMemory

        init() throws {
            eeprom = try SimulatedEEPROM()
            memory = BoardMemory(eeprom.path, offset: 16)
        }

        private func number() throws -> UInt64? { try memory.read(of: Self.terminal)?.number }

        @Test("number and half are kept, a torn number leaves the one before it, and destroyed it is blank")
        func kept() throws {
            #expect(try memory.read(of: Self.terminal) == nil)
            let half = SecretKey(SystemRandom().secret(32))
            try memory.create(half, of: Self.terminal)
            for number in UInt64(1)...5 {
                let before = try eeprom.contents()
                try memory.raise(to: number)
                let after = try eeprom.contents()
                #expect(try self.number() == number)
                // The chip writes pages of 8 bytes: the power went behind the first one.
                let place = try #require(before.indices.first { before[$0] != after[$0] }) / 8 * 8
                try eeprom.write(after.prefix(place + 8) + before.suffix(from: place + 8))
                #expect(try self.number() == number - 1)
                try eeprom.write(after)
            }
            let held = try #require(try memory.read(of: Self.terminal))
            let isSame = held.half.raw.isEqual(to: half.raw)
            #expect(isSame)
            #expect(try memory.destroy())
            #expect(try memory.read(of: Self.terminal) == nil)
            let left = try eeprom.contents()
            #expect(left[16..<96].allSatisfy { $0 == 0 } && left.suffix(from: 96).allSatisfy { $0 == 0xFF })
        }

        @Test("a chip that must not be written says so, and keeps what it has")
        func readOnly() throws {
            try memory.create(SecretKey(SystemRandom().secret(32)), of: Self.terminal)
            let switched = URL(filePath: eeprom.path).deletingLastPathComponent().appending(path: "force_ro")
            try Data("1".utf8).write(to: switched)
            #expect(throws: FileFault.self) { try memory.raise(to: 1) }
            #expect(throws: FileFault.self) { _ = try memory.destroy() }
            #expect(try number() == 0)
        }

        @Test("the chip ends before the bytes do")
        func tooSmall() throws {
            #expect(throws: FileFault.self) { _ = try BoardMemory(eeprom.path, offset: 200).read(of: Self.terminal) }
        }
    }
}
