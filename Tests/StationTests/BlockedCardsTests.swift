import CardCryptography
import FuelPassbook
import ISO7816
import StationInterface
import TestFolders
import Testing

@testable import Station

/// A list of a million blocked cards, sent in parts and swapped whole.
@Suite(.timeLimit(.minutes(5)))
struct BlockedCardsTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private func number(_ card: Int) throws -> ApplicationSerialNumber {
        let digits = String(card)
        let text = "0001" + String(repeating: "0", count: 16 - digits.count) + digits
        return try ApplicationSerialNumber(parsing: Hex.bytes(text))
    }

    private func send(_ client: InterfaceClientOfTest, _ cards: [UInt8], key: String) throws -> [String: Any] {
        for (part, start) in stride(from: 0, to: cards.count, by: 30_000).enumerated() {
            let bytes = Array(cards[start..<min(start + 30_000, cards.count)])
            let line = "\"command\":\"cards\",\"part\":\(part),\"cards\":\"\(Hex.string(bytes))\""
            #expect(try client.ask(line)["answer"] != nil)
            if part == 1 { #expect(try client.ask(line)["answer"] != nil) }
        }
        return try client.ask(order(cards, key: key))
    }

    private func order(_ cards: [UInt8], key: String) -> String {
        let digest = Hex.string(SHA256.digest(of: cards))
        return
            "\"command\":\"blacklist\",\"key\":\"\(key)\",\"count\":\(cards.count / 10),\"sha256\":\"\(digest)\""
    }

    @Test func aCardOfTheListIsRefusedUntilAnotherListComes() throws {
        let own = Demonstration.applicationFile.asn
        var cards: [UInt8] = []
        for card in 0..<10_000 where card != 21 { cards += try number(2 * card).bytes }
        var station = try InterfaceStation(folder, [300])
        var client = try station.client()
        #expect(try send(client, cards, key: "l1")["answer"] != nil)
        let sold = station.receipts(1)
        _ = try client.wait(for: "a sale with another's list") { _ in station.receipts(1) > sold + 1 }
        #expect(try send(client, own.bytes + number(77).bytes, key: "l2")["answer"] != nil)
        _ = try client.wait(for: "a refusal") { $0.side(1).code == "blacklisted" }
        // The first list again, by its key, changes nothing.
        #expect(try client.ask(order(cards, key: "l1"))["answer"] != nil)
        #expect(station.stop() == nil)
        station = try InterfaceStation(folder, [300])
        client = try station.client()
        _ = try client.wait(for: "a refusal after a restart") { $0.side(1).code == "blacklisted" }
        #expect(try client.ask(order([], key: "l3"))["answer"] != nil)
        _ = try client.wait(for: "a sale") { _ in station.receipts(1) >= 1 }
        #expect(station.stop() == nil)
    }

    @Test func aListThatIsNotWhatWasSaidChangesNothing() throws {
        var draft = CardListDraft()
        func took(_ part: Int, _ bytes: [UInt8]) -> Bool { draft.take(part, bytes) == nil }
        func isWhole(_ count: Int, _ cards: [UInt8]) -> Bool {
            guard case .success(let whole) = draft.whole(count: count, SHA256.digest(of: cards)) else { return false }
            return whole == cards
        }
        let (low, high) = (try number(1).bytes, try number(2).bytes)
        #expect(!took(1, low) && took(0, low) && took(1, high) && took(1, high) && !took(3, high))
        #expect(isWhole(2, low + high) && !isWhole(3, low + high) && !isWhole(2, low))
        #expect(took(0, high) && took(1, low) && isWhole(2, high + low) && !isWhole(2, low + high))
    }

    @Test func aCardIsKnownByItsLastEightBytes() throws {
        // The first two are the card's own word, and another order is in them (D30).
        let cards: [[UInt8]] = try [number(5), number(3), number(4)].enumerated().map {
            [0, UInt8($0)] + $1.bytes.suffix(8)
        }
        let list = try BlockedCardsFile.replace(folder.path("list"), with: Array(cards.joined()))
        for card in 3...5 {
            for kind: UInt8 in [0, 1, 2, 0x99] {
                #expect(
                    try list.contains(ApplicationSerialNumber(parsing: [0x99, kind] + number(card).bytes.suffix(8)))
                )
            }
        }
        for card in [2, 6] { #expect(try !list.contains(number(card))) }
        #expect(list.count == 3)
    }

    @Test func everyCardOfALongListIsFoundAndNoOther() throws {
        let numbers = try (0..<3_000).map { try number(2 * $0).bytes }
        let list = try BlockedCardsFile.replace(folder.path("list"), with: Array(numbers.joined()))
        for card in 0..<6_000 { #expect(try list.contains(number(card)) == card.isMultiple(of: 2)) }
    }

    @Test func anyOtherByteOfAListIsFound() throws {
        let path = folder.path("list")
        let whole = try number(1).bytes + number(2).bytes
        _ = try BlockedCardsFile.replace(path, with: whole)
        let bytes = try folder.bytes("list")
        for place in bytes.indices {
            var edited = bytes
            edited[place] ^= 1
            try folder.write("list", edited)
            #expect(throws: (any Error).self, "\(place)") { try BlockedCardsFile.opened(path) }
        }
        for count in 0..<bytes.count {
            try folder.write("list", Array(bytes.prefix(count)))
            #expect(throws: (any Error).self, "\(count)") { try BlockedCardsFile.opened(path) }
        }
        #expect(try BlockedCardsFile.opened(folder.path("none")) == nil)
    }
}
