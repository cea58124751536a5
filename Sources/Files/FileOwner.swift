private import Glibc
private import Threads

/// Whose a file is that root makes for a service: else the service could not read it.
enum FileOwner {
    /// Gives an open file to the owner of the file that it replaces, or else of its folder. Nobody but root may.
    ///
    /// - Parameter path: the open file's own.
    static func leave(_ file: Int32, _ path: String, replacing old: String? = nil) throws(FileFault) {
        guard geteuid() == 0 else { return }
        let folder = FilePath.folder(of: path)
        var status = stat()
        let isReplaced = old.map { unsafe stat($0, &status) == 0 } ?? false
        guard unsafe isReplaced || stat(folder, &status) == 0, fchown(file, status.st_uid, status.st_gid) == 0 else {
            throw FileFault("cannot give \(path) to its owner: \(systemError())")
        }
    }
}
