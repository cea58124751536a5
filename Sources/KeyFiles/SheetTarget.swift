package import CardCryptography
package import Files
private import Glibc
private import KeyCustody
package import Threads

/// Where the page of one component goes, and no other's: a printer, a pipe, or a file that was not there.
package final class SheetTarget {
    package enum Kind: Equatable, Sendable {
        case printer
        case pipe
        /// That only its owner may read.
        case file
    }

    /// Standard output, where that is a pipe.
    package static let standardOutput = "-"

    package let path: String
    package let kind: Kind
    private let descriptor: Int32
    private let device: UInt64
    private let number: UInt64

    /// Opens a printer or a pipe that somebody reads, or makes a file.
    package init(_ path: String) throws(FileFault) {
        self.path = path
        let isNew: Bool
        (descriptor, isNew) = try Self.opened(path)
        var status = stat()
        let reason = unsafe fstat(descriptor, &status) == 0 ? nil : systemError()
        (device, number) = (UInt64(status.st_dev), UInt64(status.st_ino))
        if isNew, reason == nil {
            kind = .file
        } else if let found = Self.kind(status), reason == nil, isatty(descriptor) == 0 {
            kind = found
        } else {
            close(descriptor)
            throw FileFault("\(path) \(reason ?? Self.refusal(status))")
        }
    }

    package func isSame(as other: SheetTarget) -> Bool {
        device == other.device && number == other.number && kind == other.kind
    }

    /// Writes a page, and of a file flushes it with its folder. The corresponding C function is `write`.
    ///
    /// - Parameter wait: for room in the open file that it is given.
    package func write(
        _ page: borrowing LockedBuffer,
        wait: (Int32) throws(ServiceFailure) -> Void
    ) throws(ServiceFailure) {
        var done = 0
        while done < page.count {
            try wait(descriptor)
            let count = page.withSpan { span in
                // SAFETY: `write` reads no more than the rest of the span, which the closure keeps in place.
                unsafe span.withUnsafeBytes { bytes in
                    let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
                    return unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
                }
            }
            if count >= 0 {
                done += count
            } else if errno != EINTR && errno != EAGAIN {
                throw failure("cannot write \(path): \(systemError())")
            }
        }
        guard kind == .file else { return }
        guard fsync(descriptor) == 0 else { throw failure("cannot flush \(path): \(systemError())") }
        do throws(FileFault) { try WholeFile.flushFolder(of: path) } catch { throw failure(error.reason) }
    }

    private func failure(_ reason: String) -> ServiceFailure {
        ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: reason)
    }

    /// Overwrites and takes away the file that was made here; of a page that went elsewhere nothing can be taken back.
    ///
    /// - Returns: whether nothing of the page is left that this program knows of.
    package func takeBack() -> Bool {
        guard kind == .file else { return false }
        let blank = [UInt8](repeating: 0, count: ComponentSheet.bytesMax)
        _ = unsafe pwrite(descriptor, blank, blank.count, 0)
        _ = fsync(descriptor)
        return unsafe unlink(path) == 0
    }

    private static func opened(_ path: String) throws(FileFault) -> (Int32, isNew: Bool) {
        if path == standardOutput {
            let copy = dup(STDOUT_FILENO)
            guard copy >= 0 else { throw FileFault("standard output cannot be used: \(systemError())") }
            return (copy, false)
        }
        // A printer that is off, or a pipe that nobody reads, would be waited for.
        let there = unsafe open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        if there >= 0 { return (there, false) }
        if errno == ENXIO { throw FileFault("nobody reads the pipe \(path): start what reads it first") }
        guard errno == ENOENT else { throw FileFault("cannot open \(path): \(systemError())") }
        if let refusal = FileGuard.refusal(ofFolder: path) {
            throw FileFault("\(path): \(refusal.expected) (found \(refusal.found))")
        }
        let made = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR)
        guard made >= 0 else { throw FileFault("cannot make \(path): \(systemError())") }
        return (made, true)
    }

    /// Whether it is a device of major number 1; makedev(3) has where the number stands.
    private static func isMemory(_ status: stat) -> Bool {
        UInt64(status.st_rdev) >> 8 & 0xFFF | UInt64(status.st_rdev) >> 32 & 0xFFFF_F000 == 1
    }

    /// nil of what takes no page: /dev/null and its like take it and it is gone.
    private static func kind(_ status: stat) -> Kind? {
        switch status.st_mode & S_IFMT {
        case S_IFIFO: .pipe
        case S_IFCHR where !isMemory(status): .printer
        case _: nil
        }
    }

    private static func refusal(_ status: stat) -> String {
        switch status.st_mode & S_IFMT {
        case S_IFREG: "is a file that was there before: name a new one"
        case S_IFCHR where isMemory(status): "is no printer: the page would be lost"
        case S_IFCHR: "is a terminal, which would show the component: name a printer, a pipe or a new file"
        case _: "is none of a printer, a pipe and a new file"
        }
    }
}
