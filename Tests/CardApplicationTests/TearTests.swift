import CardApplication
import FuelPassbook
import ISO7816
import Simulation
import TestCards
import Testing

/// Power that fails at every byte that a command writes, with the card over its file: a restart reads exactly the card
/// before or exactly the card after.
struct TearTests {
    @Test func powerMayFailAtAnyByteOfAnyCommandThatWrites() throws {
        var tears = 0
        for write in Write.allCases {
            tears += try tear(write)
        }
        print("tear test: \(Write.allCases.count) commands that write, power lost \(tears) times")
        #expect(tears > Write.allCases.count * 100)
    }

    private func tear(_ write: Write) throws -> Int {
        let (card, command) = try write.prepare()
        let whole = try send(command, to: card, bytesUntilPowerFails: .max)
        for written in 0...whole.bytesWritten {
            let (card, command) = try write.prepare()
            let before = card.image
            let torn = try send(command, to: card, bytesUntilPowerFails: written)
            let after = try CardImage(parsing: card.memory.lastAttempt)
            #expect(torn.status == .memoryFailure && card.image == before, "\(write), \(written) bytes")
            // The bytes that were lost may be those that lay there before, so that "after" may come early.
            #expect(torn.restarted == before || torn.restarted == after, "\(write), \(written) bytes")
            if written == 0 { #expect(torn.restarted == before, "\(write)") }
            if written == whole.bytesWritten { #expect(torn.restarted == after, "\(write)") }
            #expect(before != after, "\(write)")
        }
        return whole.bytesWritten + 1
    }

    private struct Outcome {
        let status: StatusWord
        let bytesWritten: Int
        let restarted: CardImage
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
        let status = card.send(command).status
        let restarted = try CardFile(storage: FailingStorage(storage.content))
        return Outcome(
            status: status,
            bytesWritten: storage.bytesWritten,
            restarted: try CardImage(parsing: restarted.image)
        )
    }
}

/// Bytes in memory that stop taking writes, and everything after, at a given byte.
private final class FailingStorage: CardStorage {
    private(set) var content: [UInt8]
    private(set) var bytesWritten = 0
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
    }
}
