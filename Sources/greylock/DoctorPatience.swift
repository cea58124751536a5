import Foundation
import Glibc
import Synchronization
import Threads

/// Work that may never end, awaited for a time. What does not end is left to a thread that ends with this program.
enum DoctorPatience {
    private final class Outcome<Value: Sendable>: Sendable {
        let value: Mutex<Value?> = Mutex(nil)
        let ended = MonotonicSemaphore()
    }

    /// - Returns: nil where it did not end in time.
    static func await<Value: Sendable>(
        seconds: UInt64,
        _ work: @escaping @Sendable () -> Value
    ) -> Value? {
        let outcome = Outcome<Value>()
        _ = NamedThread("doctor") {
            let value = work()
            outcome.value.withLock { $0 = value }
            outcome.ended.signal()
        }
        guard outcome.ended.wait(until: MonotonicClock.nanoseconds + seconds * 1_000_000_000) else { return nil }
        return outcome.value.withLock { $0 }
    }
}

/// What another program says.
enum ChildOutput {
    private final class Child: Sendable {
        let id = Mutex<pid_t?>(nil)
    }

    /// - Returns: nil where it does not end in time, or not well. One that does not end is killed and not awaited: it may stand in the
    ///   kernel, where no signal reaches it.
    static func of(_ program: String, _ arguments: [String], seconds: UInt64) -> String? {
        let child = Child()
        let said = DoctorPatience.await(seconds: seconds) { () -> String? in
            let process = Process()
            let output = Pipe()
            process.executableURL = URL(fileURLWithPath: program)
            process.arguments = arguments
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = output
            process.standardError = FileHandle.nullDevice
            do { try process.run() } catch { return nil }
            child.id.withLock { $0 = process.processIdentifier }
            let bytes = output.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            child.id.withLock { $0 = nil }
            return process.terminationStatus == 0 ? String(decoding: bytes, as: UTF8.self) : nil
        }
        if said == nil { child.id.withLock { id in if let id { kill(id, SIGKILL) } } }
        return said ?? nil
    }
}

/// What `systemctl show` says, as it says it (systemctl(1)).
struct SystemdProperties: Sendable {
    private static let secondsMax: UInt64 = 20

    private let values: [String: String]

    /// - Parameters:
    ///   - unit: nil for systemd itself.
    ///   - names: of properties; one that this systemd does not know is left out.
    /// - Returns: nil where it does not answer.
    init?(of unit: String?, _ names: [String]) {
        let arguments =
            ["show", "--no-pager", "--property=\(names.joined(separator: ","))"] + (unit.map { [$0] } ?? [])
        guard let text = ChildOutput.of("/usr/bin/systemctl", arguments, seconds: Self.secondsMax) else { return nil }
        var values: [String: String] = [:]
        for line in text.split(separator: "\n") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            let (name, value) = (String(line[..<equals]), String(line[line.index(after: equals)...]))
            // Some stand once for each value.
            values[name] = values[name].map { "\($0) \(value)" } ?? value
        }
        self.values = values
    }

    /// Whether systemd began this system (sd_booted(3)).
    static var isThere: Bool { unsafe access("/run/systemd/system", F_OK) == 0 }

    /// Empty for none.
    subscript(name: String) -> String { values[name] ?? "" }

    func number(_ name: String) -> Int? { self[name] == "infinity" ? .max : Int(self[name]) }

    /// Whether a span of time is set at all.
    func isOff(_ name: String) -> Bool { ["", "0", "infinity"].contains(self[name]) }
}
