package import FuelPassbook
package import Quantities
package import Records
private import Synchronization

/// What whoever runs the station has ordered, and holds until he orders otherwise; and at which sides somebody is served now.
package final class StandingOrders: Sendable {
    /// Whether a card is on the issuer's list. It may read a disk.
    package typealias BlockedCards = @Sendable (ApplicationSerialNumber) throws(StorageFault) -> Bool

    private struct Content {
        var isDrained = false
        var makesWay = false
        var blocks: [Int: SideBlock] = [:]
        /// By side.
        var prices: [Int: StandingPrices] = [:]
        var blockedCards: BlockedCards = { _ in false }
        var visits: Set<Int> = []
    }

    private let content = Mutex(Content())
    private let visitEnded: @Sendable () -> Void

    /// - Parameter visitEnded: called on the side's thread; it must return at once.
    package init(visitEnded: @escaping @Sendable () -> Void = {}) { self.visitEnded = visitEnded }

    /// No visit that begins from now on becomes a sale.
    package func drain(_ isDrained: Bool) { content.withLock { $0.isDrained = isDrained } }

    package var isDrained: Bool { content.withLock(\.isDrained) }

    /// The same, for a program that is to take this one's place, and apart from what somebody ordered.
    package func makeWay(_ makesWay: Bool) { content.withLock { $0.makesWay = makesWay } }

    /// No visit of the side that begins from now on becomes a sale.
    package func block(_ block: SideBlock) { content.withLock { $0.blocks[block.side] = block } }

    package func unblock(_ side: Int) { content.withLock { $0.blocks[side] = nil } }

    package func block(of side: Int) -> SideBlock? { content.withLock { $0.blocks[side] } }

    /// The side sells at it from when it is in effect, between two visits.
    package func price(_ price: PriceOrder) {
        content.withLock { $0.prices[price.side, default: StandingPrices()].take(price) }
    }

    /// The order that holds at a time: of those in effect the one that came into effect last; nil where there is none.
    ///
    /// - Parameter now: nil when the clock is not set, and what is for a later time waits.
    package func price(of side: Int, at now: StationTime?) -> PriceOrder? {
        content.withLock { $0.prices[side]?.order(at: now) }
    }

    /// The whole list; the one before it counts no more.
    package func block(cards: @escaping BlockedCards) { content.withLock { $0.blockedCards = cards } }

    func isBlocked(_ card: ApplicationSerialNumber) throws(StorageFault) -> Bool {
        try content.withLock(\.blockedCards)(card)
    }

    /// No customer is served anywhere.
    package var isAtRest: Bool { content.withLock(\.visits.isEmpty) }

    /// Before the side looks for what refuses a sale: of a drain and a visit, one sees the other.
    func visitBegins(at side: Int) { content.withLock { _ = $0.visits.insert(side) } }

    func visitEnds(at side: Int) {
        content.withLock { _ = $0.visits.remove(side) }
        visitEnded()
    }

    /// Why no sale begins at the side; nil where none is ordered to be refused.
    func refusal(at side: Int) -> Refusal? {
        content.withLock { content in
            if let block = content.blocks[side] { return .blocked(block) }
            return content.isDrained || content.makesWay ? .drained : nil
        }
    }
}
