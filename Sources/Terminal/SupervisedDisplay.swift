import Dispenser
import FuelPassbook
import Metering
import Quantities
import Records
import Words

/// A display whose latest words also stand in `systemctl status`.
final class SupervisedDisplay: PositionDisplay {
    private let display: any PositionDisplay
    private let supervisor: Supervisor

    init(_ display: any PositionDisplay, _ supervisor: Supervisor) {
        self.display = display
        self.supervisor = supervisor
    }

    func show(_ state: PositionState, _ notice: Notice) {
        let vocabulary = Language.technical.vocabulary
        supervisor.status("\(vocabulary.words(state)): \(vocabulary.words(notice))")
        display.show(state, notice)
    }

    func show(_ state: PositionState, centilitres: Int, fen: Int, unitPrice: UnitPrice) {
        display.show(state, centilitres: centilitres, fen: fen, unitPrice: unitPrice)
    }

    func printReceipt(_ record: Record, balance: Amount?) { display.printReceipt(record, balance: balance) }
}
