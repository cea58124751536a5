import Codes
import Configuration
import Dispenser
import Journal
import Logging
import Metering
import Quantities
import Records
import SecurityModule
import StationInterface
import Threads
import Words

/// The sockets of a service, and what stands behind them.
final class ServedInterface: Sendable {
    private let board: StatusBoard
    private let desk: StationDesk
    private let orders: StandingOrders
    private let loop: InterfaceLoop

    /// nil where no socket is configured. Listens when this returns.
    init?(
        _ configuration: Configuration,
        _ sides: [ReachableSide],
        _ orders: StandingOrders,
        arrived: MonotonicSemaphore,
        _ level: LogSwitch,
        log: Logger
    ) throws(ServiceFailure) {
        let places = configuration.interface
        guard places.read != nil || places.control != nil else { return nil }
        let station = StationStatus(
            version: Release.version,
            terminal: "\(configuration.terminal)",
            capacity: configuration.journal.capacity
        )
        let board = StatusBoard(station, configuration.sides.map(SideStatus.init))
        let desk = StationDesk(configuration, orders, board, sides, arrived: arrived, level, log: log)
        do throws(SocketFault) {
            loop = try InterfaceLoop(read: places.read, control: places.control, board, desk: desk.take)
        } catch {
            throw ServiceFailure(
                exitStatus: ServiceFailure.unavailable,
                reason: "interface: \(error.reason)",
                code: .service(.interfaceFailed)
            )
        }
        self.board = board
        self.desk = desk
        self.orders = orders
        desk.begin { [loop] reply, answer in loop.answer(reply, answer) }
    }

    /// The same face, of which the status tells too.
    func seen(_ face: SideFace, _ side: Configuration.Side) -> SideFace {
        SideFace(StatusDisplay(face.display, board, desk, orders, side), trace: face.trace)
    }

    func takes(_ journal: SQLiteJournal, _ module: SecurityModule) { desk.takes(journal, module) }

    /// The sockets are gone when this returns.
    func stop() {
        loop.stop()
        desk.stop()
    }

    /// What the watchdog looks after.
    var loops: [WatchedLoop] {
        [
            WatchedLoop("the interface's thread", loop.progress),
            WatchedLoop("the desk's thread", desk.progress, workingNanosecondsMax: WatchedLoop.callNanosecondsMax),
        ]
    }
}

extension SideStatus {
    fileprivate init(_ side: Configuration.Side) {
        let settings = side.settings(under: nil)
        self.init(
            number: side.number,
            nozzle: side.nozzle,
            grade: settings.grade,
            state: SideState.closed.rawValue,
            code: "starting",
            words: "starting",
            fenPerLitre: settings.unitPrice.fenPerLitre
        )
    }
}

/// A display whose latest words also stand in the status.
private final class StatusDisplay: SideDisplay {
    private let display: any SideDisplay
    private let board: StatusBoard
    private let desk: StationDesk
    private let orders: StandingOrders
    private let side: Int
    private let configured: UnitPrice

    init(
        _ display: any SideDisplay,
        _ board: StatusBoard,
        _ desk: StationDesk,
        _ orders: StandingOrders,
        _ side: Configuration.Side
    ) {
        self.display = display
        self.board = board
        self.desk = desk
        self.orders = orders
        self.side = side.number
        configured = side.settings(under: nil).unitPrice
    }

    func show(_ state: SideState, _ notice: Notice) {
        let words = Language.technical.vocabulary.words(notice)
        // Between two visits; while fuel flows the meter's display says it.
        let price = orders.price(of: side, at: SystemClock().now)?.price ?? configured
        board.update(side: side) { status in
            status.state = state.rawValue
            status.code = notice.code.rawValue
            status.words = words
            if !state.isOfVisit { status.sale = nil }
            if !state.isOfVisit || notice == .removeCard { status.fenPerLitre = price.fenPerLitre }
        }
        if !state.isOfVisit { desk.figuresAreOld() }
        display.show(state, notice)
    }

    func show(_ state: SideState, centilitres: Int, fen: Int, unitPrice: UnitPrice) {
        board.update(side: side) { status in
            status.state = state.rawValue
            status.sale = SideStatus.Sale(centilitres: centilitres, fen: fen)
            status.fenPerLitre = unitPrice.fenPerLitre
        }
        display.show(state, centilitres: centilitres, fen: fen, unitPrice: unitPrice)
    }

    func printReceipt(_ record: Record, balance: Amount?) {
        board.update(side: side) { status in
            guard status.sale != nil, record.settles == nil else { return }
            let centilitres = record.reading.volume.shownCentilitres
            status.sale = SideStatus.Sale(centilitres: centilitres, fen: Int(record.price.fen))
        }
        desk.figuresAreOld()
        display.printReceipt(record, balance: balance)
    }
}

extension SideState {
    /// Somebody's sale may go on.
    fileprivate var isOfVisit: Bool {
        switch self {
        case .inoperative, .closed, .idle, .calling: false
        case .authorised, .started, .suspended, .fuelling, .settling, .completed: true
        }
    }
}
