import ArgumentParser
import Configuration
import Console
import Dispenser
import FuelPassbook
import Journal
import Quantities
import Records
import SecurityModule
import Station
import Threads

struct PositionTool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "position",
        abstract: "Whether the position serves cards, and the technician's ways to make it serve again.",
        discussion: """
            A position closes itself after too many pulser faults in one sale, a channel that \
            is dead or swapped, or fuel that flows back, and serves no card while the clock \
            is behind its records or they leave no room. A journal that is not known to be the \
            newest copy is not used at all.

            Looking needs the right to read the journal, changes nothing and disturbs no \
            running service. For a change, stop the service first and run this as the \
            service's user. A row of the journal that is damaged, was removed or put back is \
            named.

            Who opens a position says his name and his reason: both stay in the journal, and --history shows them, with \
            the pulser's faults day by day and the changes of the price.

            Exit status: 0 when cards are served; 69 when the position is closed, the clock is \
            behind or not set, no room is left, or the terminal has no record key yet; 74 when a row is damaged, the journal is not \
            used, or a file cannot be read or written; 78 for a wrong configuration. \
            \(ExitStatusHelp.common)
            """
    )

    @Option(help: ArgumentHelp("The service's configuration.", valueName: "FILE"))
    var config: String

    @Option(help: ArgumentHelp("The fuelling side, all without it; --clear of several needs one.", valueName: "N"))
    var position: Int?

    @Flag(help: "Open the position again, after the pulser was mended; with --name and --reason.")
    var clear = false

    @Flag(help: "The clock is right, and the records were made while it was ahead: they no longer hold it back.")
    var acceptClock = false

    @Flag(help: "The damaged rows were looked at: what is there with a right code counts from now on.")
    var acceptRows = false

    @Option(
        help: ArgumentHelp(
            "Use the journal although it is not known to be the newest copy; the reason stays in it.",
            valueName: "REASON"
        )
    )
    var acceptJournal: String?

    @OptionGroup var signature: SignatureOptions

    @Flag(help: "Also who opened the position and why, faults day by day, changes of the price, differences of totals.")
    var history = false

    @Flag(
        help:
            "One JSON object: `positions`, each with `number`, `closed`, `pulserFaults`, with --history `clearings`, `prices` and `totalsDifferences`; `clock`, `journal`, `room`, `damage`, `service`, `servesCards`."
    )
    var json = false

    func validate() throws {
        if clear { try signature.requireGiven() }
        guard clear || (signature.name == nil && signature.reason == nil) else {
            throw ValidationError("--name and --reason are said with --clear")
        }
        if json, clear || acceptClock || acceptRows || acceptJournal != nil {
            throw ValidationError("--json is for looking: give the change without it")
        }
        guard let acceptJournal else { return }
        guard
            (1...JournalAcceptance.reasonCharactersMax).contains(acceptJournal.count),
            acceptJournal.printable == acceptJournal, acceptJournal.contains(where: { !$0.isWhitespace })
        else {
            throw ValidationError(
                "--accept-journal: expected 1 to \(JournalAcceptance.reasonCharactersMax) printable characters"
            )
        }
    }

    func run() throws {
        let status: Int32
        var path: String?
        do {
            let configuration = try Service.configuration(at: config)
            path = configuration.journal.path
            status = try show(
                try sides(of: configuration),
                configuration.journal,
                try Arms(of: configuration).recordKey
            )
        } catch let fault as StorageFault {
            standardError("greylock position: \(path ?? config): \("\(fault)".printable)")
            status = ServiceFailure.inputOutput
        } catch let failure as ServiceFailure {
            standardError("greylock position: \(failure.reason)")
            status = failure.exitStatus
        }
        guard status == 0 else { throw ExitCode(status) }
    }

    /// Those that are meant: one of several is opened by its number.
    private func sides(of configuration: Configuration) throws -> [SideSettings] {
        if position == nil, !clear { return configuration.sides.map { $0.settings(under: nil) } }
        return [try configuration.side(position).settings(under: nil)]
    }

    /// - Returns: the exit status.
    private func show(
        _ sides: [SideSettings],
        _ settings: Configuration.JournalFile,
        _ key: RecordKey
    ) throws -> Int32 {
        if let acceptJournal {
            let last = try SQLiteJournal.accept(
                path: settings.path,
                key: key,
                mark: settings.mark,
                reason: acceptJournal,
                time: SystemClock().localTime
            )
            writeLine("journal: accepted, its numbers go on after \(last.value)")
        }
        let reader = try JournalReader(path: settings.path, key: key)
        if json { return try showJSON(sides, settings, reader) }
        let isChange = clear || acceptClock || acceptRows
        let writer = isChange ? try SQLiteJournal(settings, key: key) : nil
        var isOpen = true
        for side in sides {
            isOpen = try showLock(side.number, reader, writer) && isOpen
            let line = try PositionLine(side.number, nozzle: side.nozzle, reader, history: history)
            writeLine("pulser of position \(side.number): \(line.pulserFaults.text)")
            if history { for line in line.historyLines { writeLine(line) } }
        }
        let isInTime = try showClock(reader, writer)
        let refusal = try reader.standing(markPath: settings.mark).refusal
        writeLine(
            "journal: \(refusal.map { "not used: \($0), or accept it: --accept-journal REASON" } ?? "up to date")"
        )
        let isSound = try showDamage(reader, writer)
        for acceptance in try reader.acceptances() { writeLine("journal: \(acceptance.words)") }
        let room = max(0, settings.capacity - (try reader.takenRoom()))
        writeLine("journal: \(roomText(room))")
        for line in try reader.serviceLines() { writeLine(line) }
        if refusal != nil || !isSound { return ServiceFailure.inputOutput }
        return isOpen && isInTime && room >= JournalRoom.refusedBelow ? 0 : ServiceFailure.unavailable
    }

    /// - Returns: the exit status.
    private func showJSON(
        _ sides: [SideSettings],
        _ settings: Configuration.JournalFile,
        _ reader: JournalReader
    ) throws -> Int32 {
        let report = try PositionReport(sides, settings, reader, history: history)
        writeLine(try jsonText(report))
        return report.exitStatus
    }

    /// - Returns: whether no row is damaged now.
    private func showDamage(_ reader: JournalReader, _ writer: SQLiteJournal?) throws(StorageFault) -> Bool {
        let rows = try reader.damagedRows
        for row in rows { writeLine("damaged: \(row)") }
        guard acceptRows, let writer, !rows.isEmpty else { return rows.isEmpty }
        // Until the whole file has been read.
        _ = try writer.room()
        try writer.acceptRows()
        writeLine("accepted: rows with a right code count from the next start on, the others stay as they are")
        return try reader.damagedRows.isEmpty
    }

    /// - Returns: whether the side is open now.
    private func showLock(
        _ side: Int,
        _ reader: JournalReader,
        _ writer: SQLiteJournal?
    ) throws(StorageFault) -> Bool {
        let judged = if let writer { try writer.lock(of: side) } else { try reader.lock(of: side) }
        guard let lock = judged else {
            writeLine("position \(side) has not closed itself")
            return true
        }
        writeLine("position \(side) closed itself at \(lock.words)")
        guard clear, let writer else { return false }
        if lock.remedy == .clear, let name = signature.name?.text, let reason = signature.reason?.text {
            try writer.clear(LockClearing(of: lock, at: SystemClock().now, name: name, reason: reason))
        }
        guard let rest = try writer.lock(of: side) else {
            writeLine("position \(side) is open again")
            return true
        }
        writeLine("position \(side) is still closed: look at what is damaged, then \(rest.remedy.flag)")
        return false
    }

    /// - Returns: whether the clock lets cards be served now.
    private func showClock(_ reader: JournalReader, _ writer: SQLiteJournal?) throws(StorageFault) -> Bool {
        guard let now = SystemClock().now else {
            writeLine("clock: not set, no card is served; set it")
            return false
        }
        guard let last = try reader.latestTime(), now.isBefore(last) else {
            writeLine("clock: \(now.local), behind no record")
            return true
        }
        let record = last.local == .unknown ? last.local.words : "\(last)"
        writeLine("clock: \(now), behind the last record (\(record)), so no card is served")
        guard acceptClock, let writer else {
            writeLine("clock: set it; if it is right, --accept-clock lets cards be served again")
            return false
        }
        try writer.acceptClock(now)
        writeLine("clock: accepted, cards are served from \(now.local)")
        return true
    }
}

