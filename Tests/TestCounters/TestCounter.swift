package import CardCryptography
package import Counter
package import FuelPassbook
import ISO7816
import Issuer
import Quantities
package import TestCards
package import TestFolders

/// A counter with its book, and a reader whose card gets lost on the way as a test says.
package final class TestCounter {
    package static let counter = TerminalID(0x3100_0000_0099)
    package static let reference = KeyReference(index: Demonstration.keyIndex, version: Demonstration.keyVersion)

    package let folder: TestFolder
    package let reader: LossyReader
    /// One, or none while it is opened anew.
    private var held: [CounterBook]
    package private(set) var findings: [CounterVisit.Finding] = []
    package var pin: () throws(CounterStop) -> PIN = { () throws(CounterStop) in Demonstration.pin }

    private let disk: any BookDisk

    /// - Parameter place: of the book.
    package init(
        _ card: TestCard,
        id: TerminalID = counter,
        in place: TestFolder.Place = .disk,
        disk: any BookDisk = RealDisk()
    ) throws {
        folder = try TestFolder(in: place)
        self.disk = disk
        reader = LossyReader(card)
        let path = folder.path("book")
        let key = Self.key()
        try CounterBook.begin(path, counter: id, Self.reference, key: key, random: SystemRandom())
        held = [try CounterBook(path, key: key, disk: disk)]
    }

    package static func key() -> CodeKey {
        demonstrationStore().bookKey()
    }

    /// As after the end of the process: what was in memory is gone.
    package func restart() throws {
        reader.loss = nil
        findings = []
        held.removeAll()
        held.append(try CounterBook(path, key: Self.key(), disk: disk))
    }

    package var book: CounterBook { held[0] }

    package var path: String { folder.path("book") }

    package func visit() throws(CounterStop) -> CounterVisit {
        var keys = IssuerKeys()
        keys.load(Demonstration.schemeKeys, index: Demonstration.keyIndex, version: Demonstration.keyVersion)
        let side = CounterVisit.Side(
            issuer: Issuer(keys: keys),
            references: [Self.reference],
            random: SystemRandom()
        )
        return try CounterVisit(reader, aid: Demonstration.aid, side: side, book: book) { self.findings.append($0) }
    }

    package func load(_ fen: UInt32) throws(CounterStop) -> Bool {
        try visit().load(Amount(fen: fen), at: TestCard.time, pin: pin)
    }

    package func unload(_ fen: UInt32) throws(CounterStop) -> Bool {
        try visit().unload(Amount(fen: fen), at: TestCard.time, pin: pin)
    }

    package func unlock(_ basis: CounterVisit.UnlockBasis) throws(CounterStop) -> Bool {
        try visit().unlock(basis, at: TestCard.time, pin: pin)
    }
}

package func reason(_ body: () throws(CounterStop) -> Void) -> CounterStop? {
    do throws(CounterStop) { try body() } catch { return error }
    return nil
}
