import ArgumentParser
import Dispenser
import FuelPassbook
import Journal
import Terminal

struct PositionTool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "position",
        abstract: "Whether the position serves cards, and the technician's ways to make it serve again.",
        discussion: """
            A position closes itself after too many pulser faults in one sale, and serves no card while the clock is behind
            its records or they leave no room. Stop the service first.
            """
    )

    @Option(help: ArgumentHelp("The service's configuration.", valueName: "FILE"))
    var config: String

    @Flag(help: "Open the position again, after the pulser was mended.")
    var clear = false

    @Flag(help: "The clock is right, and the records were made while it was ahead: they no longer hold it back.")
    var acceptClock = false

    func run() throws {
        do {
            let configuration = try Service.configuration(at: config)
            let journal = try SQLiteJournal(
                path: configuration.journal.path,
                capacity: configuration.journal.capacity
            )
            try showLock(configuration.terminal.position, journal)
            try showClock(journal)
            print("journal: \(roomText(try journal.room()))")
        } catch let fault as StorageFault {
            standardError("greylock position: \(fault)")
            throw ExitCode(ServiceFailure.inputOutput)
        } catch let failure as ServiceFailure {
            standardError("greylock position: \(failure.reason)")
            throw ExitCode(failure.exitStatus)
        }
    }

    private func showLock(_ position: Int, _ journal: SQLiteJournal) throws(StorageFault) {
        guard let lock = try journal.lock(of: position) else {
            print("position \(position) is open")
            return
        }
        print("position \(position) closed itself at \(lock.since): \(lock.reason)")
        guard clear else { return }
        try journal.clearLock(of: position)
        print("position \(position) is open again")
    }

    private func showClock(_ journal: SQLiteJournal) throws {
        guard let time = SystemClock().localTime else {
            print("clock: not set, no card is served; set it")
            if acceptClock { throw ExitCode(ServiceFailure.unavailable) }
            return
        }
        guard let last = try journal.latestTime(), time < last else {
            print("clock: \(time), behind no record")
            return
        }
        print("clock: \(time), behind the last record (\(last)), so no card is served")
        guard acceptClock else {
            print("clock: set it; if it is right, --accept-clock lets cards be served again")
            return
        }
        try journal.acceptClock(time)
        print("clock: accepted, cards are served from \(time)")
    }
}
