import Configuration
import Dispenser
import Journal
import Metering
import Quantities
import Records
import Station
import Threads

/// What `position` says of one side; with `--json` it is printed so.
struct PositionLine: Encodable {
    let number: Int
    /// nil where it has not closed itself.
    let closed: ClosedLine?
    let pulserFaults: FaultsLine
    /// nil without `--history`.
    let clearings: [ClearingLine]?
    /// nil without `--history`.
    let prices: [PriceLine]?
    /// Of the side's nozzle; nil without `--history`.
    let totalsDifferences: [DifferenceLine]?

    init(_ side: Int, nozzle: Int, _ reader: JournalReader, history: Bool) throws(StorageFault) {
        number = side
        closed = try reader.lock(of: side).map(ClosedLine.init)
        pulserFaults = FaultsLine(try reader.pulserFaults(of: side), days: history)
        clearings = history ? try reader.clearings(of: side).map(ClearingLine.init) : nil
        prices = history ? try reader.priceChanges(of: side).map(PriceLine.init) : nil
        totalsDifferences = history ? try reader.differences(of: nozzle).map(DifferenceLine.init) : nil
    }

    var historyLines: [String] {
        let clearings = (clearings ?? []).map(\.words)
        let prices = (prices ?? []).map(\.words)
        return (pulserFaults.days ?? []).map { "  \($0.day): \($0.words)" }
            + (clearings.isEmpty ? ["opened: by nobody so far"] : clearings.map { "opened: \($0)" })
            + prices.map { "price: \($0)" } + (totalsDifferences ?? []).map { "totals: \($0.words)" }
    }
}

struct ClosedLine: Encodable {
    let since: String
    let reason: String
    let words: String

    init(_ lock: SideLock) {
        since = lock.since.words
        reason = lock.reason.printable
        words = lock.words
    }
}

struct FaultsLine: Encodable {
    struct Day: Encodable {
        let day: String
        let total: Int
        let kinds: [String: Int]
        let words: String

        init?(_ count: PulserFaultCount) {
            guard let day = count.day else { return nil }
            self.day = day.description
            (total, kinds, words) = (count.faults.total, count.faults.byName, count.faults.words)
        }
    }

    /// Since the journal was begun.
    let total: Int
    let kinds: [String: Int]
    /// The newest day with faults; nil where none is known.
    let latest: Day?
    /// The oldest first; nil without `--history`.
    let days: [Day]?
    private let words: String

    private enum CodingKeys: String, CodingKey { case total, kinds, latest, days }

    init(_ counts: [PulserFaultCount], days isLong: Bool) {
        let all = counts.first { $0.day == nil }?.faults ?? PulserFaults()
        let known = counts.compactMap(Day.init)
        (total, kinds, words) = (all.total, all.byName, all.words)
        latest = known.last
        days = isLong ? known : nil
    }

    var text: String {
        guard total > 0 else { return "no fault since the journal was begun" }
        let day = latest.map { "; \($0.total) of them on \($0.day), the latest such day" } ?? ""
        return "\(total) faults since the journal was begun (\(words))\(day)"
    }
}

struct ClearingLine: Encodable {
    let time: String
    let name: String
    let reason: String
    let closedSince: String
    let closedReason: String

    init(_ word: LockClearing) {
        time = word.time?.local.words ?? TransactionTime.unknown.words
        name = word.name.printable
        reason = word.reason.printable
        closedSince = word.lock.since.words
        closedReason = word.lock.reason.printable
    }

    var words: String { "\(time), by \(name): \(reason); it had closed itself at \(closedSince): \(closedReason)" }
}

struct PriceLine: Encodable {
    let time: String
    /// Local and UTC; nil when the clock was not set.
    let words: String
    let utcSeconds: Int64?
    let fromFenPerLitre: Int?
    let toFenPerLitre: Int
    /// By whose order; nil for the configuration.
    let user: String?

