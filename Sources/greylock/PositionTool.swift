import ArgumentParser
import Dispenser
import FuelPassbook
import Journal
import Terminal

struct PositionTool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "position",
        abstract: "Whether the position closed itself, and the technician's way to open it again.",
        discussion: "A position closes itself after too many pulser faults in one sale. Stop the service first."
    )

    @Option(help: ArgumentHelp("The service's configuration.", valueName: "FILE"))
    var config: String

    @Flag(help: "Open the position again, after the pulser was mended.")
    var clear = false

    func run() throws {
        do {
            let configuration = try Service.configuration(at: config)
            let position = configuration.terminal.position
            let journal = try SQLiteJournal(
                path: configuration.journal.path,
                capacity: configuration.journal.capacity
            )
            guard let lock = try journal.lock(of: position) else {
                print("position \(position) is open")
                return
            }
            print("position \(position) closed itself at \(lock.since): \(lock.reason)")
            guard clear else { return }
            try journal.clearLock(of: position)
            print("position \(position) is open again")
        } catch let fault as StorageFault {
            standardError("greylock position: \(fault)")
            throw ExitCode(ServiceFailure.inputOutput)
        } catch let failure as ServiceFailure {
            standardError("greylock position: \(failure.reason)")
            throw ExitCode(failure.exitStatus)
        }
    }
}
