package import Configuration
package import Dispenser
package import ISO7816
package import Metering

/// Who stands in for the reader and for the pump's lines where a configuration names virtual ones. The service on a board has
/// nobody: such a configuration is refused there.
package struct VirtualEdges {
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

    /// Lines, and the customer at them, who reads the position's display.
    package struct Pump {
        package let lines: any PumpLines & Sendable
        package let customer: (any PositionDisplay) -> any PositionDisplay

        package init(
            lines: any PumpLines & Sendable,
            customer: @escaping (any PositionDisplay) -> any PositionDisplay
        ) {
            self.lines = lines
            self.customer = customer
        }
    }

    /// Takes the path of the file that keeps the card; nil for a new card that nothing keeps.
    package let slot: (_ state: String?) throws(ServiceFailure) -> Slot
    package let pump: (Configuration.SimulatedPump, Calibration, PulserKind) -> Pump

    package init(
        slot: @escaping (_ state: String?) throws(ServiceFailure) -> Slot,
        pump: @escaping (Configuration.SimulatedPump, Calibration, PulserKind) -> Pump
    ) {
        self.slot = slot
        self.pump = pump
    }
}
