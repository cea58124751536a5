private import CInspection
private import CardCryptography
import Foundation
private import Glibc

/// The writable memory of a process that is stopped: heap, stacks, data, anonymous and shared mappings.
package final class ProcessMemory {
    package struct Mapping {
        package let range: Range<UInt>
        package let name: String
        /// Of a mapped file, also where in it.
        package let fileOffset: UInt64
        package let isShared: Bool
        package let isLocked: Bool
        /// No core has it.
        package let isLeftOutOfDumps: Bool
        /// In kilobytes.
        package let swapped: Int
    }

    package struct Hit: CustomStringConvertible {
        package let secret: String
        package let isSchedule: Bool
        package let address: UInt
        package let mapping: Mapping
        package let isInArena: Bool

        package var description: String {
            "\(secret)\(isSchedule ? ", expanded," : "") at \(String(address, radix: 16)) in \(mapping.name)"
                + (isInArena ? ", the locked arena" : "")
        }
    }

    private static let pageBytes = 4_096
    /// No form of a secret is longer.
    private static let overlapBytes = 64

    package let mappings: [Mapping]
    /// libcrypto's secure heap: the one mapping of its size that is locked. It is gone when the last key is.
    package let arena: Range<UInt>?
    private let memory: Int32

    package init(of process: Int32) throws {
        mappings = try Self.mappings(of: process)
        let locked = mappings.filter { $0.isLocked && $0.range.count == LockedBuffer.arenaBytesMax }
        guard locked.count <= 1 else { throw MemoryFailure(description: "several mappings look like the arena") }
        arena = locked.first?.range
        memory = unsafe open("/proc/\(process)/mem", O_RDWR | O_CLOEXEC)
        guard memory >= 0 else { throw MemoryFailure(description: "/proc/\(process)/mem: \(errorText())") }
    }

    deinit { close(memory) }

    package static let reasonToSkip =
        "no CAP_SYS_PTRACE, which reading a service's memory needs; GREYLOCK_REQUIRE=pcscd makes this a failure"

    /// Whether this process may read the memory of one that forbids dumps, as the service does (capabilities(7)).
    package static let isReadable: Bool = {
        let ptrace: UInt64 = 1 << 19
        guard let status = FileManager.default.contents(atPath: "/proc/self/status") else { return false }
        let line = String(decoding: status, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("CapEff:") }
        guard let word = line?.split(separator: "\t").last, let set = UInt64(word, radix: 16) else { return false }
        return set & ptrace != 0
    }()

    /// Where any form of any of the secrets stands.
    ///
    /// The published demonstration keys are constants of the program, and some linkers lay constants among its data:
    /// what stands in a private mapping as in the file that is mapped is no hit.
    ///
    /// - Parameter inArena: looks there alone, which is quick.
    package func search(for secrets: [SecretPatterns], inArena: Bool = false) throws -> [Hit] {
        var hits: [Hit] = []
        for mapping in mappings where !inArena || mapping.range == arena {
            let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: mapping.range.count, alignment: 16)
            defer { unsafe bytes.deallocate() }
            try unsafe read(mapping, into: bytes)
            for run in unsafe Self.runs(of: UnsafeRawBufferPointer(bytes)) {
                for secret in secrets {
                    for (pattern, isSchedule) in secret.forms {
                        for offset in unsafe Self.offsets(of: pattern, in: UnsafeRawBufferPointer(bytes), run) {
                            let address = mapping.range.lowerBound + UInt(offset)
                            if try Self.isInFile(pattern, mapping, offset) { continue }
                            hits.append(
                                Hit(
                                    secret: secret.name,
                                    isSchedule: isSchedule,
                                    address: address,
                                    mapping: mapping,
                                    isInArena: arena?.contains(address) == true
                                )
                            )
                        }
                    }
                }
            }
        }
        return hits
    }

    package func bytes(at address: UInt, count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        guard unsafe pread(memory, &bytes, count, off_t(address)) == count else {
            throw MemoryFailure(description: "\(String(address, radix: 16)) cannot be read: \(errorText())")
        }
        return bytes
    }

    package func write(_ bytes: [UInt8], at address: UInt) throws {
        guard unsafe pwrite(memory, bytes, bytes.count, off_t(address)) == bytes.count else {
            throw MemoryFailure(description: "\(String(address, radix: 16)) cannot be written: \(errorText())")
        }
    }

    private static func isInFile(_ pattern: [UInt8], _ mapping: Mapping, _ offset: Int) throws -> Bool {
        guard !mapping.isShared, mapping.name.hasPrefix("/"),
            let file = FileHandle(forReadingAtPath: mapping.name)
        else { return false }
        try file.seek(toOffset: mapping.fileOffset + UInt64(offset))
        return try file.read(upToCount: pattern.count).map { Array($0) == pattern } == true
    }

    @unsafe
    private func read(_ mapping: Mapping, into bytes: UnsafeMutableRawBufferPointer) throws {
        var done = 0
        while done < bytes.count {
            let start = mapping.range.lowerBound + UInt(done)
            let count = unsafe pread(
                memory,
                bytes.baseAddress.map { unsafe $0 + done },
                bytes.count - done,
                off_t(start)
            )
            guard count > 0 else {
                throw MemoryFailure(description: "\(mapping.name) cannot be read: \(errorText())")
            }
            done += count
        }
    }

    /// What is worth a search: all but the pages of zeros, with enough around for a form that begins or ends in one.
    @unsafe
    private static func runs(of bytes: UnsafeRawBufferPointer) -> [Range<Int>] {
        guard let base = bytes.baseAddress else { return [] }
        var runs: [Range<Int>] = []
        for start in stride(from: 0, to: bytes.count, by: pageBytes) {
            let page = unsafe base + start
            if unsafe bytes[start] == 0 && memcmp(page, page + 1, pageBytes - 1) == 0 { continue }
            let lower = max(0, start - overlapBytes)
            let upper = min(bytes.count, start + pageBytes + overlapBytes)
            if let last = runs.last, last.upperBound >= lower {
                runs[runs.count - 1] = last.lowerBound..<upper
            } else {
                runs.append(lower..<upper)
            }
        }
        return runs
    }

    @unsafe
    private static func offsets(of pattern: [UInt8], in bytes: UnsafeRawBufferPointer, _ run: Range<Int>) -> [Int] {
        guard let base = bytes.baseAddress else { return [] }
        var offsets: [Int] = []
        var start = run.lowerBound
        while let found = unsafe greylock_find(base + start, run.upperBound - start, pattern, pattern.count) {
            let offset = unsafe found - base
            offsets.append(offset)
            start = offset + 1
        }
        return offsets
    }

    /// From `/proc/PID/smaps` (proc(5)): a line of address, permissions and name, then lines of which `VmFlags` is the
    /// last.
    private static func mappings(of process: pid_t) throws -> [Mapping] {
        guard let file = FileHandle(forReadingAtPath: "/proc/\(process)/smaps"), let data = try file.readToEnd() else {
            throw MemoryFailure(description: "/proc/\(process)/smaps cannot be read")
        }
        var mappings: [Mapping] = []
        var head: [Substring] = []
        var swapped = -1
        for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            guard line.hasPrefix("VmFlags:") else {
                if line.hasPrefix("Swap:"), words.count > 1 { swapped = Int(words[1]) ?? -1 }
                if let first = words.first, first.contains("-"), !first.contains(":") { head = words }
                continue
            }
            guard head.count >= 5, head[1].contains("w") else { continue }
            let ends = head[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard ends.count == 2, let fileOffset = UInt64(head[2], radix: 16) else {
                throw MemoryFailure(description: "smaps: \(head)")
            }
            mappings.append(
                Mapping(
                    range: ends[0]..<ends[1],
                    name: head.count > 5 ? head[5...].joined(separator: " ") : "anonymous memory",
                    fileOffset: fileOffset,
                    isShared: head[1].contains("s"),
                    isLocked: words.contains("lo"),
                    isLeftOutOfDumps: words.contains("dd"),
                    swapped: swapped
                )
            )
        }
        return mappings
    }
}

extension SecretPatterns {
    fileprivate var forms: [(bytes: [UInt8], isSchedule: Bool)] {
        plain.map { ($0, false) } + schedule.map { ($0, true) }
    }
}

package struct MemoryFailure: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }
}

package func errorText() -> String { unsafe String(cString: strerror(errno)) }
