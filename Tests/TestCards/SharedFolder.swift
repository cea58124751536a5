import Foundation

/// The folder `shared` beside the repository, or the one that `GREYLOCK_SHARED` names: known answers that no test of
/// this project makes itself.
package enum SharedFolder {
    package static let patentProfile = "vectors/patent-profile.json"
    package static let table1 = "vectors/table1.csv"

    /// Printed by the test runner for each test that does not run.
    package static let reasonToSkip =
        "no \(patentProfile) under \(path); GREYLOCK_SHARED names the folder, GREYLOCK_REQUIRE=vectors makes this a failure"

    /// False only where the known answers are absent and not required; where they are required, reading them fails.
    package static let isUsable = exists(patentProfile) && exists(table1) || requirements.contains("vectors")

    package static func bytes(of name: String) throws -> [UInt8] {
        try bytes(at: path + "/" + name)
    }

    package static func bytes(at path: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    /// Further files of known answers, separated by colons or commas in `GREYLOCK_VECTORS`.
    package static let furtherVectors = list("GREYLOCK_VECTORS")

    private static let requirements = list("GREYLOCK_REQUIRE")

    private static let path: String = {
        if let named = ProcessInfo.processInfo.environment["GREYLOCK_SHARED"] { return named }
        var root = URL(fileURLWithPath: #filePath)
        for _ in ["SharedFolder.swift", "TestCards", "Tests"] { root.deleteLastPathComponent() }
        return root.deletingLastPathComponent().appendingPathComponent("shared").path
    }()

    private static func exists(_ name: String) -> Bool {
        FileManager.default.isReadableFile(atPath: path + "/" + name)
    }

    private static func list(_ variable: String) -> [String] {
        guard let value = ProcessInfo.processInfo.environment[variable] else { return [] }
        return value.split { $0 == ":" || $0 == "," }.map(String.init)
    }
}
