private import Glibc

/// What systemd hears of the service (sd_notify(3)), at a socket of the test's.
package final class NotifySocket {
    package let path: String
    private let socket: Int32

    package init(path: String) throws {
        self.path = path
        socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let bound = unsafe withUnsafePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe bind(socket, address, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0 else { throw StartedProcess.Failure(description: "no socket \(path)") }
    }

    deinit { close(socket) }

    /// The environment of a service that is watched from here: half a second between two signs of life.
    package var variables: [String: String] {
        ["NOTIFY_SOCKET": path, "WATCHDOG_USEC": "\(Self.limitMilliseconds)000"]
    }

    /// WatchdogSec= of the unit.
    package static let limitMilliseconds: Int32 = 2_000

    /// The next message; nil when none came in `milliseconds`.
    package func next(milliseconds: Int32 = 20_000) -> String? {
        var waited = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&waited, 1, milliseconds) == 1 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = unsafe recv(socket, &bytes, bytes.count, 0)
        return count < 0 ? nil : String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    /// Until a message has `text` in it; false when none came for twenty seconds.
    package func wait(for text: String) -> Bool {
        while let message = next() { if message.contains(text) { return true } }
        return false
    }

    /// Takes what is there already.
    package func drain() { while next(milliseconds: 0) != nil {} }

    /// Returns when systemd would kill the service.
    ///
    /// - Returns: after how many seconds; nil when it is fed on to the end.
    package func awaitEndOfSigns(seconds: Int) -> Double? {
        let begun = ContinuousClock.now
        var lastSign = begun
        while ContinuousClock.now < begun + .seconds(seconds) {
            let silence = lastSign + .milliseconds(Int64(Self.limitMilliseconds)) - .now
            guard silence > .zero, let message = next(milliseconds: Int32(silence / .milliseconds(1)) + 1) else {
                return (ContinuousClock.now - begun) / .seconds(1)
            }
            if message == "WATCHDOG=trigger" { return (ContinuousClock.now - begun) / .seconds(1) }
            if message == "WATCHDOG=1" { lastSign = .now }
        }
        return nil
    }
}
