import Glibc

/// A file by where it lies, whatever path names it.
package struct FilePlace {
    /// Without links as far as it exists.
    let path: String
    /// nil where there is no file yet.
    private let identity: (device: UInt64, inode: UInt64)?

    private static let linksMax = 40

    init(_ path: String) {
        self.path = Self.resolved(path, linksMax: Self.linksMax)
        var status = stat()
        let isThere = unsafe stat(path, &status) == 0
        identity = isThere ? (UInt64(status.st_dev), UInt64(status.st_ino)) : nil
    }

    func isSame(as other: FilePlace) -> Bool {
        if path == other.path { return true }
        guard let identity, let their = other.identity else { return false }
        return identity == their
    }

    /// Whether two paths name one file.
    package static func areSame(_ one: String, _ other: String) -> Bool {
        FilePlace(one).isSame(as: FilePlace(other))
    }

    /// Where a file that is there lies, whatever links lead to it.
    package static func real(_ path: String) -> String { FilePlace(path).path }

    /// A link to a file that is not there yet is followed too.
    ///
    /// The corresponding C functions are `realpath` and `readlink`.
    private static func resolved(_ path: String, linksMax: Int) -> String {
        if let found = unsafe realpath(path, nil) {
            defer { unsafe free(found) }
            // SAFETY: a string of realpath's ends with a zero, and is copied.
            return unsafe String(cString: found)
        }
        let trimmed = path.hasSuffix("/") ? String(path.dropLast()) : path
        guard linksMax > 0, let slash = trimmed.lastIndex(of: "/"), slash != trimmed.startIndex else { return path }
        let folder = resolved(String(trimmed[..<slash]), linksMax: linksMax - 1)
        let place = folder + trimmed[slash...]
        guard let target = link(place) else { return place }
        return resolved(target.hasPrefix("/") ? target : "\(folder)/\(target)", linksMax: linksMax - 1)
    }

    /// nil for anything but a symbolic link.
    private static func link(_ path: String) -> String? {
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe readlink(path, &bytes, bytes.count)
        guard count > 0 else { return nil }
        return String(decoding: bytes.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
