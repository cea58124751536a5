import Foundation
import TestFolders
import TestPrograms
import Testing

/// What `greylock card ...` said, run as a user runs it.
struct Said {
    let status: Int32
    let text: String

    /// - Parameter errors: standard error in place of standard output.
    init(_ arguments: [String], errors: Bool = false) throws {
        let program = try Program("greylock", ["card"] + arguments, readsOutput: !errors)
        status = program.end()
        text = program.lines.joined(separator: "\n")
    }
}

/// The folder `board` of the sources.
let board: URL = {
    var folder = URL(fileURLWithPath: #filePath)
    for _ in 0..<3 { folder.deleteLastPathComponent() }
    return folder.appendingPathComponent("board")
}()

/// A card made from the example profile.
struct MadeCard {
    let folder: TestFolder
    let state: String

    init() throws {
        folder = try TestFolder()
        state = folder.path("card")
        let said = try Said(["new", "--profile", board.appendingPathComponent("card.toml").path, "--state", state])
        #expect(said.status == 0)
    }

    func script(_ text: String) throws -> Said {
        try Said(["script", folder.file("script", text), "--state", state], errors: true)
    }
}

struct CardFileToolTests {
    private struct Report: Decodable {
        struct Tries: Decodable, Equatable {
            let left: Int
            let limit: Int
        }

        let card: String
        let balanceFen: Int
        let offlineNumber: Int
        let pinTries: Tries
        let application: String
        let advice: [String]
    }

    @Test func theExampleProfileMakesACardThatIsShown() throws {
        let made = try MadeCard()
        let text = try Said(["show", "--state", made.state]).text
        #expect(text.contains("00010000000000000043, customer card") && text.contains("500.00 yuan"))
        let json = try Said(["show", "--state", made.state, "--json"]).text
        let report = try JSONDecoder().decode(Report.self, from: Data(json.utf8))
        #expect(report.card == "00010000000000000043" && report.balanceFen == 50_000 && report.offlineNumber == 0)
        #expect(report.pinTries == Report.Tries(left: 3, limit: 3))
        #expect(report.application == "open" && report.advice == ["nothing to do"])
        let mode = try FileManager.default.attributesOfItem(atPath: made.state)[.posixPermissions]
        #expect(mode as? Int == 0o600)
    }

    @Test func aFileThatIsThereIsNotReplaced() throws {
        let made = try MadeCard()
        let before = try Data(contentsOf: URL(fileURLWithPath: made.state))
        let profile = board.appendingPathComponent("card.toml").path
        let said = try Said(["new", "--profile", profile, "--state", made.state], errors: true)
        #expect(said.status == 74 && said.text.contains("may be a card with money on it"))
        #expect(try Data(contentsOf: URL(fileURLWithPath: made.state)) == before)
    }

    @Test func aPINInTheArgumentsIsRefusedAndNotRepeated() throws {
        let made = try MadeCard()
        for command in ["0020000003987654", "805E010006987654FF1234", "805E000007987654AABBCCDD", "80200000 03 987654"]
        {
            let said = try Said(["apdu", "--state", made.state, command], errors: true)
            #expect(said.status == 64 && said.text.contains("--verify") && !said.text.contains("9876"))
        }
    }

    @Test func exchangesAreDecoded() throws {
        let made = try MadeCard()
        let said = try Said(["apdu", "--state", made.state, "00A4040008F0504554524F4C0100", "80 5C 00 01 04"])
        #expect(said.status == 0)
        #expect(said.text.contains("GET BALANCE\n< 0000C350 9000 (done)\n    balance 0000C350"))
    }

    @Test func theExampleScriptPasses() throws {
        let made = try MadeCard()
        let file = board.appendingPathComponent("scripts/refusals.apdu").path
        let said = try Said(["script", file, "--state", made.state])
        #expect(said.status == 0 && said.text == "\(file): 14 answers as expected")
        let traced = try Said(["script", file, "--state", made.state, "--trace"])
        #expect(traced.status == 0 && traced.text.contains("\n    SELECT\n") && traced.text.hasSuffix(said.text))
    }

    @Test(arguments: [
        ("< 6F {:23} 90 00", "leftover bytes"), ("< 6F {:24} 90 00 00", "bytes that do not come"),
        ("< 6F {:24} 90 01", "another byte"), ("< {a:1} {:25} {a}", "other kept bytes"),
    ])
    func anotherAnswerStopsTheScriptAtItsLine(_ expected: String, _ reason: String) throws {
        let made = try MadeCard()
        let said = try made.script("# SELECT\n> 00 A4 04 00 08 F0 50 45 54 52 4F 4C 01 00\n\(expected)\n")
        #expect(said.status == 1, "\(reason)")
        #expect(said.text.contains("script:3: the answer to SELECT is another one\n  expected  "), "\(reason)")
        #expect(said.text.contains("\n  got       6F178408"), "\(reason)")
    }

    @Test(arguments: [
        ("< 90 00", 1), ("> 80 5C 00 01 04", 1), ("> 80 5C 00 01 04\n> 80 5C 00 01 04", 1), ("!restart", 1),
        ("# fine\n> 80 5C 00 01 {x}\n< 90 00", 2), ("> 80 5C 00 ..\n< 90 00", 1), ("> 80 5C 00 01 04\n< {x} 90 00", 2),
        ("> 80 5C 00 01 04\n< {x:0} 90 00", 2), ("> 80 5C 00 01 04\n< 9", 2), ("> 00 20 00 00 03 98 76 54\n< 90 00", 1),
        ("> 80\n< 90 00", 1), ("SELECT", 1), ("> 80 5C 00 01 04\n< {x:4 90 00", 2),
    ])
    func aScriptThatIsNoneNamesItsLineAndSendsNothing(_ text: String, _ line: Int) throws {
        let made = try MadeCard()
        let said = try made.script(text)
        #expect(said.status == 78 && said.text.contains("/script:\(line): "), "\(said.status): \(said.text)")
        #expect(!said.text.contains("9876"), "\(said.text)")
    }

    @Test func keptBytesServeInLaterCommandsAndAnswers() throws {
        let made = try MadeCard()
        let said = try made.script(
            """
            > 00 A4 04 00 08 F0 50 45 54 52 4F 4C 01 00
            < 6F {:1} {head:2} {aid:8} {:13} 90 00
            !reset
            > 80 5C 00 01 04
            < 69 85
            > 00 A4 04 00 08 {aid} 00
            < 6F .. {head} {aid} {:13} 90 00
            !verify demonstration
            < 90 00
            """
        )
        #expect(said.status == 0, "\(said.text)")
    }

    @Test func anotherFileIsNoCard() throws {
        let made = try MadeCard()
        let other = try made.folder.file("other", "not a card")
        for path in [other, made.folder.path("missing"), made.folder.url.path] {
            let said = try Said(["show", "--state", path], errors: true)
            #expect(said.status == 74 && said.text.contains(path))
        }
    }
}
