import Quantities
import Records
import SecurityModule
import TestFolders
import TestJournals
import Testing

@testable import Journal

/// Orders that many others come behind.
struct StationOrderRowsTests {
    private static let begin: Int64 = 1_790_000_000

    private func time(_ second: Int64) throws -> StationTime {
        let seconds = Self.begin + second
        return StationTime(utcSeconds: seconds, local: try TransactionTime(secondsSince1970: Int(seconds)))
    }

    /// - Parameters:
    ///   - second: when it is given.
    ///   - from: as many seconds after the beginning.
    private func price(_ fen: Int, _ second: Int64, from: Int64? = nil, user: String? = "till") throws -> PriceOrder {
        PriceOrder(
            side: 1,
            at: try time(second),
            effectiveUTC: from.map { Self.begin + $0 },
            price: UnitPrice(fenPerLitre: fen),
            configured: UnitPrice(fenPerLitre: 700),
            user: user
        )
    }

    private func done(_ number: Int) throws -> DoneOrder {
        DoneOrder(user: 0, key: "k\(number)", digest: [UInt8](repeating: 7, count: 32), answer: "{}", at: try time(0))
    }

    @Test func aPriceThatWaitsIsNotLostBehindManyOthers() throws {
        let scratch = try Scratch(in: .memory)
        let journal = try scratch.open()
        let waiting = try price(900, 0, from: 100_000)
        try journal.commit(StationEntry(price: waiting))
        for number in 1...Int64(2 * PriceOrder.keptMax) {
            try journal.commit(StationEntry(price: try price(800, number)))
        }
        var kept = try journal.priceOrders(of: 1)
        #expect(kept.count == PriceOrder.keptMax && kept.first == waiting)
        // From its time on it is one of many, and the configuration's word ends it before.
        try journal.commit(StationEntry(price: try price(810, 100_000)))
        kept = try journal.priceOrders(of: 1)
        #expect(kept.count == PriceOrder.keptMax && kept.first?.price == UnitPrice(fenPerLitre: 800))
        #expect(try journal.damagedRows() == [])
    }

    @Test func whatTheConfigurationEndedComesNotBack() throws {
        let scratch = try Scratch(in: .memory)
        let journal = try scratch.open()
        try journal.commit(StationEntry(price: try price(900, 0, from: 100_000)))
        let word = try price(700, 1, user: nil)
        try journal.commit(StationEntry(price: word))
        for number in 2...Int64(PriceOrder.keptMax) {
            try journal.commit(StationEntry(price: try price(800, number)))
            let kept = try journal.priceOrders(of: 1)
            #expect(kept.first?.effectiveUTC == nil || kept.contains(word))
        }
        #expect(try journal.priceOrders(of: 1).first == word)
    }

    @Test func numbersBeginAgainWhenTheyAreUsedUp() throws {
        let scratch = try Scratch(in: .memory)
        do {
            let journal = try scratch.open()
            let last = HistoryRow<DoneOrder>.numbers(of: 0).upperBound
            for number in 0..<3 {
                let row = HistoryRow(number: last - 2 + Int64(number), value: try done(number))
                try journal.commitRows("order") { try $0.replace(row) }
            }
            for number in 3..<6 { try journal.commit(StationEntry(done: try done(number))) }
            #expect(try journal.doneOrders() == (0..<6).map { try done($0) })
        }
        let journal = try scratch.open()
        _ = try journal.room()
        #expect(try journal.doneOrders().map(\.key) == (0..<6).map { "k\($0)" } && journal.damagedRows() == [])
    }
}