    init(_ change: PriceChange) {
        user = change.user?.printable
        time = change.time?.local.words ?? TransactionTime.unknown.words
        utcSeconds = change.time?.utcSeconds
        (fromFenPerLitre, toFenPerLitre) = (change.from?.fenPerLitre, change.to.fenPerLitre)
        let from = change.from.map { "from \(yuan(fen: $0.fenPerLitre)) " } ?? ""
        words =
            "\(change.time.map { "\($0)" } ?? TransactionTime.unknown.words): "
            + "\(from)to \(yuan(fen: change.to.fenPerLitre)) yuan a litre"
            + (change.user.map { ", by order of \($0.printable)" } ?? "")
    }
}

struct DifferenceLine: Encodable {
    struct Total: Encodable {
        let microlitres: Int
        let fen: Int

        init(_ total: NozzleTotal) { (microlitres, fen) = (total.volume.microlitres, total.fen) }

        fileprivate var words: String {
            "\(litres(centilitres: Volume(microlitres: microlitres).shownCentilitres)) L, \(yuan(fen: fen)) yuan"
        }
    }

    let nozzle: Int
    let time: String
    /// Which was behind: journal, file or board-memory.
    let keeper: String
    let from: Total
    let to: Total

    init(_ difference: TotaliserDifference) {
        nozzle = difference.nozzle
        time = difference.time?.local.words ?? TransactionTime.unknown.words
        keeper = difference.keeper.rawValue
        (from, to) = (Total(difference.from), Total(difference.to))
    }

    var words: String { "\(time), nozzle \(nozzle): \(keeper) had \(from.words), raised to \(to.words)" }
}

extension PulserFaults {
    /// Those that there are, each channel's apart: "missed edges A".
    fileprivate var byName: [String: Int] {
        Dictionary(named.map { ($0.0, $0.1) }) { first, _ in first }
    }

    /// "missed edges A 2, too fast B 1"
    fileprivate var words: String { named.map { "\($0.0) \($0.1)" }.joined(separator: ", ") }

    private var named: [(String, Int)] {
        counts.map { fault in
            let channel =
                switch fault.channel {
                case .a: " A"
                case .b: " B"
                case nil: ""
                }
            return (fault.kind.words + channel, fault.count)
        }
    }
}

extension PulserFaultKind {
    fileprivate var words: String {
        switch self {
        case .missedEdges: "missed edges"
        case .deadLeg: "dead legs"
        case .sequenceGap: "sequence gaps"
        case .bothTogether: "both channels together"
        case .silentEdges: "silent edges"
        case .flowGap: "gaps in the flow"
        case .tooFast: "too fast"
        case .noise: "noise"
        case .reversed: "flowed back"
        case .switchGap: "lost edges of nozzle and emergency"
        }
    }
}

/// What `position --json` prints.
struct PositionReport: Encodable {
    struct Clock: Encodable {
        /// nil when it is not set.
        let now: String?
        /// The latest moment that the journal knows, where the clock is behind it.
        let behind: String?

        var isInTime: Bool { now != nil && behind == nil }
    }

    let positions: [PositionLine]
    let clock: Clock
    /// Why the journal is not used; nil where it is.
    let journal: String?
    let room: Int
    let damage: [DamagedLine]
    let service: [String]
    let servesCards: Bool

    init(
        _ sides: [SideSettings],
        _ settings: Configuration.JournalFile,
        _ reader: JournalReader,
        history: Bool
    ) throws(StorageFault) {
        var positions: [PositionLine] = []
        for side in sides {
            positions.append(try PositionLine(side.number, nozzle: side.nozzle, reader, history: history))
        }
        self.positions = positions
        let now = SystemClock().now
        let last = try reader.latestTime()
        let behind = last.flatMap { last in now.map { $0.isBefore(last) } ?? false ? "\(last)" : nil }
        clock = Clock(now: now?.local.description, behind: behind)
        journal = try reader.standing(markPath: settings.mark).refusal
        room = max(0, settings.capacity - (try reader.takenRoom()))
        damage = try reader.damagedRows.map(DamagedLine.init)
        service = try reader.serviceLines()
        servesCards =
            positions.allSatisfy { $0.closed == nil } && clock.isInTime && journal == nil
            && room >= JournalRoom.refusedBelow
    }

    /// As without `--json`.
    var exitStatus: Int32 {
        if journal != nil || !damage.isEmpty { return ServiceFailure.inputOutput }
        return servesCards ? 0 : ServiceFailure.unavailable
    }
}
