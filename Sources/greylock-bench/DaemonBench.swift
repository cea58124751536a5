import Glibc
import Metering
import Parameters
import Station

/// Start time and resident memory of `greylockd` and of the same service with virtual edges, and the size of `greylockd`, against
/// the limits 20 ms, 10 MB and 12 MB, what a hundred keys add to the start against 10 ms, and beside the least service in Swift, which takes turns with them.
///
/// `greylockd` serves with the kernel's GPIO lines alone, and no machine that builds has any: it is measured to where all but
/// they are there, its journal opened and recovered, and READY=1 said.
enum DaemonBench {
    private static let starts = 11
    private static let keysHeld = 100
    private static let waitsForLines = "the pump's lines are waited for"
    private static let peerName = "minimal Swift service"
    private static let opening = "SHA-256 of the program's file, and opening the journal, take most of it"
    private static let pages = "all but 3 MB are unchanged pages of the program and its libraries"

    /// Of the starts of one program.
    private struct Starts {
        var nanoseconds: [UInt64] = []
        var residentKilobytes: [UInt64] = []

        var milliseconds: Double { median(nanoseconds) / 1_000_000 }
        var megabytes: Double { median(residentKilobytes) / 1_000 }

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
        let names = ["greylockd start", "greylockd resident", "greylockd size", "greylock run"]
        for needed in [daemon, program, peer] where unsafe access(needed, X_OK) != 0 {
            return names.map { .notMeasured(name: $0, why: "no \(needed)") }
        }
        do {
            let folder = try TemporaryFolder("greylock-bench")
            defer { folder.remove() }
            let noLines =
                "kind = \"gpio\"\n"
                + #"gpio = { chip = "no such chip", a = 0, b = 1, nozzle = 2, motor = 3, main_valve = 4 }"#
            let daemonFile = try configuration("greylockd", pump: noLines, in: folder)
            let unarmedFile = try configuration("unarmed", pump: noLines, pin: "terminal", in: folder)
            let armedFile = try configuration(
                "armed",
                pump: noLines,
                pin: "terminal",
                keys: try ArmedTerminal(in: folder.path, keys: keysHeld).settings,
                in: folder
            )
            let programFile = try configuration("greylock", pump: #"kind = "simulated""#, in: folder)
            var ofDaemon = Starts()
            var (ofUnarmed, ofArmed) = (Starts(), Starts())
            var ofProgram = Starts()
            var ofPeer = Starts()
            for _ in 0..<starts {
                ofDaemon.add(try start([daemon, "--config", daemonFile], until: waitsForLines))
                ofUnarmed.add(try start([daemon, "--config", unarmedFile], until: waitsForLines, isAtTerminal: true))
                ofArmed.add(try start([daemon, "--config", armedFile], until: waitsForLines, isAtTerminal: true))
                // The side's first words come after it; then nothing moves.
                ofProgram.add(
                    try start([program, "run", "--config", programFile], until: "ready position=1", linesAfter: 1)
                )
                ofPeer.add(try start([peer, folder.path + "/peer.sqlite"], until: "ready"))
            }
            let sizes = (ours: try size(of: daemon), theirs: try size(of: peer))
            var results: [BenchResult] = [
                .notMeasured(
                    name: "greylockd start to ready",
                    why: "needs GPIO lines; below, to where it waits for them"
                )
            ]
            results += rows(
                "greylockd start, waits for lines",
                "ms",
                ofDaemon.milliseconds,
                ofPeer.milliseconds,
                limit: 20,
                because: opening
            )
            results.append(
                .figure(
                    name: "greylockd start, \(keysHeld) keys more",
                    value: ofArmed.milliseconds - ofUnarmed.milliseconds,
                    unit: "ms",
                    reference: 10,
                    of: "limit",
                    atMost: 1
                )
            )
            results += rows(
                "greylockd resident, waits",
                "MB",
                ofDaemon.megabytes,
                ofPeer.megabytes,
                limit: 10,
                because: pages
            )
            results += rows(
                "greylock run start to ready",
                "ms",
                ofProgram.milliseconds,
                ofPeer.milliseconds,
                limit: 20,
                because: opening
            )
            results += rows(
                "greylock run resident, idle",
                "MB",
                ofProgram.megabytes,
                ofPeer.megabytes,
                limit: 10,
                because: pages
            )
            return results + rows("greylockd size", "MB", sizes.ours / 1_000_000, sizes.theirs / 1_000_000, limit: 12)
        } catch {
            return names.map { .notMeasured(name: $0, why: "\(error)") }
        }
    }

    /// One figure beside its limit, and beside the peer.
    private static func rows(
        _ name: String,
        _ unit: String,
        _ value: Double,
        _ peer: Double,
        limit: Double,
        because: String = ""
    ) -> [BenchResult] {
        [
            .figure(
                name: name,
                value: value,
                unit: unit,
                reference: limit,
                of: "limit",
                atMost: 1,
                because: because
            ),
            .figure(name: name, value: value, unit: unit, reference: peer, of: peerName, atMost: nil),
        ]
    }

    /// Idle: no reader, no card.
    ///
    /// - Returns: the path of the settings.
    private static func configuration(
        _ program: String,
        pump: String,
        pin: String = "fixed",
        keys: String = "demonstration = true",
        in folder: TemporaryFolder
    ) throws -> String {
        let path = "\(folder.path)/\(program).toml"
        let text = """
            \(keys)
            terminal = { id = "\(ArmedTerminal.id)" }
            journal = { path = "\(folder.path)/\(program).sqlite" }
            parameters = { path = "\(folder.path)/\(program)-parameters" }
            [side.1]
            card = { kind = "pcsc", reader = "no such reader" }
            pin = { kind = "\(pin)" }
            [side.1.pump]
            nozzle = 1
            grade = "92"
            price = 785
            \(pump)
            """
        try write(text, to: path)
        try Service.configuration(at: path).sealMeters(.demonstration)
        return path
    }

    /// - Parameters:
    ///   - words: the first line that has them ends the time.
    ///   - linesAfter: what the program still says before it is idle.
    private static func start(
        _ command: [String],
        until words: String,
        linesAfter: Int = 0,
        isAtTerminal: Bool = false
    ) throws -> (nanoseconds: UInt64, residentKilobytes: UInt64) {
        let start = benchClock()
        guard let child = ChildProcess(command, reading: STDERR_FILENO, isAtTerminal: isAtTerminal) else {
            throw PeerFault("\(command[0]) does not start")
        }
        defer { child.stop() }
        while let line = child.line() {
            guard line.contains(words) else { continue }
            let time = benchClock() - start
            for _ in 0..<linesAfter { _ = child.line() }
            return (time, try residentKilobytes(child.id))
        }
        throw PeerFault("\(command[0]) did not say: \(words)")
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
