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

/// A card's profile.
///
/// - Parameters:
///   - keys: an issuer's store.
///   - more: lines.
func cardProfile(keys: String, more: String = "") -> String {
    """
    issuer = "GREYLOCK"
    asn = "00010000000000000043"
    valid_from = "2024-01-01"
    valid_to = "2049-12-31"
    balance_fen = 700
    pin = "demonstration"
    keys = "\(keys)"
    \(more)
    """
}

/// A record's values of side 1: 7.85 yuan, nothing counted.
func recordFields(
    _ kind: RecordKind,
    _ phase: RecordPhase,
    number: UInt32 = 1,
    terminal: TerminalID = TerminalID(0x31),
    year: Int = 2025,
    card: ApplicationSerialNumber = Demonstration.applicationFile.asn,
    balance: Amount = .zero,
    mac3: [UInt8]? = nil
) throws -> RecordFields {
    RecordFields(
        number: RecordNumber(number),
        kind: kind,
        phase: phase,
        side: 1,
        terminal: terminal,
        begun: try TransactionTime(
            date: CalendarDate(year: year, month: 6, day: 1),
            hour: 8,
            minute: 0,
            second: 0
        ),
        standing: CardStanding(
            card: card,
            key: KeyReference(index: KeyIndex(1), version: KeyVersion(1)),
            balance: balance,
            ctc: CTC(3)
        ),
        mac3: mac3,
        delivery: Delivery(
            nozzle: 1,
            grade: "92",
            unitPrice: UnitPrice(fenPerLitre: 785),
            reading: .none(points: 1)
        ),
        amount: Amount(fen: 785),
        gmac: nil
    )
}

/// A journal with one record.
func makeJournal(_ path: String) throws {
    try openJournal(path).commit(JournalEntry(recordFields(.sale, .settled).completed()))
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
