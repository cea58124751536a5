package import Records
private import Synchronization

/// What whoever runs the station has ordered, and holds until he orders otherwise; and at which sides somebody is served now.
package final class StandingOrders: Sendable {
    private struct Content {
        var isDrained = false
        var blocks: [Int: SideBlock] = [:]
        var visits: Set<Int> = []
    }

    private let content = Mutex(Content())
    private let visitEnded: @Sendable () -> Void

    /// - Parameter visitEnded: called on the side's thread; it must return at once.
    package init(visitEnded: @escaping @Sendable () -> Void = {}) { self.visitEnded = visitEnded }

    /// No visit that begins from now on becomes a sale.
    package func drain(_ isDrained: Bool) { content.withLock { $0.isDrained = isDrained } }

    package var isDrained: Bool { content.withLock(\.isDrained) }

    /// No visit of the side that begins from now on becomes a sale.
    package func block(_ block: SideBlock) { content.withLock { $0.blocks[block.side] = block } }

    package func unblock(_ side: Int) { content.withLock { $0.blocks[side] = nil } }

    package func block(of side: Int) -> SideBlock? { content.withLock { $0.blocks[side] } }

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
            return content.isDrained ? .drained : nil
        }
    }
}
