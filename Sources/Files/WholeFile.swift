private import Glibc
private import Threads

/// What the operating system would not do with a file.
package struct FileFault: Error, Equatable, Sendable {
    /// "cannot write /etc/greylock/keys: No space left on device"
    package let reason: String

    package init(_ reason: String) { self.reason = reason }
}

/// A file that is whole under its name, whenever the power goes: the old content or the new one.
package enum WholeFile {
    /// Where the new content of a file is written, beside it. No person gives a file this name, so what has it may be removed: it is of
    /// a process that was killed.
    package static func draft(of path: String) -> String { path + ".greylock-draft" }

    /// Writes beside the file, flushes, gives the file's name to what was written and flushes the folder. Only its owner may read
    /// a new one. The corresponding C functions are `open`, `write`, `fsync` and `rename`.
    ///
    /// - Parameters:
    ///   - keepingMode: who could read and write the old file can read and write the new one.
    ///   - isPublic: everybody may read a file that was not there.
    /// - Throws: ``FileFault``; the old content stands then, unless the folder alone could not be flushed.
    package static func replace(
        _ path: String,
        with bytes: [UInt8],
        keepingMode: Bool = false,
        isPublic: Bool = false
    ) throws(FileFault) {
        let draft = draft(of: path)
        _ = unsafe unlink(draft)
        let file = try call("create", draft) {
            unsafe open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR)
        }
        do throws(FileFault) {
            defer { close(file) }
            try FileOwner.leave(file, draft, replacing: path)
            var status = stat()
            if keepingMode, unsafe stat(path, &status) == 0 {
                _ = try call("set the mode of", draft) { fchmod(file, status.st_mode & 0o777) }
            } else if isPublic {
                _ = try call("set the mode of", draft) { fchmod(file, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH) }
            }
            try write(bytes, file, draft)
        } catch {
            _ = unsafe unlink(draft)
            throw error
        }
        do throws(FileFault) { _ = try call("replace", path) { unsafe rename(draft, path) } } catch {
            _ = unsafe unlink(draft)
            throw error
        }
        try flushFolder(of: path)
    }

    /// Writes behind what is there, and flushes.
    ///
    /// - Parameter count: so many bytes at the end are cut off before.
    /// - Throws: ``FileFault``; some of the bytes may be there then.
    package static func append(_ bytes: [UInt8], to path: String, cutting count: Int) throws(FileFault) {
        let file = try call("open", path) { unsafe open(path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC) }
        defer { close(file) }
        if count > 0 {
            var status = stat()
            guard unsafe fstat(file, &status) == 0, ftruncate(file, status.st_size - count) == 0 else {
                throw FileFault("cannot cut \(path): \(systemError())")
            }
        }
        try write(bytes, file, path)
    }

    private static func write(_ bytes: [UInt8], _ file: Int32, _ path: String) throws(FileFault) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = try call("write", path) {
                // SAFETY: `write` reads no more than the rest of the array, which the closure keeps in place.
                unsafe rest.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
            }
            rest = rest.dropFirst(count)
        }
        _ = try call("flush", path) { fsync(file) }
    }

    /// A file as it is; nil where there is none.
    ///
    /// - Parameters:
    ///   - isSecret: nobody but its owner may read it, or put another in its place. It may be no link.
    ///   - isReplaced: it may be no link, whose file would stay where it is when the link is replaced.
    /// - Throws: ``FileFault`` also for one that is longer, and for a pipe, which may have more to say than it says now.
    package static func contents(
        _ path: String,
        bytesMax: Int,
        isSecret: Bool = false,
        isReplaced: Bool = false
    ) throws(FileFault) -> [UInt8]? {
        // A pipe would be waited for.
        let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (isSecret || isReplaced ? O_NOFOLLOW : 0)
        let file = unsafe open(path, flags)
        if file < 0, errno == ENOENT { return nil }
        if file < 0, errno == ELOOP { throw FileFault("\(path) is a link: name the file itself") }
        guard file >= 0 else { throw FileFault("cannot open \(path): \(systemError())") }
        defer { close(file) }
        if isSecret { try requireGuarded(file, path) }
        try requireNoPipe(file, path)
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 1 << 14)
        var count: Int
        repeat {
            var span = part.mutableSpan
            count = try read(file, path, into: &span)
            bytes += part.prefix(count)
        } while count == part.count && bytes.count <= bytesMax
        guard bytes.count <= bytesMax else { throw FileFault("\(path) is too long: it is another kind of file") }
        return bytes
    }

    /// Reads until the span is full, or the file ends.
    ///
    /// - Parameter file: the open file at `path`.
    /// - Returns: how many bytes there were.
    package static func read(
        _ file: Int32,
        _ path: String,
        into span: inout MutableSpan<UInt8>
    ) throws(FileFault) -> Int {
        var count = 0
        while count < span.count {
            let taken = try call("read", path) {
                // SAFETY: `read` writes no more than the rest of the span, which the closure keeps in place.
                unsafe span.withUnsafeMutableBytes { buffer in
                    let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
                    return unsafe Glibc.read(file, rest.baseAddress, rest.count)
                }
            }
            guard taken > 0 else { break }
            count += taken
        }
        return count
    }

    /// What is opened without waiting gives of a pipe what is in it by chance.
    ///
    /// - Parameter file: the open file at `path`.
    package static func requireNoPipe(_ file: Int32, _ path: String) throws(FileFault) {
        var status = stat()
        guard unsafe fstat(file, &status) == 0 else { throw FileFault("cannot read \(path): \(systemError())") }
        guard status.st_mode & S_IFMT != S_IFIFO else { throw FileFault("\(path) is a pipe: write it to a file first") }
    }

    /// - Parameter file: the open file at `path`.
    package static func requireGuarded(_ file: Int32, _ path: String) throws(FileFault) {
        var status = stat()
        guard unsafe fstat(file, &status) == 0 else { throw FileFault("cannot read \(path): \(systemError())") }
        if let refusal = FileGuard.refusal(of: status, secret: true) ?? FileGuard.refusal(ofFolder: path) {
            throw FileFault("\(path): \(refusal.expected) (found \(refusal.found))")
        }
    }

    /// A name that was given or taken away is so on the disk when this returns.
    package static func flushFolder(of path: String) throws(FileFault) {
        let folder = FilePath.folder(of: path)
        let descriptor = try call("open", folder) { unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        defer { close(descriptor) }
        _ = try call("flush", folder) { fsync(descriptor) }
    }

    /// Calls again after a signal.
    private static func call<Result: FixedWidthInteger>(
        _ operation: String,
        _ path: String,
        _ body: () -> Result
    ) throws(FileFault) -> Result {
        while true {
            let result = body()
            if result >= 0 { return result }
            guard errno == EINTR else { throw FileFault("cannot \(operation) \(path): \(systemError())") }
        }
    }
}

extension WholeFile {
    /// Writes a file that was not there, for its owner alone, and flushes. The corresponding C functions are `open` and `fsync`.
    ///
    /// - Throws: ``FileFault``; where a file was, it is as it was, and where none was there is none.
    package static func create(_ path: String, with bytes: [UInt8]) throws(FileFault) {
        let file = try call("create", path) {
            unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR)
        }
        do throws(FileFault) {
            defer { close(file) }
            try write(bytes, file, path)
        } catch {
            _ = unsafe unlink(path)
            throw error
        }
        try flushFolder(of: path)
    }
}
