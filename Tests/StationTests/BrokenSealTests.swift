import CardCryptography
import Configuration
import Files
import Foundation
import FuelPassbook
import ISO7816
import Journal
import Metering
import ParameterFiles
import Parameters
import Quantities
import Records
import SecurityModule
import TestFolders
import TestJournals
import TestPrograms
import Testing
import Words

@testable import Parameters
@testable import Station

/// A book of three versions of side 1 and one of side 2, in force on this board, and what somebody then does to it.
final class SealScene {
    static let terminal = Demonstration.terminal
    static let key = ParameterKey(RecordKey.demonstration.parameterKey(), as: RecordKey.demonstration.reference)

    let folder: TestFolder
    let file: ParameterFile
    var terminal = SealScene.terminal
    var board = SealScene.serial("this-board")
    /// In the order of the sets: side 1, side 2, side 1, side 1.
    private(set) var blocks: [String] = []
    private(set) var side: Configuration.Side
    private var journal: SQLiteJournal?

    static func serial(_ text: String) -> BoardSerial {
        guard let serial = BoardSerial(text) else { fatalError("a name of letters") }
        return serial
    }

    init() throws {
        folder = try TestFolder()
        file = ParameterFile(folder.path("parameters"))
        let text = ServiceConfiguration.text(
            journal: (folder.path("journal.db"), ""),
            pump: ServiceConfiguration.gpio("chip = 'x'\na = 1\nb = 2\nnozzle = 3\nmotor = 4\nmain_valve = 5")
        )
        side = try Configuration(toml: Array(text.utf8), file: "test").sides[0]
        try FileManager.default.copyItem(atPath: try empty(), toPath: folder.path("older.db"))
        var book = ParameterBook(of: Self.terminal)
        for (side, factor) in [(1, 1_000_000), (2, 1_000_000), (1, 1_000_900), (1, 1_001_000)] {
            try Self.add(factor, of: side, to: &book, on: board)
            if book.sets.count == 2 { try write(book.text, to: "older") }
        }
        try file.replace(with: book)
        blocks = book.text.split(separator: "\n\n").dropFirst().map { $0.hasSuffix("\n") ? "\($0)" : "\($0)\n" }
        let all = book.text
        #expect(all == Self.text(blocks))
        #expect(try refusal() == nil)
    }

    static func add(_ factor: Int, of side: Int, to book: inout ParameterBook, on board: BoardSerial) throws {
        var meter = MeterParameters.demonstration
        meter.points = [CalibrationPoint(litresPerMinute: 50, factorMillionths: factor)]
        let date = TransactionTime(utc: 1_790_000_000)
        let change = try ParameterChange(author: "A", second: "B", reason: "test", date: date)
        try book.add(meter, of: side, on: board, by: change, under: key)
    }

    static func text(_ blocks: [String]) -> String {
        "greylock-parameters 1 \(terminal)\n" + blocks.map { "\n\($0.hasSuffix("\n") ? $0 : $0 + "\n")" }.joined()
    }

    private func empty() throws -> String {
        _ = try SQLiteJournal(path: folder.path("journal.db"), capacity: 100)
        return folder.path("journal.db")
    }

    /// What the service would say; nil where it sells.
    func refusal() throws -> ParameterRefusal? {
        let journal = try SQLiteJournal(path: folder.path("journal.db"), capacity: 100)
        let desk = ParameterDesk(file, terminal, board, Self.key, journal)
        switch try desk.set(of: side) {
        case .success: return nil
        case .failure(let refusal): return refusal
        }
    }

    func write(_ text: String, to name: String = "parameters") throws { _ = try folder.file(name, text) }

    func write(_ blocks: [String]) throws { try write(Self.text(blocks)) }

    /// The newest set of side 1 with another line.
    func replace(_ old: String, _ new: String, sealing: Sealing = .no) throws {
        var blocks = blocks
        #expect(blocks[3].contains(old))
        blocks[3] = blocks[3].replacing(old, with: new)
        if sealing != .no { blocks[3] = sealed(blocks[3], after: blocks[2], sealing) }
        try write(blocks)
    }

