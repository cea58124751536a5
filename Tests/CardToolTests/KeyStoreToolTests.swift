import CardWorkshop
import Foundation
import FuelPassbook
import TestFolders
import TestPrograms
import Testing
import Threads

/// What is refused before a passphrase is asked for, and what a profile says of its keys.
struct KeyStoreToolTests {
    @Test func aFileThatIsThereIsNotReplaced() throws {
        let folder = try TestFolder()
        let path = try folder.file("issuer.keys", "mine")
        let (status, text) = try said(["keys", "new", "--store", path])
        #expect(status == 74 && text.contains("exists and may hold keys that cards depend on"))
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
        let profile = try folder.file("card.toml", profile(keys: folder.path("none"), more: ""))
        let (status, text) = try said(["card", "new", "--profile", profile, "--state", folder.path("card")])
        #expect(status == 74 && text.contains("No such file"), "\(text)")
        #expect(!FileManager.default.fileExists(atPath: folder.path("card")))
    }

    @Test func aProfileNamesItsKeyStore() throws {
        #expect(try read(profile(keys: "./issuer.keys", more: "")).keys == .store("./issuer.keys"))
        #expect(try read(profile(keys: "demonstration", more: "")).keys == .demonstration)
    }

    @Test func anotherIndexOrVersionThanTheKeysIsRefused() throws {
        for (more, accepted) in [
            ("", true), ("key_index = 1\nkey_version = 1", true), ("key_index = 2", false), ("key_version = 2", false),
        ] {
            let profile = try read(profile(keys: "demonstration", more: more))
            do throws(ServiceFailure) {
                _ = try profile.image(pin: Demonstration.pin, keys: .demonstration)
                #expect(accepted, "\(more)")
            } catch {
                #expect(!accepted && error.exitStatus == ServiceFailure.configuration, "\(more)")
            }
        }
    }

    private func said(_ arguments: [String]) throws -> (status: Int32, text: String) {
        let program = try Program("greylock", arguments)
        return (program.end(), program.lines.joined(separator: "\n"))
    }

    private func read(_ text: String) throws -> CardProfile {
        try CardProfile(toml: Array(text.utf8), file: "card.toml")
    }

    private func profile(keys: String, more: String) -> String {
        """
        issuer = "GREYLOCK"
        asn = "00010000000000000043"
        valid_from = "2024-01-01"
        valid_to = "2049-12-31"
        balance_fen = 700
        pin = "demonstration"
        keys = "\(keys)"
        \(more)
        """
    }
}