extension JournalAcceptance {
    var words: String {
        "accepted at \(time?.description ?? "an unknown time") (\(standing)): \(reason.printable); "
            + "numbers from \(reserved) went on after \(after)"
    }
}

extension JournalReader {
    /// Whether the service runs, how it ended, and when nobody counted.
    func serviceLines() throws(StorageFault) -> [String] {
        let runs = try runs(limit: Self.runsShown)
        var lines: [String] = []
        if let last = runs.last { lines.append("service: \(state(of: last))") }
        for run in runs where run.followsUncleanEnd {
            lines.append("nobody counted from \(words(run.uncountedSince)) until \(words(run.begun))")
        }
        return lines
    }

    static let runsShown = 1_000

    /// As far as the user who asks can see. A start that has noted until when the last run counted has begun none of its own.
    func goesOn(_ run: ServiceRun) -> Bool { !run.hasEnded && run.lastCounted == nil && isInUse }

    /// The last time that is known of a run that goes on, or ended without a word.
    func lastCounted(_ run: ServiceRun) -> TransactionTime? {
        if let noted = run.lastCounted { return noted == .unknown ? nil : noted }
        return [run.begun, lastSeen].compactMap(\.self).max()
    }

    private func state(of run: ServiceRun) -> String {
        if run.hasEnded { return "ended at \(words(run.ended))" }
        if goesOn(run) { return "runs since \(words(run.begun))" }
        return "did not end cleanly, was last known to count at \(words(lastCounted(run)))"
    }

    private func words(_ time: TransactionTime?) -> String { time?.description ?? "an unknown time" }
}
