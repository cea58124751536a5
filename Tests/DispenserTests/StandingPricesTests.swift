import Dispenser
import FuelPassbook
import Quantities
import Records
import Testing

/// Which of several orders about a side's price holds, whatever the clock showed when they were given.
@Suite struct StandingPricesTests {
    private let orders = StandingOrders()
    private static let noon: Int64 = 1_780_272_000

    private func time(_ seconds: Int64) throws -> StationTime {
        StationTime(
            utcSeconds: Self.noon + seconds,
            local: try TransactionTime(secondsSince1970: Int(Self.noon + seconds))
        )
    }

    /// - Parameters:
    ///   - seconds: behind noon, when it is given; nil for a clock that is not set.
    ///   - from: behind noon too; nil for at once.
    private func order(_ fen: Int, at seconds: Int64?, from: Int64? = nil, by user: String? = "forecourt") throws {
        orders.price(
            PriceOrder(
                side: 1,
                at: try seconds.map(time),
                effectiveUTC: from.map { Self.noon + $0 },
                price: UnitPrice(fenPerLitre: fen),
                configured: UnitPrice(fenPerLitre: 700),
                user: user
            )
        )
    }

    /// - Parameter seconds: behind noon; nil for a clock that is not set.
    private func price(at seconds: Int64?) throws -> Int? {
        orders.price(of: 1, at: try seconds.map(time))?.price.fenPerLitre
    }

    @Test func ofThoseInEffectTheOneThatCameIntoEffectLastHolds() throws {
        try order(710, at: 0)
        try order(730, at: 1, from: 300)
        try order(720, at: 2, from: 200)
        #expect(try [10, 200, 299, 300, 9_000].map { try price(at: $0) } == [710, 720, 720, 730, 730])
        #expect(try price(at: nil) == 710)
        try order(740, at: 250)
        #expect(try [250, 299, 300].map { try price(at: $0) } == [740, 740, 730])
        try order(750, at: 400)
        #expect(try price(at: 400) == 750)
    }

    @Test func ofTwoForOneTimeTheLaterHolds() throws {
        try order(710, at: 0, from: 100)
        try order(720, at: 1, from: 100)
        #expect(try price(at: 99) == nil)
        #expect(try price(at: 100) == 720)
    }

    /// Its caller's clock is behind.
    @Test func oneForATimeThatIsOverHoldsAtOnce() throws {
        try order(710, at: 100)
        try order(720, at: 110, from: 50)
        #expect(try price(at: 120) == 720)
        try order(730, at: 130, from: 120)
        #expect(try price(at: 130) == 730)
    }

    @Test func anOrderAtOnceIsTheNewestWordThoughTheClockWasSetBack() throws {
        try order(710, at: 86_400)
        try order(720, at: 0)
        #expect(try price(at: 0) == 720)
        #expect(try price(at: 90_000) == 720)
    }

    @Test func anOrderForLaterComesThoughTheClockWasAheadBefore() throws {
        try order(710, at: 86_400)
        try order(720, at: 0, from: 3_600)
        #expect(try [10, 3_600, 90_000].map { try price(at: $0) } == [710, 720, 720])
        try order(730, at: 4_000)
        #expect(try price(at: 4_000) == 730)
    }

    @Test func anOrderAtOnceWithoutAClockIsNewerThanThoseAtOnceBefore() throws {
        try order(710, at: 0)
        try order(720, at: nil)
        #expect(try price(at: nil) == 720)
        #expect(try price(at: 100) == 720)
    }

    @Test func theConfigurationsWordEndsAllOrders() throws {
        try order(710, at: 0)
        try order(720, at: 0, from: 100)
        try order(690, at: 10, by: nil)
        #expect(try [10, 100].map { try price(at: $0) } == [690, 690])
    }
}
