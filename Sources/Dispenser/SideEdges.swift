package import ISO7816
package import Metering
package import Records
package import SecurityModule

/// What a side works with.
package struct SideEdges {
    package let module: SecurityModule
    package let journal: any SaleJournal
    package let reader: any CardReader
    package let pump: any Pump
    package let pin: any PINEntry
    package let clock: any StationClock
    package let events: any EventSource
    package let display: any SideDisplay
    /// What a record's remark says of a refusal.
    package let remark: (Refusal) -> String

    package init(
        module: SecurityModule,
        journal: any SaleJournal,
        reader: any CardReader,
        pump: any Pump,
        pin: any PINEntry,
        clock: any StationClock,
        events: any EventSource,
        display: any SideDisplay,
        remark: @escaping (Refusal) -> String
    ) {
        self.module = module
        self.journal = journal
        self.reader = reader
        self.pump = pump
        self.pin = pin
        self.clock = clock
        self.events = events
        self.display = display
        self.remark = remark
    }
}
