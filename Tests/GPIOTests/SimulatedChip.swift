import Foundation
import Glibc
import TestPrograms

/// A GPIO chip of the kernel's gpio-sim, from its making to the end of the test that made it.
final class SimulatedChip {
    static let reasonToSkip =
        "no gpio-sim under \(configuration), or not root: board/vm has both; GREYLOCK_REQUIRE=gpio makes this a failure"

    /// False only where no chip can be made and none is required; where it is required, making it fails.
    static let isUsable = unsafe isRequired || (getuid() == 0 && access(configuration, W_OK) == 0)

    private static let configuration = "/sys/kernel/config/gpio-sim"
    private static let isRequired =
        (ProcessInfo.processInfo.environment["GREYLOCK_REQUIRE"] ?? "")
        .split { $0 == ":" || $0 == "," }.contains("gpio")

    /// As under `/dev`.
    let name: String
    let label: String
    let lineCount: Int
    private let device: String
    private let folder: String
    private var isLive = true

    /// - Parameter folder: of its making; another one for a second chip of the same label.
    init(label: String, lineCount: Int = 8, folder: String? = nil) throws {
        self.label = label
        self.lineCount = lineCount
        self.folder = "\(Self.configuration)/\(folder ?? label)"
        let folder = self.folder
        try Self.make(folder)
        try Self.make("\(folder)/bank")
        try Self.write("\(lineCount)", to: "\(folder)/bank/num_lines")
        try Self.write(label, to: "\(folder)/bank/label")
        try Self.write("1", to: "\(folder)/live")
        name = try Self.read("\(folder)/bank/chip_name")
        device = "/sys/devices/platform/\(try Self.read("\(folder)/dev_name"))/\(name)"
    }

    deinit {
        do {
            if isLive { try unplug() }
        } catch {
            preconditionFailure("the chip stays behind: \(error)")
        }
        unsafe rmdir("\(folder)/bank")
        unsafe rmdir(folder)
    }

    /// Takes the chip out of the kernel, whoever holds lines of it.
    func unplug() throws {
        try Self.write("0", to: "\(folder)/live")
        isLive = false
    }

    /// What pulls the line up or down when nobody drives it.
    func pullFile(_ offset: Int) -> String { "\(device)/sim_gpio\(offset)/pull" }

    func pull(_ offset: Int, up: Bool) throws {
        try Self.write(up ? "pull-up" : "pull-down", to: pullFile(offset))
    }

    /// The level of the line, whoever drives it.
    func level(_ offset: Int) throws -> Bool {
        try Self.read("\(device)/sim_gpio\(offset)/value") == "1"
    }

    func levels(_ offsets: [Int]) throws -> [Bool] { try offsets.map { try level($0) } }

    /// The chip with this label, made by another process.
    static func levels(ofLabel label: String, _ offsets: [Int]) throws -> [Bool] {
        let name = try read("\(configuration)/\(label)/bank/chip_name")
        let device = try read("\(configuration)/\(label)/dev_name")
        return try offsets.map { try read("/sys/devices/platform/\(device)/\(name)/sim_gpio\($0)/value") == "1" }
    }

    private static func make(_ folder: String) throws {
        guard unsafe mkdir(folder, 0o755) == 0 else { throw SystemFailure(call: "mkdir \(folder)", code: errno) }
    }

    /// Attributes take one write each, without truncation.
    private static func write(_ text: String, to path: String) throws {
        guard let file = FileHandle(forWritingAtPath: path) else {
            throw SystemFailure(call: "open \(path)", code: errno)
        }
        try file.write(contentsOf: Data(text.utf8))
        try file.close()
    }

    private static func read(_ path: String) throws -> String {
        try String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    struct SystemFailure: Error {
        let call: String
        let code: Int32
    }
}

/// The program `board/bench/pulse-source.c`.
enum PulseSource {
    private static let program: Result<String, any Error> = Result {
        var root = URL(fileURLWithPath: #filePath)
        for _ in ["SimulatedChip.swift", "GPIOTests", "Tests"] { root.deleteLastPathComponent() }
        let program = FileManager.default.temporaryDirectory.appendingPathComponent("pulse-source-\(getpid())").path
        let source = root.appendingPathComponent("board/bench/pulse-source.c").path
        let compiled = try Run(command: ["/usr/bin/env", "cc", "-O2", "-o", program, source])
        guard compiled.status == 0 else {
            throw SimulatedChip.SystemFailure(call: "cc \(source)", code: compiled.status)
        }
        return program
    }

    /// Turns the pulser on lines `a` and `b` of `chip`.
    static func turn(_ chip: SimulatedChip, a: Int, b: Int, cycles: Int, edgesPerSecond: Int) throws -> StartedProcess {
        try StartedProcess([program.get(), chip.pullFile(a), chip.pullFile(b), "\(cycles)", "\(edgesPerSecond)"])
    }
}
