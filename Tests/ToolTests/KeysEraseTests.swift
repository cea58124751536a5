import CardCryptography
import FuelPassbook
import Glibc
import Journal
import KeyCustody
import KeyFiles
import Metering
import Quantities
import Records
import TestFolders
import TestPrograms
import Testing

/// What the keys of a terminal are still needed for.
struct KeysEraseTests {
    private static let terminal = TerminalID(0x3100_0000_0017)
    private static let reference = KeyReference(index: KeyIndex(1), version: KeyVersion(1))

    private let folder: TestFolder
    private let config: String
    private let recordKey: RecordKey

    init() throws {
        folder = try TestFolder()
        let storageKey = try folder.file("storage-key", String(repeating: "k", count: 32))
        #expect(unsafe chmod(storageKey, 0o600) == 0)
        config = try folder.file(
            "greylock.toml",
            ServiceConfiguration.text(
                journal: (folder.path("journal"), ", capacity = 64"),
                board: #"aid = "F0504554524F4C02""#,
                card: ServiceConfiguration.reader,
                pin: "terminal",
                pump: ServiceConfiguration.simulated(centilitres: 500, speed: 10)
            )
            .replacing("demonstration = true", with: "demonstration = false")
            .replacing("001122334455", with: "\(Self.terminal)")
                + "\n[keys]\nstore = \"\(folder.path("keys"))\"\nstorage_key = \"\(storageKey)\""
        )
        let store = TerminalKeyStore(folder.path("keys"), of: Self.terminal, storageKey: .file(storageKey))
        var change = try store.beginChange()
        let raw = SystemRandom().secret(16)
        recordKey = RecordKey(raw.part(0..<16), as: Self.reference)
        try change.keys.load(delivery(.record, raw), .block, at: 1_790_000_000)
        try change.keys.load(delivery(.purchaseMaster, SystemRandom().secret(16)), .block, at: 1_790_000_000)
        try change.store()
    }

    private func delivery(_ usage: KeyUsage, _ raw: consuming LockedBuffer) throws -> KeyDelivery {
        KeyDelivery(
            HeldKeyName(usage, Self.reference),
            .tripleDES,
            made: try TransactionTime(secondsSince1970: 1_790_000_000),
            raw
        )
    }

    private func run(_ arguments: String...) throws -> (status: Int32, said: String) {
        let program = try Program("greylock", ["keys"] + arguments)
        let status = program.end()
        return (status, program.lines.joined(separator: "\n"))
    }

    private func begin(_ kind: RecordKind, _ phase: RecordPhase) throws {
        var fields = try recordFields(kind, phase, terminal: Self.terminal)
        if phase == .torn {
            fields.icc = ICCRandom(1)
            fields.debits = [
                DebitAttempt(ttc: TTC(1), type: .purchase, terminal: Self.terminal, time: fields.head.begun)
            ]
        }
        let record = phase == .torn ? try Record(fields) : try fields.completed()
        try SQLiteJournal(path: folder.path("journal"), capacity: 64, key: recordKey, mark: nil, damageFound: {})
            .commit(JournalEntry(record))
    }

    @Test(
        "a sale that is under way keeps its purchase master and the record key",
        arguments: [(RecordKind.sale, RecordPhase.locked), (.sale, .debitSent), (.prepaid, .torn)]
    )
    func underWay(kind: RecordKind, phase: RecordPhase) throws {
        try begin(kind, phase)
        for usage in ["MPK", "RECORD"] {
            let refused = try run("erase", "--config", config, "--reason", "worn", usage, "1", "1")
            #expect(refused.status == 65)
            #expect(refused.said.contains("record 1: not finished, card "), "\(refused.said)")
        }
        #expect(
            try run("erase", "--config", config, "--reason", "worn", "--despite-open-records", "MPK", "1", "1").status
                == 0
        )
    }

    @Test("a purchase master that sells is retired before it is erased")
    func selling() throws {
        #expect(try run("activate", "--config", config, "1", "1").status == 0)
        let refused = try run("erase", "--config", config, "--reason", "worn", "MPK", "1", "1")
        #expect(refused.status == 65 && refused.said.contains("MPK 1 1 sells: retire it first"), "\(refused.said)")
        #expect(try run("retire", "--config", config, "1", "1").status == 0)
        // A running service may sell with it still.
        let early = try run("erase", "--config", config, "--reason", "worn", "MPK", "1", "1")
        #expect(early.status == 65 && early.said.contains("MPK 1 1 was retired just now"), "\(early.said)")
        let patience = Patience()
        var status = early.status
        while status == 65, patience.milliseconds > 0 {
            status = try run("erase", "--config", config, "--reason", "worn", "MPK", "1", "1").status
        }
        #expect(status == 0)
    }

    /// The store writes a day that is none as zero.
    @Test("a day before any clock was set is none to sell from")
    func day() throws {
        #expect(try run("activate", "--config", config, "1", "1", "--from", "1970-01-01").status == 64)
    }
}
