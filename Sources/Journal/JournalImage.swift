import Dispenser
import GRDB
private import GRDBSQLite
import Glibc

// How a journal is looked at (decision record 0018). Source of the format: https://www.sqlite.org/fileformat2.html,
// section 4, "The Write-Ahead Log".

/// The pages of a journal as of one commit, in memory. Nothing is locked, written or made for it: a running service, a
/// read-only medium and the copy of a dead one are read in the same way.
///
/// The `-wal` file is read after the main file and holds every page that the writer may have moved meanwhile, unless the
/// writer began it anew; its header says so, and the reading begins again.
struct JournalImage: Sendable {
    /// What was read, to see whether there is something newer.
    private struct Source: Equatable {
        var file: [Int]
        var log: [UInt8]
    }

    private static let triesMax = 100
    /// More than any board's journal, and what a tool may take of its memory.
    private static let bytesMax = 4 << 30

    private let source: Source
    private let pages: [UInt8]

    init(path: String) throws(StorageFault) {
        try JournalFile.requireAccess(path, writing: false)
        for _ in 0..<Self.triesMax {
            let before = try Self.logBytes(path, count: WriteAheadLog.headerLength)
            let file = try Self.status(path)
            let main = try Self.contents(path)
            let log = try Self.logBytes(path, count: nil)
            let after = try Self.logBytes(path, count: WriteAheadLog.headerLength)
            guard before == after, log.prefix(before.count).elementsEqual(before) else { continue }
            let isLogged = !before.isEmpty
            let fileAfter = try Self.status(path)
            guard isLogged || file == fileAfter else { continue }
            source = Source(file: file, log: log)
            pages = Self.withoutLog(WriteAheadLog(log)?.applied(to: main) ?? main)
            return
        }
        throw StorageFault(operation: "open", reason: "the journal changes too fast to be read: try again")
    }

    /// Whether the files are still those that were read.
    func isPresent(at path: String) throws(StorageFault) -> Bool {
        let log = try Self.logBytes(path, count: nil)
        return try Source(file: Self.status(path), log: log) == source
    }

    /// Gives the connection these pages as its database. The corresponding C function is `sqlite3_deserialize`.
    func open(in db: Database) throws {
        guard !pages.isEmpty, let connection = unsafe db.sqliteConnection else { return }
        guard let copy = unsafe sqlite3_malloc64(UInt64(pages.count)) else {
            throw StorageFault(operation: "open", reason: "no memory for \(pages.count) bytes of the journal")
        }
        unsafe UnsafeMutableRawBufferPointer(start: copy, count: pages.count).copyBytes(from: pages)
        let flags = UInt32(SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_READONLY)
        let count = Int64(pages.count)
        // SAFETY: SQLite owns the copy from here on, also when the call fails.
        let code = unsafe sqlite3_deserialize(
            connection,
            "main",
            copy.assumingMemoryBound(to: UInt8.self),
            count,
            count,
            flags
        )
        guard code == SQLITE_OK else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
    }

    /// File format versions 1, "rollback journal": a database in memory has no log.
    private static func withoutLog(_ pages: [UInt8]) -> [UInt8] {
        var pages = pages
        for version in [18, 19] where pages.count > version && pages[version] == 2 { pages[version] = 1 }
        return pages
    }

    private static func status(_ path: String) throws(StorageFault) -> [Int] {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { throw .system("open") }
        return [
            Int(truncatingIfNeeded: status.st_ino), Int(status.st_size),
            status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec,
        ]
    }

    private static func contents(_ path: String) throws(StorageFault) -> [UInt8] {
        let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("open") }
        defer { JournalLock.close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .system("open") }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw StorageFault(operation: "open", reason: "the journal is not a regular file")
        }
        guard status.st_size <= bytesMax else {
            throw StorageFault(operation: "open", reason: "the journal is larger than \(bytesMax) bytes")
        }
        return try bytes(of: descriptor, count: Int(status.st_size))
    }

    /// The first `count` bytes of the `-wal` file; empty when there is none.
    private static func logBytes(_ path: String, count: Int?) throws(StorageFault) -> [UInt8] {
        let descriptor = unsafe Glibc.open(path + "-wal", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            guard errno == ENOENT else { throw .system("open the -wal file") }
            return []
        }
        defer { _ = Glibc.close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .system("open the -wal file") }
        let size = Int(min(status.st_size, off_t(bytesMax)))
        return try bytes(of: descriptor, count: min(size, count ?? size))
    }
}

