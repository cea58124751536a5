import Foundation
import TestFolders
import TestPrograms
import Testing

/// Who else may read or write what the programs rely on.
struct FileModeTests {
    private func setMode(_ mode: Int, _ path: String) throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    @Test(arguments: [0o640, 0o604, 0o620, 0o602, 0o644, 0o777])
    func aKeyStoreThatOthersMayReadOrWriteIsRefused(mode: Int) throws {
        let folder = try TestFolder()
        let store = try folder.file("issuer.keys", "GLKS")
        try setMode(mode, store)
        let run = try Run("greylock", ["keys", "show", "--store", store])
        #expect(run.status == 74 && run.error.contains("chmod 600"), "\(run.error)")
        #expect(run.error.contains("mode 0" + String(mode, radix: 8)))
        try setMode(0o600, store)
        #expect(try Run("greylock", ["keys", "show", "--store", store]).error.contains("is cut short"))
    }

    @Test func aKeyStoreInAFolderThatOthersMayWriteIsRefused() throws {
        let folder = try TestFolder()
        let store = try folder.file("issuer.keys", "GLKS")
        try setMode(0o600, store)
        for mode in [0o770, 0o707] {
            try setMode(mode, folder.url.path)
            let run = try Run("greylock", ["keys", "show", "--store", store])
            #expect(run.status == 74 && run.error.contains("chmod go-w"), "\(run.error)")
        }
        // Where others may make files, but not remove this one.
        try setMode(0o1777, folder.url.path)
        #expect(try Run("greylock", ["keys", "show", "--store", store]).error.contains("is cut short"))
    }

    @Test func aConfigurationThatEverybodyMayWriteIsRefused() throws {
        let folder = try TestFolder()
        let config = try folder.file("greylock.toml", toolConfiguration(journal: folder.path("journal")))
        try setMode(0o666, config)
        let run = try Run("greylock", ["run", "--config", config])
        #expect(run.status == 78 && run.error.contains("chmod o-w (found mode 0666)"), "\(run.error)")
    }

    @Test(
        arguments: [
            ("grade = \"92\"", "grade = \"9\\u001b2\"", "13: side.1.pump.grade", "9\\u{1B}2"),
            ("grade = \"92\"", "grade = \"9\\u20282\"", "13: side.1.pump.grade", "9\\u{2028}2"),
            ("kind = \"virtual\"", "kind = \"virtual\", state = \"/tmp/a\\nb\"", "9: side.1.card.state", "a\\u{A}b"),
        ]
    )
    func aTextThatIsNotPrintableIsRefusedWithItsPlace(
        part: String,
        replacement: String,
        place: String,
        shown: String
    ) throws {
        let folder = try TestFolder()
        let text = toolConfiguration(journal: folder.path("journal"))
        let config = try folder.file("greylock.toml", text.replacingOccurrences(of: part, with: replacement))
        let run = try Run("greylock", ["run", "--config", config])
        #expect(run.status == 78, "\(run.error)")
        #expect(run.error.contains("\(config):\(place): a text of printable characters (found "), "\(run.error)")
        #expect(run.error.contains(shown) && !run.error.contains("\u{1B}"), "\(run.error)")
    }
}
