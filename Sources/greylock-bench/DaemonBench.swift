import Glibc
import Station

/// Start time and resident memory of the service with virtual edges, and the size of `greylockd`, against the limits 20 ms,
/// 10 MB and 12 MB, and beside the least service in Swift, which takes turns with it.
enum DaemonBench {
    private static let starts = 11
    private static let peerName = "minimal Swift service"

    /// Of the starts of one program.
    private struct Starts {
        var nanoseconds: [UInt64] = []
        var residentKilobytes: [UInt64] = []

        mutating func add(_ once: (nanoseconds: UInt64, residentKilobytes: UInt64)) {
            nanoseconds.append(once.nanoseconds)
            residentKilobytes.append(once.residentKilobytes)
        }
    }

    /// - Parameters:
    ///   - programs: the folder of `greylockd` and `greylock`.
    ///   - peer: the path of `minimal-service`.
    static func run(programs: String, peer: String) -> [BenchResult] {
        let daemon = programs + "/greylockd"
        let program = programs + "/greylock"
        let names = ["greylock run start to ready", "greylock run resident, idle", "greylockd size"]
        for needed in [daemon, program, peer] where unsafe access(needed, X_OK) != 0 {
            return names.map { .notMeasured(name: $0, why: "no \(needed)") }
        }
        do {
            let folder = try TemporaryFolder("greylock-bench")
            defer { folder.remove() }
            let configuration = folder.path + "/greylock.toml"
            try write(settings(folder.path), to: configuration)
            var ours = Starts()
            var theirs = Starts()
            for _ in 0..<starts {
                // The side's first words come after it; then nothing moves.
                ours.add(try start([program, "run", "--config", configuration], linesAfterReady: 1))
                theirs.add(try start([peer, folder.path + "/peer.sqlite"], linesAfterReady: 0))
            }
            let pages = "all but 3 MB are unchanged pages of the program and its libraries"
            let measured: [(value: Double, peer: Double, unit: String, limit: Double, because: String)] = [
                (median(ours.nanoseconds) / 1_000_000, median(theirs.nanoseconds) / 1_000_000, "ms", 20, ""),
                (median(ours.residentKilobytes) / 1_000, median(theirs.residentKilobytes) / 1_000, "MB", 10, pages),
                (try size(of: daemon) / 1_000_000, try size(of: peer) / 1_000_000, "MB", 12, ""),
            ]
            return zip(names, measured).flatMap { name, row -> [BenchResult] in
                [
                    .figure(
                        name: name,
                        value: row.value,
                        unit: row.unit,
                        reference: row.limit,
                        of: "limit",
                        atMost: 1,
                        because: row.because
                    ),
                    .figure(
                        name: name,
                        value: row.value,
                        unit: row.unit,
                        reference: row.peer,
                        of: peerName,
                        atMost: nil
                    ),
                ]
            }
        } catch {
            return names.map { .notMeasured(name: $0, why: "\(error)") }
        }
    }

    /// Idle: no reader, no card.
    private static func settings(_ folder: String) -> String {
        """
        demonstration = true
        terminal = { id = "001122334455" }
        journal = { path = "\(folder)/journal.sqlite" }
        [side.1]
        card = { kind = "pcsc", reader = "no such reader" }
        pin = { kind = "fixed" }
        [side.1.pump]
        kind = "simulated"
        nozzle = 1
        grade = "92"
        price = 785
        pulses_per_litre = 100
        channels = 2
        security = "alarm"
        """
    }

    /// - Parameter linesAfterReady: what the program still says before it is idle.
    private static func start(
        _ command: [String],
        linesAfterReady: Int
    ) throws -> (nanoseconds: UInt64, residentKilobytes: UInt64) {
        let start = benchClock()
        guard let child = ChildProcess(command, reading: STDERR_FILENO) else {
            throw PeerFault("\(command[0]) does not start")
        }
        defer { child.stop() }
        while let line = child.line() {
            guard line.contains(" ready") || line.contains(">ready") || line == "ready" else { continue }
            let time = benchClock() - start
            for _ in 0..<linesAfterReady { _ = child.line() }
            return (time, try residentKilobytes(child.id))
        }
        throw PeerFault("\(command[0]) did not say that it is ready")
    }

    private static func residentKilobytes(_ process: pid_t) throws -> UInt64 {
        let path = "/proc/\(process)/status"
        let line = try read(path).split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        let words = line?.split { $0 == " " || $0 == "\t" } ?? []
        guard words.count == 3, let kilobytes = UInt64(words[1]) else { throw PeerFault("\(path) has no VmRSS") }
        return kilobytes
    }

    private static func size(of path: String) throws -> Double {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { throw FileError(description: "\(path) cannot be read") }
        return Double(status.st_size)
    }
}

private struct FileError: Error, CustomStringConvertible {
    let description: String
}

private func write(_ text: String, to path: String) throws {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw FileError(description: "\(path) cannot be written") }
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    guard unsafe Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
        throw FileError(description: "\(path) cannot be written")
    }
}

private func read(_ path: String) throws -> String {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError(description: "\(path) cannot be read") }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 16_384)
    let count = unsafe Glibc.read(descriptor, &bytes, bytes.count)
    guard count > 0 else { throw FileError(description: "\(path) cannot be read") }
    return String(decoding: bytes.prefix(count), as: UTF8.self)
}
