import Dispenser
import Journal
import Logging
import StationInterface

/// What the desk's thread knows.
struct DeskWork {
    private let orders: StandingOrders
    private let board: StatusBoard
    private let sides: [ReachableSide]
    private let log: Logger
    private var book = OrderBook(keysMax: StationDesk.keysMax)
    /// Drains that are answered when nobody is served any more.
    private var drains: [OrderKey] = []

    init(_ orders: StandingOrders, _ board: StatusBoard, _ sides: [ReachableSide], _ log: Logger) {
        self.orders = orders
        self.board = board
        self.sides = sides
        self.log = log
    }

    mutating func take(
        _ order: Order,
        _ key: OrderKey,
        _ reply: InterfaceLoop.Reply,
        _ journal: SQLiteJournal?,
        _ answer: (InterfaceLoop.Reply, OrderAnswer) -> Void
    ) {
        switch book.take(order, key, reply) {
        case .repeated(let first): answer(reply, first)
        case .refused(let refusal): answer(reply, .failure(refusal))
        case .awaited: break
        case .act: act(order, key, answer)
        }
    }

    private mutating func act(_ order: Order, _ key: OrderKey, _ answer: (InterfaceLoop.Reply, OrderAnswer) -> Void) {
        switch order {
        case .drain:
            drain(true, key)
            drains.append(key)
        case .undrain:
            drain(false, key)
            let takenBack = RequestRefusal(.takenBack, "the station was told to undrain before it was drained")
            for drain in drains { give(drain, .failure(takenBack), answer) }
            drains = []
            give(key, .success(.object([])), answer)
        }
    }

    /// Once nobody is served any more.
    mutating func finish(_ answer: (InterfaceLoop.Reply, OrderAnswer) -> Void) {
        guard !drains.isEmpty, orders.isAtRest else { return }
        log.notice("drained")
        for drain in drains { give(drain, .success(.object([])), answer) }
        drains = []
    }

    private func drain(_ isDrained: Bool, _ key: OrderKey) {
        guard orders.isDrained != isDrained else { return }
        orders.drain(isDrained)
        log.notice(
            isDrained ? "no sale begins from now on, by order" : "sales begin again, by order",
            metadata: ["user": "\(key.user)"]
        )
        board.update { (status: inout StationStatus) in status.isDrained = isDrained }
        for side in sides { side.mailbox.post(.ordersChanged) }
    }

    private mutating func give(
        _ key: OrderKey,
        _ first: OrderAnswer,
        _ answer: (InterfaceLoop.Reply, OrderAnswer) -> Void
    ) {
        for reply in book.answer(key, first) { answer(reply, first) }
    }
}
