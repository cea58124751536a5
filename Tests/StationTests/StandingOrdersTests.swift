import Dispenser
import Foundation
import Journal
import Metering
import Quantities
import Records
import SecurityModule
import StationInterface
import TestFolders
import Testing

@testable import Station

/// Orders that stand when the service is started anew.
@Suite(.timeLimit(.minutes(5)))
struct StandingOrdersTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private var reader: JournalReader {
        get throws { try JournalReader(path: folder.path("journal.sqlite"), key: .demonstration) }
    }

    private static let block = #""command":"block","side":1,"key":"b1","reason":"hose leaks""#

    @Test func aBlockedSideSellsNothingUntilItIsUnblocked() throws {
        var station = try InterfaceStation(folder, [400, 400])
        var client = try station.client()
        #expect(try client.ask(Self.block)["answer"] != nil)
        let status = try client.wait(for: "the block") { $0.side(1).code == "blocked" }
        #expect((status.side(1)["words"] as? String)?.contains("hose leaks") == true)
        _ = try client.wait(for: "sales next door") { _ in station.receipts(2) >= 2 }
        #expect(station.stop() == nil)
        let blocks = try reader.blocks()
        #expect(
            blocks.map(\.reason) == ["hose leaks"] && blocks.first?.user.isEmpty == false && blocks.first?.time != nil
        )

        station = try InterfaceStation(folder, [400, 400])
        client = try station.client()
        _ = try client.wait(for: "the block") { $0.side(1).code == "blocked" }
        // It was done already, before the service was started.
        #expect(try client.ask(#""command":"unblock","side":1,"key":"u1""#)["answer"] != nil)
        #expect(try client.ask(Self.block)["answer"] != nil)
        #expect(try client.refusal(#""command":"block","side":2,"key":"b1","reason":"hose leaks""#) == "key-used")
        _ = try client.wait(for: "a sale") { _ in station.receipts(1) >= 1 }
        #expect(station.stop() == nil)
        #expect(try reader.blocks() == [] && reader.damagedRows == [])
    }

    @Test func aSideThatIsNotThereIsRefused() throws {
        let station = try InterfaceStation(folder, [400])
        let client = try station.client()
        #expect(try client.refusal(#""command":"block","side":2,"key":"b2","reason":"x""#) == "no-such-side")
        #expect(try client.refusal(#""command":"block","side":0,"key":"b2","reason":"x""#) == "member-wrong")
        #expect(try client.refusal(#""command":"block","side":1,"key":"b2","reason":"""#) == "member-wrong")
        #expect(try client.refusal(#""command":"price","side":1,"key":"b2","fenPerLitre":100000"#) == "member-wrong")
        #expect(
            try client.refusal(#""command":"price","side":1,"key":"b2","fenPerLitre":700,"from":null"#)
                == "member-wrong"
        )
        #expect(station.stop() == nil)
    }

    private func prices(_ side: Int) throws -> [Int] {
        try reader.records(limit: 1_000).filter { $0.side == side }.sorted { $0.number.value < $1.number.value }
            .map(\.unitPrice.fenPerLitre)
    }

    @Test func aRunningSaleKeepsItsPriceAndTheNextHasTheNewOne() throws {
        var station = try InterfaceStation(folder, [1_500], speed: 10)
        var client = try station.client()
        _ = try client.wait(for: "a sale") { $0.side(1).state == "fuelling" }
        #expect(try client.ask(#""command":"price","side":1,"key":"p1","fenPerLitre":799"#)["answer"] != nil)
        _ = try client.wait(for: "the sale after") {
            $0.side(1).state == "fuelling" && $0.side(1)["fenPerLitre"] as? Int == 799
        }
        #expect(station.stop() == nil)
        #expect(try prices(1) == [785, 799])
        let change = try #require(reader.priceChanges(of: 1).last)
        #expect(change.from == UnitPrice(fenPerLitre: 785) && change.to == UnitPrice(fenPerLitre: 799))
        #expect(change.user?.isEmpty == false && change.time != nil)
        for record in try reader.records(limit: 10) where record.phase == .settled {
            #expect(
                Int(record.amount.fen) == record.unitPrice.fen(forCentilitres: record.reading.volume.shownCentilitres)
            )
        }

        // It stands after a restart, and a configuration that says another price is the newer word.
        station = try InterfaceStation(folder, [300])
        client = try station.client()
        _ = try client.wait(for: "a sale") { _ in station.receipts(1) >= 1 }
        #expect(station.stop() == nil)
        station = try InterfaceStation(folder, [300], price: 700)
        client = try station.client()
        let first = station.receipts(1)
        _ = try client.wait(for: "a sale") { _ in station.receipts(1) > first }
        #expect(station.stop() == nil)
        // And it stays so when the configuration says again what it did when the order was given.
        station = try InterfaceStation(folder, [300])
        client = try station.client()
        _ = try client.wait(for: "a sale") { _ in station.receipts(1) >= 1 }
        #expect(station.stop() == nil)
        let sold = try prices(1)
        #expect(Set(sold) == [785, 799, 700] && sold.last == 785)
        let changes = try reader.priceChanges(of: 1)
        #expect(changes.map(\.to.fenPerLitre) == [785, 799, 700, 785])
        #expect(changes.last?.user == nil)
    }

    @Test func aPriceWaitsForItsTime() throws {
        let station = try InterfaceStation(folder, [300])
        let client = try station.client()
        let now = try #require(SystemClock().now).utcSeconds
        #expect(
            try client.ask(
                "\"command\":\"price\",\"side\":1,\"key\":\"later\",\"fenPerLitre\":900,\"from\":\(now + 86_400)"
            )["answer"] != nil
        )
        #expect(
            try client.ask("\"command\":\"price\",\"side\":1,\"key\":\"soon\",\"fenPerLitre\":800,\"from\":\(now + 2)")[
                "answer"
            ] != nil
        )
        _ = try client.wait(for: "the price") { $0.side(1)["fenPerLitre"] as? Int == 800 }
        #expect(try #require(SystemClock().now).utcSeconds >= now + 2)
        // What is in effect at once came into effect last.
        #expect(try client.ask(#""command":"price","side":1,"key":"now","fenPerLitre":810"#)["answer"] != nil)
        _ = try client.wait(for: "the price") { $0.side(1)["fenPerLitre"] as? Int == 810 }
        #expect(station.stop() == nil)
        #expect(try reader.priceChanges(of: 1).map(\.to.fenPerLitre) == [785, 800, 810])
    }

    /// A price for the next year, ordered long before, and one each day until then.
    @Test func aPriceForADayThatIsFarAwayOutlivesTheDailyOnes() throws {
        let station = try InterfaceStation(folder, [300])
        let client = try station.client()
        let now = try #require(SystemClock().now)
        let then = now.utcSeconds + 120 * 86_400
        let later = "\"command\":\"price\",\"side\":1,\"key\":\"later\",\"fenPerLitre\":900,\"from\":\(then)"
        #expect(try client.ask(later)["answer"] != nil)
        for day in 1...120 {
            let daily = "\"command\":\"price\",\"side\":1,\"key\":\"d\(day)\",\"fenPerLitre\":\(700 + day)"
            #expect(try client.ask(daily)["answer"] != nil)
        }
        #expect(station.stop() == nil)
        let journal = try SQLiteJournal(path: folder.path("journal.sqlite"), capacity: 100_000, key: .demonstration)
        let orders = StandingOrders()
        for order in try journal.priceOrders(of: 1) { orders.price(order) }
        #expect(orders.price(of: 1, at: now)?.price.fenPerLitre == 820)
        let day = StationTime(utcSeconds: then, local: now.local)
        #expect(orders.price(of: 1, at: day)?.price.fenPerLitre == 900)
    }
}
