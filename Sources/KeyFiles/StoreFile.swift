package import Files

/// The file of a key store, whoever's it is: its owner alone may read it, and one process at a time changes it.
package struct StoreFile: Sendable {
    private static let bytesMax = 65_536

    package let path: String

    package init(_ path: String) { self.path = path }

    /// nil where there is none.
    package func contents() throws(FileFault) -> [UInt8]? {
        try WholeFile.contents(path, bytesMax: Self.bytesMax, isSecret: true)
    }

    /// By which one that was replaced is told; nil where there is none.
    package var stamp: FileStamp? { FileStamp(path) }

    /// - Throws: ``FileFault`` also while another process changes it.
    package func lock() throws(FileFault) -> FileLock {
        try FileLock(lockPath, whenHeld: "the keys are being changed by another program: try again when it ended")
    }

    /// On disk when this returns: the old content or the new one, whenever the power goes.
    package func replace(with bytes: [UInt8]) throws(FileFault) { try WholeFile.replace(path, with: bytes) }

    /// With what a change leaves there, also where the store is not.
    var folderIsThere: Bool { FileStamp(lockPath) != nil }

    private var lockPath: String { path + ".lock" }
}
