import CardCryptography
import FuelPassbook
import Glibc
import Journal
import KeyCustody
import KeyFiles
import Metering
import Quantities
import Records
import Station
import TestFolders
import TestPrograms
import Testing

/// What the keys of a terminal are still needed for.
struct KeysEraseTests {
    private let bench: CeremonyBench

    init() throws { bench = try CeremonyBench(holding: [.record, .purchaseMaster]) }

    private func run(_ verb: String, _ arguments: String...) throws -> (status: Int32, said: String) {
        try bench.run("keys", verb, arguments)
    }

    private func recordKey() throws -> RecordKey {
        let store = TerminalKeyStore(bench.store, of: CeremonyBench.terminal, storageKey: .file(bench.storageKey))
        return try #require(try store.read()?.keys.recordKey)
    }

    private func begin(_ kind: RecordKind, _ phase: RecordPhase) throws {
        var fields = try recordFields(kind, phase, terminal: CeremonyBench.terminal)
        if phase == .torn {
            fields.icc = ICCRandom(1)
            fields.debits = [
                DebitAttempt(ttc: TTC(1), type: .purchase, terminal: CeremonyBench.terminal, time: fields.head.begun)
            ]
        }
        let record = phase == .torn ? try Record(fields) : try fields.completed()
        let journal = try SQLiteJournal(
            path: bench.folder.path("journal"),
            capacity: 64,
            key: recordKey(),
            mark: nil,
            damageFound: {}
        )
        try journal.commit(JournalEntry(record))
    }

    @Test(
        "a sale that is under way keeps its purchase master and the record key",
        arguments: [(RecordKind.sale, RecordPhase.locked), (.sale, .debitSent), (.prepaid, .torn)]
    )
    func underWay(kind: RecordKind, phase: RecordPhase) throws {
        try begin(kind, phase)
        for usage in ["MPK", "RECORD"] {
            let refused = try run("erase", "--reason", "worn", usage, "1", "1")
            #expect(refused.status == 65)
            #expect(refused.said.contains("record 1: not finished, card "), "\(refused.said)")
        }
        #expect(
            try run("erase", "--reason", "worn", "--despite-open-records", "MPK", "1", "1").status
                == 0
        )
    }

    @Test("a purchase master that sells is retired before it is erased")
    func selling() throws {
        #expect(try run("activate", "1", "1").status == 0)
        let refused = try run("erase", "--reason", "worn", "MPK", "1", "1")
        #expect(refused.status == 65 && refused.said.contains("MPK 1 1 sells: retire it first"), "\(refused.said)")
        #expect(try run("retire", "1", "1").status == 0)
        // A running service may sell with it still.
        let early = try run("erase", "--reason", "worn", "MPK", "1", "1")
        #expect(early.status == 65 && early.said.contains("MPK 1 1 was retired just now"), "\(early.said)")
        let patience = Patience()
        var status = early.status
        while status == 65, patience.milliseconds > 0 {
            status = try run("erase", "--reason", "worn", "MPK", "1", "1").status
        }
        #expect(status == 0)
    }

    /// The store writes a day that is none as zero.
    @Test("a day before any clock was set is none to sell from")
    func day() throws {
        #expect(try run("activate", "1", "1", "--from", "1970-01-01").status == 64)
    }
}
