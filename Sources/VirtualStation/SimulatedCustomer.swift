import Dispenser
import Quantities
import Records
import VirtualPump

/// The customer of a simulated pump: reads the display, and lifts the nozzle when told to.
final class SimulatedCustomer: SideDisplay {
    private let display: any SideDisplay
    private let lines: SimulatedPumpLines

    init(_ display: any SideDisplay, lines: SimulatedPumpLines) {
        self.display = display
        self.lines = lines
    }

    func show(_ state: SideState, _ notice: Notice) {
        display.show(state, notice)
        switch notice {
        case .liftNozzle, .prepaid: lines.authorised()
        case _: break
        }
    }

    func show(_ state: SideState, centilitres: Int, fen: Int, unitPrice: UnitPrice) {
        display.show(state, centilitres: centilitres, fen: fen, unitPrice: unitPrice)
    }

    func printReceipt(_ record: Record, balance: Amount?) { display.printReceipt(record, balance: balance) }
}
