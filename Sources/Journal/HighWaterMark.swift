import Glibc
import Records

// The high-water mark of a journal's numbers (spec/grey-lock.md, D32; decision record 0018).
//
// Invariants:
// - A number is in the journal, synced, before it is in the mark, synced, before it leaves. So no cut of the mains leaves
//   the journal behind its mark: only an older file in its place is.
// - One of the two slots is being written, at most; the other is whole.

/// A file outside the journal, best on another medium, that holds which journal it belongs to, the highest number that
/// left, and how many commits there had been.
struct HighWaterMark: Sendable {
    struct Content: Equatable, Sendable {
        var identity: String
        var highest: UInt32
        var commits: Int64
    }

    enum Reading: Equatable, Sendable {
        case content(Content)
        case missing
        /// In words.
        case unreadable(String)
    }

    fileprivate struct Slot {
        static let sequenceEnd: UInt64 = 1 << 60

        var content: Content
        var sequence: UInt64
    }

    let path: String

    /// Blocks of their own, so that the writing of one cannot tear the other.
    private static let slotLength = 4_096
    private static let length = 2 * slotLength
    fileprivate static let textMax = 128
    fileprivate static let name = "greylock-mark"

    static func path(of journal: String) -> String { journal + "-mark" }

    func read() -> Reading {
        guard unsafe access(path, F_OK) == 0 || errno != ENOENT else { return .missing }
        do throws(StorageFault) {
            guard let newest = try slots().max(by: { $0.sequence < $1.sequence }) else {
                return .unreadable("\(path) is no mark of a journal, or damaged")
            }
            return .content(newest.content)
        } catch {
            return .unreadable(error.reason)
        }
    }

    /// nil where it cannot be read.
    var content: Content? {
        switch read() {
        case .content(let content): content
        case .missing, .unreadable: nil
        }
    }

    /// On disk when this returns.
    ///
    /// - Throws: `StorageFault` also when the file has gone: another would be made in the place where its medium is mounted.
    func write(_ content: Content) throws(StorageFault) {
        guard unsafe access(path, F_OK) == 0 || errno != ENOENT else {
            throw StorageFault(operation: "write the mark", reason: "\(path) has gone: is its medium mounted?")
        }
        try write(Slot(content: content, sequence: try lastSequence() + 1), flags: 0)
    }

    /// - Throws: `StorageFault` when something stands there that is no mark and not empty.
    func requireReplaceable() throws(StorageFault) {
        guard unsafe access(path, F_OK) == 0 || errno != ENOENT else { return }
        let bytes = try contents(Self.length + 1)
        let name = Array(Self.name.utf8)
        let isMark = [0, Self.slotLength].contains { bytes.dropFirst($0).starts(with: name) }
        guard bytes.count <= Self.length, isMark || bytes.allSatisfy({ $0 == 0 }) else {
            throw StorageFault(
                operation: "write the mark",
                reason: "\(path) is something else: name another file in the setting mark, or remove it"
            )
        }
    }

    /// Makes the file anew, if it is none of something else.
    func create(_ content: Content) throws(StorageFault) {
        try requireReplaceable()
        let sequence: UInt64 =
            switch read() {
            case .content: try lastSequence()
            case .missing, .unreadable: 0
            }
        // Both, so that later writes need no space.
        for next in [sequence + 1, sequence + 2] {
            try write(Slot(content: content, sequence: next), flags: O_CREAT)
        }
        do throws(StorageFault) {
            try JournalFile.synchronizeDirectory(of: path)
        } catch {
            throw fault(error)
        }
    }

    private func slots() throws(StorageFault) -> [Slot] {
        let bytes = try contents(Self.length)
        return [0, Self.slotLength].compactMap { Slot(parsing: bytes.dropFirst($0).prefix(Self.textMax)) }
    }

    /// So that it and the next one can be written: a sequence beyond is none that the service reached.
    private func lastSequence() throws(StorageFault) -> UInt64 {
        let last = try slots().map(\.sequence).max() ?? 0
        guard last < Slot.sequenceEnd - 2 else {
            throw StorageFault(operation: "write the mark", reason: "\(path) has no sequence left: remove it")
        }
        return last
    }

    /// The first bytes of the file.
    private func contents(_ count: Int) throws(StorageFault) -> [UInt8] {
        let descriptor = try open(O_RDONLY)
        defer { JournalLock.close(descriptor) }
        do throws(StorageFault) {
            return try Journal.bytes(of: descriptor, count: count)
        } catch {
            throw fault(error)
        }
    }

    /// A pipe without a writer, which would be waited for, is refused as all that is no regular file.
    private func open(_ flags: Int32) throws(StorageFault) -> Int32 {
        let descriptor = unsafe Glibc.open(path, flags | O_NONBLOCK | O_CLOEXEC, JournalFile.mode)
        var status = stat()
        if descriptor < 0, errno != ENXIO { throw fault(.system("open the mark")) }
        guard descriptor >= 0, unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            if descriptor >= 0 { _ = close(descriptor) }
            throw StorageFault(
                operation: "open the mark",
                reason: "\(path) is no regular file: name another in the setting mark"
            )
        }
        return descriptor
    }

    private func write(_ slot: Slot, flags: Int32) throws(StorageFault) {
        let descriptor = try open(O_WRONLY | flags)
        defer { JournalLock.close(descriptor) }
        let bytes = slot.bytes(Self.textMax)
        let offset = off_t(Int(slot.sequence % 2) * Self.slotLength)
        guard unsafe pwrite(descriptor, bytes, bytes.count, offset) == bytes.count, fsync(descriptor) == 0 else {
            throw fault(.system("write the mark"))
        }
    }

    private func fault(_ fault: StorageFault) -> StorageFault {
        StorageFault(operation: fault.operation, reason: "\(path): \(fault.reason)")
    }
}

extension HighWaterMark.Slot {
    /// "greylock-mark 1 IDENTITY HIGHEST COMMITS SEQUENCE CHECK", with a line's end and zeros after it.
    fileprivate init?(parsing bytes: some Sequence<UInt8>) {
        let line = bytes.prefix { $0 != UInt8(ascii: "\n") }
        let parts = line.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
        guard
            parts.count == 7, parts[0] == HighWaterMark.name, parts[1] == "1",
            Numbering.isIdentity(parts[2]), let highest = UInt32(parts[3]), highest <= Numbering.last,
            let commits = Int64(parts[4]), (0..<JournalState.commitsEnd).contains(commits),
            let sequence = UInt64(parts[5]), sequence < Self.sequenceEnd
        else { return nil }
        self.init(
            content: HighWaterMark.Content(identity: parts[2], highest: highest, commits: commits),
            sequence: sequence
        )
        guard text.utf8.elementsEqual(line) else { return nil }
    }

    fileprivate func bytes(_ length: Int) -> [UInt8] {
        let line = Array((text + "\n").utf8)
        precondition(line.count <= length)
        return line + Array(repeating: 0, count: length - line.count)
    }

    private var text: String {
        let said = "\(HighWaterMark.name) 1 \(content.identity) \(content.highest) \(content.commits) \(sequence)"
        return "\(said) \(Self.check(said))"
    }

    /// CRC-32 of ISO/IEC 3309.
    private static func check(_ text: String) -> UInt32 {
        var remainder = UInt32.max
        for byte in text.utf8 {
            remainder ^= UInt32(byte)
            for _ in 0..<8 { remainder = remainder & 1 == 0 ? remainder >> 1 : remainder >> 1 ^ 0xEDB8_8320 }
        }
        return ~remainder
    }
}
