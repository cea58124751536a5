import Foundation
import TestFolders
import TestPrograms
import Testing

/// `greylockd --check`: what would keep the next start from serving is said before a service that sells ends for it.
struct ServiceCheckTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private func check(
        journal: String = "journal.sqlite",
        isDemonstration: Bool = true,
        _ more: String = ""
    ) throws -> Run {
        let text = ServiceConfiguration.text(
            journal: (folder.path(journal), ""),
            card: #"kind = "pcsc""#,
            pump: ServiceConfiguration.gpio(
                """
                chip = "no-chip"
                a = 0
                b = 1
                nozzle = 2
                motor = 3
                main_valve = 4
                """
            ),
            isSealed: false
        )
        let ownKeys = text.replacing("demonstration = true", with: "demonstration = false")
            .replacing("pin = { kind = \"fixed\" }", with: "pin = { kind = \"terminal\" }")
            .replacing("card = {  }", with: "card = { aid = \"F0 50 45 54 52 4F 4C 02\" }")
            .replacing("id = \"001122334455\"", with: "id = \"310000000017\"")
        let path = try folder.file("greylock.toml", "\(isDemonstration ? text : ownKeys)\n\(more)\n")
        return try Run("greylockd", ["--config", path, "--check"])
    }

    @Test func aConfigurationInOrderIsSaidToBe() throws {
        let run = try check()
        #expect(run.status == 0 && run.output.contains("in order"), "\(run.error)")
    }

    @Test func aSocketWhoseGroupIsNotThereIsRefused() throws {
        let run = try check("[interface]\nread = \"\(folder.path("socket"))\"\nread_group = \"no-such-group\"")
        #expect(run.status == 69 && run.error.contains("there is no group no-such-group"), "\(run.error)")
    }

    @Test func aJournalThatCannotBeMadeIsRefused() throws {
        let run = try check(journal: "no-such-folder/journal.sqlite")
        #expect(run.status == 74 && run.error.contains("no file can be made in"), "\(run.error)")
    }

    @Test func aDamagedListOfBlockedCardsIsRefused() throws {
        try folder.write("journal.sqlite-blocked", Array("greylock-blocked-9\n".utf8))
        let run = try check()
        #expect(run.status == 74 && run.error.contains("the list of blocked cards is damaged"), "\(run.error)")
    }

    /// In clear in front of what is sealed: holder and format, and whose it is.
    @Test(arguments: [
        ([5], "another format"), ([4], "is cut short"),
        ([3, 0x31, 0, 0, 0, 0, 0x18], "holds the keys of terminal 310000000018"),
    ])
    func aKeyStoreThatThisProgramCannotHaveIsRefused(head: [UInt8], words: String) throws {
        let keys = "[keys]\nstore = \"\(folder.path("keys"))\"\nstorage_key = \"\(folder.path("storage-key"))\""
        #expect(try check(isDemonstration: false, keys).status == 0)
        let rest = [UInt8](repeating: 0, count: head.count > 1 ? 64 : 0)
        try folder.write("keys", Array("GLKS".utf8) + head + rest)
        let run = try check(isDemonstration: false, keys)
        #expect(run.status == 74 && run.error.contains(words), "\(run.error)")
    }
}
