import Foundation
import Glibc
import TestPrograms

/// A 24C02 of the kernel's at24 driver behind its i2c-stub, at the one address that board/vm gives that.
final class SimulatedEEPROM {
    static let bytesCount = 256

    /// The kernel's NVMEM file of it.
    let path: String
    private let bus: String

    init() throws {
        let adapters = "/sys/bus/i2c/devices"
        let stub = try FileManager.default.contentsOfDirectory(atPath: adapters).first { name in
            let words = FileManager.default.contents(atPath: "\(adapters)/\(name)/name") ?? Data()
            return String(decoding: words, as: UTF8.self).hasPrefix("SMBus stub")
        }
        guard let stub else { throw SimulatedChip.SystemFailure(call: "no i2c-stub", code: ENODEV) }
        bus = "\(adapters)/\(stub)"
        try Self.write("24c02 0x50", to: "\(bus)/new_device")
        let devices = "/sys/bus/nvmem/devices"
        let number = stub.dropFirst("i2c-".count)
        let device = try FileManager.default.contentsOfDirectory(atPath: devices).first {
            $0.hasPrefix("\(number)-0050")
        }
        guard let device else { throw SimulatedChip.SystemFailure(call: "no at24", code: ENODEV) }
        path = "\(devices)/\(device)/nvmem"
        try write(Data(repeating: 0xFF, count: Self.bytesCount))
    }

    deinit {
        do { try Self.write("0x50", to: "\(bus)/delete_device") } catch {
            preconditionFailure("the EEPROM stays behind: \(error)")
        }
    }

    func contents() throws -> Data {
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw SimulatedChip.SystemFailure(call: "read \(path)", code: EIO)
        }
        return bytes
    }

    func write(_ bytes: Data) throws {
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        try file.write(contentsOf: bytes)
        try file.close()
    }

    private static func write(_ text: String, to path: String) throws {
        guard let file = FileHandle(forWritingAtPath: path) else {
            throw SimulatedChip.SystemFailure(call: "open \(path)", code: errno)
        }
        try file.write(contentsOf: Data(text.utf8))
        try file.close()
    }
}

/// The board's port that is heard outside it (board/vm --port); elsewhere nobody hears.
final class BoardPort {
    private static let address: off_t = 0xE9
    private let file = unsafe open("/dev/port", O_WRONLY | O_CLOEXEC)

    deinit { if file >= 0 { close(file) } }

    func tell(_ letter: Character) {
        guard file >= 0, let byte = letter.asciiValue else { return }
        var bytes = byte
        unsafe _ = pwrite(file, &bytes, 1, Self.address)
    }
}
