import Dispenser
import FuelPassbook
import Metering
import Quantities
import Records
private import Synchronization
import Words

/// What `systemctl status` says: the latest words of each side.
final class SupervisedStatus: Sendable {
    private let supervisor: Supervisor
    private let latest: Mutex<[Int: String]> = Mutex([:])
    private let namesSides: Bool

    init(_ supervisor: Supervisor, sides: Int) {
        self.supervisor = supervisor
        namesSides = sides > 1
    }

    func show(_ words: String, at position: Int) {
        let all = latest.withLock { latest in
            latest[position] = words
            return latest.sorted { $0.key < $1.key }
        }
        supervisor.status(all.map { namesSides ? "position \($0.key): \($0.value)" : $0.value }.joined(separator: "; "))
    }
}

/// A display whose latest words also stand in `systemctl status`.
final class SupervisedDisplay: PositionDisplay {
    private let display: any PositionDisplay
    private let status: SupervisedStatus
    private let position: Int

    init(_ display: any PositionDisplay, _ status: SupervisedStatus, position: Int) {
        self.display = display
        self.status = status
        self.position = position
    }

    func show(_ state: PositionState, _ notice: Notice) {
        let vocabulary = Language.technical.vocabulary
        status.show("\(vocabulary.words(state)): \(vocabulary.words(notice))", at: position)
        display.show(state, notice)
    }

    func show(_ state: PositionState, centilitres: Int, fen: Int, unitPrice: UnitPrice) {
        display.show(state, centilitres: centilitres, fen: fen, unitPrice: unitPrice)
    }

    func printReceipt(_ record: Record, balance: Amount?) { display.printReceipt(record, balance: balance) }
}
