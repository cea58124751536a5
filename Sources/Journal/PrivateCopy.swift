private import Files
import Glibc
import Records
import SQLite

/// Both files in a folder that nobody else may read, which is gone once SQLite has opened them. One that a killed process
/// left is removed by the next copy: its `flock` is free.
struct PrivateCopy: ~Copyable {
    /// In memory, so that a full disk is read too; where that is missing or full, on a disk.
    static let places = ["/dev/shm", "/tmp"]

    private static let prefix = "greylock-"
    private static let files = ["/journal", "/journal-wal"]
    /// Another process may take a folder for one that was left, before it is locked.
    private static let triesMax = 10

    private let folder: String
    private let lock: Int32
    private var path: String { folder + "/journal" }

    init(_ main: [UInt8], _ log: [UInt8], _ places: [String]) throws(StorageFault) {
        var fault = StorageFault(operation: "copy", reason: "no folder for a copy")
        for place in places {
            Self.removeLeftovers(in: place)
            do throws(StorageFault) {
                let (folder, lock) = try Self.lockedFolder(in: place)
                do throws(StorageFault) {
                    for (file, bytes) in zip(Self.files, [main, log]) { try Self.write(bytes, to: folder + file) }
                } catch {
                    Self.remove(folder, lock)
                    throw error
                }
                self.folder = folder
                self.lock = lock
                return
            } catch {
                fault = StorageFault(operation: "copy to \(place)", reason: error.reason)
            }
        }
        throw fault
    }

    deinit { Self.remove(folder, lock) }

    /// The corresponding C function is `mkdtemp`.
    private static func lockedFolder(in place: String) throws(StorageFault) -> (String, Int32) {
        for _ in 0..<triesMax {
            var template = Array("\(place)/\(prefix)XXXXXX".utf8CString)
            guard unsafe mkdtemp(&template) != nil else { throw .system("copy") }
            let folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
            if let lock = lock(of: folder) { return (folder, lock) }
        }
        throw StorageFault(operation: "copy", reason: "no folder stays")
    }

    /// nil when another process holds it, or the folder has gone.
    private static func lock(of folder: String) -> Int32? {
        let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        var status = stat()
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0, unsafe fstat(descriptor, &status) == 0, status.st_nlink > 0,
            status.st_uid == geteuid()
        {
            return descriptor
        }
        _ = close(descriptor)
        return nil
    }

    /// Folders of this user whose processes have ended in whatever way.
    private static func removeLeftovers(in place: String) {
        for name in Folder.names(in: place) {
            guard name.hasPrefix(prefix), name.utf8.count == prefix.utf8.count + 6 else { continue }
            let folder = "\(place)/\(name)"
            if let lock = lock(of: folder) { remove(folder, lock) }
        }
    }

    /// The pages as of the last commit; nil where SQLite cannot tell them.
    borrowing func recovered() throws(StorageFault) -> [UInt8]? {
        let database: Database
        do throws(DatabaseError) {
            database = try Database(path, .readWrite, .heapIndex)
        } catch {
            throw StorageFault(operation: "open", reason: "SQLite \(error.code.rawValue)")
        }
        do throws(DatabaseError) {
            // SQLite moves the log into the main file when it closes them; nobody waits for a disk. A first read opens both.
            try database.execute("PRAGMA synchronous = OFF; SELECT count(*) FROM sqlite_schema")
        } catch {
            // What is no database has pages all the same, or none.
        }
        Self.removeFiles(folder)
        return database.serialized()
    }

    private static func write(_ bytes: [UInt8], to path: String) throws(StorageFault) {
        let descriptor = unsafe Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, JournalFile.mode)
        guard descriptor >= 0 else { throw .system("copy") }
        defer { _ = close(descriptor) }
        var length = 0
        while length < bytes.count {
            // SAFETY: no more than the rest of the array is read, which the closure keeps in place.
            let written = unsafe bytes.withUnsafeBytes { buffer in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[length...])
                return unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
            }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw .system("copy") }
            length += written
        }
    }

    private static func remove(_ folder: String, _ lock: Int32) {
        removeFiles(folder)
        _ = close(lock)
    }

    /// The corresponding C functions are `unlink` and `rmdir`.
    private static func removeFiles(_ folder: String) {
        for file in files { unsafe _ = unlink(folder + file) }
        unsafe _ = rmdir(folder)
    }
}
