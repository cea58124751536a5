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

    func show(_ words: String, at side: Int) {
        let all = latest.withLock { latest in
            latest[side] = words
            return latest.sorted { $0.key < $1.key }
        }
        supervisor.status(all.map { namesSides ? "position \($0.key): \($0.value)" : $0.value }.joined(separator: "; "))
    }
}

/// A display whose latest words also stand in `systemctl status`.
final class SupervisedDisplay: SideDisplay {
    private let display: any SideDisplay
    private let status: SupervisedStatus
    private let side: Int

    init(_ display: any SideDisplay, _ status: SupervisedStatus, side: Int) {
        self.display = display
        self.status = status
        self.side = side
    }

    func show(_ state: SideState, _ notice: Notice) {
        let vocabulary = Language.technical.vocabulary
        status.show("\(vocabulary.words(state)): \(vocabulary.words(notice))", at: side)
        display.show(state, notice)
    }

    func show(_ state: SideState, centilitres: Int, fen: Int, unitPrice: UnitPrice) {
        display.show(state, centilitres: centilitres, fen: fen, unitPrice: unitPrice)
    }

    func printReceipt(_ record: Record, balance: Amount?) { display.printReceipt(record, balance: balance) }
}