    enum Sealing { case no, hashAlone, otherKey, rightKey }

    /// As who knows the format does it.
    func sealed(_ block: String, after before: String?, _ sealing: Sealing) -> String {
        let lines = block.split(separator: "\n").map(String.init)
        let text = lines.prefix { !$0.hasPrefix("hash ") }.map { $0 + "\n" }.joined()
        let hash = before.map { $0.split(separator: "\n").first { $0.hasPrefix("hash ") }?.dropFirst(5) ?? "" }
        let last = hash.map { bytes("\($0)") } ?? [UInt8](repeating: 0, count: SHA256.length)
        let digest = SHA256.digest(of: last + Self.terminal.bytes + Array(text.utf8))
        let reference = KeyReference(index: Demonstration.keyIndex, version: KeyVersion(0xEE))
        let other = ParameterKey(CodeKey(raw: LockedBuffer(count: CodeKey.length)), as: reference)
        let code: String
        switch sealing {
        case .no, .hashAlone: code = lines[lines.count - 1]
        case .otherKey, .rightKey:
            let made = (sealing == .rightKey ? Self.key : other).code(digest)
            let name = "\(made.reference.index.number).\(made.reference.version.number)"
            code = "code \(name).\(Hex.string(made.bytes))"
        }
        return text + "hash \(Hex.string(digest))\n\(code)\n"
    }

    private func bytes(_ text: String) -> [UInt8] {
        do { return try Hex.bytes(text) } catch { fatalError("the book's own digits") }
    }
}

/// The service refuses each of these by name, and sells under none.
@Suite struct BrokenSealTests {
    struct Breach: CustomTestStringConvertible, Sendable {
        let testDescription: String
        /// What the refusal is called.
        let expected: String
        let act: @Sendable (SealScene) throws -> Void

        init(_ name: String, _ expected: String, _ act: @escaping @Sendable (SealScene) throws -> Void) {
            (testDescription, self.expected, self.act) = (name, expected, act)
        }
    }

    private static let fields = [
        "set 4": "set 5", "side 1": "side 2", "version 3": "version 4",
        "calibration_counter 3": "calibration_counter 2",
        "configuration_counter 1": "configuration_counter 2", "board this-board": "board that-board",
        "date 20260921141320": "date 20260921141321", "author A": "author C", "second B": "second C",
        "reason test": "reason toast", "meter_serial demonstration": "meter_serial other",
        "pulser_serial demonstration": "pulser_serial other", "channels 2\nsecurity alarm": "channels 1",
        "security alarm": "security correct", "pulses_per_litre 100": "pulses_per_litre 99",
        "50:1001000": "50:1001001", "litres_per_minute_min 5": "litres_per_minute_min 4",
        "litres_per_minute_max 200": "litres_per_minute_max 300", "minimum_centilitres 200": "minimum_centilitres 100",
        "slow_flow_centilitres 50": "slow_flow_centilitres 0",
        "reverse_centilitres_max 20": "reverse_centilitres_max 1000",
        "pulser_faults_max 10": "pulser_faults_max 1000",
    ]

    private static let ofText: [Breach] = fields.sorted { $0.key < $1.key }.map { old, new in
        Breach("\(old) altered", old == "set 4" ? "set 5, and 4 is missing" : "altered") { try $0.replace(old, new) }
    }

