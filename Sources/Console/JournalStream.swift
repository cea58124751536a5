private import Glibc

/// A new stream to journald, for a log whose own is gone: a journald that was stopped and started does not keep the streams
/// that it had.
package enum JournalStream {
    /// Connects without waiting, and says who speaks, as sd_journal_stream_fd(3) does: identifier, unit, priority, whether
    /// lines have a priority of their own, and three places where they do not go as well.
    ///
    /// - Returns: a descriptor, or nil while nobody listens at `path`. The corresponding C function is `connect`.
    package static func open(_ path: String = "/run/systemd/journal/stdout") -> Int32? {
        var address = sockaddr_un()
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        let stream = socket(AF_UNIX, Int32(kind), 0)
        guard stream >= 0 else { return nil }
        let isConnected = unsafe withUnsafePointer(to: &address) { address in
            // SAFETY: an address of the Unix family is passed as any address, with its own length.
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe connect(stream, address, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        let header = Array("greylockd\n\n6\n1\n0\n0\n0\n".utf8)
        guard isConnected, unsafe send(stream, header, header.count, Int32(MSG_NOSIGNAL)) == header.count else {
            close(stream)
            return nil
        }
        return stream
    }
}
