import CardCryptography
import Dispenser
import FuelPassbook
import ISO7816
import Journal
import Quantities
import Records
import SecurityModule
import Simulation

/// What a start of the service made of a journal.
struct Start {
    /// Why it did not start or go on.
    var refusal: String?
    /// What it named.
    var named: [String] = []
    /// Before recovery.
    var mark: JournalMark?
    /// The number of the next record.
    var nextNumber: RecordNumber?
    /// What can be believed afterwards, by its place.
    var contents: [String: String] = [:]
    /// Of them, the parts that are money.
    var money: [String: String] = [:]
    /// Sales that say that their checkpoint was not believed.
    var excused: Set<String> = []

    init(_ path: String) {
        do {
            try start(path)
        } catch let fault as StorageFault {
            refusal = "\(fault)"
        } catch let failure as SideFailure {
            refusal = "\(failure)"
        } catch {
            preconditionFailure("\(error)")
        }
        do {
            try read(path)
        } catch let fault as StorageFault {
            named.append("records: \(fault)")
        } catch {
            preconditionFailure("\(error)")
        }
    }

    private mutating func start(_ path: String) throws {
        let journal = try SQLiteJournal(path: path, capacity: 1_000, key: .demonstration)
        mark = try journal.mark()
        let now = try Self.now()
        _ = try journal.beginRun { now }
        let display = SilentDisplay()
        let edges = edges(journal, display)
        let members = [Board.Member(settings: .demonstration, display: display)]
        let board = try Board(terminal: edges.module.terminal, journal: journal, clock: edges.clock, members).recover()
        try Side(settings: .demonstration, edges: edges, after: board).run()
        named += display.named
        _ = try journal.room()
        named += try journal.damagedRows().map(\.description)
        do throws(StorageFault) { nextNumber = try journal.reserve() } catch {
            guard error.refusesNumbers else { throw error }
            named.append(error.reason)
        }
        for side in 1...3 {
            contents["position \(side)"] = try journal.lock(of: side)?.reason
            contents["price orders \(side)"] = "\(try journal.priceOrders(of: side))"
        }
        for block in try journal.blocks() { contents["block \(block.side)"] = "\(block)" }
        for order in try journal.doneOrders() { contents["order \(order.key)"] = "\(order)" }
        for collected in try journal.collectedRecords(after: 0, last: 1_000) {
            contents["collected \(collected.record.number.value)"] = "\(collected.isClosed)"
        }
        contents["clock"] = try journal.latestTime().map { "\($0)" }
        try journal.endRun(at: now)
    }

    private static func now() throws -> TransactionTime {
        try TransactionTime(date: CalendarDate(year: 2025, month: 3, day: 2), hour: 0, minute: 0, second: 0)
    }

    /// As the tool does.
    private mutating func read(_ path: String) throws {
        let reader = try JournalReader(path: path, key: .demonstration)
        named += try reader.damagedRows.map(\.description)
        _ = try reader.count()
        let open = try reader.openRecords()
        for record in try reader.records(limit: 1_000) {
            let place = "sale \(record.number.value)"
            contents[place] = "\(record)"
            money[place] =
                "\(record.kind) \(record.phase) \(record.card) \(record.ctc) \(record.amount) \(record.nonCardPart)"
            if record.remark?.contains("checkpoint is not believed") == true { excused.insert(place) }
        }
        for record in open where contents["sale \(record.number.value)"] == nil {
            named.append("open without its list")
        }
        for record in try reader.greyRecords() {
            contents["grey \(record.number.value)"] = "\(record)"
            money["grey \(record.number.value)"] = "\(record.state) \(record.card) \(record.ctc) \(record.amount)"
        }
        for side in 1...3 {
            contents["clearings \(side)"] = "\(try reader.clearings(of: side))"
            contents["price changes \(side)"] = "\(try reader.priceChanges(of: side))"
        }
        for (index, run) in try reader.runs(limit: 1_000).enumerated() { contents["run \(index)"] = "\(run)" }
        for (index, acceptance) in try reader.acceptances().enumerated() {
            contents["acceptance \(index)"] = "\(acceptance)"
        }
        contents["standing"] = "\(try reader.standing(markPath: nil))"
        for totaliser in try reader.totalisers() { contents["nozzle \(totaliser.nozzle)"] = "\(totaliser)" }
    }

    private func edges(_ journal: SQLiteJournal, _ display: SilentDisplay) -> SideEdges {
        let site = VirtualSite(
            calibration: SideSettings.demonstration.calibration,
            flow: VirtualSite.Flow(countsPerSecond: 1, slowCountsPerSecond: 1, overrunCounts: 0),
            date: Demonstration.applicationFile.validFrom
        )
        return SideEdges(
            module: .demonstration(),
            journal: journal,
            reader: NoCard(),
            pump: site,
            pin: NoPIN(),
            clock: site,
            events: StopAtOnce(),
            display: display,
            remark: { "\($0)" }
        )
    }
}

private final class SilentDisplay: SideDisplay {
    private(set) var named: [String] = []

    func show(_ state: SideState, _ notice: Notice) {
        switch notice {
        case .damagedRow(let row): named.append("\(row)")
        case .refused(.sideLocked(let lock)): named.append(lock.reason)
        case _: break
        }
    }

    func show(_ state: SideState, centilitres: Int, fen: Int, unitPrice: UnitPrice) {}
    func printReceipt(_ record: Record, balance: Amount?) {}
}

private final class NoCard: CardReader {
    func connect() throws(CardFault) { throw .removed }
    func transmit(_ command: Span<UInt8>) throws(CardFault) -> ResponseAPDU { throw .removed }
    func disconnect() {}
}

private final class NoPIN: PINEntry {
    func begin() {}
    func cancel() {}
    func take() -> PIN? { nil }
}

private final class StopAtOnce: EventSource {
    func next(until deadline: UInt64?) -> SideEvent? { .stopRequested }
}
