import CardCryptography
import Codes
import Configuration
import Console
import Dispenser
import Files
import Journal
import Logging
import Quantities
import Records
import SecurityModule
import StationInterface

/// What the desk's thread knows, and what it does of an order.
struct DeskWork {
    typealias Answering = (InterfaceLoop.Reply, OrderAnswer) -> Void

    private let configuration: Configuration
    private let orders: StandingOrders
    private let board: StatusBoard
    private let sides: [ReachableSide]
    private let level: LogSwitch
    private let log: Logger
    private let clock: any StationClock
    private var book = OrderBook(keysMax: StationDesk.keysMax)
    /// Drains that are answered when nobody is served any more.
    private var drains: [OrderKey] = []
    /// By user.
    private var lists: [UInt32: CardListDraft] = [:]
    private var journal: SQLiteJournal?
    private var module: SecurityModule?
    /// What was in effect when it was looked at last, by side.
    private var prices: [Int: PriceOrder] = [:]

    init(
        _ configuration: Configuration,
        _ orders: StandingOrders,
        _ board: StatusBoard,
        _ sides: [ReachableSide],
        _ level: LogSwitch,
        _ log: Logger,
        clock: any StationClock = SystemClock()
    ) {
        self.clock = clock
        self.configuration = configuration
        self.orders = orders
        self.board = board
        self.sides = sides
        self.level = level
        self.log = log
    }

    /// What was done before the service was started is not done again.
    mutating func takes(_ journal: SQLiteJournal, _ module: SecurityModule) {
        (self.journal, self.module) = (journal, module)
        do throws(StorageFault) {
            for done in try journal.doneOrders() {
                let answer = JSON.written(Array(done.answer.utf8))
                book.recall(done.digest, OrderKey(user: done.user, key: done.key), .success(answer))
            }
        } catch {
            log.error(.service(.ordersUnread), "the orders that were done cannot be read: \(error)")
        }
    }

    mutating func take(_ errand: Errand, _ peer: Peer, _ reply: InterfaceLoop.Reply, _ answer: Answering) {
        switch errand {
        case .order(let order, let key): take(order, OrderKey(user: peer.user, key: key), reply, answer)
        case .records(let after, let limit): answer(reply, records(after: after, limit))
        case .greys(let after, let limit): answer(reply, greys(after: after, limit))
        case .cards(let part, let bytes):
            let refusal = lists[peer.user, default: CardListDraft()].take(part, bytes)
            answer(reply, refusal.map { .failure($0) } ?? Self.done)
        }
    }

    private func records(after number: UInt32, _ limit: Int) -> OrderAnswer {
        guard let journal else { return .failure(Self.isStarting) }
        do throws(StorageFault) {
            let records = try journal.collectedRecords(after: number, last: limit)
            var written: [JSON] = []
            var bytesCount = 0
            for record in records {
                let bytes = record.json.bytes
                bytesCount += bytes.count
                guard written.isEmpty || bytesCount <= Self.recordBytesMax else { break }
                written.append(.written(bytes))
            }
            if written.isEmpty, let refusal = try refusal(of: number, journal) { return .failure(refusal) }
            return .success(.object([JSON.Member("records", .list(written))]))
        } catch {
            return .failure(RequestRefusal(.storage, "\(error)"))
        }
    }

    /// A cursor of another journal would hide all records of this one, until it is full.
    private func refusal(of cursor: UInt32, _ journal: SQLiteJournal) throws(StorageFault) -> RequestRefusal? {
        guard cursor > 0, try journal.isBeyondItsNumbers(cursor) else { return nil }
        return RequestRefusal(.noSuchRecord, "this journal has given no number \(cursor) yet: begin with 0")
    }

    /// In one answer, which is at most 65,536 with what stands round them.
    private static let recordBytesMax = 60_000
    private static let isStarting = RequestRefusal(.starting, "the service is starting: come again")

    private mutating func take(_ order: Order, _ key: OrderKey, _ reply: InterfaceLoop.Reply, _ answer: Answering) {
        let digest = SHA256.digest(of: order.bytes)
        switch book.take(digest, key, mayWait: order == .drain, reply) {
        case .repeated(let first): answer(reply, first)
        case .refused(let refusal): answer(reply, .failure(refusal))
        case .awaited: break
        case .act: act(order, digest, key, answer)
        }
    }

