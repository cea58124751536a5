import CardApplication
import Foundation
import FuelPassbook
import ISO7816
import TestFolders
import Testing
import VirtualCards

struct CardFileTests {
    private static let first = [UInt8](repeating: 0x11, count: 60)

    @Test func theChecksumIsThePublishedOne() {
        #expect(CRC32.checksum(Array("123456789".utf8)) == 0xCBF4_3926)
    }

    /// Images that grow, shrink and differ in one byte; in both orders in which a disk may write a slot's bytes.
    @Test(arguments: CuttableStorage.Order.allCases)
    func powerCutAtEveryByteLeavesBeforeOrAfter(order: CuttableStorage.Order) throws {
        let images: [[UInt8]] = [
            Array(repeating: 0x22, count: 60), Array(repeating: 0x33, count: 200), Array(0..<17), [],
            Array(repeating: 0x11, count: 59) + [0x12], DemonstrationCard.image(),
        ]
        var cuts = 0
        var before = CuttableStorage.content(Self.first)
        var old = Self.first
        for image in images {
            let whole = CuttableStorage(before, order: order)
            try CardFile(storage: whole).commit(image)
            for bytesUntilCut in 0...CardSlot(sequence: 1, image: image).bytes.count {
                let storage = CuttableStorage(before, order: order)
                let file = try CardFile(storage: storage)
                storage.bytesUntilCut = bytesUntilCut
                #expect(throws: CardMemoryFailure.self) { try file.commit(image) }
                let restarted = try CardFile(storage: CuttableStorage(storage.content, order: order))
                // The last bytes to be written may be what stood there before.
                #expect(restarted.image == (storage.content == whole.content ? image : old))
                try restarted.commit(image)
                #expect(restarted.image == image)
                cuts += 1
            }
            (before, old) = (whole.content, image)
        }
        print("card file: \(cuts) power cuts in \(images.count) commits, \(order)")
    }

    /// The second commit after a failed one must not write the copy that is still good.
    @Test func aFailedCommitIsRepeatedInTheSameCopy() throws {
        let storage = CuttableStorage(CuttableStorage.content(Self.first), order: .forward)
        let file = try CardFile(storage: storage)
        for bytesUntilCut in 0..<60 {
            storage.bytesUntilCut = bytesUntilCut
            #expect(throws: CardMemoryFailure.self) { try file.commit([1, 2, 3] + Self.first) }
            storage.bytesUntilCut = nil
            #expect(try CardFile(storage: storage).image == Self.first)
        }
        try file.commit([1, 2, 3])
        #expect(try CardFile(storage: storage).image == [1, 2, 3])
    }

    @Test func openingFlushesWhatItTakes() throws {
        let storage = CuttableStorage(CuttableStorage.content(Self.first), order: .forward)
        _ = try CardFile(storage: storage)
        #expect(storage.flushes == 1)
    }

    @Test func everyFlippedBitOfTheNewestCopyLeavesTheOther() throws {
        let storage = CuttableStorage(CuttableStorage.content(Self.first), order: .forward)
        try CardFile(storage: storage).commit([5, 6, 7])
        let length = CardSlot(sequence: 2, image: [5, 6, 7]).bytes.count
        for bit in 0..<length * 8 {
            var content = storage.content
            content[CardSlot.length + bit / 8] ^= 1 << (bit % 8)
            #expect(try CardFile(storage: CuttableStorage(content, order: .forward)).image == Self.first)
        }
    }

    @Test func everyPrefixOfTheNewestCopyLeavesTheOther() throws {
        let storage = CuttableStorage(CuttableStorage.content(Self.first), order: .forward)
        try CardFile(storage: storage).commit([5, 6, 7])
        let length = CardSlot(sequence: 2, image: [5, 6, 7]).bytes.count
        for count in 0...length {
            let cut = CuttableStorage(Array(storage.content.prefix(CardSlot.length + count)), order: .forward)
            #expect(try CardFile(storage: cut).image == (count == length ? [5, 6, 7] : Self.first))
        }
    }

