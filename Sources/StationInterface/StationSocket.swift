import CLinux
import Glibc
private import Threads

/// Where a socket of the service is, and who may use it.
package struct SocketPlace: Equatable, Sendable {
    /// The kernel's limit, with the closing NUL (unix(7)).
    package static let pathBytesMax = 107

    package let path: String
    /// Its members may connect, besides the service's own user; nil for nobody else.
    package let group: String?

    package init(path: String, group: String?) {
        self.path = path
        self.group = group
    }

    /// - Throws: ``SocketFault`` where its group is not there.
    package func requireGroup() throws(SocketFault) { _ = try groupNumber() }

    /// The corresponding C function is `getgrnam`; called where no other thread looks for groups.
    fileprivate func groupNumber() throws(SocketFault) -> gid_t? {
        guard let group else { return nil }
        guard let entry = unsafe getgrnam(group) else {
            throw SocketFault("\(path): there is no group \(group): make it, addgroup --system \(group)")
        }
        return unsafe entry.pointee.gr_gid
    }
}

/// What the system would not do with a socket.
package struct SocketFault: Error, Equatable, Sendable {
    package let reason: String

    init(_ reason: String) { self.reason = reason }

    static func system(_ operation: String, _ path: String) -> SocketFault {
        SocketFault("cannot \(operation) \(path): \(systemError())")
    }
}

/// A Unix stream socket that listens. Closed, and gone from its folder, with its owner.
final class ListeningSocket: Sendable {
    private static let backlog: Int32 = 64

    let descriptor: Int32
    let kind: SocketKind
    private let path: String

    /// One that a killed service left is replaced, one at which somebody answers is not. The corresponding C functions are
    /// `bind`, `chown` and `listen`.
    init(_ place: SocketPlace, _ kind: SocketKind) throws(SocketFault) {
        let path = place.path
        let group = try place.groupNumber()
        try Self.removeLeftOver(path)
        let descriptor = try UnixSocket.make(path)
        do throws(SocketFault) {
            // The file has what the socket has: nobody else connects before the group has it too.
            guard fchmod(descriptor, S_IRUSR | S_IWUSR) == 0 else { throw .system("set the mode of", path) }
            guard unsafe UnixSocket.withAddress(path, { unsafe bind(descriptor, $0, $1) }) == 0 else {
                throw .system("make the socket", path)
            }
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
        self.kind = kind
        self.path = path
        if let group {
            // In a folder with its bit S_ISGID it has that one's already, and the unit's filter of calls has no `chown`.
            var status = stat()
            guard unsafe lstat(path, &status) == 0 else { throw .system("look at", path) }
            guard unsafe status.st_gid == group || chown(path, uid_t.max, group) == 0 else {
                throw .system("give the group to", path)
            }
            guard unsafe chmod(path, S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP) == 0 else {
                throw .system("set the mode of", path)
            }
        }
        guard listen(descriptor, Self.backlog) == 0 else { throw .system("listen at", path) }
    }

    deinit {
        close(descriptor)
        unsafe _ = unlink(path)
    }

    /// nil where nobody waits any more, or the process has no descriptor for him.
    func accept() -> (descriptor: Int32, peer: Peer)? {
        let client = greylock_accept(descriptor)
        guard client >= 0 else { return nil }
        var user = UInt32.max
        guard unsafe greylock_peer_user(client, &user) == 0 else {
            close(client)
            return nil
        }
        return (client, Peer(user: user))
    }

    private static func removeLeftOver(_ path: String) throws(SocketFault) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw SocketFault("\(path) is there, and is no socket") }
        let descriptor = try UnixSocket.make(path)
        defer { close(descriptor) }
        // One whose queue is full is served too.
        if unsafe UnixSocket.withAddress(path, { unsafe connect(descriptor, $0, $1) }) == 0 || errno == EAGAIN {
            throw SocketFault("another process serves \(path)")
        }
        guard unsafe unlink(path) == 0 else { throw .system("replace", path) }
    }
}

/// What both ends of a Unix stream socket have in common.
enum UnixSocket {
    static func make(_ path: String) throws(SocketFault) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { throw .system("make a socket for", path) }
        return descriptor
    }

    static func withAddress(_ path: String, _ call: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        precondition(path.utf8.count <= SocketPlace.pathBytesMax)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
        return unsafe withUnsafePointer(to: &address) { address in
            // SAFETY: an address of the Unix family is passed as any address, with its own length.
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe call(address, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
