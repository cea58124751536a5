import CardCryptography
import Foundation
import FuelPassbook
import Glibc
import ISO7816
import Journal
import Records
import SQLite
import TestFolders
import TestPrograms
import Testing
import Threads

/// The issuer's store with its tools, each a program at a terminal. `Vectors/key_stores.py` of KeyCustodyTests made the files.
@Suite(.timeLimit(.minutes(10)))
struct IssuersStoreTests {
    private static let passphrase = "correct horse battery"
    private static let terminal = TerminalID(0x3100_0000_0017)

    private let folder: TestFolder
    private let store: String

    init() throws {
        folder = try TestFolder()
        store = folder.path("issuer.keys")
    }

    // MARK: - The format before

    @Test func aFormerFileIsConvertedOnce() throws {
        try put("former", store)
        // Of a conversion that the power cut off.
        _ = try folder.file("issuer.keys.greylock-draft", "GLKS")
        // A person's own.
        try put("issuer", store + ".new")
        let first = try run("keys", "show", "--store", store)
        #expect(first.log.contains("\(store) was of the format for one version, and is converted"), "\(first.log)")
        #expect(try Array(bytes(store).prefix(5)) == Array("GLKS".utf8) + [4])
        #expect(!FileManager.default.fileExists(atPath: store + ".greylock-draft"))
        #expect(try bytes(store + ".new") == vector("issuer"))
        #expect(try mode(store) == 0o600)
        let converted = try bytes(store)
        let second = try run("keys", "show", "--store", store)
        #expect(!second.log.contains("format") && second.screen == first.screen)
        #expect(try bytes(store) == converted)
        let lines = "index 7, version 9, newest\r\n  CFC87B  purchase and petrol, MPK"
        #expect(first.screen.contains(lines), "\(first.screen)")
        #expect(first.screen.contains("  C9D97A  internal authentication"))
    }

    @Test func aWrongPassphraseConvertsNothing() throws {
        try put("former", store)
        let said = try run("keys", "show", "--store", store, passphrase: "correct horse batterz", status: 74)
        #expect(said.log.contains("the passphrase is wrong"))
        #expect(try bytes(store) == vector("former"))
    }

    /// As on a medium that cannot be written.
    @Test func aFormerFileThatCannotBeConvertedServes() throws {
        try put("former", store)
        try FileManager.default.createDirectory(atPath: store + ".lock", withIntermediateDirectories: false)
        let said = try run("keys", "show", "--store", store)
        #expect(said.log.contains("serves as it is, and is not converted: cannot open \(store).lock"), "\(said.log)")
        #expect(said.screen.contains("index 7, version 9"))
        #expect(try bytes(store) == vector("former"))
    }

    // MARK: - Versions

