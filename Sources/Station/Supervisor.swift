private import Glibc

/// What started this process and watches it, after sd_notify(3): it hears datagrams on the Unix socket that
/// `NOTIFY_SOCKET` names. Without one, nothing is said.
///
/// Any thread may speak. No thread waits: what does not fit into the socket's queue is lost, a sign of life too, and
/// comes again.
package final class Supervisor: Sendable {
    /// Within which a sign of life must come; nil when nobody waits for one.
    package let watchdogNanoseconds: UInt64?

    private let socket: Int32
    private let path: [UInt8]

    /// nil outside a supervisor.
    package convenience init?() {
        guard let path = Self.variable("NOTIFY_SOCKET") else { return nil }
        // A process that inherited the variables of another's watchdog does not feed it (sd_watchdog_enabled(3)).
        let isOurs = Self.variable("WATCHDOG_PID").map { $0 == "\(getpid())" } ?? true
        let watchdog = isOurs ? Self.variable("WATCHDOG_USEC").flatMap(UInt64.init) : nil
        self.init(socketPath: path, watchdogMicroseconds: watchdog)
    }

    /// - Parameter socketPath: in the file system, or after an "@" in the abstract name space.
    package init?(socketPath: String, watchdogMicroseconds: UInt64?) {
        var path = Array(socketPath.utf8)
        guard let first = path.first, first == UInt8(ascii: "/") || first == UInt8(ascii: "@"),
            path.count < MemoryLayout.size(ofValue: sockaddr_un().sun_path)
        else { return nil }
        if first == UInt8(ascii: "@") { path[0] = 0 }
        self.path = path
        socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return nil }
        watchdogNanoseconds = watchdogMicroseconds.flatMap {
            let (nanoseconds, isTooMuch) = $0.multipliedReportingOverflow(by: 1_000)
            return nanoseconds > 0 && !isTooMuch ? nanoseconds : nil
        }
    }

    deinit { close(socket) }

    /// The service has what it needs to serve, or to wait for what comes late.
    package func ready(_ status: String) { say("READY=1\nSTATUS=\(Self.oneLine(status))") }

    /// A start that goes on may take another minute from now.
    func startGoesOn() { say("EXTEND_TIMEOUT_USEC=60000000") }

    package func status(_ text: String) { say("STATUS=\(Self.oneLine(text))") }

    package func stopping() { say("STOPPING=1\nSTATUS=stopping") }

    package func feedWatchdog() { say("WATCHDOG=1") }

    /// As if no sign of life had come for the whole limit: this process is killed now. systemd logs the reason itself, with
    /// the service's last status; what this process logs may not be written any more.
    func tripWatchdog(_ reason: String) {
        say("STATUS=\(reason)")
        say("WATCHDOG=trigger")
    }

    /// The corresponding C function is `sendto`.
    private func say(_ state: String) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + path.count + (path.first == 0 ? 0 : 1))
        let bytes = Array(state.utf8)
        unsafe withUnsafePointer(to: &address) { address in
            // SAFETY: an address of the Unix family is passed as any address, with its own length.
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe _ = sendto(socket, bytes, bytes.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL), address, length)
            }
        }
    }

    private static func oneLine(_ text: String) -> String {
        String(text.map { $0.isNewline ? " " : $0 })
    }

    private static func variable(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }
}
