private import Glibc

/// A datagram socket in journald's place, which reads its protocol as its documentation has it.
package final class JournalStandIn {
    package struct Refused: Error {}

    private let descriptor: Int32
    private let path: String

    package init(_ path: String) throws {
        self.path = path
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
        let isBound = unsafe withUnsafePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe bind(descriptor, address, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        guard isBound else { throw Refused() }
    }

    deinit {
        close(descriptor)
        _ = unsafe unlink(path)
    }

    /// The fields of the next entry; nil when there is none, or it is malformed.
    package func next() -> [(name: String, value: String)]? {
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        let count = unsafe recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        guard count >= 0 else { return nil }
        var rest = buffer[..<count]
        var fields: [(name: String, value: String)] = []
        while !rest.isEmpty {
            guard let end = rest.firstIndex(where: { $0 == UInt8(ascii: "=") || $0 == UInt8(ascii: "\n") }) else {
                return nil
            }
            let name = String(decoding: rest[..<end], as: UTF8.self)
            let isPlain = rest[end] == UInt8(ascii: "=")
            rest = rest[(end + 1)...]
            let length: Int
            if isPlain {
                guard let close = rest.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
                length = close - rest.startIndex
            } else {
                guard rest.count >= 8 else { return nil }
                length = rest.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
                rest = rest.dropFirst(8)
            }
            guard rest.count > length, rest[rest.startIndex + length] == UInt8(ascii: "\n") else { return nil }
            fields.append((name, String(decoding: rest.prefix(length), as: UTF8.self)))
            rest = rest.dropFirst(length + 1)
        }
        return fields
    }
}
