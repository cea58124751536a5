private import Glibc

/// journald's socket for entries in its own protocol. It is addressed with each entry, so that a journald that was started anew gets
/// the next one.
///
/// No call waits, and any thread may make it.
package final class JournalSocket: Sendable {
    package static let path = "/run/systemd/journal/socket"

    private let descriptor: Int32
    private let path: [UInt8]

    /// - Returns: nil where the system gives no socket, or the path is too long for one.
    package init?(_ path: String = JournalSocket.path) {
        self.path = Array(path.utf8)
        guard self.path.count < MemoryLayout.size(ofValue: sockaddr_un().sun_path) else { return nil }
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
    }

    deinit { close(descriptor) }

    /// The corresponding C function is `sendto`.
    ///
    /// - Returns: false when nobody listens, its queue is full, or the entry is larger than a datagram may be.
    package func send(_ entry: JournaldEntry) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path) }
        let bytes = entry.datagram
        return unsafe withUnsafePointer(to: &address) { address in
            // SAFETY: an address of the Unix family is passed as any address, with its own length.
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                let size = socklen_t(MemoryLayout<sockaddr_un>.size)
                while true {
                    let sent = unsafe sendto(
                        descriptor,
                        bytes,
                        bytes.count,
                        Int32(MSG_DONTWAIT | MSG_NOSIGNAL),
                        address,
                        size
                    )
                    if sent < 0, errno == EINTR { continue }
                    return sent == bytes.count
                }
            }
        }
    }
}