    private mutating func act(_ order: Order, _ digest: [UInt8], _ key: OrderKey, _ answer: Answering) {
        if let side = order.side, !sides.contains(where: { $0.number == side }) {
            let known = sides.map { "\($0.number)" }.joined(separator: ", ")
            return give(key, .failure(RequestRefusal(.noSuchSide, "there is no side \(side), but \(known)")), answer)
        }
        switch order {
        case .drain:
            drain(true, key)
            drains.append(key)
        case .undrain:
            drain(false, key)
            let takenBack = RequestRefusal(.takenBack, "the station was told to undrain before it was drained")
            for drain in drains { give(drain, .failure(takenBack), answer) }
            drains = []
            give(key, Self.done, answer)
        case .block(let side, let reason):
            let block = SideBlock(side: side, at: clock.now, user: UserName.of(key.user), reason: reason)
            keep(digest, key, answer) {
                $0.block = block
            } then: { orders, log in
                orders.block(block)
                log.notice(
                    .service(.orderCloses),
                    "closed by order: \(reason)",
                    metadata: ["position": "\(side)", "user": "\(block.user)"]
                )
            }
        case .unblock(let side):
            keep(digest, key, answer) { entry in
                entry.unblocked = side
            } then: { orders, log in
                orders.unblock(side)
                log.notice(
                    .service(.orderOpens),
                    "opened by order",
                    metadata: ["position": "\(side)", "user": "\(UserName.of(key.user))"]
                )
            }
        case .blacklist(let count, let sha256): blacklist(count, sha256, digest, key, answer)
        case .takeGreys(let file): takeGreys(file, digest, key, answer)
        case .level(let level): turn(to: level, key, answer)
        case .acknowledge(let numbers): acknowledge(numbers, digest, key, answer)
        case .price(let side, let fenPerLitre, let from): self.price(side, fenPerLitre, from, digest, key, answer)
        }
    }

    private mutating func acknowledge(_ numbers: [UInt32], _ digest: [UInt8], _ key: OrderKey, _ answer: Answering) {
        guard let journal else { return give(key, .failure(Self.isStarting), answer, isKept: false) }
        let refusal: AcknowledgementRefusal?
        do throws(StorageFault) {
            let numbers = numbers.map { RecordNumber($0) }
            refusal = try journal.acknowledge(numbers, user: UserName.of(key.user), done(digest, key))
        } catch {
            return give(key, .failure(RequestRefusal(.storage, "not done: \(error)")), answer, isKept: false)
        }
        tellSides()
        switch refusal {
        case nil: give(key, Self.done, answer)
        case .noRecord(let number):
            let words = "there is no record \(number.value): nothing was acknowledged"
            give(key, .failure(RequestRefusal(.noSuchRecord, words)), answer, isKept: false)
        case .open(let number):
            let words = "record \(number.value) is open: nothing was acknowledged"
            give(key, .failure(RequestRefusal(.recordOpen, words)), answer, isKept: false)
        }
    }

    private mutating func blacklist(
        _ count: Int,
        _ sha256: [UInt8],
        _ digest: [UInt8],
        _ key: OrderKey,
        _ answer: Answering
    ) {
        guard journal != nil else { return give(key, .failure(Self.isStarting), answer, isKept: false) }
        let cards: [UInt8]
        switch lists[key.user, default: CardListDraft()].whole(count: count, sha256) {
        case .success(let whole): cards = whole
        case .failure(let refusal): return give(key, .failure(refusal), answer, isKept: false)
        }
        let list: BlockedCardsFile
        do throws(FileFault) {
            list = try .replace(BlockedCardsFile.path(beside: configuration.journal.path), with: cards)
        } catch {
            return give(key, .failure(RequestRefusal(.storage, "not done: \(error.reason)")), answer, isKept: false)
        }
        lists[key.user] = nil
        orders.block(cardsOf: list)
        keep(digest, key, answer) { _ in
        } then: { _, log in
            log.notice(
                .service(.orderCards),
                "list of blocked cards",
                metadata: ["cards": "\(count)", "user": "\(UserName.of(key.user))"]
            )
        }
    }

    private func done(_ digest: [UInt8], _ key: OrderKey, _ answer: String = doneText) -> DoneOrder {
        DoneOrder(user: key.user, key: key.key, digest: digest, answer: answer, at: clock.now)
    }

    private func greys(after number: UInt32, _ limit: Int) -> OrderAnswer {
        guard let journal, let module else { return .failure(Self.isStarting) }
        do throws(StorageFault) {
            let greys = try journal.travellingGreys(after: number, last: limit, of: module.terminal)
            return module.answer(greys).map { .success($0) } ?? .failure(Self.hasNoKey)
        } catch {
            return .failure(RequestRefusal(.storage, "\(error)"))
        }
    }

    private static let hasNoKey = RequestRefusal(.noMasterKey, "no master key is loaded")

    private mutating func takeGreys(_ text: String, _ digest: [UInt8], _ key: OrderKey, _ answer: Answering) {
        guard let journal, let module else { return give(key, .failure(Self.isStarting), answer, isKept: false) }
        let file: GreyRecordFile
        do throws(GreyRecordFileFault) { file = try module.greyRecordFile(parsing: Array(text.utf8)) } catch {
            return give(key, .failure(RequestRefusal(.greysWrong, error.reason)), answer, isKept: false)
        }
        do throws(StorageFault) {
            // Each is a step of its own: cut off in between, the same again finds those that are here.
            let taken = try journal.take(file, at: clock.localTime ?? .unknown)
            let json = taken.json
            try journal.commit(StationEntry(done: done(digest, key, String(decoding: json.bytes, as: UTF8.self))))
            log.notice(
                "grey records of another terminal",
                metadata: [
                    "terminal": "\(file.terminal)", "taken": "\(taken.count { $0.isNew })",
                    "known": "\(taken.count { !$0.isNew })", "user": "\(UserName.of(key.user))",
                ]
            )
            give(key, .success(json), answer)
        } catch {
            give(key, .failure(RequestRefusal(.storage, "not done, or not all of it: \(error)")), answer, isKept: false)
        }
    }

