import Codes
import Configuration
import Console
import Dispenser
import Journal
import Logging
import Records
import SecurityModule
import StationInterface
private import Synchronization
import Threads

/// Does what is ordered at the control socket, one order after the other, on a thread that may wait for the disk, and keeps what
/// the status says of the journal (<doc:0061-line-protocol>).
final class StationDesk: Sendable {
    /// Whose answers are kept.
    static let keysMax = 1_000
    /// That wait for the desk, of all clients: those that are here have no more, and what clients that went have left is done too.
    static let askedMax = InterfaceLimits().controlClientsMax * InterfaceLimits().ordersMax
    /// The journal's figures are read at most so often.
    private static let figuresNanoseconds: UInt64 = 200_000_000
    /// Between two looks whether the time of a price has come.
    private static let pricesNanoseconds: UInt64 = 1_000_000_000

    private struct Asked {
        let errand: Errand
        let peer: Peer
        let reply: InterfaceLoop.Reply
    }

    private struct Content {
        var asked: [Asked] = []
        var begun: (journal: SQLiteJournal, module: SecurityModule)?
        var figuresAreOld = false
        var isStopping = false
    }

    private let configuration: Configuration
    private let orders: StandingOrders
    private let board: StatusBoard
    private let sides: [ReachableSide]
    private let level: LogSwitch
    private let log: Logger
    private let arrived: MonotonicSemaphore
    private let content = Mutex(Content())
    private let thread: Mutex<NamedThread?> = Mutex(nil)
    let progress = LoopProgress()

    /// - Parameter arrived: is signalled also when a visit ends.
    init(
        _ configuration: Configuration,
        _ orders: StandingOrders,
        _ board: StatusBoard,
        _ sides: [ReachableSide],
        arrived: MonotonicSemaphore,
        _ level: LogSwitch,
        log: Logger
    ) {
        self.configuration = configuration
        self.orders = orders
        self.board = board
        self.sides = sides
        self.arrived = arrived
        self.level = level
        self.log = log
    }

    /// - Parameter answer: returns at once.
    func begin(_ answer: @escaping @Sendable (InterfaceLoop.Reply, OrderAnswer) -> Void) {
        progress.works()
        thread.withLock { $0 = NamedThread("desk") { [self] in run(answer) } }
    }

    /// On the interface's thread.
    ///
    /// - Returns: why it is not taken: clients that come and go could leave more than is ever done.
    func take(_ errand: Errand, _ peer: Peer, _ reply: InterfaceLoop.Reply) -> RequestRefusal? {
        let isTaken = content.withLock { content in
            guard content.asked.count < Self.askedMax else { return false }
            content.asked.append(Asked(errand: errand, peer: peer, reply: reply))
            return true
        }
        guard isTaken else {
            return RequestRefusal(.tooManyOrders, "\(Self.askedMax) orders wait to be looked at: come again")
        }
        arrived.signal()
        return nil
    }

    /// From now on there are a journal and keys.
    func takes(_ journal: SQLiteJournal, _ module: SecurityModule) {
        content.withLock { content in
            content.begun = (journal, module)
            content.figuresAreOld = true
        }
        arrived.signal()
    }

    /// Something may have been written.
    func figuresAreOld() {
        let isNew = content.withLock { content in
            defer { content.figuresAreOld = true }
            return !content.figuresAreOld
        }
        if isNew { arrived.signal() }
    }

    /// Returns when the thread has ended. Stopped already, it does nothing.
    func stop() {
        let running = thread.withLock { $0.take() }
        guard let running else { return }
        content.withLock { $0.isStopping = true }
        arrived.signal()
        running.join()
    }

    private func run(_ answer: @Sendable (InterfaceLoop.Reply, OrderAnswer) -> Void) {
        var work = DeskWork(configuration, orders, board, sides, level, log)
        var hasBegun = false
        var figuresAt: UInt64 = 0
        defer { progress.ends() }
        while true {
            let look = MonotonicClock.nanoseconds + Self.pricesNanoseconds
            let next = content.withLock(\.figuresAreOld) ? min(figuresAt, look) : look
            _ = arrived.wait(until: next, showing: progress)
            let (asked, begun, isStopping) = content.withLock { content in
                defer { content.asked = [] }
                return (content.asked, content.begun, content.isStopping)
            }
            if let begun, !hasBegun {
                work.takes(begun.journal, begun.module)
                hasBegun = true
            }
            for asked in asked {
                // The limit is that of one order, however many came.
                progress.works()
                work.take(asked.errand, asked.peer, asked.reply, answer)
            }
            if !asked.isEmpty { content.withLock { $0.figuresAreOld = true } }
            if isStopping { return }
            work.lookAtPrices()
            work.finish(answer)
            if let journal = begun?.journal, MonotonicClock.nanoseconds >= figuresAt,
                content.withLock({ content in
                    defer { content.figuresAreOld = false }
                    return content.figuresAreOld
                })
            {
                readFigures(of: journal)
                figuresAt = MonotonicClock.nanoseconds + Self.figuresNanoseconds
            }
        }
    }

    /// What cannot be read ends the service elsewhere.
    private func readFigures(of journal: SQLiteJournal) {
        do throws(StorageFault) {
            let open = try journal.openRecords().count
            let room = try journal.roomIfCounted(nanosecondsMax: 0)
            board.update { (status: inout StationStatus) in (status.openRecords, status.room) = (open, room) }
        } catch {
            log.error(.service(.figuresUnread), "the journal's figures cannot be read: \(error)")
        }
    }
}
