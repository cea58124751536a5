private import Files
private import Glibc

/// A folder of its own for one run, gone with it.
package struct TemporaryFolder {
    package let path: String

    package init(_ prefix: String) throws {
        let parent = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/\(prefix)-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw FolderError(folder: parent, reason: errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Removes the folder and the files in it.
    package func remove() {
        for name in Folder.names(in: path) { unsafe _ = unlink("\(path)/\(name)") }
        unsafe _ = rmdir(path)
    }
}

private struct FolderError: Error, CustomStringConvertible {
    let folder: String
    let reason: Int32

    var description: String { unsafe "no folder can be made in \(folder): \(String(cString: strerror(reason)))" }
}
