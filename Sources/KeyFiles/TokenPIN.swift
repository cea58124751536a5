package import CardCryptography
package import Files

// The PIN of a token lies where a storage key may, under the same rules.

extension StorageKeyPlace {
    private static let pinLengthMax = 255

    /// The PIN's characters, without the end of line that an editor leaves. Blocks while it is read.
    package func pin() throws(FileFault) -> LockedBuffer {
        let path = try self.path()
        var raw = LockedBuffer(count: Self.pinLengthMax + 2)
        let count = try read("the PIN \(path)", path, into: &raw)
        let length = raw.withSpan { span in
            count > 0 && span[count - 1] == UInt8(ascii: "\n") ? count - 1 : count
        }
        guard length <= Self.pinLengthMax else { throw FileFault("the PIN \(path) is longer than any PIN") }
        guard length > 0 else { throw FileFault("the PIN \(path) is empty") }
        return raw.part(0..<length)
    }

    /// nil where no file can be seen.
    package var stamp: FileStamp? {
        do throws(FileFault) { return FileStamp(try path()) } catch { return nil }
    }
}
