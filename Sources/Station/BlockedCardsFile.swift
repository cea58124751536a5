import CardCryptography
import Dispenser
import Files
import FuelPassbook
private import Glibc
import ISO7816
import Records
private import Threads

/// The issuer's list of blocked cards on disk, replaced whole: a head with the number of cards and their SHA-256, and the cards' serial
/// numbers in ascending order, 10 bytes each. A card is looked up where it lies, so that a million take no memory.
final class BlockedCardsFile: Sendable {
    private static let mark = Array("greylock-blocked-1\n".utf8)
    static let cardBytesCount = 10
    static let cardsMax = 1_000_000
    private static let headBytesCount = mark.count + 8 + SHA256.length

    private let descriptor: Int32
    private let path: String
    let count: Int

    private init(_ descriptor: Int32, _ path: String, count: Int) {
        self.descriptor = descriptor
        self.path = path
        self.count = count
    }

    deinit { close(descriptor) }

    static func path(beside journal: String) -> String { journal + "-blocked" }

    /// - Parameter cards: in ascending order, each once.
    /// - Throws: `FileFault`; the old list stands then.
    static func replace(_ path: String, with cards: [UInt8]) throws(FileFault) -> BlockedCardsFile {
        let head = mark + number(cards.count / cardBytesCount) + SHA256.digest(of: cards)
        try WholeFile.replace(path, with: head + cards)
        guard let file = try opened(path) else { throw FileFault("\(path) went as soon as it was written") }
        return file
    }

    /// Reads all of it once.
    ///
    /// - Returns: nil where there is none.
    /// - Throws: `FileFault` for anything but a whole list.
    static func opened(_ path: String) throws(FileFault) -> BlockedCardsFile? {
        let bytesMax = headBytesCount + cardsMax * cardBytesCount
        guard let bytes = try WholeFile.contents(path, bytesMax: bytesMax) else { return nil }
        let cards = Array(bytes.dropFirst(headBytesCount))
        guard bytes.count >= headBytesCount,
            bytes.starts(with: mark),
            Array(bytes[mark.count..<mark.count + 8]) == number(cards.count / cardBytesCount),
            cards.count % cardBytesCount == 0,
            Array(bytes[(mark.count + 8)..<headBytesCount]) == SHA256.digest(of: cards)
        else {
            throw FileFault("\(path): the list of blocked cards is damaged: remove it, and have it sent again")
        }
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFault("cannot open \(path): \(systemError())") }
        return BlockedCardsFile(descriptor, path, count: cards.count / cardBytesCount)
    }

    /// Eight bytes, the highest first.
    private static func number(_ count: Int) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: count >> (56 - 8 * $0)) }
    }

    /// Whether serial numbers of 10 bytes each stand in ascending order, each once.
    static func areInOrder(_ cards: [UInt8]) -> Bool {
        stride(from: cardBytesCount, to: cards.count, by: cardBytesCount).allSatisfy { place in
            cards[(place - cardBytesCount)..<place].lexicographicallyPrecedes(cards[place..<place + cardBytesCount])
        }
    }

    /// The corresponding C function is `pread`.
    func contains(_ card: ApplicationSerialNumber) throws(StorageFault) -> Bool {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            var bytes = [UInt8](repeating: 0, count: Self.cardBytesCount)
            let place = Self.headBytesCount + middle * Self.cardBytesCount
            let read = unsafe pread(descriptor, &bytes, bytes.count, place)
            guard read == bytes.count else {
                throw StorageFault(operation: "look for a blocked card", reason: "\(path): \(systemError())")
            }
            if bytes == card.bytes { return true }
            if bytes.lexicographicallyPrecedes(card.bytes) { low = middle + 1 } else { high = middle }
        }
        return false
    }
}

extension StandingOrders {
    func block(cardsOf list: BlockedCardsFile) {
        block { (card: ApplicationSerialNumber) throws(StorageFault) in try list.contains(card) }
    }
}
