import Foundation
import FuelPassbook
import ISO7816
import Quantities
import Records
import SecurityModule
import TestFolders
import Testing
import TotaliserFiles

/// What a place gives back is what was written last, or an earlier writing, or a refusal by name.
struct TotalsFileTests {
    private static let terminal = TerminalID(0x31)
    private static let offset = 96

    enum Kind: CaseIterable {
        case file, memory
    }

    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private func place(_ kind: Kind, of terminal: TerminalID = Self.terminal) -> TotalsFile {
        switch kind {
        case .file: TotalsFile(path: folder.path("totals"), of: terminal, .demonstration)
        case .memory: TotalsFile(memory: folder.path("totals"), offset: Self.offset, of: terminal, .demonstration)
        }
    }

    /// A chip that was never written; a file is made by the place.
    private func prepare(_ kind: Kind, blank: UInt8 = 0xFF, count: Int = 4_096) throws {
        if kind == .memory { try bytes(Array(repeating: blank, count: count)) }
    }

    private func bytes(_ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(filePath: folder.path("totals"))) }

    private func bytes() throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: folder.path("totals")))) }

    private func totals(_ litres: Int) -> [NozzleTotal] {
        [3, 1].map { NozzleTotal(nozzle: $0, volume: Volume(centilitres: 100 * litres + $0), fen: 785 * litres + $0) }
            .sorted { $0.nozzle < $1.nozzle }
    }

    @Test(arguments: Kind.allCases)
    func whatWasWrittenLastIsReadByTheNextProcess(kind: Kind) throws {
        try prepare(kind)
        #expect(place(kind).read() == .missing)
        for litres in 1...20 {
            let place = place(kind)
            try place.write(totals(litres))
            #expect(place.read() == .totals(totals(litres)))
        }
        #expect(place(kind).read() == .totals(totals(20)))
        let mode = try FileManager.default.attributesOfItem(atPath: folder.path("totals"))[.posixPermissions] as? Int
        #expect(kind == .memory || mode == 0o600)
    }

    @Test func aChipOfZerosIsAsBlankAsOneOfOnes() throws {
        try prepare(.memory, blank: 0)
        #expect(place(.memory).read() == .missing)
        try place(.memory).write(totals(1))
        #expect(place(.memory).read() == .totals(totals(1)))
    }

    @Test("what lies before and behind the bytes of a board's memory stays")
    func neighbours() throws {
        try bytes((0..<4_096).map { (Self.offset..<Self.offset + TotalsFile.memoryBytesCount).contains($0) ? 0xFF : 7 })
        for litres in 1...30 { try place(.memory).write(totals(litres)) }
        let after = try bytes()
        #expect(after.prefix(Self.offset).allSatisfy { $0 == 7 })
        #expect(after.dropFirst(Self.offset + TotalsFile.memoryBytesCount).allSatisfy { $0 == 7 })
    }

    @Test("a write that is torn at any byte leaves the one before", arguments: Kind.allCases)
    func torn(kind: Kind) throws {
        try prepare(kind)
        for litres in 1...9 { try place(kind).write(totals(litres)) }
        let before = try bytes()
        try place(kind).write(totals(10))
        let after = try bytes()
        let changed = zip(before, after).enumerated().filter { $0.element.0 != $0.element.1 }.map(\.offset)
        let (first, last) = (try #require(changed.first), try #require(changed.last))
        for cut in first...last {
            try bytes(Array(after.prefix(cut)) + before.dropFirst(cut))
            let reading = place(kind).read()
            #expect(reading == .totals(totals(9)) || reading == .totals(totals(10)), "cut at \(cut): \(reading)")
        }
        try bytes(Array(after.prefix(first)) + before.dropFirst(first))
        try place(kind).write(totals(11))
        #expect(place(kind).read() == .totals(totals(11)))
    }

    /// Each bit of the head, the entries and the code.
    @Test(arguments: Kind.allCases)
    func aFlippedBitIsNeverBelieved(kind: Kind) throws {
        try prepare(kind)
        try place(kind).write(totals(1))
        let right = try bytes()
        let start = kind == .file ? 0 : Self.offset
        for index in start..<start + 24 + 2 * 17 + 16 {
            for bit in 0..<8 {
                var wrong = right
                wrong[index] ^= 1 << UInt8(bit)
                // The file's second slot has the same.
                if kind == .file { wrong.replaceSubrange(4_096..., with: wrong[..<4_096]) }
                try bytes(wrong)
                switch place(kind).read() {
                case .unauthentic, .failed: break
                case .totals, .missing: Issue.record("byte \(index), bit \(bit) is not seen")
                }
            }
        }
    }

    @Test(arguments: Kind.allCases)
    func anotherTerminalsIsNamedAndWrittenOver(kind: Kind) throws {
        try prepare(kind)
        try place(kind, of: TerminalID(0x32)).write(totals(900))
        guard case .unauthentic(let reason) = place(kind).read() else {
            Issue.record("it is believed")
            return
        }
        #expect(reason.contains("it belongs to terminal 000000000032"), "\(reason)")
        try place(kind).write(totals(1))
        #expect(place(kind).read() == .totals(totals(1)))
    }

    @Test(arguments: Kind.allCases)
    func whatAnotherProgramWroteIsLeft(kind: Kind) throws {
        let foreign: [UInt8] = Array("MAC address".utf8) + Array(repeating: 1, count: 4_000)
        try bytes(kind == .file ? foreign : Array(repeating: 0xAA, count: 4_096))
        let before = try bytes()
        let place = place(kind)
        guard case .failed(let reason) = place.read() else {
            Issue.record("it is used")
            return
        }
        #expect(reason.contains("holds something else, and is left as it is"), "\(reason)")
        #expect(throws: TotaliserPlaceFault(reason)) { try place.write(totals(1)) }
        #expect(try bytes() == before)
    }

    @Test func aChipThatIsTooSmallSaysHowMuchIsNeeded() throws {
        try prepare(.memory, count: 1_000)
        guard case .failed(let reason) = place(.memory).read() else {
            Issue.record("it is used")
            return
        }
        #expect(reason.hasSuffix("is too small: 1408 bytes are needed"), "\(reason)")
    }

    @Test func aSecondProcessIsRefusedByName() throws {
        let first = place(.file)
        try first.write(totals(1))
        // `flock` belongs to the open file, so that a second opening in this process is as another process's.
        #expect(place(.file).read() == .failed("file \(folder.path("totals")) is in use by another process"))
        #expect(throws: TotaliserPlaceFault.self) { try place(.file).write(totals(9)) }
        #expect(first.read() == .totals(totals(1)))
    }

    @Test(arguments: Kind.allCases)
    func aFileThatGoesWhileItIsUsedIsNotMadeAnew(kind: Kind) throws {
        try prepare(kind)
        let place = place(kind)
        try place.write(totals(1))
        try FileManager.default.removeItem(atPath: folder.path("totals"))
        #expect(throws: TotaliserPlaceFault.self) { try place.write(totals(2)) }
        #expect(!FileManager.default.fileExists(atPath: folder.path("totals")))
    }

    @Test func aLinkOrAPipeIsNoFile() throws {
        try FileManager.default.createSymbolicLink(atPath: folder.path("totals"), withDestinationPath: folder.path("x"))
        #expect(place(.file).read() == .failed("file \(folder.path("totals")) is a link: name the file itself"))
        try FileManager.default.removeItem(atPath: folder.path("totals"))
        #expect(unsafe mkfifo(folder.path("totals"), 0o600) == 0)
        #expect(place(.file).read() == .failed("file \(folder.path("totals")) is no regular file"))
    }
}