    private mutating func turn(to level: LogLevel, _ key: OrderKey, _ answer: Answering) {
        let user = UserName.of(key.user)
        self.level.turn(to: level) {
            log.notice("log level by order", metadata: ["level": "\(level.rawValue)", "user": "\(user)"])
        }
        let standing = LogStanding(level: level, user: user, utcSeconds: clock.now?.utcSeconds)
        board.update { (status: inout StationStatus) in status.log = standing }
        give(key, Self.done, answer)
    }

    private mutating func price(
        _ side: Int,
        _ fenPerLitre: Int,
        _ from: Int64?,
        _ digest: [UInt8],
        _ key: OrderKey,
        _ answer: Answering
    ) {
        guard let configured = configuration.sides.first(where: { $0.number == side }) else {
            preconditionFailure("looked for before")
        }
        let now = clock.now
        if now == nil, from == nil {
            let words = "the clock is not set, so it is not known which price is the later: set it, and come again"
            return give(key, .failure(RequestRefusal(.orderNeedsClock, words)), answer, isKept: false)
        }
        let order = PriceOrder(
            side: side,
            at: now,
            effectiveUTC: from,
            price: UnitPrice(fenPerLitre: fenPerLitre),
            configured: configured.settings(under: nil).unitPrice,
            user: UserName.of(key.user)
        )
        keep(digest, key, answer) {
            $0.price = order
        } then: { orders, log in
            orders.price(order)
            log.notice(
                .service(.orderPrice),
                "price by order",
                metadata: [
                    "position": "\(side)", "user": "\(UserName.of(key.user))", "fen-per-litre": "\(fenPerLitre)",
                    "from": "\(from.map { "\($0)" } ?? "now")",
                ]
            )
        }
    }

    /// On disk with its key first, and then done.
    private mutating func keep(
        _ digest: [UInt8],
        _ key: OrderKey,
        _ answer: Answering,
        _ entry: (inout StationEntry) -> Void,
        then: (StandingOrders, Logger) -> Void
    ) {
        guard let journal else {
            return give(key, .failure(Self.isStarting), answer, isKept: false)
        }
        var kept = StationEntry(done: done(digest, key))
        entry(&kept)
        do throws(StorageFault) { try journal.commit(kept) } catch {
            log.error(.service(.orderNotKept), "an order was not kept: \(error)")
            return give(key, .failure(RequestRefusal(.storage, "not done: \(error)")), answer, isKept: false)
        }
        then(orders, log)
        tellSides()
        give(key, Self.done, answer)
    }

    /// Once nobody is served any more.
    mutating func finish(_ answer: Answering) {
        guard !drains.isEmpty, orders.isAtRest else { return }
        log.notice(.service(.allSidesIdle), "drained")
        for drain in drains { give(drain, Self.done, answer) }
        drains = []
    }

    /// A price whose time has come.
    mutating func lookAtPrices() {
        let now = clock.now
        let present = sides.compactMap { orders.price(of: $0.number, at: now) }
        let bySide = Dictionary(uniqueKeysWithValues: present.map { ($0.side, $0) })
        guard bySide != prices else { return }
        prices = bySide
        tellSides()
    }

    private func drain(_ isDrained: Bool, _ key: OrderKey) {
        guard orders.isDrained != isDrained else { return }
        orders.drain(isDrained)
        log.notice(
            .service(isDrained ? .orderDrains : .orderSells),
            isDrained ? "no sale begins from now on, by order" : "sales begin again, by order",
            metadata: ["user": "\(UserName.of(key.user))"]
        )
        board.update { (status: inout StationStatus) in status.isDrained = isDrained }
        tellSides()
    }

    private func tellSides() { for side in sides { side.mailbox.post(.ordersChanged) } }

    private static let doneText = "{}"
    private static let done = OrderAnswer.success(.written(Array(doneText.utf8)))

    private mutating func give(_ key: OrderKey, _ first: OrderAnswer, _ answer: Answering, isKept: Bool = true) {
        for reply in book.answer(key, first, isKept: isKept) { answer(reply, first) }
    }
}

extension Order {
    /// nil of one for the whole station.
    fileprivate var side: Int? {
        switch self {
        case .drain, .undrain, .acknowledge, .blacklist, .takeGreys, .level: nil
        case .block(let side, _), .unblock(let side), .price(let side, _, _): side
        }
    }
}
