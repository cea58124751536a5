import CardApplication
import Dispenser
import FuelPassbook
import Metering
import Quantities
import Records
import Simulation
import Testing

/// What a side does with rows that its journal does not believe (decision record 0017).
struct DamagedRecordTests {
    /// A station whose card was pulled in mid-sale and did not come back: record 1 is escaped, its grey record open.
    private func stationAfterEscape() throws -> TestStation {
        let station = try TestStation()
        station.scheduleRefuel(centilitres: 500)
        station.reader.faults[.debitForPetrol] = [.pulledBefore]
        station.site.after(120) { $0.post(.stopRequested) }
        station.run()
        try #require(station.greyRecords.map(\.state) == [.open])
        return station
    }

    private func row(_ table: String, _ key: Int64) -> DamagedRow {
        DamagedRow(table: table, keyName: "record", key: key, column: nil, reason: "its code is wrong")
    }

    private func visit(_ station: TestStation) {
        station.clearAgenda()
        station.reader.pull()
        station.site.setNozzle(lifted: false)
        station.site.after(5) { [unowned station] _ in station.reader.insert() }
        station.site.after(120) { $0.post(.stopRequested) }
    }

    @Test func aGreyCardIsToldThatItsRecordIsNotBelieved() throws {
        let station = try stationAfterEscape()
        let damaged = row("grey_record", 1)
        station.journal.edge.damaged = [damaged]
        let before = station.reader.image.balance
        visit(station)
        #expect(station.run() == nil)
        #expect(station.display.notices.filter { $0 == .damagedRow(damaged) }.count == 1)
        #expect(station.display.refusals.contains(.recordDamaged(damaged)))
        #expect(station.reader.image.balance == before && station.reader.image.grey != nil)
        #expect(station.greyRecords.map(\.state) == [.open])
    }

    /// The grey record alone says what is owed.
    @Test func aDamagedFinishedSaleKeepsNoCardFromPaying() throws {
        let station = try stationAfterEscape()
        station.journal.edge.damaged = [row("sale", 1)]
        let owed = try #require(station.greyRecords.first?.amount)
        visit(station)
        #expect(station.run() == nil)
        #expect(station.reader.image.grey == nil)
        #expect(station.reader.image.balance == Amount(fen: 50_000 - owed.fen))
        #expect(station.greyRecords.map(\.state) == [.settled])
    }

    @Test func theCardOfADamagedOpenRecordIsNotServedAndOthersAre() throws {
        for isItsOwn in [true, false] {
            let station = try TestStation()
            var damaged = row("sale", 7)
            damaged.isOpen = true
            damaged.card = isItsOwn ? station.reader.image.file.asn : .none
            station.journal.edge.damaged = [damaged]
            station.scheduleRefuel(centilitres: 100)
            #expect(station.run() == nil)
            #expect(station.display.refusals.contains(.recordDamaged(damaged)) == isItsOwn)
            #expect(station.records.isEmpty == isItsOwn)
        }
    }

    @Test func aSaleWithoutABelievedCheckpointEndsAtItsRecordAndSaysSo() throws {
        let station = try TestStation()
        station.journal.writesLeft = 5
        station.scheduleRefuel(centilitres: 500)
        guard case .storage = station.run() else { return #expect(Bool(false), "the power was cut") }
        let open = try #require(try station.journal.edge.openRecords().first)
        let checkpoint = try #require(try station.journal.edge.lastCheckpoint(of: open.number))
        try #require(checkpoint.amount > .zero)
        station.journal.writesLeft = nil
        station.journal.edge.damaged = [row("checkpoint", Int64(open.number.value))]
        station.clearAgenda()
        station.site.after(5) { $0.post(.stopRequested) }
        #expect(station.run() == nil)
        let record = try #require(station.records.first { $0.number == open.number })
        #expect(record.phase == .escaped && record.amount == .zero)
        #expect(record.remark?.hasPrefix("its checkpoint is not believed") == true)
        #expect(station.greyRecords.map(\.amount) == [.zero])
    }

    @Test func totalsThatAreNotBelievedCloseTheSide() throws {
        let station = try TestStation()
        station.journal.edge.damaged = [
            DamagedRow(table: "totaliser", keyName: "nozzle", key: 1, column: nil, reason: "its code is wrong")
        ]
        station.scheduleRefuel(centilitres: 100)
        #expect(station.run() == nil)
        let lock = try #require(try station.journal.edge.lock(of: 1))
        #expect(lock.reason.contains("the totals of nozzle 1 were not believed"))
        #expect(station.display.refusals.contains(.sideLocked(lock)))
        #expect(station.records.isEmpty)
    }

    @Test func totalsThatAreNotBelievedAreThoseOfTheRecords() throws {
        let station = try TestStation()
        station.scheduleRefuel(centilitres: 100)
        #expect(station.run() == nil)
        let totals = try #require(station.journal.store.totalisers[1])
        #expect(totals.volume > .zero)
        station.journal.store.commit(
            JournalEntry(
                totaliser: Totaliser(nozzle: 1, counts: [7], base: .zero, volume: .zero, fen: 0)
            )
        )
        station.journal.edge.damaged = [
            DamagedRow(table: "totaliser", keyName: "nozzle", key: 1, column: nil, reason: "its code is wrong")
        ]
        station.clearAgenda()
        station.stop(at: 1)
        #expect(station.run() == nil)
        #expect(station.journal.store.totalisers[1] == totals)
    }

    @Test func whatAFileSaysIsShownInPrintableWords() {
        let row = DamagedRow(
            table: "sale",
            keyName: "record",
            key: 1,
            column: "remark",
            reason: "\u{1B}[2J\r\n2      sale  \u{202E}\u{2028}油"
        )
        let shown = "table sale, record 1, column remark: \\u{1B}[2J\\u{D}\\u{A}2      sale  \\u{202E}\\u{2028}油"
        #expect(row.description == shown)
    }
}
