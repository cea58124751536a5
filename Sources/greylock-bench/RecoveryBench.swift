import Dispenser
import FuelPassbook
import ISO7816
import Journal
import Quantities
import Records
import SecurityModule
import Simulation
import Station

/// A start after a power cut in mid-sale with 100,000 records, of which 2,000 are grey and open: from opening the
/// journal to the idle side, against 100 ms. And what one sale asks of such a journal, beside one of 100 records.
enum RecoveryBench {
    private static let records = 100_000
    private static let starts = 11
    private static let sales = 200
    private static let names = [
        "restart, 100,000 records", "restart, journal not cached", "file checked, 100,000 records",
        "sale's reads, 100,000 records",
    ]

    static func run() -> [BenchResult] {
        do {
            let folder = try TemporaryFolder("greylock-bench")
            defer { folder.remove() }
            let small = BenchJournal(folder: folder.path, name: "small", records: 100)
            let large = BenchJournal(folder: folder.path, name: "large", records: records)
            try small.build()
            try large.build()
            return [
                try figure(names[0], large, isCached: true),
                try figure(names[1], large, isCached: false),
                .figure(
                    name: names[2],
                    value: try fileCheck(large) / 1_000_000,
                    unit: "ms",
                    reference: 1_000,
                    of: "limit, before a PIN is typed",
                    atMost: 1
                ),
                .figure(
                    name: names[3],
                    value: try readsOfASale(large) / 1_000,
                    unit: "us",
                    reference: try readsOfASale(small) / 1_000,
                    of: "with 100 records",
                    atMost: 1.5
                ),
            ]
        } catch {
            return names.map { .notMeasured(name: $0, why: "\(error)") }
        }
    }

    private static func figure(_ name: String, _ journal: BenchJournal, isCached: Bool) throws -> BenchResult {
        var samples: [UInt64] = []
        for _ in 0..<starts {
            let path = try journal.afterThePowerCut()
            if !isCached, try !journal.dropFromCache(path) {
                return .notMeasured(name: name, why: "this file system keeps its page cache")
            }
            samples.append(try restart(path))
        }
        return .figure(
            name: name,
            value: median(samples) / 1_000_000,
            unit: "ms",
            reference: 100,
            of: "limit",
            atMost: 1
        )
    }

    /// - Returns: nanoseconds until the side asks for a card.
    private static func restart(_ path: String) throws -> UInt64 {
        let mailbox = Mailbox()
        mailbox.post(.stopRequested)
        let display = ReadyDisplay()
        let settings = SideSettings.demonstration
        let site = VirtualSite(
            calibration: settings.calibration,
            flow: VirtualSite.Flow(countsPerSecond: 1, slowCountsPerSecond: 1, overrunCounts: 0),
            date: Demonstration.applicationFile.validFrom
        )
        let start = benchClock()
        let journal = try SQLiteJournal(path: path, capacity: 2 * records, key: .demonstration)
        let edges = SideEdges(
            module: .demonstration(random: BenchJournal.random),
            journal: journal,
            reader: EmptyReader(),
            pump: site,
            pin: DemonstrationPINEntry(mailbox: mailbox),
            clock: SystemClock(),
            events: mailbox,
            display: display,
            remark: { "\($0)" }
        )
        let members = [Board.Member(settings: settings, display: display)]
        let board = try Board(terminal: edges.module.terminal, journal: journal, clock: edges.clock, members).recover()
        try Side(settings: settings, edges: edges, after: board).run()
        guard let ready = display.readyAt, display.hasRecovered else {
            throw StorageFault(operation: "bench", reason: "nothing was recovered")
        }
        return ready - start
    }

    /// From opening the journal until card sales may begin.
    private static func fileCheck(_ bench: BenchJournal) throws -> Double {
        var samples: [UInt64] = []
        for _ in 0..<starts {
            let path = try bench.afterThePowerCut()
            let start = benchClock()
            _ = try SQLiteJournal(path: path, capacity: 2 * records, key: .demonstration).room()
            samples.append(benchClock() - start)
        }
        return median(samples)
    }

    /// The median of what a sale reads before the card is locked, when the check of the file is over.
    private static func readsOfASale(_ bench: BenchJournal) throws -> Double {
        let journal = try SQLiteJournal(path: try bench.afterThePowerCut(), capacity: 2 * records, key: .demonstration)
        let card = Demonstration.applicationFile.asn
        _ = try journal.room()
        var samples: [UInt64] = []
        for _ in 0..<sales {
            let start = benchClock()
            _ = try journal.openRecords()
            _ = try journal.latestTime()
            _ = try journal.lock(of: SideSettings.demonstration.number)
            _ = try journal.room()
            _ = try journal.reserve()
            _ = try journal.openGreyRecords(of: card)
            samples.append(benchClock() - start)
        }
        return median(samples)
    }
}

/// When the side first asked for a card.
private final class ReadyDisplay: SideDisplay {
    private(set) var readyAt: UInt64?
    private(set) var hasRecovered = false

    func show(_ state: SideState, _ notice: Notice) {
        switch notice {
        case .insertCard: readyAt = readyAt ?? benchClock()
        case .recovered: hasRecovered = true
        case _: break
        }
    }

    func show(_ state: SideState, centilitres: Int, fen: Int, unitPrice: UnitPrice) {}
    func printReceipt(_ record: Record, balance: Amount?) {}
}

private final class EmptyReader: CardReader {
    func connect() throws(CardFault) { throw .removed }
    func transmit(_ command: Span<UInt8>) throws(CardFault) -> ResponseAPDU { throw .removed }
    func disconnect() {}
}
