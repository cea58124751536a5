import Glibc
import Terminal

/// Start time and resident memory of the service with virtual edges, and the size of `greylockd`, against the limits 50 ms,
/// 12 MB and 20 MB.
enum DaemonBench {
    private static let starts = 11

    static func run(programs: String) -> [BenchResult] {
        let daemon = programs + "/greylockd"
        let program = programs + "/greylock"
        let names = ["greylock run start to ready", "greylock run resident, idle", "greylockd size"]
        for needed in [daemon, program] where unsafe access(needed, X_OK) != 0 {
            return names.map { .notMeasured(name: $0, why: "no \(needed)") }
        }
        do {
            let folder = try TemporaryFolder("greylock-bench")
            defer { folder.remove() }
            let configuration = folder.path + "/greylock.toml"
            try write(settings(folder.path), to: configuration)
            var startTimes: [UInt64] = []
            var resident: [UInt64] = []
            for _ in 0..<starts {
                guard let (time, kilobytes) = try measureOnce(program, configuration) else {
                    return names.map { .notMeasured(name: $0, why: "the service did not say that it is ready") }
                }
                startTimes.append(time)
                resident.append(kilobytes)
            }
            return [
                .figure(
                    name: names[0],
                    value: median(startTimes) / 1_000_000,
                    unit: "ms",
                    reference: 20,
                    of: "limit",
                    atMost: 1
                ),
                .figure(
                    name: names[1],
                    value: median(resident) / 1_000,
                    unit: "MB",
                    reference: 10,
                    of: "limit",
                    atMost: 1,
                    because: "all but 3 MB are unchanged pages of the program and its libraries"
                ),
                .figure(
                    name: names[2],
                    value: size(of: daemon) / 1_000_000,
                    unit: "MB",
                    reference: 12,
                    of: "limit",
                    atMost: 1
                ),
            ]
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

    private static func measureOnce(_ program: String, _ configuration: String) throws -> (UInt64, UInt64)? {
        let start = benchClock()
        let command = [program, "run", "--config", configuration]
        guard let child = ChildProcess(command, reading: STDERR_FILENO) else { return nil }
        defer { child.stop() }
        while let line = child.line() {
            guard line.contains(" ready") || line.contains(">ready") else { continue }
            let time = benchClock() - start
            // The position's first words come after it; then nothing moves.
            _ = child.line()
            return try residentKilobytes(child.id).map { (time, $0) }
        }
        return nil
    }

    private static func residentKilobytes(_ process: pid_t) throws -> UInt64? {
        let lines = try read("/proc/\(process)/status").split(separator: "\n")
        let line = lines.first { $0.hasPrefix("VmRSS:") }
        return line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { UInt64($0) }
    }

    private static func size(of path: String) -> Double {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? Double(status.st_size) : 0
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
