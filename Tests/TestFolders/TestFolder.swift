package import Foundation

/// A folder for one test, gone with its owner. No digit is in its name, so what says its path says no PIN, amount or key by
/// chance.
package final class TestFolder {
    package enum Place: String {
        case disk = "/tmp"
        /// For thousands of copies, where no sync is waited for.
        case memory = "/dev/shm"
    }

    package let url: URL

    package init(in place: Place = .disk) throws {
        let name = String((0..<20).map { _ in Character(UnicodeScalar(UInt8.random(in: 0x67...0x7A))) })
        url = URL(filePath: place.rawValue).appending(path: "greylock-\(name)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    /// Asks again, because a database that is closed in the meantime takes files of its own away.
    deinit {
        var fault: (any Error)?
        for _ in 0..<100 where FileManager.default.fileExists(atPath: url.path) {
            do { try FileManager.default.removeItem(at: url) } catch { fault = error }
        }
        if FileManager.default.fileExists(atPath: url.path) {
            fatalError("the test's folder stays behind: \(fault, default: "no error")")
        }
    }

    package func path(_ name: String) -> String { url.appending(path: name).path }

    package func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }

    /// Writes a file and returns its path.
    package func file(_ name: String, _ text: String) throws -> String {
        try text.write(toFile: path(name), atomically: false, encoding: .utf8)
        return path(name)
    }

    package func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: url.appending(path: name))) }

    /// In the file's place, and as only its owner may read it.
    package func write(_ name: String, _ bytes: [UInt8]) throws {
        try Data(bytes).write(to: url.appending(path: name))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path(name))
    }
}
