import Dispenser
import FuelPassbook
import Journal
import Metering
import Quantities
import Records
import SecurityModule
import TestJournals
import TestPrograms

/// A configuration with everything simulated.
func toolConfiguration(journal: String, more: String = "", card: String = "", flow: String = "") -> String {
    ServiceConfiguration.text(
        journal: (journal, ", capacity = 64\(more)"),
        card: #"kind = "virtual"\#(card)"#,
        pump: "kind = \"simulated\"\n[side.1.pump.simulated]\n\(flow)"
    )
}

/// A journal with one record.
func makeJournal(_ path: String) throws {
    let time = try TransactionTime(date: CalendarDate(year: 2025, month: 6, day: 1), hour: 8, minute: 0, second: 0)
    let fields = RecordFields(
        number: RecordNumber(1),
        kind: .sale,
        phase: .settled,
        side: 1,
        terminal: TerminalID(0x31),
        begun: time,
        standing: CardStanding(
            card: Demonstration.applicationFile.asn,
            key: KeyReference(index: KeyIndex(1), version: KeyVersion(1)),
            balance: .zero,
            ctc: CTC(3)
        ),
        mac3: nil,
        delivery: Delivery(
            nozzle: 1,
            grade: "92",
            unitPrice: UnitPrice(fenPerLitre: 785),
            reading: .none(points: 1)
        ),
        amount: Amount(fen: 785),
        gmac: nil
    )
    try openJournal(path).commit(JournalEntry(fields.completed()))
}

/// Another test's program holds this process's descriptors, and with them the journal's lock, until it has begun.
func openJournal(_ path: String) throws -> SQLiteJournal {
    var tries = 0
    while true {
        do throws(StorageFault) {
            return try SQLiteJournal(path: path, capacity: 64)
        } catch {
            tries += 1
            guard error.reason.contains("in use"), tries < 100 else { throw error }
        }
    }
}
