package import Files
package import Parameters

/// The book of a terminal's parameters in its file: whole under its name, whenever the power goes. One process at a time changes it.
package struct ParameterFile: Sendable {
    package let path: String

    package init(_ path: String) { self.path = path }

    /// By which one that was replaced is told; nil where there is none.
    package var stamp: FileStamp? { FileStamp(path) }

    /// nil where there is no file.
    ///
    /// - Throws: `.unreadable` or `.broken`.
    package func read() throws(ParameterRefusal) -> ParameterBook? {
        let bytes: [UInt8]?
        do throws(FileFault) {
            bytes = try WholeFile.contents(path, bytesMax: ParameterBook.fileBytesMax, isReplaced: true)
        } catch {
            throw .unreadable(error.reason)
        }
        guard let bytes else { return nil }
        do throws(ParameterFault) { return try ParameterBook(parsing: bytes) } catch { throw .broken(error) }
    }

    /// Held while a book is read, changed and written.
    ///
    /// - Throws: ``FileFault`` also while another process changes it.
    package func lock() throws(FileFault) -> FileLock {
        try FileLock(
            path + ".lock",
            whenHeld: "the parameters are being changed by another program: try again when it ended"
        )
    }

    /// On disk when this returns: the old book or the new one, whenever the power goes.
    package func replace(with book: ParameterBook) throws(FileFault) {
        try WholeFile.replace(path, with: Array(book.text.utf8))
    }
}
