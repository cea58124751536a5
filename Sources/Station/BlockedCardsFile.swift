import CardCryptography
import Dispenser
package import Files
package import FuelPassbook
private import Glibc
import ISO7816
package import Records
private import Threads

/// The issuer's list of blocked cards on disk, replaced whole: a head with the number of cards and their SHA-256, and of each card's
/// serial number the 8 bytes by which a card is recognised (D30), in ascending order. A card is looked up where it lies, so that a
/// million take no memory.
package final class BlockedCardsFile: Sendable {
    private static let mark = Array("greylock-blocked-2\n".utf8)
    /// Of a serial number.
    package static let numberBytesCount = 10
    private static let cardBytesCount = 8
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

    /// - Parameter numbers: serial numbers of 10 bytes each.
    /// - Throws: `FileFault`; the old list stands then.
    package static func replace(_ path: String, with numbers: [UInt8]) throws(FileFault) -> BlockedCardsFile {
        var cards: [UInt64] = []
        cards.reserveCapacity(numbers.count / numberBytesCount)
        unsafe numbers.withUnsafeBytes { bytes in
            for place in stride(from: numberBytesCount - cardBytesCount, to: bytes.count, by: numberBytesCount) {
                // SAFETY: the last 8 bytes of a whole number.
                cards.append(unsafe bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self).bigEndian)
            }
        }
        cards.sort()
        let bytes = unsafe cards.map(\.bigEndian).withUnsafeBytes { unsafe Array($0) }
        let head = mark + number(cards.count) + SHA256.digest(of: bytes)
        try WholeFile.replace(path, with: head + bytes)
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

    /// The corresponding C function is `pread`.
    package func contains(_ card: ApplicationSerialNumber) throws(StorageFault) -> Bool {
        let sought = card.diversificationNumber
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            var bytes: UInt64 = 0
            let place = Self.headBytesCount + middle * Self.cardBytesCount
            let read = unsafe pread(descriptor, &bytes, Self.cardBytesCount, place)
            guard read == Self.cardBytesCount else {
                throw StorageFault(operation: "look for a blocked card", reason: "\(path): \(systemError())")
            }
            let found = UInt64(bigEndian: bytes)
            if found == sought { return true }
            if found < sought { low = middle + 1 } else { high = middle }
        }
        return false
    }
}

extension StandingOrders {
    func block(cardsOf list: BlockedCardsFile) {
        block { (card: ApplicationSerialNumber) throws(StorageFault) in try list.contains(card) }
    }
}
