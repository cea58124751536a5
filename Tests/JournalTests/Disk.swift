import Foundation

/// The bytes that the disk holds.
struct Disk {
    var database: Data
    var log: Data
    /// nil where it was not made yet.
    var mark: Data?

    init(path: String) throws {
        database = try Data(contentsOf: URL(filePath: path))
        log = try Data(contentsOf: URL(filePath: path + "-wal"))
        mark = try Data(contentsOf: URL(filePath: path + "-mark"))
    }

    func write(to path: String) throws {
        try database.write(to: URL(filePath: path))
        try log.write(to: URL(filePath: path + "-wal"))
        try mark?.write(to: URL(filePath: path + "-mark"))
    }
}
