import CLinux
import Glibc
import Threads

/// A client's end of one of the service's sockets. It blocks its caller, until a deadline.
package final class StationConnection {
    package enum Fault: Error, Equatable {
        /// Nobody serves there; why.
        case noService(String)
        /// The service did not answer in time.
        case noAnswer
        /// The service ended the connection.
        case ended
    }

    private let descriptor: Int32
    private var received: [UInt8] = []

    /// The corresponding C function is `connect`.
    package init(_ path: String) throws(Fault) {
        guard path.utf8.count <= SocketPlace.pathBytesMax else { throw .noService("\(path): the path is too long") }
        do throws(SocketFault) { descriptor = try UnixSocket.make(path) } catch { throw .noService(error.reason) }
        guard unsafe UnixSocket.withAddress(path, { unsafe connect(descriptor, $0, $1) }) == 0 else {
            // It is closed by `deinit`, which runs here too.
            throw .noService("\(path): \(systemError())")
        }
    }

    deinit { close(descriptor) }

    /// One line, or any bytes. The corresponding C function is `send`.
    package func send(_ bytes: [UInt8], until deadline: UInt64) throws(Fault) {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { bytes in
                // SAFETY: the bytes behind those that were sent.
                unsafe Glibc.send(
                    descriptor,
                    bytes.baseAddress?.advanced(by: sent),
                    bytes.count - sent,
                    Int32(MSG_NOSIGNAL)
                )
            }
            if count > 0 {
                sent += count
                continue
            }
            guard errno == EAGAIN || errno == EINTR else { throw .ended }
            try wait(for: Int16(POLLOUT), until: deadline)
        }
    }

    package func send(_ request: JSON, until deadline: UInt64) throws(Fault) {
        try send(request.bytes + [UInt8(ascii: "\n")], until: deadline)
    }

    /// Nothing more will be sent. The corresponding C function is `shutdown`.
    package func finish() { _ = shutdown(descriptor, Int32(SHUT_WR)) }

    /// The next line without its end. The corresponding C function is `recv`.
    package func nextLine(until deadline: UInt64) throws(Fault) -> [UInt8] {
        while true {
            if let end = received.firstIndex(of: UInt8(ascii: "\n")) {
                let line = Array(received[..<end])
                received.removeFirst(end + 1)
                return line
            }
            try wait(for: Int16(POLLIN), until: deadline)
            var bytes = [UInt8](repeating: 0, count: 65_536)
            let count = unsafe recv(descriptor, &bytes, bytes.count, 0)
            if count > 0 {
                received += bytes.prefix(count)
            } else if count == 0 || errno != EAGAIN && errno != EINTR {
                throw .ended
            }
        }
    }

    private func wait(for events: Int16, until deadline: UInt64) throws(Fault) {
        while true {
            let now = MonotonicClock.nanoseconds
            guard now < deadline else { throw .noAnswer }
            var waited = pollfd(fd: descriptor, events: events, revents: 0)
            let count = unsafe poll(&waited, 1, Int32(clamping: (deadline - now + 999_999) / 1_000_000))
            if count > 0 { return }
        }
    }
}
