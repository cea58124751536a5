package import CardCryptography
package import Files
private import Glibc
private import KeyCustody
private import Threads

/// The page of one component in a file that only its owner may read.
package enum SheetFile {
    /// In locked memory alone.
    package static func page(_ path: String) throws(FileFault) -> LockedBuffer {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW)
        guard file >= 0 else { throw FileFault("cannot open \(path): \(systemError())") }
        defer { close(file) }
        try WholeFile.requireGuarded(file, path)
        var bytes = LockedBuffer(count: ComponentSheet.bytesMax + 1)
        let count = try bytes.withMutableSpan { (span) throws(FileFault) in try WholeFile.read(file, path, into: &span)
        }
        guard count > 0 else { throw FileFault("\(path) is empty") }
        guard count <= ComponentSheet.bytesMax else { throw FileFault("\(path) is too long: it is no sheet") }
        return bytes.part(0..<count)
    }
}
