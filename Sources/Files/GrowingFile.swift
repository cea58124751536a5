private import Glibc
private import Threads

/// A new file that grows at its end. What is behind the last ``flush()`` may be lost when the power goes.
package struct GrowingFile: ~Copyable {
    private let descriptor: Int32
    private let path: String

    /// Only its owner may read it. The corresponding C function is `open`.
    ///
    /// - Throws: ``FileFault`` also where there is a file of that name: it is left as it is.
    package init(_ path: String) throws(FileFault) {
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR)
        guard file >= 0 else {
            throw FileFault(
                errno == EEXIST
                    ? "\(path) is there already, and is left as it is: name a new file"
                    : "cannot create \(path): \(systemError())"
            )
        }
        descriptor = file
        self.path = path
    }

    deinit { close(descriptor) }

    /// The corresponding C function is `write`.
    package func append(_ bytes: [UInt8]) throws(FileFault) {
        var rest = bytes[...]
        while !rest.isEmpty {
            // SAFETY: `write` reads no more than the rest of the array, which the closure keeps in place.
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileFault("cannot write \(path): \(systemError())") }
            rest = rest.dropFirst(count)
        }
    }

    /// The corresponding C function is `fsync`.
    package func flush() throws(FileFault) {
        guard fsync(descriptor) == 0 else { throw FileFault("cannot flush \(path): \(systemError())") }
        try WholeFile.flushFolder(of: path)
    }
}
