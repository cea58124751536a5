import CardApplication
import FuelPassbook
import ISO7816
import TestCards
import Testing
import VirtualCards

/// Power that fails at every byte that a command writes, with the card over its file: a restart reads exactly the card
/// before, the card after, or the card before with the try counted that the command presented a code for.
struct TearTests {
    @Test func powerMayFailAtAnyByteOfAnyCommandThatWrites() throws {
        var tears = 0
        for write in Write.allCases {
            tears += try tear(write)
        }
        print("tear test: \(Write.allCases.count) commands that write, power lost \(tears) times")
        #expect(tears > Write.allCases.count * 100)
    }

    /// A card in a reader whose file could not be written: it reads it again when power comes, and what it goes by is flushed.
    @Test(arguments: [true, false])
    func aCardWhoseFileFailedReadsItAgainAtPowerUp(isWritten: Bool) throws {
        let image = DemonstrationCard.image()
        let blank = [UInt8](repeating: 0, count: CardSlot.count * CardSlot.length)
        let slot = CardSlot(sequence: 1, image: image).bytes
        let storage = FailingStorage(slot + blank.dropFirst(slot.count))
        let file = try CardFile(storage: storage)
        let reader = VirtualCardReader(card: try VirtualCard(stored: image, memory: file))
        func answer(_ command: [UInt8]) throws -> StatusWord { try reader.transmit(command.span).status }
        reader.insert()
        try reader.connect()
        #expect(try answer(TestCard.select.bytes) == .success)
        storage.bytesLeft = isWritten ? slot.count : 100
        let wrongPIN = CommandAPDU(Instruction.verify.header, data: [0x65, 0x43, 0x21]).bytes
        #expect(try answer(wrongPIN) == .memoryFailure)
        #expect(try answer(TestCard.select.bytes) == .memoryFailure)
        // The disk is still full: power alone does not bring it back.
        reader.disconnect()
        try reader.connect()
        if isWritten { #expect(try answer(TestCard.select.bytes) == .memoryFailure) }
        storage.bytesLeft = .max
        let flushes = storage.flushes
        reader.disconnect()
        try reader.connect()
        #expect(try answer(TestCard.select.bytes) == .success)
        #expect(reader.card.image.pinTriesLeft == (isWritten ? 2 : 3))
        #expect(storage.flushes == flushes + (isWritten ? 1 : 0))
        #expect(try answer(TestCard.verify) == .success)
        #expect(try CardImage(parsing: CardFile(storage: FailingStorage(storage.content)).image) == reader.card.image)
    }

    private func tear(_ write: Write) throws -> Int {
        let (card, command) = try write.prepare()
        let whole = try send(command, to: card, bytesUntilPowerFails: .max)
        for written in 0...whole.bytesWritten {
            let (card, command) = try write.prepare()
            let before = card.image
            let counted = write.counted(before)
            let torn = try send(command, to: card, bytesUntilPowerFails: written)
            let last = try CardImage(parsing: card.memory.lastAttempt)
            #expect(torn.status == .memoryFailure, "\(write), \(written) bytes")
            // The bytes that were lost may be those that lay there before, so that "after" may come early.
            let possible = card.memory.attempts == write.commits ? [counted, last] : [before, counted]
            #expect(possible.contains(torn.restarted), "\(write), \(written) bytes")
            if written == 0 { #expect(torn.restarted == before, "\(write)") }
            if written == whole.bytesWritten {
                #expect(torn.restarted == last && torn.restarted != counted, "\(write)")
            }
            #expect(card.send(command).status == .memoryFailure, "\(write), \(written) bytes")
            torn.storage.bytesLeft = .max
            card.reset()
            #expect(card.image == torn.restarted, "\(write), \(written) bytes")
            let file = try CardFile(storage: FailingStorage(torn.storage.content))
            #expect(try CardImage(parsing: file.image) == torn.restarted, "\(write), \(written) bytes")
        }
        return whole.bytesWritten + 1
    }

    private struct Outcome {
        let status: StatusWord
        let bytesWritten: Int
        let restarted: CardImage
        let storage: FailingStorage
    }

    private func send(
        _ command: [UInt8],
        to card: TestCard,
        bytesUntilPowerFails limit: Int
    ) throws -> Outcome {
        let blank = [UInt8](repeating: 0, count: CardSlot.count * CardSlot.length)
        let slot = CardSlot(sequence: 1, image: card.memory.image).bytes
        let storage = FailingStorage(slot + blank.dropFirst(slot.count))
        card.memory.backing = try CardFile(storage: storage)
        storage.bytesLeft = limit
        card.memory.attempts = 0
        let status = card.send(command).status
        let restarted = try CardFile(storage: FailingStorage(storage.content))
        return Outcome(
            status: status,
            bytesWritten: storage.bytesWritten,
            restarted: try CardImage(parsing: restarted.image),
            storage: storage
        )
    }
}

/// Bytes in memory that stop taking writes, and everything after, at a given byte.
private final class FailingStorage: CardStorage {
    private(set) var content: [UInt8]
    private(set) var bytesWritten = 0
    private(set) var flushes = 0
    var bytesLeft = Int.max

    init(_ content: [UInt8]) { self.content = content }

    func read(_ count: Int, at offset: Int) throws(CardMemoryFailure) -> [UInt8] {
        Array(content.dropFirst(offset).prefix(count))
    }

    func write(_ bytes: [UInt8], at offset: Int) throws(CardMemoryFailure) {
        let part = bytes.prefix(bytesLeft)
        content.replaceSubrange(offset..<offset + part.count, with: part)
        bytesWritten += part.count
        bytesLeft -= part.count
        guard part.count == bytes.count else { throw CardMemoryFailure(reason: "power lost") }
    }

    func flush() throws(CardMemoryFailure) {
        guard bytesLeft > 0 else { throw CardMemoryFailure(reason: "power lost") }
        flushes += 1
    }
}
