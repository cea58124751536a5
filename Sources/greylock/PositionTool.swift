import ArgumentParser
import Dispenser
import FuelPassbook
import Journal
import SecurityModule
import Terminal

struct PositionTool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "position",
        abstract: "Whether the position serves cards, and the technician's ways to make it serve again.",
        discussion: """
            A position closes itself after too many pulser faults in one sale, and serves no card while the clock is behind
            its records or they leave no room. A journal that is not known to be the newest copy is not used at all.

            Looking needs the right to read the journal, changes nothing and disturbs no running service. For a change, stop
            the service first and run this as the service's user.
            A row of the journal that is damaged, was removed or put back is named.
            """
    )

    @Option(help: ArgumentHelp("The service's configuration.", valueName: "FILE"))
    var config: String

    @Flag(help: "Open the position again, after the pulser was mended.")
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

    func validate() throws {
        guard let acceptJournal else { return }
        guard
            (1...JournalAcceptance.reasonCharactersMax).contains(acceptJournal.count),
            acceptJournal.printable == acceptJournal
        else {
            throw ValidationError(
                "--accept-journal: expected 1 to \(JournalAcceptance.reasonCharactersMax) printable characters"
            )
        }
    }

    func run() throws {
        do {
            let configuration = try Service.configuration(at: config)
            let settings = configuration.journal
            if let acceptJournal {
                let last = try SQLiteJournal.accept(
                    path: settings.path,
                    keys: .demonstration,
                    mark: settings.mark,
                    reason: acceptJournal,
                    time: SystemClock().localTime
                )
                writeLine("journal: accepted, its numbers go on after \(last.number)")
            }
            let reader = try JournalReader(path: settings.path, keys: .demonstration)
            let isChange = clear || acceptClock || acceptRows
            let writer =
                isChange
                ? try SQLiteJournal(
                    path: settings.path,
                    capacity: settings.capacity,
                    keys: .demonstration,
                    mark: settings.mark
                ) : nil
            try showLock(configuration.terminal.position, reader, writer)
            try showClock(reader, writer)
            let standing = try reader.standing(markPath: settings.mark)
            writeLine(
                "journal: \(standing.refusal.map { "not used: \($0), or accept it: --accept-journal REASON" } ?? "up to date")"
            )
            try showDamage(reader, writer)
            for acceptance in try reader.acceptances() { writeLine("journal: \(acceptance.words)") }
            writeLine("journal: \(roomText(max(0, settings.capacity - (try reader.count()))))")
            for line in try reader.serviceLines() { writeLine(line) }
        } catch let fault as StorageFault {
            standardError("greylock position: \(fault)")
            throw ExitCode(ServiceFailure.inputOutput)
        } catch let failure as ServiceFailure {
            standardError("greylock position: \(failure.reason)")
            throw ExitCode(failure.exitStatus)
        }
    }

    private func showDamage(_ reader: JournalReader, _ writer: SQLiteJournal?) throws(StorageFault) {
        let rows = try reader.damagedRows
        for row in rows { writeLine("damaged: \(row)") }
        guard acceptRows, let writer, !rows.isEmpty else { return }
        // Until the whole file has been read.
        _ = try writer.room()
        try writer.acceptRows()
        writeLine("accepted: rows with a right code count from the next start on, the others stay as they are")
    }

    private func showLock(_ position: Int, _ reader: JournalReader, _ writer: SQLiteJournal?) throws(StorageFault) {
        let judged = if let writer { try writer.lock(of: position) } else { try reader.lock(of: position) }
        guard let lock = judged else {
            writeLine("position \(position) is open")
            return
        }
        writeLine("position \(position) closed itself at \(lock.since): \(lock.reason.printable)")
        guard clear, let writer else { return }
        try writer.clearLock(of: position)
        let isStillClosed = try writer.lock(of: position) != nil
        writeLine(
            isStillClosed
                ? "position \(position) is still closed: the journal's state is not believed: look at it, then --accept-rows"
                : "position \(position) is open again"
        )
    }

    private func showClock(_ reader: JournalReader, _ writer: SQLiteJournal?) throws {
        guard let now = SystemClock().now else {
            writeLine("clock: not set, no card is served; set it")
            if acceptClock { throw ExitCode(ServiceFailure.unavailable) }
            return
        }
        guard let last = try reader.latestTime(), now.isBefore(last) else {
            writeLine("clock: \(now.local), behind no record")
            return
        }
        writeLine("clock: \(now), behind the last record (\(last)), so no card is served")
        guard acceptClock, let writer else {
            writeLine("clock: set it; if it is right, --accept-clock lets cards be served again")
            return
        }
        try writer.acceptClock(now)
        writeLine("clock: accepted, cards are served from \(now.local)")
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

    /// The last time that is known of a run that goes on, or ended without a word.
    func lastCounted(_ run: ServiceRun) -> TransactionTime? { [run.begun, lastSeen].compactMap(\.self).max() }

    private func state(of run: ServiceRun) -> String {
        if run.hasEnded { return "ended at \(words(run.ended))" }
        if isInUse { return "runs since \(words(run.begun))" }
        return "did not end cleanly, was last known to count at \(words(lastCounted(run)))"
    }

    private func words(_ time: TransactionTime?) -> String { time?.description ?? "an unknown time" }
}