    private static let ofCodes: [Breach] = [
        Breach("hash altered", "altered") { try $0.replace("hash ", "hash A") },
        Breach("code altered", "not written by this terminal") { scene in
            let digit = scene.blocks[3].dropLast().last == "0" ? "1" : "0"
            try scene.write(Array(scene.blocks.dropLast()) + [scene.blocks[3].dropLast(2) + "\(digit)\n"])
        },
        Breach("factor altered, hash made anew", "not written by this terminal") {
            try $0.replace("50:1001000", "50:1002000", sealing: .hashAlone)
        },
        Breach("reason altered, hash made anew", "not written by this terminal") {
            try $0.replace("reason test", "reason toast", sealing: .hashAlone)
        },
        Breach("factor altered, under a key of one's own", "is another than was in force") {
            try $0.replace("50:1001000", "50:1002000", sealing: .otherKey)
        },
        Breach("a new set under a key of one's own", "record key") { scene in
            var next = scene.blocks[3]
            for (old, new) in [
                ("set 4", "set 5"), ("version 3", "version 4"), ("calibration_counter 3", "calibration_counter 4"),
                ("50:1001000", "50:1002000"),
            ] { next = next.replacing(old, with: new) }
            try scene.write(scene.blocks + [scene.sealed(next, after: scene.blocks[3], .otherKey)])
        },
        Breach("code of another set", "not written by this terminal") { scene in
            let code = scene.blocks[2].split(separator: "\n").last ?? ""
            let lines = scene.blocks[3].split(separator: "\n").dropLast() + [code]
            try scene.write(Array(scene.blocks.dropLast()) + [lines.joined(separator: "\n")])
        },
        Breach("calibration counter lowered, with the right key", "calibration counter") {
            try $0.replace("calibration_counter 3", "calibration_counter 1", sealing: .rightKey)
        },
        Breach("calibration counter raised, with the right key", "calibration counter") {
            try $0.replace("calibration_counter 3", "calibration_counter 9", sealing: .rightKey)
        },
        Breach("configuration counter raised, with the right key", "configuration counter") {
            try $0.replace("configuration_counter 1", "configuration_counter 2", sealing: .rightKey)
        },
        Breach("version left out, with the right key", "version 4") {
            try $0.replace("version 3", "version 4", sealing: .rightKey)
        },
        Breach("another set of the same version, with the right key", "is another than was in force") {
            try $0.replace("reason test", "reason other", sealing: .rightKey)
        },
    ]

    private static let ofChain: [Breach] = [
        Breach("newest set removed", "an older book") { try $0.write(Array($0.blocks.dropLast())) },
        Breach("middle set removed", "set 4, and 3 is missing") { scene in
            try scene.write([scene.blocks[0], scene.blocks[1], scene.blocks[3]])
        },
        Breach("first set removed", "set 2, and 1 is missing") { try $0.write(Array($0.blocks.dropFirst())) },
        Breach("set of the other side removed", "set 3, and 2 is missing") { scene in
            try scene.write([scene.blocks[0], scene.blocks[2], scene.blocks[3]])
        },
        Breach("two sets swapped", "set 3, and 2 is missing") { scene in
            try scene.write([scene.blocks[0], scene.blocks[2], scene.blocks[1], scene.blocks[3]])
        },
        Breach("two sets swapped, with their numbers", "altered") { scene in
            let second = scene.blocks[2].replacing("set 3", with: "set 2")
            let third = scene.blocks[1].replacing("set 2", with: "set 3")
            try scene.write([scene.blocks[0], second, third, scene.blocks[3]])
        },
        Breach("a set twice", "set 4, and 5 is missing") { try $0.write($0.blocks + [$0.blocks[3]]) },
        Breach("an earlier set altered", "altered") { scene in
            var blocks = scene.blocks
            blocks[0] = blocks[0].replacing("reason test", with: "reason toast")
            try scene.write(blocks)
        },
        Breach("an older book alone", "an older book") { scene in
            try scene.write(try String(contentsOfFile: scene.folder.path("older"), encoding: .utf8))
        },
        Breach("a book of the other side alone", "are gone") { scene in
            var book = ParameterBook(of: SealScene.terminal)
            try SealScene.add(1_000_000, of: 2, to: &book, on: scene.board)
            try scene.file.replace(with: book)
        },
        Breach("a book begun anew", "an older book") { scene in
            var book = ParameterBook(of: SealScene.terminal)
            try SealScene.add(1_001_000, of: 1, to: &book, on: scene.board)
            try scene.file.replace(with: book)
        },
    ]

