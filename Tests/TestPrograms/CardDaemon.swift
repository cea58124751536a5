import Foundation
import Glibc
import ISO7816
import PCSC

/// A pcscd with two virtual readers, or three or four, started by a test and seen by this process only.
///
/// pcscd has one socket, `/run/pcscd/pcscd.comm`. So that a test neither meets nor disturbs a pcscd of the machine, its
/// own one runs in a mount namespace where that folder is one under `/tmp`, and `PCSCLITE_CSOCK_NAME` sends the client
/// library there. The client library reads that name once, so every daemon of this process has the same one.
package final class CardDaemon {
    package static let reasonToSkip =
        "no pcscd with vsmartcard-vpcd, or no mount namespace for it; GREYLOCK_REQUIRE=pcscd makes this a failure"

    /// False only where the daemon cannot run and is not required; where it is required, starting it fails.
    package static let isUsable = isRequired || (isInstalled && hasNamespaces)

    private static let driver = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"
    private static let ready = Array("+\n".utf8)
    private static let folder = "/tmp/greylock-pcscd-\(getpid())"
    private static let socketIsNamed: Bool = {
        unsafe setenv("PCSCLITE_CSOCK_NAME", "\(folder)/run/pcscd.comm", 1) == 0
    }()

    /// Where the first reader listens; the second has the next one, the third the one behind it, and its twin the one behind the next.
    package let port: UInt16
    private let shell: StartedProcess
    private let input: ClosedPipe
    private let output: ClosedPipe
    private let third: FailingDriver?

    /// Makes the client library look for the daemon where ``init(port:withReaders:)`` starts it.
    package static func nameSocket() {
        precondition(socketIsNamed)
    }

    /// Returns when the daemon takes clients.
    ///
    /// - Parameters:
    ///   - device: what the driver calls its two readers. It serves one device only.
    ///   - third: the name of a third reader, which can fail alone; nil for none.
    ///   - hasTwin: of the third reader, with the same name but for its number.
    package init(
        port: UInt16,
        withReaders: Bool = true,
        device: String = "Virtual PCD",
        third: String? = nil,
        hasTwin: Bool = false
    ) throws {
        Self.nameSocket()
        self.port = port
        self.third = try Self.configure(port: withReaders ? port : nil, device: device, third: third, hasTwin: hasTwin)
        let input = try ClosedPipe()
        let output = try ClosedPipe()
        self.input = input
        self.output = output
        shell = try StartedProcess(
            Self.namespace + ["bash", "-c", Self.script, "bash", Self.folder],
            input: input.reading,
            output: output.writing
        )
        input.closeReading()
        output.closeWriting()
        let said = readiness()
        guard said == Self.ready else {
            throw StartFailure(
                description: "pcscd did not start: \(Self.reasonToSkip)\n\(String(decoding: said, as: UTF8.self))"
            )
        }
        try waitForSocket()
    }

    deinit {
        stop()
    }

    /// Stops the daemon's threads, for good: only ``stop()`` comes after it.
    package func freeze() {
        let patience = Patience()
        for process in ProcessReport.children(of: shell.id) {
            kill(process, SIGSTOP)
            while !ProcessReport.isStopped(process), patience.milliseconds > 0 { sched_yield() }
        }
    }

    /// The third reader no longer answers, or does again, with the card that it holds; the others go on.
    package func setThirdReaderGone(_ isGone: Bool) throws {
        guard let third else { preconditionFailure("there is no third reader") }
        try third.setGone(isGone)
    }

    /// What the third reader's driver answers for SCARD_ATTR_CHANNEL_ID from now on, of it or of its twin.
    package func setThirdReaderChannel(_ bytes: [UInt8], ofTwin: Bool = false) throws {
        guard let third else { preconditionFailure("there is no third reader") }
        try third.setChannel(bytes, of: ofTwin ? 1 : 0)
    }

    /// How often a card in the third reader or its twin was powered up or down, or reset.
    package func thirdReaderPowerActions() throws -> Int {
        guard let third else { preconditionFailure("there is no third reader") }
        return try third.powerActions()
    }

    /// Ends the daemon as a crash would; ended already, does nothing.
    package func stop() {
        input.closeWriting()
        shell.end(said: "the daemon was told to end")
    }

    /// The first of six neighbouring ports that nobody listens on, below those that the kernel hands out: each device of
    /// the driver takes two.
    package static func freePorts() throws -> UInt16 {
        for _ in 0..<100 {
            let port = UInt16.random(in: 20_000..<30_000)
            if (port..<port + 6).allSatisfy(isFree) { return port }
        }
        throw StartFailure(description: "no six neighbouring ports are free")
    }

    struct StartFailure: Error, CustomStringConvertible {
        let description: String
    }

    /// What the daemon says, until it is ready or has ended.
    private func readiness() -> [UInt8] {
        let patience = Patience()
        var said: [UInt8] = []
        while said.count < Self.ready.count {
            guard patience.awaitInput(of: output.reading) else {
                shell.giveUp("pcscd's readiness", said: String(decoding: said, as: UTF8.self))
                break
            }
            var more = [UInt8](repeating: 0, count: Self.ready.count - said.count)
            let count = unsafe read(output.reading, &more, more.count)
            if count == 0 { break }
            said += more.prefix(max(0, count))
        }
        return said
    }

    /// pcscd says that it is ready a little before its socket is there. Nothing more comes from its output, which ends
    /// with it.
    private func waitForSocket() throws {
        var waited = pollfd(fd: output.reading, events: Int16(POLLIN), revents: 0)
        for _ in 0..<1_000 {
            do throws(CardFault) {
                try PCSCReader(name: "none of this name").connect()
            } catch {
                if !"\(error)".contains("SCardEstablishContext") { return }
            }
            if unsafe poll(&waited, 1, 5) != 0 { break }
        }
        throw StartFailure(description: "pcscd ended as soon as it had started")
    }

    /// The daemon ends when standard input closes, and so with this process, however that ends. A daemon that ends by itself
    /// is seen too: nothing else holds the output.
    private static let script = """
        if [[ ! -d /run/pcscd ]]; then mount -t tmpfs tmpfs /run && mkdir /run/pcscd || exit 1; fi
        mount --bind "$1/run" /run/pcscd || exit 1
        pcscd --foreground --info --config "$1/readers" < /dev/null 2>&1 \\
            > >(sed -u -n 's/.*daemon ready.*/+/p') &
        daemon=$!
        exec > /dev/null
        read -r _
        { kill -KILL $daemon; wait $daemon; } 2> /dev/null
        rm -rf "$1"
        """

    private static var namespace: [String] {
        ["/usr/bin/unshare", "--mount"] + (getuid() == 0 ? [] : ["--map-root-user"])
    }

    package static let isRequired =
        (ProcessInfo.processInfo.environment["GREYLOCK_REQUIRE"] ?? "")
        .split { $0 == ":" || $0 == "," }.contains("pcscd")

    private static let isInstalled =
        FileManager.default.isExecutableFile(atPath: "/usr/sbin/pcscd")
        && FileManager.default.fileExists(atPath: driver)

    private static let hasNamespaces: Bool = {
        do {
            return try Run(command: namespace + ["true"]).status == 0
        } catch {
            return false
        }
    }()

    /// - Returns: the driver of the third reader.
    private static func configure(
        port: UInt16?,
        device: String,
        third: String?,
        hasTwin: Bool
    ) throws -> FailingDriver? {
        let files = FileManager.default
        if files.fileExists(atPath: folder) { try files.removeItem(atPath: folder) }
        try files.createDirectory(atPath: "\(folder)/run", withIntermediateDirectories: true)
        try files.createDirectory(atPath: "\(folder)/readers", withIntermediateDirectories: true)
        guard let port else { return nil }
        let failing = try third.map { _ in try FailingDriver(copying: driver, in: folder) }
        var readers = reader(device, port: port, driver: driver)
        if let third, let failing {
            for port in hasTwin ? [port + 2, port + 4] : [port + 2] {
                readers += reader(third, port: port, driver: failing.library)
            }
        }
        try readers.write(toFile: "\(folder)/readers/virtual", atomically: false, encoding: .utf8)
        return failing
    }

    private static func reader(_ name: String, port: UInt16, driver: String) -> String {
        """
        FRIENDLYNAME "\(name)"
        DEVICENAME /dev/null:\(port)
        LIBPATH \(driver)
        CHANNELID \(port)

        """
    }

    private static func isFree(_ port: UInt16) -> Bool {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        return unsafe withUnsafePointer(to: &address) { address in
            // SAFETY: an address of the IPv4 family is passed as any address, with its own length.
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe bind(socket, address, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
