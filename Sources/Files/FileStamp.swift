private import Glibc

/// By which a file that was replaced is told from the one before it.
package struct FileStamp: Equatable, Sendable {
    private let inode: UInt
    private let size: Int
    private let changed: Int
    private let changedNanoseconds: Int

    /// nil where no file can be seen. The corresponding C function is `stat`.
    package init?(_ path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        inode = UInt(status.st_ino)
        size = Int(status.st_size)
        changed = Int(status.st_ctim.tv_sec)
        changedNanoseconds = Int(status.st_ctim.tv_nsec)
    }
}