/// The committed pages of a `-wal` file: a frame counts with the salts of its file and a checksum over all before it, up
/// to the last frame that ends a transaction.
struct WriteAheadLog {
    static let headerLength = 32
    private static let frameHeaderLength = 24
    private static let magic: UInt32 = 0x377F_0682
    private static let version: UInt32 = 3_007_000

    private let bytes: [UInt8]
    private let pageLength: Int
    /// The words of a checksum are big-endian.
    private let isBigEndian: Bool

    /// nil for an empty log, and one whose header was not written to its end: it has no transaction.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= Self.headerLength else { return nil }
        let magic = Self.word(bytes, 0)
        guard magic & ~1 == Self.magic, Self.word(bytes, 4) == Self.version else { return nil }
        let pageLength = Int(Self.word(bytes, 8))
        guard (512...65_536).contains(pageLength), pageLength.nonzeroBitCount == 1 else { return nil }
        self.bytes = bytes
        self.pageLength = pageLength
        isBigEndian = magic & 1 == 1
        var sum = Checksum()
        sum.add(bytes, 0..<24, isBigEndian: isBigEndian)
        guard sum == Checksum(Self.word(bytes, 24), Self.word(bytes, 28)) else { return nil }
    }

    /// The database with every committed page.
    func applied(to database: [UInt8]) -> [UInt8] {
        var database = database
        var pending: [(page: Int, at: Int)] = []
        var sum = Checksum(Self.word(bytes, 24), Self.word(bytes, 28))
        var frame = Self.headerLength
        let frameLength = Self.frameHeaderLength + pageLength
        while frame + frameLength <= bytes.count {
            sum.add(bytes, frame..<frame + 8, isBigEndian: isBigEndian)
            sum.add(bytes, frame + Self.frameHeaderLength..<frame + frameLength, isBigEndian: isBigEndian)
            let page = Int(Self.word(bytes, frame))
            let pagesAfter = Int(Self.word(bytes, frame + 4))
            guard
                page > 0, bytes[frame + 8..<frame + 16] == bytes[16..<24],
                sum == Checksum(Self.word(bytes, frame + 16), Self.word(bytes, frame + 20))
            else { break }
            pending.append((page, frame + Self.frameHeaderLength))
            if pagesAfter > 0 {
                database.resize(to: pagesAfter * pageLength)
                for (page, at) in pending where page <= pagesAfter {
                    let start = (page - 1) * pageLength
                    database.replaceSubrange(start..<start + pageLength, with: bytes[at..<at + pageLength])
                }
                pending = []
            }
            frame += frameLength
        }
        return database
    }

    private static func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }

    private struct Checksum: Equatable {
        var first: UInt32
        var second: UInt32

        init(_ first: UInt32 = 0, _ second: UInt32 = 0) { (self.first, self.second) = (first, second) }

        mutating func add(_ bytes: [UInt8], _ range: Range<Int>, isBigEndian: Bool) {
            let span = bytes.span
            var at = range.lowerBound
            func word(_ at: Int) -> UInt32 {
                let word =
                    UInt32(span[at]) << 24 | UInt32(span[at + 1]) << 16 | UInt32(span[at + 2]) << 8
                    | UInt32(span[at + 3])
                return isBigEndian ? word : word.byteSwapped
            }
            while at < range.upperBound {
                first = first &+ word(at) &+ second
                second = second &+ word(at + 4) &+ first
                at += 8
            }
        }
    }
}

extension [UInt8] {
    fileprivate mutating func resize(to count: Int) {
        if count < self.count {
            removeLast(self.count - count)
        } else {
            append(contentsOf: repeatElement(0, count: count - self.count))
        }
    }
}
