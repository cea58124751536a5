import Foundation
import TestFolders
import TestPrograms
import Testing

/// What is refused before a passphrase is asked for.
struct KeyStoreToolTests {
    @Test func aFileThatIsThereIsNotReplaced() throws {
        let folder = try TestFolder()
        let path = try folder.file("issuer.keys", "mine")
        let (status, text) = try said(["keys", "new", "--store", path])
        #expect(status == 74 && text.contains("exists, and cards may depend on the keys in it"))
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "mine")
    }

    @Test(arguments: [("mine", "is no key store"), ("GLKS", "is cut short"), ("", "is cut short")])
    func anotherFileIsNoKeyStore(_ content: String, _ reason: String) throws {
        let folder = try TestFolder()
        let store = try folder.file("issuer.keys", content)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: store)
        let (status, text) = try said(["keys", "show", "--store", store])
        #expect(status == 74 && text.contains(reason), "\(text)")
    }

    @Test func otherKeysAreForAVirtualCardOnly() throws {
        #expect(try said(["card", "serve", "--keys", "issuer.keys"]).status == 64)
        #expect(try said(["card", "apdu", "--keys", "issuer.keys", "805C000104"]).status == 64)
    }

    @Test func aMissingKeyStoreMakesNoCard() throws {
        let folder = try TestFolder()
        let profile = try folder.file("card.toml", cardProfile(keys: folder.path("none")))
        let (status, text) = try said(["card", "new", "--profile", profile, "--state", folder.path("card")])
        #expect(status == 74 && text.contains("there is no key store"), "\(text)")
        #expect(!FileManager.default.fileExists(atPath: folder.path("card")))
    }

    private func said(_ arguments: [String]) throws -> (status: Int32, text: String) {
        let program = try Program("greylock", arguments)
        return (program.end(), program.lines.joined(separator: "\n"))
    }
}
