private import Glibc
private import Threads

/// A file whose content must not come back. A disk that writes elsewhere than it is told, as flash does, keeps copies all the same.
package enum WipedFile {
    /// Overwrites it in its place, flushes, takes its name away and flushes the folder. It loses its name also when it cannot be
    /// overwritten; where the folder keeps the name, zeros are all that stays.
    ///
    /// - Returns: false where there was none.
    package static func destroy(_ path: String) throws(FileFault) -> Bool {
        var fault: FileFault?
        do throws(FileFault) {
            guard try overwrite(path) else { return false }
        } catch {
            fault = error
        }
        guard unsafe unlink(path) == 0 else {
            if let fault { throw fault }
            return true
        }
        do throws(FileFault) { try WholeFile.flushFolder(of: path) } catch { throw fault ?? error }
        if let fault { throw FileFault("\(path) is removed, and was not overwritten: \(fault.reason)") }
        return true
    }

    /// For root, another user's link does not stand for the file that it leads to.
    private static func overwrite(_ path: String) throws(FileFault) -> Bool {
        let flags = O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
        var file = unsafe open(path, flags | O_NOFOLLOW)
        if file < 0, errno == ELOOP {
            var link = stat()
            guard unsafe geteuid() != 0 || lstat(path, &link) == 0 && link.st_uid == 0 else {
                throw FileFault("\(path) is a link of user \(link.st_uid), and what it leads to is left as it is")
            }
            file = unsafe open(path, flags)
        }
        if file < 0, errno == ENOENT { return false }
        guard file >= 0 else { throw FileFault("cannot open \(path): \(systemError())") }
        defer { close(file) }
        var status = stat()
        guard unsafe fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw FileFault("\(path) is no file")
        }
        let zeros = [UInt8](repeating: 0, count: 4_096)
        var rest = Int(status.st_size)
        while rest > 0 {
            let count = unsafe write(file, zeros, min(rest, zeros.count))
            guard count > 0 || errno == EINTR else { throw FileFault("cannot overwrite \(path): \(systemError())") }
            rest -= max(0, count)
        }
        guard fsync(file) == 0 else { throw FileFault("cannot flush \(path): \(systemError())") }
        return true
    }
}