    private static let ofPlace: [Breach] = [
        Breach("another board's book", "another board, this-board") { $0.board = SealScene.serial("that-board") },
        Breach("another terminal's book", "terminal 001122334455") { $0.terminal = TerminalID(0x3100_0000_0017) },
        Breach("the terminal's id altered", "terminal 310000000017") { scene in
            let text = SealScene.text(scene.blocks).replacing("001122334455", with: "310000000017")
            var book = ParameterBook(of: TerminalID(0x3100_0000_0017))
            try SealScene.add(1_000_000, of: 1, to: &book, on: scene.board)
            #expect(throws: ParameterFault.self) { try ParameterBook(parsing: Array(text.utf8)) }
            try scene.file.replace(with: book)
        },
        Breach("file gone", "are gone") { try $0.folder.remove("parameters") },
        Breach("file empty", "no book of parameters") { try $0.write("") },
        Breach("file cut short", "cut short") { try $0.write(String(SealScene.text($0.blocks).dropLast())) },
        Breach("file cut in a set", "expected") { try $0.write(String(SealScene.text($0.blocks).dropLast(200))) },
        Breach("a line more", "expected an empty line") { try $0.write(SealScene.text($0.blocks) + "x\n") },
        Breach("another form of the same number", "a number from 1 on") { try $0.replace("version 3", "version 03") },
        Breach("lines of another system", "terminal's id") { scene in
            try scene.write(SealScene.text(scene.blocks).replacing("\n", with: "\r\n"))
        },
        Breach("a later format", "another version of this program") { scene in
            let text = SealScene.text(scene.blocks)
            try scene.write(text.replacing("greylock-parameters 1", with: "greylock-parameters 2"))
        },
        Breach("bytes that are no text", "UTF-8") { try $0.folder.write("parameters", [0xFF]) },
        Breach("a folder in its place", "cannot be read") { scene in
            try scene.folder.remove("parameters")
            try FileManager.default.createDirectory(
                atPath: scene.folder.path("parameters"),
                withIntermediateDirectories: false
            )
        },
        Breach("a link in its place", "is a link") { scene in
            try FileManager.default.moveItem(
                atPath: scene.folder.path("parameters"),
                toPath: scene.folder.path("elsewhere")
            )
            try FileManager.default.createSymbolicLink(
                atPath: scene.folder.path("parameters"),
                withDestinationPath: scene.folder.path("elsewhere")
            )
        },
    ]

    @Test(arguments: ofText + ofCodes + ofChain + ofPlace) func isRefusedByName(_ breach: Breach) throws {
        let scene = try SealScene()
        try breach.act(scene)
        let refusal = try #require(try scene.refusal())
        #expect(refusal.words.contains(breach.expected), "\(refusal.words)")
    }

    @Test func thereAreFiftyOfThem() {
        #expect((Self.ofText + Self.ofCodes + Self.ofChain + Self.ofPlace).count >= 50)
    }

    /// The journal's own mark, on another medium, tells the copy.
    @Test func anOlderBookWithAnOlderJournalIsRefused() throws {
        let scene = try SealScene()
        try scene.folder.remove("journal.db")
        try FileManager.default.moveItem(atPath: scene.folder.path("older.db"), toPath: scene.folder.path("journal.db"))
        try scene.write(try String(contentsOfFile: scene.folder.path("older"), encoding: .utf8))
        let fault = #expect(throws: StorageFault.self) { try scene.refusal() }
        #expect(fault?.reason.contains("an older copy") == true, "\(fault?.reason ?? "none")")
    }

    @Test func aByteOfTheProgramIsTold() throws {
        let folder = try TestFolder()
        var bytes = [UInt8](repeating: 0x5A, count: 200_000)
        try folder.write("program", bytes)
        let before = try ProgramIdentity(ofFile: folder.path("program"))
        #expect(before.hash == SHA256.digest(of: bytes))
        bytes[131_072] ^= 1
        try folder.write("program", bytes)
        #expect(try ProgramIdentity(ofFile: folder.path("program")).hash == SHA256.digest(of: bytes))
        #expect(SHA256.digest(of: bytes) != before.hash)
    }

    @Test func aRunningProgramIsWhatItWasBegunFrom() throws {
        let own = try ProgramIdentity.ofThisProcess()
        #expect(try ProgramIdentity(ofFile: own.path).hash == own.hash && !own.wasExchanged)
    }
}