    @Test(arguments: ["issuer", "former"])
    func aVersionIsAdded(name: String) throws {
        try put(name, store)
        let (added, log) = try run("keys", "add", "--store", store, "--version", "12")
        #expect(added.contains("version 12 is added to \(store), change"), "\(added)")
        #expect(log.contains("is converted") == (name == "former"), "\(log)")
        let after = try run("keys", "show", "--store", store).screen
        for check in try fields(name + ".checks").joined() { #expect(after.contains(check)) }
        #expect(after.contains(", version 12, newest, made "), "\(after)")
        let bytes = try bytes(store)
        let again = try run("keys", "add", "--store", store, "--version", "12", status: 65)
        #expect(again.log.contains("has version 12 already: choose another number"), "\(again.log)")
        #expect(try self.bytes(store) == bytes)
    }

    @Test func oneProgramAtATimeChangesTheStore() throws {
        try put("issuer", store)
        let first = try ProgramAtTerminal("greylock", ["keys", "add", "--store", store, "--version", "3"])
        try first.wait(for: "passphrase of ", on: .screen)
        let second = try Program("greylock", ["keys", "add", "--store", store, "--version", "4"])
        #expect(second.end() == 74)
        #expect(second.lines.joined().contains("the keys are being changed by another program"))
        // Who only reads is not held up.
        #expect(try run("keys", "show", "--store", store).screen.contains("version 2"))
        try put("issuer", store)
        try first.type(Self.passphrase + "\r")
        #expect(first.end() == 74 && first.log.contains("was replaced meanwhile"), "\(first.log)")
        #expect(try bytes(store) == vector("issuer"))
    }

    @Test func aMissingStoreGetsNoLock() throws {
        let tool = try Program("greylock", ["keys", "add", "--store", store, "--version", "3"])
        #expect(tool.end() == 74 && tool.lines.joined().contains("there is no key store \(store): greylock keys new"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).isEmpty)
    }

    /// A card is made with the newest version or the profile's, and shown with its own.
    @Test(arguments: [(nil, 2), (1, 1), (2, 2)])
    func aCardTakesItsVersion(asked: Int?, made: Int) throws {
        try put("issuer", store)
        let more = asked.map { "key_version = \($0)" } ?? ""
        let profile = try folder.file("card.toml", cardProfile(keys: store, more: more))
        let card = folder.path("card")
        _ = try run("card", "new", "--profile", profile, "--state", card)
        let shown = try run("card", "show", "--state", card, "--keys", store, "--json").screen
        #expect(shown.contains("\"keyVersion\" : \(made)") && shown.contains("\"keyIndex\" : 5"), "\(shown)")
        _ = try run("card", "apdu", "--state", card, "--keys", store, "00A4040008F0504554524F4C01")
    }

    @Test func aVersionThatIsNotThereMakesNoCard() throws {
        try put("issuer", store)
        let profile = try folder.file("card.toml", cardProfile(keys: store, more: "key_version = 3"))
        let said = try run("card", "new", "--profile", profile, "--state", folder.path("card"), status: 78)
        #expect(said.log.contains("has no version 3: it has 1, 2"), "\(said.log)")
        #expect(!FileManager.default.fileExists(atPath: folder.path("card")))
    }

    // MARK: - What it makes

    @Test("nobody types anything for a file that cannot be made", arguments: ["keys wrap", "counter new"])
    func noPlace(command: String) throws {
        try put("issuer", store)
        let there = try folder.file("there", "that of before")
        let absent = folder.path("none/file")
        let words = command.split(separator: " ").map(String.init) + ["--store", store]
        for (path, said) in [(there, "exists, and "), (absent, "cannot be made: there is no folder")] {
            let place =
                command == "keys wrap"
                ? ["--terminal", "310000000017", "--into", path]
                : ["--counter", "310000000099", "--book", path]
            let tool = try Program("greylock", words + place)
            #expect(tool.end() == 74)
            #expect(tool.lines.joined().contains("\(path) \(said)"), "\(tool.lines)")
        }
        #expect(try bytes(there) == Array("that of before".utf8))
    }

    // MARK: - Whose it is

    @Test func aTerminalsStoreIsRefusedByName() throws {
        try put("terminal", store)
        for arguments in [["keys", "show"], ["keys", "add", "--version", "3"]] {
            let tool = try Program("greylock", arguments + ["--store", store])
            #expect(tool.end() == 74)
            #expect(tool.lines.joined().contains("\(store) is a terminal's key store: name the issuer's"))
        }
    }

    @Test func anIssuersStoreIsNoTerminals() throws {
        let bench = try CeremonyBench()
        for name in ["issuer", "former"] {
            try put(name, bench.store)
            let tool = try Program("greylock", ["keys", "list", "--config", bench.config])
            #expect(tool.end() == 74)
            #expect(tool.lines.joined().contains("\(bench.store) is an issuer's key store"), "\(tool.lines)")
            #expect(try bytes(bench.store) == vector(name))
        }
    }

    // MARK: - A terminal's journal

    /// Without the terminal: from a copy of its journal, as after an emergency erasure.
    @Test(arguments: [1, 2])
    func theIssuerJudgesAJournal(version: UInt8) throws {
        try put("issuer", store)
        try writeJournal(version)
        let said = try records()
        #expect(said.screen.contains("records: 2") && !said.screen.contains("damaged"), "\(said.screen)")
        #expect(said.screen.contains("codes of the rows: judged with RECORD 5 \(version)"), "\(said.screen)")
        #expect(try records("--json").screen.contains("\"recordKey\" : \"RECORD 5 \(version)\""))
        try rot()
        let rotten = try records(status: 74)
        #expect(rotten.screen.contains("records: 2") && rotten.screen.contains("damaged rows: 1"), "\(rotten.screen)")
    }

    @Test func aJournalThatNoVersionFitsIsNamed() throws {
        try put("issuer", store)
        try writeJournal(1)
        let other = try records(terminal: "310000000018", status: 65)
        #expect(other.log.contains("no version of \(store) fits") && other.log.contains("RECORD 5 1"), "\(other.log)")
        try put("former", store)
        let store = try records(status: 65)
        #expect(store.log.contains("its codes need the record key of index 5, version 1"), "\(store.log)")
    }

    /// One right code shows whose journal it is.
    @Test func aJournalWhoseStateAndNewestRowAreDamagedIsJudged() throws {
        try put("issuer", store)
        try writeJournal(1)
        let journal = try Connection(folder.path("journal"))
        try journal.write { db in
            try db.execute("UPDATE journal_state SET sealed = zeroblob(length(sealed))")
            try db.execute("UPDATE sale SET remark = 'another' WHERE ttc = 2")
        }
        let said = try records(status: 74)
        #expect(said.screen.contains("remark 1 that rots") && !said.screen.contains("another"), "\(said.screen)")
        #expect(said.screen.contains("damaged rows: 2"), "\(said.screen)")
    }

    private func writeJournal(_ version: UInt8) throws {
        let key = LockedBuffer(hexadecimal: try fields("issuer.record")[Int(version) - 1][0])
        let reference = KeyReference(index: KeyIndex(5), version: KeyVersion(version))
        let journal = try SQLiteJournal(
            path: folder.path("journal"),
            capacity: 64,
            key: RecordKey(key, as: reference),
            mark: nil,
            damageFound: {}
        )
        for number in 1...2 {
            let number = UInt32(number)
            var fields = try recordFields(.noCard, .settled, number: number, terminal: Self.terminal, card: .none)
            fields.head.remark = "remark \(number) that rots"
            try journal.commit(JournalEntry(fields.completed()))
        }
    }

    /// One letter of a remark, wherever it stands.
    private func rot() throws {
        var rotten = 0
        for name in ["journal", "journal-wal"] where FileManager.default.fileExists(atPath: folder.path(name)) {
            var data = try Data(contentsOf: folder.url.appending(path: name))
            while let place = data.firstRange(of: Data("remark 2 that rots".utf8)) {
                data[place.lowerBound] = UInt8(ascii: "R")
                rotten += 1
            }
            try data.write(to: folder.url.appending(path: name))
        }
        #expect(rotten > 0)
    }

    private func records(
        _ more: String...,
        terminal: String = "310000000017",
        status: Int32 = 0
    ) throws -> (screen: String, log: String) {
        let journal = ["records", "--journal", folder.path("journal"), "--store", store, "--terminal", terminal]
        return try run(journal + more, status: status)
    }

    // MARK: -

    private func run(
        _ arguments: String...,
        passphrase: String = Self.passphrase,
        status: Int32 = 0
    ) throws -> (screen: String, log: String) {
        try run(arguments, passphrase: passphrase, status: status)
    }

    private func run(
        _ arguments: [String],
        passphrase: String = Self.passphrase,
        status: Int32
    ) throws -> (screen: String, log: String) {
        let tool = try ProgramAtTerminal("greylock", arguments)
        try tool.wait(for: "passphrase of ", on: .screen)
        try tool.wait(for: ": ", on: .screen)
        try tool.type(passphrase + "\r")
        let ended = tool.end()
        tool.readScreen()
        #expect(ended == status, "\(arguments): \(tool.log)")
        return (tool.screen, tool.log)
    }

    private func put(_ name: String, _ path: String) throws {
        if FileManager.default.fileExists(atPath: path) { try FileManager.default.removeItem(atPath: path) }
        let isMade = FileManager.default.createFile(
            atPath: path,
            contents: Data(try vector(name)),
            attributes: [.posixPermissions: 0o600]
        )
        #expect(isMade)
    }

    private func vector(_ name: String) throws -> [UInt8] { try Hex.bytes(fields(name)[0][0]) }

    /// Of each line of that name.
    private func fields(_ name: String) throws -> [[String]] {
        let vectors = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../KeyCustodyTests/Vectors/key-stores.txt")
        return try String(contentsOf: vectors, encoding: .utf8).split(separator: "\n")
            .map { $0.split(separator: " ").map(String.init) }
            .filter { $0.first == name }
            .map { Array($0.dropFirst()) }
    }

    private func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: path))) }

    private func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }
}
