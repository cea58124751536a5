import Foundation
import Glibc
import Simulation

/// Makes edits one after the other, and prints a line of each: number, edit, verdict, words.
struct Worker {
    private let seed: UInt64
    private let folder = "/dev/shm/journal-edits-\(getpid())"
    private static let secondsMax: UInt32 = 600

    init(seed: UInt64) { self.seed = seed }

    func run(_ edits: Range<Int>) throws {
        // One that hangs is one that crashed.
        alarm(Self.secondsMax)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { remove() }
        let path = folder + "/journal.db"
        let history = try History(path)
        let references = try References(history, path)
        for edit in edits {
            var numbers = SplitMix64(state: seed &* 1_000_003 &+ UInt64(edit))
            let kind = Edit.allCases[edit % Edit.allCases.count]
            let done = try kind.apply(path, history.files, &numbers)
            say("\(edit)\tdoes\t\(kind.rawValue): \(done.debugDescription)")
            let (verdict, words) = references.judge(Start(path))
            say("\(edit)\t\(verdict.rawValue)\t\(words.debugDescription)")
        }
    }

    /// At once: the next edit may be the last.
    private func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

    private func remove() {
        do {
            try FileManager.default.removeItem(atPath: folder)
        } catch {
            fatalError("files stay behind: \(error)")
        }
    }
}

/// Runs workers, and counts.
struct Count {
    let edits: Int
    let seed: Int

    func run() throws -> Int32 {
        var verdicts: [Verdict: Int] = [:]
        var byKind: [String: Int] = [:]
        var worst: [String] = []
        var next = 0
        while next < edits {
            let (lines, isWhole, id) = try work(from: next)
            var doing = ""
            for line in lines {
                let parts = line.split(separator: "\t", maxSplits: 2).map(String.init)
                guard parts.count == 3, let number = Int(parts[0]) else { continue }
                guard let verdict = Verdict(rawValue: parts[1]) else {
                    doing = parts[2]
                    continue
                }
                next = number + 1
                verdicts[verdict, default: 0] += 1
                byKind["\(Edit.allCases[number % Edit.allCases.count].rawValue): \(verdict.rawValue)", default: 0] += 1
                if !verdict.isAllowed { worst.append("\(number) \(doing): \(verdict.words): \(parts[2])") }
            }
            if isWhole { continue }
            try remove("/dev/shm/journal-edits-\(id)")
            verdicts[.crashed, default: 0] += 1
            worst.append("\(next) \(doing): \(Verdict.crashed.words)")
            next += 1
        }
        for verdict in Verdict.allCases {
            if let count = verdicts[verdict] { print("\(count)\t\(verdict.words)") }
        }
        if edits >= 1_000 {
            for (kind, count) in byKind.sorted(by: { $0.key < $1.key }) { print("  \(count)\t\(kind)") }
        }
        for line in worst.prefix(20) { print(line) }
        return worst.isEmpty ? 0 : 1
    }

    private func remove(_ folder: String) throws {
        guard FileManager.default.fileExists(atPath: folder) else { return }
        try FileManager.default.removeItem(atPath: folder)
    }

    private func work(from first: Int) throws -> (lines: [String], isWhole: Bool, id: pid_t) {
        let process = Process()
        let said = Pipe()
        process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = ["\(seed)", "\(first)", "\(min(edits, first + 1_000))"]
        process.standardOutput = said
        process.environment = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
        try process.run()
        let bytes = said.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        let isWhole = process.terminationReason == .exit && process.terminationStatus == 0
        return (lines, isWhole, process.processIdentifier)
    }
}
