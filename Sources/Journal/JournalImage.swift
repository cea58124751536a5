import Glibc
import Records
import SQLite

// How a journal is looked at (decision record 0018).

/// The pages of a journal as of one commit, in memory. Nothing is locked, written or made for it: a running service, a
/// read-only medium and the copy of a dead one are read in the same way.
///
/// The `-wal` file is read after the main file and holds every page that the writer may have moved meanwhile, unless the
/// writer began it anew; its header says so, and the reading begins again. SQLite recovers a private copy of both.
struct JournalImage: Sendable {
    /// What was read, to see whether there is something newer.
    private struct Source: Equatable {
        var file: [Int]
        var log: [UInt8]
    }

    private static let triesMax = 100
    /// More than any board's journal, and what a tool may take of its memory.
    private static let bytesMax = 4 << 30

    /// Of a `-wal` file.
    private static let logHeaderLength = 32

    private let source: Source
    private let pages: [UInt8]

    init(path: String) throws(StorageFault) {
        try JournalFile.requireAccess(path, writing: false)
        try JournalFile.requireRegularFiles(beside: path)
        for _ in 0..<Self.triesMax {
            let before = try Self.logBytes(path, count: Self.logHeaderLength)
            let file = try Self.status(path)
            let main = try Self.contents(path)
            let log = try Self.logBytes(path, count: nil)
            let after = try Self.logBytes(path, count: Self.logHeaderLength)
            guard before == after, log.prefix(before.count).elementsEqual(before) else { continue }
            let isLogged = !before.isEmpty
            let fileAfter = try Self.status(path)
            guard isLogged || file == fileAfter else { continue }
            source = Source(file: file, log: log)
            pages = try Self.pages(main, log)
            return
        }
        throw StorageFault(operation: "open", reason: "the journal changes too fast to be read: try again")
    }

    /// The pages of both files as of the last commit, in a file without a log.
    ///
    /// - Parameter places: where a private copy is made, tried in this order.
    static func pages(
        _ main: [UInt8],
        _ log: [UInt8],
        places: [String] = PrivateCopy.places
    ) throws(StorageFault) -> [UInt8] {
        withoutLog(log.isEmpty ? main : try PrivateCopy(main, log, places).recovered() ?? main)
    }

    /// Whether the files are still those that were read.
    func isPresent(at path: String) throws(StorageFault) -> Bool {
        let log = try Self.logBytes(path, count: nil)
        return try Source(file: Self.status(path), log: log) == source
    }

    /// Gives the connection these pages as its database.
    func open(in db: Database) throws {
        guard !pages.isEmpty else { return }
        do throws(DatabaseError) {
            try db.deserialize(pages)
        } catch {
            guard error.code == .noMemory else { throw error }
            throw StorageFault(operation: "open", reason: "no memory for \(pages.count) bytes of the journal")
        }
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
        let descriptor = unsafe Glibc.open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
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
        let descriptor = unsafe Glibc.open(path + "-wal", O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            guard errno == ENOENT else { throw .system("open the -wal file") }
            return []
        }
        defer { _ = Glibc.close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .system("open the -wal file") }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw StorageFault(operation: "open", reason: "the -wal file is not a regular file: remove it")
        }
        let size = Int(min(status.st_size, off_t(bytesMax)))
        return try bytes(of: descriptor, count: min(size, count ?? size))
    }
}
