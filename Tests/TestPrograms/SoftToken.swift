import Foundation
import Glibc

/// A SoftHSM token of a test, in whoever loads SoftHSM's module, or behind p11-kit's server, another process.
package final class SoftToken {
    package static let reasonToSkip = "no SoftHSM, or no p11-kit server; GREYLOCK_REQUIRE=token makes this a failure"
    package static let isUsable =
        isRequired
        || [module, client, utility].allSatisfy { FileManager.default.fileExists(atPath: $0) }

    package static let label = "greylock"
    package static let pin = "31415926"
    package static let module = "/usr/lib/softhsm/libsofthsm2.so"
    package static let client =
        folders.map { "\($0)/pkcs11/p11-kit-client.so" }
        .first(where: FileManager.default.fileExists) ?? "/usr/lib/pkcs11/p11-kit-client.so"
    private static let utility = "/usr/bin/softhsm2-util"
    private static let folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib"]
    private static let isRequired =
        (ProcessInfo.processInfo.environment["GREYLOCK_REQUIRE"] ?? "").split(separator: ",").contains("token")

    /// What a program needs that uses the token.
    package let environment: [String: String]
    private let folder: String
    private let socket: String
    private var server: StartedProcess?

    /// - Parameter folder: an empty one.
    package init(in folder: String) throws {
        self.folder = folder
        socket = "\(folder)/socket"
        environment = [
            "SOFTHSM2_CONF": "\(folder)/softhsm2.conf", "P11_KIT_SERVER_ADDRESS": "unix:path=\(folder)/socket",
        ]
        try FileManager.default.createDirectory(atPath: "\(folder)/tokens", withIntermediateDirectories: true)
        try "directories.tokendir = \(folder)/tokens\nobjectstore.backend = file\nlog.level = ERROR\n"
            .write(toFile: "\(folder)/softhsm2.conf", atomically: false, encoding: .utf8)
        try initialize(pin: Self.pin)
    }

    deinit { stop() }

    /// As one that has just been bought.
    package func initialize(pin: String) throws {
        for token in try FileManager.default.contentsOfDirectory(atPath: "\(folder)/tokens") {
            try FileManager.default.removeItem(atPath: "\(folder)/tokens/\(token)")
        }
        let utility = try StartedProcess(
            [Self.utility, "--init-token", "--free", "--label", Self.label, "--so-pin", "27182818", "--pin", pin],
            environment: environment,
            output: STDERR_FILENO
        )
        guard utility.end() == 0 else { throw StartedProcess.Failure(description: "no token: \(Self.reasonToSkip)") }
    }

    /// Returns when the server takes clients.
    package func serve() throws {
        unsafe _ = unlink(socket)
        server = try StartedProcess(
            [
                "/usr/bin/p11-kit", "server", "--foreground", "--name", socket, "--provider", Self.module,
                "pkcs11:token=\(Self.label)",
            ],
            environment: environment,
            output: STDERR_FILENO
        )
        let patience = Patience()
        while !takesClients {
            guard patience.milliseconds > 0 else { throw OutOfPatience("p11-kit's server") }
            sched_yield()
        }
    }

    private var takesClients: Bool {
        let client = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(client) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: socket.utf8) }
        return unsafe withUnsafePointer(to: &address) { address in
            // SAFETY: an address of the Unix family is passed as any address, with its own length.
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe connect(client, address, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }

    /// The token is pulled: the server ends, with its clients' connections.
    package func stop() {
        signalServer(SIGKILL)
        server?.end()
        server = nil
        unsafe _ = unlink(socket)
    }

    /// It answers nothing.
    package func freeze() { signalServer(SIGSTOP) }

    package func thaw() { signalServer(SIGCONT) }

    private func signalServer(_ number: Int32) {
        guard let server else { return }
        for child in ProcessReport.children(of: server.id) { kill(child, number) }
        server.signal(number)
    }
}
