import CardApplication
import Dispenser
import FuelPassbook
import Quantities
import Records
import Simulation
import Testing

/// A card escapes at one terminal, and another has its grey record (claim 5 of the source).
@Suite("A grey record of another terminal")
struct ForeignGreyRecordTests {
    private let first: TestStation
    private let second: TestStation
    private let escape: Record

    init() throws {
        first = try TestStation()
        first.escape(at: 300)
        escape = try #require(first.records.first)
        second = try TestStation()
        second.terminal = TerminalID(0x3100_0000_0018)
        second.site.pass(10_000)
        second.reader.replaceCard(by: first.reader)
    }

    private func carry() throws {
        let grey = try #require(first.greyRecords.first)
        let number = try second.journal.edge.reserve()
        let record = GreyRecord(
            number,
            mac3: grey.mac3,
            gmac: grey.gmac,
            balance: grey.balance,
            imported: try #require(second.site.localTime)
        )
        second.journal.store.commit(JournalEntry(grey: record))
    }

    private func visit(_ station: TestStation) {
        station.site.after(1) { [station] _ in station.reader.insert() }
        station.stop(at: 60)
        #expect(station.run() == nil)
        station.reader.pull()
    }

    @Test("settles the card here, and the terminal of the sale then knows that it was released elsewhere")
    func settles() throws {
        try carry()
        visit(second)
        #expect(second.records.map(\.kind) == [.localUnlock] && second.records.map(\.phase) == [.settled])
        let unlock = try #require(second.records.first)
        #expect(unlock.amount == escape.amount && unlock.balanceBefore == Amount(fen: 50_000))
        #expect(unlock.remark == "of record 1 of terminal 001122334455")
        #expect(second.greyRecords.map(\.state) == [.settled])
        #expect(second.reader.image.balance == Amount(fen: 50_000 - escape.amount.fen))
        #expect(second.reader.image.grey == nil)
        first.site.pass(100_000)
        first.reader.replaceCard(by: second.reader)
        visit(first)
        #expect(first.records.prefix(2).map(\.kind) == [.escape, .onlineUnlock])
        #expect(first.greyRecords.map(\.state) == [.elsewhere])
        #expect(first.reader.image.balance == Amount(fen: 50_000 - escape.amount.fen))
    }

    @Test("of a card that was released meanwhile ends with a notice, and nothing is paid twice")
    func released() throws {
        first.site.pass(1_000)
        visit(first)
        #expect(first.greyRecords.map(\.state) == [.settled])
        try carry()
        second.reader.replaceCard(by: first.reader)
        visit(second)
        #expect(second.records.map(\.kind).contains(.onlineUnlock))
        #expect(second.records.first { $0.kind == .onlineUnlock }?.remark == "of record 1 of terminal 001122334455")
        #expect(second.greyRecords.map(\.state) == [.elsewhere])
        #expect(second.reader.image.balance == Amount(fen: 50_000 - escape.amount.fen))
    }

    @Test("of a lock that never reached its card is void when the card is locked here")
    func neverLocked() throws {
        let station = try TestStation()
        station.terminal = TerminalID(0x3100_0000_0018)
        let gmac = try #require(first.greyRecords.first).gmac
        let other = SealedGMAC(
            card: gmac.card,
            terminal: gmac.terminal,
            ttc: gmac.ttc,
            ctc: CTC(0),
            amount: .zero,
            key: gmac.key,
            sealed: gmac.sealed
        )
        let grey = GreyRecord(
            RecordNumber(500),
            mac3: [1, 2, 3, 4],
            gmac: other,
            balance: nil,
            imported: try #require(station.site.localTime)
        )
        station.journal.store.commit(JournalEntry(grey: grey))
        station.scheduleRefuel(centilitres: 500)
        #expect(station.run() == nil)
        #expect(station.records.map(\.phase) == [.settled])
        #expect(station.greyRecords.map(\.state) == [.void])
    }

    @Test("shows that its card has petrol commands, whatever the card says")
    func petrolCommandsHidden() throws {
        try carry()
        second.settings.payment = .prepaid(Preset(centilitres: 500))
        second.reader.hasPetrolCommands = false
        visit(second)
        #expect(!second.log.entries.contains("INITIALIZE FOR PURCHASE"))
        #expect(second.display.refusals == [.petrolCommandsHidden])
    }
}
