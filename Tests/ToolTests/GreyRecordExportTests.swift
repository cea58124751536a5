import CardCryptography
import FuelPassbook
import Journal
import Quantities
import Records
import SecurityModule
import TestFolders
import TestJournals
import TestPrograms
import Testing

/// What of a journal does not travel.
struct GreyRecordExportTests {
    private let folder: TestFolder
    private let config: String
    private var journal: String { folder.path("journal") }

    init() throws {
        folder = try TestFolder()
        config = try folder.file("greylock.toml", toolConfiguration(journal: folder.path("journal")))
    }

    private func write(kind: RecordKind? = .escape, lockedAt terminal: TerminalID = Demonstration.terminal) throws {
        let fields = try recordFields(
            kind ?? .escape,
            .escaped,
            terminal: Demonstration.terminal,
            balance: Amount(fen: 50_000),
            mac3: [1, 2, 3, 4]
        )
        let standing = fields.standing
        let gmac = RecordKey.demonstration.seal(of: terminal).seal(
            MAC(bytes: [1, 2, 3, 4]),
            card: standing.card,
            ttc: TTC(1),
            ctc: standing.ctc,
            amount: Amount(fen: 785),
            key: standing.key,
            random: SystemRandom()
        )
        let grey = try GreyRecord(GreyRecordFields(RecordNumber(1), mac3: [1, 2, 3, 4], gmac: gmac, .open))
        var entry = JournalEntry(grey: grey)
        if kind != nil { entry.records = [try fields.completed()] }
        try SQLiteJournal(path: journal, capacity: 64, key: .demonstration).commit(entry)
    }

    private func export() throws -> Run { try Run("greylock", ["records", "export", "--config", config]) }

    @Test func anEscapeTravels() throws {
        try write()
        let run = try export()
        #expect(run.status == 0 && run.output.hasPrefix("greylock-grey 3 terminal "), "\(run.error)")
    }

    @Test func whatWasPrepaidStays() throws {
        try write(kind: .prepaid)
        let run = try export()
        #expect(run.status == 69 && run.output.isEmpty && run.error.contains("it was prepaid"), "\(run.error)")
    }

    @Test func whatHasNoSaleThatIsBelievedStays() throws {
        try write(kind: nil)
        let run = try export()
        #expect(run.status == 69 && run.output.isEmpty, "\(run.output)")
        #expect(run.error.contains("the record of its sale is not believed"), "\(run.error)")
    }

    @Test func whatAnotherIdLockedStays() throws {
        try write(lockedAt: TerminalID(0x3100_0000_0018))
        let run = try export()
        #expect(run.status == 69 && run.output.isEmpty, "\(run.output)")
        #expect(run.error.contains("this terminal was 310000000018 then"), "\(run.error)")
    }
}
