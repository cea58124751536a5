import Dispenser
import FuelPassbook
import Journal
import Quantities
import Records

extension SQLiteJournal {
    /// What the start of a service of one side makes of it, at ``time(_:)`` 0 by the board's clock.
    ///
    /// - Returns: what it says.
    func recover() throws(SideFailure) -> [Notice] {
        let display = RecoveryDisplay()
        let members = [Board.Member(settings: .demonstration, display: display)]
        _ = try Board(terminal: Demonstration.terminal, journal: self, clock: LaterClock(), members).recover()
        return display.notices
    }
}

private final class RecoveryDisplay: SideDisplay {
    private(set) var notices: [Notice] = []

    func show(_ state: SideState, _ notice: Notice) { notices.append(notice) }
    func show(_ state: SideState, centilitres: Int, fen: Int, unitPrice: UnitPrice) {}
    func printReceipt(_ record: Record, balance: Amount?) {}
}

private final class LaterClock: StationClock {
    let monotonicNanoseconds: UInt64 = 0

    var now: StationTime? {
        do {
            return StationTime(utcSeconds: 1_835_395_080, local: try time(0))
        } catch {
            preconditionFailure("\(error)")
        }
    }
}
