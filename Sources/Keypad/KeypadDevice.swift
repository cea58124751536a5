import CLinux
import CardCryptography
import Glibc

/// An input device that is this program's alone while its owner lives.
final class KeypadDevice: Sendable {
    /// Of input devices (Linux, Documentation/admin-guide/devices.txt).
    private static let major: UInt32 = 13

    let descriptor: Int32
    /// What it calls itself.
    let name: String
    private let path: String

    /// Nothing is opened that is no input device: opening can be an act.
    init(_ path: String) throws(KeypadFault) {
        let device = try Self.number(of: path)
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else {
            switch errno {
            case EACCES, EPERM: throw .notPermitted(path)
            case ENOENT, ENODEV, ENXIO: throw .missing(path, present: InputFolder.keyboards())
            case let code: throw .system(path, operation: "open", code: code)
            }
        }
        var fault: KeypadFault?
        var name = ""
        do throws(KeypadFault) { name = try Self.take(descriptor, path, device) } catch { fault = error }
        if let fault {
            close(descriptor)
            throw fault
        }
        self.descriptor = descriptor
        self.name = name
        self.path = path
    }

    deinit { close(descriptor) }

    static func number(of path: String) throws(KeypadFault) -> dev_t {
        guard unsafe access(path, F_OK) == 0 else {
            throw errno == ENOENT || errno == ENOTDIR
                ? .missing(path, present: InputFolder.keyboards()) : .system(path, operation: "access", code: errno)
        }
        guard let device = InputFolder.device(at: path), gnu_dev_major(device) == major else { throw .notInput(path) }
        return device
    }

    private static func take(_ descriptor: Int32, _ path: String, _ device: dev_t) throws(KeypadFault) -> String {
        let name = try name(of: descriptor, path)
        guard greylock_grab_input(descriptor) == 0 else {
            switch errno {
            case EBUSY: throw .held(path, holders: InputFolder.holders(of: device, but: descriptor))
            case ENODEV: throw .unplugged(path)
            case let code: throw .system(path, operation: "EVIOCGRAB", code: code)
            }
        }
        return name
    }

    /// What it calls itself.
    ///
    /// - Throws: also where it has not the keys of a keypad.
    static func name(of descriptor: Int32, _ path: String) throws(KeypadFault) -> String {
        var text = [CChar](repeating: 0, count: 256)
        guard unsafe greylock_input_name(descriptor, &text, text.count - 1) >= 0 else { throw .notInput(path) }
        let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        let name = String(decoding: bytes.map { (0x20..<0x7F).contains($0) ? $0 : 0x3F }, as: UTF8.self)
        var bits = [UInt8](repeating: 0, count: Int(KEY_MAX) / 8 + 1)
        guard unsafe greylock_input_keys(descriptor, &bits, bits.count) >= 0 else { throw .notInput(path) }
        guard KeypadKey.areEnough(bits) else { throw .noDigits(path, name: name) }
        return name
    }

    /// Moves events that wait into `buffer`.
    ///
    /// - Returns: how many bytes; none when nothing waits.
    func read(into buffer: inout LockedBuffer) throws(KeypadFault) -> Int {
        while true {
            let count = buffer.withMutableSpan { span in
                // SAFETY: the kernel writes at most as many bytes as there are.
                unsafe span.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            }
            if count > 0 { return count }
            switch errno {
            case EINTR where count < 0: continue
            case EAGAIN where count < 0: return 0
            case let code where count < 0 && code != ENODEV: throw .system(path, operation: "read", code: code)
            case _: throw .unplugged(path)
            }
        }
    }
}
