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
    private let named: [Int]
    private var isLive = true

    /// - Parameters:
    ///   - folder: of its making; another one for a second chip of the same label.
    ///   - names: of lines, by their offsets.
    init(label: String, lineCount: Int = 8, folder: String? = nil, names: [Int: String] = [:]) throws {
        self.label = label
        self.lineCount = lineCount
        named = names.keys.sorted()
        self.folder = "\(Self.configuration)/\(folder ?? label)"
        let folder = self.folder
        try Self.make(folder)
        try Self.make("\(folder)/bank")
        try Self.write("\(lineCount)", to: "\(folder)/bank/num_lines")
        try Self.write(label, to: "\(folder)/bank/label")
        for (offset, name) in names {
            try Self.make("\(folder)/bank/line\(offset)")
            try Self.write(name, to: "\(folder)/bank/line\(offset)/name")
        }
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
        for offset in named { unsafe rmdir("\(folder)/bank/line\(offset)") }
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

/// A program of `board/bench`, compiled once for these tests.
enum BenchProgram {
    static let pulseSource = Result { try compile("pulse-source") }
    static let pulseReader = Result { try compile("pulse-reader", "-lgpiod") }

    private static func compile(_ name: String, _ libraries: String...) throws -> String {
        var root = URL(fileURLWithPath: #filePath)
        for _ in ["SimulatedChip.swift", "GPIOTests", "Tests"] { root.deleteLastPathComponent() }
        let program = FileManager.default.temporaryDirectory.appendingPathComponent("\(name)-\(getpid())").path
        let source = root.appendingPathComponent("board/bench/\(name).c").path
        let compiled = try Run(command: ["/usr/bin/env", "cc", "-O2", "-o", program, source] + libraries)
        guard compiled.status == 0 else {
            throw SimulatedChip.SystemFailure(call: "cc \(source)", code: compiled.status)
        }
        return program
    }
}

/// The program `board/bench/pulse-source.c`.
enum PulseSource {
    /// Turns the pulser on lines `a` and `b` of `chip`.
    static func turn(_ chip: SimulatedChip, a: Int, b: Int, cycles: Int, edgesPerSecond: Int) throws -> StartedProcess {
        let program = try BenchProgram.pulseSource.get()
        return try StartedProcess([program, chip.pullFile(a), chip.pullFile(b), "\(cycles)", "\(edgesPerSecond)"])
    }

    /// What came of a trace's pace.
    struct Played {
        let edges: Int
        let edgesPerSecond: Int
        let asked: Int
        /// How often the machine did not run the program for two steps.
        let stands: Int
        let latestNanoseconds: Int

        /// Whether the edges came as fast as they had to.
        var keptItsPace: Bool { edgesPerSecond * 100 >= asked * 98 }
    }

    /// Plays the trace on each chip's lines `a` and `b`, and returns when its last edge was driven.
    ///
    /// - Parameter meanwhile: a line of the shell, run beside it.
    static func play(
        _ trace: String,
        _ chips: [SimulatedChip],
        a: Int,
        b: Int,
        meanwhile: String = ":"
    ) throws -> Played {
        let lines = chips.flatMap { [$0.pullFile(a), $0.pullFile(b)] }
        let script = "(\(meanwhile)) & \"$@\"; status=$?; wait; exit $status"
        let run = try Run(script: script, [BenchProgram.pulseSource.get(), "--trace", trace] + lines)
        let numbers = run.output.split { !$0.isNumber }.compactMap { Int($0) }
        guard run.status == 0, numbers.count == 5 else {
            throw SimulatedChip.SystemFailure(call: "pulse-source: \(run.output)\(run.error)", code: run.status)
        }
        return Played(
            edges: numbers[0],
            edgesPerSecond: numbers[1],
            asked: numbers[2],
            stands: numbers[3],
            latestNanoseconds: numbers[4]
        )
    }
}