    @Test func twoDamagedCopiesAreNoCard() throws {
        let blank = [UInt8](repeating: 0, count: CardSlot.count * CardSlot.length)
        for content in [[], Array("GLCF".utf8), blank] {
            let error = #expect(throws: CardMemoryFailure.self) {
                try CardFile(storage: CuttableStorage(content, order: .forward))
            }
            #expect(error?.reason == "the file holds no card: both of its copies are damaged")
        }
    }

    @Test func aFileIsPrivateLockedAndNeverReplaced() throws {
        let folder = try TestFolder()
        let path = folder.path("card")
        let file = try CardFile(creating: path, image: Self.first)
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let inUse = #expect(throws: CardMemoryFailure.self) { try CardFile(path: path) }
        #expect(try #require(inUse).reason.hasSuffix("is in use: another process serves this card"))
        let exists = #expect(throws: CardMemoryFailure.self) { try CardFile(creating: path, image: []) }
        #expect(try #require(exists).reason.hasSuffix("File exists"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["card"])
        #expect(file.image == Self.first)
        let missing = #expect(throws: CardMemoryFailure.self) { try CardFile(path: "/nowhere/card") }
        #expect(missing?.reason == "cannot open /nowhere/card: No such file or directory")
    }

    @Test func aCardGoesOnWhereItsFileWasClosed() throws {
        let folder = try TestFolder()
        let path = folder.path("card")
        let wrongPIN = CommandAPDU(Instruction.verify.header, data: [0x65, 0x43, 0x21]).bytes
        let select = SelectApplication(aid: Demonstration.aid).apdu.bytes
        for triesLeft in [UInt8(2), 1, 0] {
            let file =
                triesLeft == 2
                ? try CardFile(creating: path, image: DemonstrationCard.image()) : try CardFile(path: path)
            let card = try VirtualCard(stored: file.image, memory: file)
            #expect(card.respond(to: select.span).status == .success)
            #expect(card.respond(to: wrongPIN.span).status == .verificationFailed(triesLeft: triesLeft))
        }
        let file = try CardFile(path: path)
        #expect(try VirtualCard(stored: file.image, memory: file).image.pinTriesLeft == 0)
    }
}

/// Storage that can lose its power after a number of bytes. What was written until then is what a restart reads.
final class CuttableStorage: CardStorage {
    enum Order: CaseIterable, Sendable {
        case forward
        case backward
    }

    private(set) var content: [UInt8]
    private(set) var flushes = 0
    /// nil for as many as are written. A cut that no write reaches comes at the flush.
    var bytesUntilCut: Int?
    private let order: Order

    init(_ content: [UInt8], order: Order) {
        self.content = content
        self.order = order
    }

    /// A new file with this image.
    static func content(_ image: [UInt8]) -> [UInt8] {
        let slot = CardSlot(sequence: 1, image: image).bytes
        return slot + [UInt8](repeating: 0, count: CardSlot.count * CardSlot.length - slot.count)
    }

    func read(_ count: Int, at offset: Int) throws(CardMemoryFailure) -> [UInt8] {
        Array(content.dropFirst(offset).prefix(count))
    }

    func write(_ bytes: [UInt8], at offset: Int) throws(CardMemoryFailure) {
        let written = min(bytes.count, bytesUntilCut ?? bytes.count)
        for index in 0..<written {
            let index = order == .forward ? index : bytes.count - 1 - index
            content[offset + index] = bytes[index]
        }
        if written < bytes.count { throw CardMemoryFailure(reason: "the power is cut") }
    }

    func flush() throws(CardMemoryFailure) {
        flushes += 1
        if bytesUntilCut != nil { throw CardMemoryFailure(reason: "the power is cut") }
    }
}

struct VirtualCardReaderTests {
    @Test func aPulledCardIsRemovedUntilItIsConnectedAgain() throws {
        let image = DemonstrationCard.image()
        let reader = VirtualCardReader(card: try VirtualCard(stored: image, memory: VolatileCardMemory(image: image)))
        let select = SelectApplication(aid: Demonstration.aid).apdu.bytes
        let balance = GetBalance().apdu.bytes
        #expect(throws: CardFault.removed) { try reader.connect() }
        reader.insert()
        #expect(throws: CardFault.removed) { try reader.transmit(select.span) }
        try reader.connect()
        #expect(try reader.transmit(select.span).status == .success)
        reader.pull()
        #expect(throws: CardFault.removed) { try reader.transmit(balance.span) }
        reader.insert()
        #expect(throws: CardFault.removed) { try reader.transmit(balance.span) }
        try reader.connect()
        #expect(try reader.transmit(balance.span).status == .conditionsOfUseNotSatisfied)
        reader.disconnect()
        #expect(throws: CardFault.removed) { try reader.transmit(balance.span) }
    }
}
