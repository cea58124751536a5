import Foundation
import Journal
import Quantities
import Records
import SecurityModule
import StationInterface
import TestFolders
import Testing
import Threads

@testable import Station

/// Orders that come again, in any order, and cut off: the station is as after each of them once. `GREYLOCK_COMMANDS=100000` asks for
/// more of them.
@Suite(.timeLimit(.minutes(30)))
struct RepeatedOrdersTests {
    private static let countMax = ProcessInfo.processInfo.environment["GREYLOCK_COMMANDS"].flatMap { Int($0) } ?? 5_000

    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    /// What all orders together come to, each once.
    private struct Model {
        var blocks: [Int: String] = [:]
        var prices: [Int: [Int]] = [:]
    }

    private func newOrder(_ number: Int, _ model: inout Model) -> String {
        let side = 1 + Int.random(in: 0..<2)
        switch Int.random(in: 0..<3) {
        case 0:
            model.blocks[side] = "reason \(number)"
            return "\"command\":\"block\",\"side\":\(side),\"key\":\"k\(number)\",\"reason\":\"reason \(number)\""
        case 1:
            model.blocks[side] = nil
            return "\"command\":\"unblock\",\"side\":\(side),\"key\":\"k\(number)\""
        case _:
            let price = 700 + Int.random(in: 0..<100)
            model.prices[side, default: []].append(price)
            return "\"command\":\"price\",\"side\":\(side),\"key\":\"k\(number)\",\"fenPerLitre\":\(price)"
        }
    }

    @Test func areDoneOnce() throws {
        let station = try InterfaceStation(folder, [50_000, 50_000], speed: 1)
        var model = Model()
        var orders: [String] = []
        var sent = 0
        let first = try station.client()
        while sent < Self.countMax {
            let order = newOrder(orders.count, &model)
            // Cut off at any place, or sent whole to nobody who reads the answer: then again.
            for _ in 0..<Int.random(in: 0..<3) {
                let cut = try station.client()
                let line = Array("{\"id\":1,\(order)}\n".utf8)
                try cut.connection.send(Array(line.prefix(Int.random(in: 0...line.count))), until: .max)
                sent += 1
            }
            #expect(try first.ask(order)["answer"] != nil)
            orders.append(order)
            let other = try station.client()
            // Older keys are forgotten.
            let known = orders.suffix(StationDesk.keysMax - 100)
            let again = (0..<8 * (1 + Int.random(in: 0..<12))).map { _ in known.randomElement() ?? order }
            for start in stride(from: 0, to: again.count, by: 8) {
                for order in again[start..<start + 8] { try other.send(order) }
                for _ in 0..<8 { #expect(try other.next()["answer"] != nil) }
            }
            sent += again.count + 1
        }
        let flowing = try first.status()
        #expect(flowing["drained"] as? Bool == false)
        #expect(station.stop() == nil)
        let reader = try JournalReader(path: folder.path("journal.sqlite"), key: .demonstration)
        #expect(try reader.damagedRows == [])
        let blocks = try reader.blocks()
        #expect(Dictionary(uniqueKeysWithValues: blocks.map { ($0.side, $0.reason) }) == model.blocks)
        let journal = try SQLiteJournal(path: folder.path("journal.sqlite"), capacity: 100_000, key: .demonstration)
        for side in 1...2 {
            let prices = try journal.priceOrders(of: side).map(\.price.fenPerLitre)
            #expect(prices == model.prices[side, default: []].suffix(PriceOrder.keptMax))
        }
        #expect(try journal.doneOrders().count == min(orders.count, DoneOrder.keptMax))
    }
}
