package import Configuration
package import Dispenser
package import ISO7816
package import Metering

/// Who stands in for the reader and for the pump's lines where a configuration names virtual ones. The service on a board has
/// nobody: such a configuration is refused there.
package struct VirtualEdges: Sendable {
    /// A reader, and the hand that puts its card in and takes it out.
    package struct Slot {
        package let reader: any CardReader
        package let insert: () -> Void
        package let pull: () -> Void

        package init(reader: any CardReader, insert: @escaping () -> Void, pull: @escaping () -> Void) {
            self.reader = reader
            self.insert = insert
            self.pull = pull
        }
    }

    /// Lines, and the customer at them, who reads the side's display.
    package struct Pump {
        package let lines: any PumpLines & Sendable
        package let customer: (any SideDisplay) -> any SideDisplay

        package init(
            lines: any PumpLines & Sendable,
            customer: @escaping (any SideDisplay) -> any SideDisplay
        ) {
            self.lines = lines
            self.customer = customer
        }
    }

    /// Why there is no card.
    package struct Fault: Error, Sendable {
        package let reason: String

        package init(reason: String) { self.reason = reason }
    }

    /// Takes the path of the file that keeps the card, nil for a new card that nothing keeps, and the number of sides before this
    /// one.
    package let slot: @Sendable (_ state: String?, _ index: Int) throws(Fault) -> Slot
    package let pump: @Sendable (Configuration.SimulatedPump, Calibration, PulserKind) -> Pump

    package init(
        slot: @escaping @Sendable (_ state: String?, _ index: Int) throws(Fault) -> Slot,
        pump: @escaping @Sendable (Configuration.SimulatedPump, Calibration, PulserKind) -> Pump
    ) {
        self.slot = slot
        self.pump = pump
    }
}

/// The hand that puts a virtual card into a side's reader and takes it out, on the side's thread.
package struct CardHand {
    let slot: VirtualEdges.Slot
    let mailbox: Mailbox

    package func insert() {
        slot.insert()
        mailbox.post(.reader(.cardInserted))
    }

    package func pull() {
        slot.pull()
        mailbox.post(.reader(.cardRemoved))
    }
}
