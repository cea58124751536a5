import Foundation
import TestFolders
import TestPrograms
import Testing
import VirtualCards

struct HolderNameTests {
    /// Whoever personalises a card writes the name on it.
    @Test func aNameThatSpeaksToTheScreenIsRefused() throws {
        let folder = try TestFolder()
        let example = try String(contentsOf: board.appendingPathComponent("card.toml"), encoding: .utf8)
        let name = "name = \"A. Driver\""
        try #require(example.contains(name))
        let altered = example.replacingOccurrences(of: name, with: "name = \"\\u001B[2J\\r\\nRow!\"")
        let state = folder.path("card")
        let said = try Said(["new", "--profile", try folder.file("profile", altered), "--state", state], errors: true)
        #expect(said.status == 78 && said.text.contains("name"), "\(said.text)")
        #expect(!said.text.contains("\u{1B}") && !said.text.contains("\r"))
    }

    /// A card that another program personalised says it all the same.
    @Test func aNameThatSpeaksToTheScreenIsShownEscaped() throws {
        let made = try MadeCard()
        do {
            let file = try CardFile(path: made.state)
            var image = file.image
            let place = try #require(image.firstRange(of: Array("A. Driver".utf8)))
            image.replaceSubrange(place, with: Array("\u{1B}[2J\r\nRow".utf8))
            try file.commit(image)
        }
        let said = try Said(["show", "--state", made.state])
        #expect(said.status == 0)
        #expect(said.text.contains("\\u{1B}[2J\\u{D}\\u{A}Row"), "\(said.text)")
        #expect(!said.text.contains("\u{1B}") && !said.text.contains("\r"))
    }
}
