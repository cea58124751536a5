import Files
import Foundation
import Station
import Synchronization
import Threads
import Words

/// One file of a support archive: only masked text gets in.
struct ReportSection {
    let name: String
    var lines: [MaskedText] = []
    /// What could not be had.
    var problems: [MaskedText] = []

    init(_ name: String) { self.name = name }

    mutating func add(_ line: MaskedText) { lines.append(line) }

    /// What another program printed.
    mutating func add(_ output: OtherProgram.Output) {
        switch output {
        case .printed(let text):
            for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
                add(MaskedText(masking: String(line)))
            }
        case .failed(let reason): problems.append(MaskedText(masking: reason))
        }
    }

    /// With what is missing at its end.
    var text: MaskedText { MaskedText(lines: lines + problems.map { "not to be had: \($0)" }) }
}

/// All files, packed by tar.
struct SupportArchive {
    let name: String
    let sections: [ReportSection]

    init(name: String, _ sections: [ReportSection]) {
        self.name = name
        var contents = ReportSection("CONTENTS.txt")
        contents.add("A support archive of greylock \(Release.version).")
        contents.add(
            "No key was read. Numbers of four digits or more in texts, card numbers and what looks like a key are masked."
        )
        contents.add("")
        for section in sections {
            let missing: MaskedText = section.problems.isEmpty ? "" : ", not whole"
            contents.add("\(MaskedText(masking: section.name)): \(section.lines.count) lines\(missing)")
        }
        self.sections = [contents] + sections
    }

    /// - Throws: when there is no room for it, or no tar.
    func packed() throws(ServiceFailure) -> [UInt8] {
        let folder: TemporaryFolder
        do { folder = try TemporaryFolder("greylock-report") } catch {
            throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: "\(error)")
        }
        defer { folder.remove() }
        do throws(FileFault) {
            for section in sections {
                try WholeFile.create("\(folder.path)/\(section.name)", with: Array(section.text.text.utf8))
            }
        } catch {
            throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: error.reason)
        }
        let arguments = [
            "tar", "--create", "--gzip", "--directory", folder.path, "--owner=0", "--group=0", "--sort=name",
            "--mode=u=rw,go=r", "--transform", "s,^,\(name)/,",
        ]
        switch OtherProgram.bytes(arguments + sections.map(\.name)) {
        case .success(let bytes): return Array(bytes)
        case .failure(let failed):
            throw ServiceFailure(exitStatus: ServiceFailure.unavailable, reason: failed.reason)
        }
    }
}

/// A program of the system, which is asked and printed something or not.
enum OtherProgram {
    struct Failed: Error {
        let reason: String
    }

    enum Output {
        case printed(String)
        case failed(String)
    }

    private static let secondsMax = 30
    private static let bytesMax = 16 << 20
    /// Of `timeout` and `env`.
    private static let (tookTooLong, notThere): (Int32, Int32) = (124, 127)

    static func run(
        _ command: [String],
        orStatus fine: Set<Int32> = [],
        within seconds: Int = secondsMax
    ) -> Output {
        switch bytes(command, orStatus: fine, within: seconds) {
        case .success(let data): .printed(String(decoding: data, as: UTF8.self))
        case .failure(let failed): .failed(failed.reason)
        }
    }

    /// What it prints to standard output. Blocks for so long as it takes, at most `seconds`.
    ///
    /// - Parameter fine: of exit statuses, those that are no failure either.
    static func bytes(
        _ command: [String],
        orStatus fine: Set<Int32> = [],
        within seconds: Int = secondsMax
    ) -> Result<Data, Failed> {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["LC_ALL=C.UTF-8", "timeout", "--kill-after=1", "\(seconds)"] + command
        let (output, errors) = (Pipe(), Pipe())
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        let said = SaidText()
        var printed = Data()
        do {
            try process.run()
            let thread = NamedThread("errors") { said.read(errors.fileHandleForReading) }
            while printed.count < bytesMax, let part = try output.fileHandleForReading.read(upToCount: 1 << 16),
                !part.isEmpty
            {
                printed += part
            }
            if printed.count >= bytesMax { process.terminate() }
            process.waitUntilExit()
            thread.join()
        } catch {
            return .failure(Failed(reason: "\(command[0]) cannot be started: \(error)"))
        }
        let words = String(decoding: said.data, as: UTF8.self).split(separator: "\n").first.map { ": \($0)" } ?? ""
        switch process.terminationStatus {
        case let status where status == 0 || fine.contains(status): return .success(printed)
        case tookTooLong: return .failure(Failed(reason: "\(command[0]) did not answer within \(seconds) s"))
        case notThere: return .failure(Failed(reason: "\(command[0]) is not there"))
        case let status:
            return .failure(Failed(reason: "\(command.prefix(2).joined(separator: " ")) ended with \(status)\(words)"))
        }
    }
}

/// What comes on a second pipe meanwhile, so that nobody waits for a full one.
private final class SaidText: Sendable {
    private let bytes = Mutex(Data())

    var data: Data { bytes.withLock { $0 } }

    func read(_ handle: FileHandle) {
        do {
            while let part = try handle.read(upToCount: 1 << 12), !part.isEmpty { bytes.withLock { $0 += part } }
        } catch {}
    }
}
