private import CSQLite

/// How SQLite reaches its files.
package struct FileSystem: Sendable {
    let name: String

    /// The index of a `-wal` file on the heap: a memory-mapped one dies by a signal when the disk is full. The file is
    /// shared with no other process.
    package static let heapIndex = FileSystem(name: "unix-excl")

    /// For every database that this process opens from now on.
    ///
    /// The corresponding C functions are `sqlite3_vfs_find` and `sqlite3_vfs_register`.
    package static func chooseHeapIndex() { _ = isChosen }

    private static let isChosen: Bool = {
        let found = unsafe sqlite3_vfs_find(heapIndex.name)
        guard let found = unsafe found else { preconditionFailure("SQLite for Unix has it") }
        let code = unsafe sqlite3_vfs_register(found, 1)
        precondition(code == SQLITE_OK, "a file system that was found is registered")
        return true
    }()
}
