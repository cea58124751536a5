import CardApplication
import CardCryptography
import Dispenser
import FuelPassbook
import ISO7816
import Metering
import Quantities
import Records
import Simulation
import Testing

@Suite("A card that leaves, and what settles it")
struct EscapeTests {
    /// A card that is pulled when `centilitres` are shown.
    private func station(pulledAt centilitres: Int) throws -> TestStation {
        let station = try TestStation()
        station.settings.limit = Preset(centilitres: 1_000)
        var isPulled = false
        station.display.onProgress = { [unowned station] shown in
            guard shown >= centilitres, !isPulled else { return }
            isPulled = true
            station.reader.pull()
        }
        station.site.after(1) { [unowned station] _ in station.reader.insert() }
        station.site.after(3) { $0.setNozzle(lifted: true) }
        return station
    }

    @Test("an escaped card pays at its next visit, to the fen")
    func localUnlock() throws {
        let station = try station(pulledAt: 500)
        station.site.after(100) { [unowned station] _ in station.reader.insert() }
        station.site.after(110) { [unowned station] _ in station.reader.pull() }
        station.site.after(120) { $0.post(.stopRequested) }
        station.run()

        let escape = try #require(station.records.first)
        #expect(escape.kind == .escape)
        #expect(escape.phase == .escaped)
        #expect(escape.amount > .zero)
        #expect(escape.reading.counts == [station.site.trueCounts])
        let unlock = try #require(station.records.last)
        #expect(unlock.kind == .localUnlock)
        #expect(unlock.phase == .settled)
        #expect(unlock.settles == escape.number)
        #expect(unlock.mac4IsValid == true)
        #expect(station.greyRecords.map(\.state) == [.settled])
        #expect(station.reader.image.grey == nil)
        #expect(station.reader.image.balance.fen == 50_000 - escape.amount.fen)
        #expect(station.reader.image.log.first?.type == .localUnlock)
    }

    @Test(
        "a reader that goes in mid-sale: the valve closes, the grace time runs from there, and the card pays once it is back"
    )
    func readerGone() throws {
        let station = try TestStation()
        station.settings.limit = Preset(centilitres: 1_000)
        var goneAt: UInt64?
        var escapedAt: UInt64?
        station.display.onProgress = { [unowned station] shown in
            guard shown >= 500, goneAt == nil else { return }
            goneAt = station.site.monotonicNanoseconds
            station.reader.lose()
        }
        station.display.onNotice = { [unowned station] notice in
            if case .escaped = notice { escapedAt = station.site.monotonicNanoseconds }
        }
        station.site.after(1) { [unowned station] _ in station.reader.insert() }
        station.site.after(3) { $0.setNozzle(lifted: true) }
        station.site.after(200) { [unowned station] _ in
            station.site.post(.reader(.back))
            station.reader.insert()
        }
        station.site.after(220) { $0.post(.stopRequested) }
        #expect(station.run() == nil)
        #expect(station.site.trueCounts < 2_000 + 60)
        let grace = station.settings.timeouts.grace
        #expect(station.display.notices.contains(.readerGone("unplugged", graceSeconds: Int(grace / 1_000_000_000))))
        let (gone, escaped) = (try #require(goneAt), try #require(escapedAt))
        #expect(escaped >= gone + grace && escaped < gone + grace + 2_000_000_000)
        #expect(station.records.map(\.kind) == [.escape, .localUnlock])
        #expect(station.records.map(\.phase) == [.escaped, .settled])
        #expect(station.reader.image.grey == nil)
        #expect(station.reader.image.balance.fen == 50_000 - station.records[0].amount.fen)
    }

    @Test("the valve closes at once when the card leaves")
    func valveCloses() throws {
        let station = try station(pulledAt: 500)
        station.site.after(120) { $0.post(.stopRequested) }
        station.run()
        #expect(station.site.trueCounts < 2_000 + 60)
        #expect(station.greyRecords.map(\.state) == [.open])
    }

    @Test("back within the grace time the card goes on fuelling, and pays without being asked for its PIN again")
    func graceTime() throws {
        let station = try station(pulledAt: 500)
        station.display.onNotice = { [unowned station] notice in
            guard case .cardGone = notice else { return }
            station.site.after(5) { [unowned station] _ in station.reader.insert() }
        }
        station.site.after(120) { $0.post(.stopRequested) }
        station.run()
        #expect(station.records.map(\.kind) == [.sale])
        #expect(station.records.first?.phase == .settled)
        #expect(station.records.first?.reading.volume == Volume(centilitres: 1_000))
        #expect(station.pin.asked == 1)
        #expect(station.reader.image.log.first?.type == .refuel)
    }

    @Test("the answer to the debit was lost: the card proves that it paid")
    func lostAnswer() throws {
        let station = try TestStation()
        station.reader.faults[.debitForPetrol] = [.pulledAfter]
        station.scheduleRefuel(centilitres: 500)
        station.site.after(200) { [unowned station] _ in station.reader.insert() }
        station.site.after(210) { [unowned station] _ in station.reader.pull() }
        station.site.after(215) { $0.post(.stopRequested) }
        station.run()
        station.site.after(300) { $0.post(.stopRequested) }
        station.run()
        let sale = try #require(station.records.first)
        #expect(sale.phase == .settled)
        #expect(sale.kind == .sale)
        #expect(sale.mac4IsValid == true)
        #expect(station.reader.image.balance.fen == 50_000 - sale.amount.fen)
        #expect(station.greyRecords.map(\.state) == [.settled])
    }

    @Test("a debit that never reached the card is sent again")
    func debitNotReceived() throws {
        let station = try TestStation()
        station.reader.faults[.debitForPetrol] = [.pulledBefore]
        var comesBack = false
        station.display.onNotice = { [unowned station] notice in
            guard case .cardFault = notice, !comesBack else { return }
            comesBack = true
            station.site.after(2) { [unowned station] _ in station.reader.insert() }
        }
        station.scheduleRefuel(centilitres: 500)
        station.run()
        #expect(station.records.map(\.kind) == [.sale])
        #expect(station.records.first?.phase == .settled)
        #expect(station.reader.image.grey == nil)
        #expect(station.reader.image.balance.fen == 50_000 - 3_925)
    }

    @Test("a card that left before the lock was answered is released with a debit of zero", arguments: [true, false])
    func lockUnanswered(executed: Bool) throws {
        let station = try TestStation()
        station.reader.faults[.lockForPetrol] = [executed ? .pulledAfter : .pulledBefore]
        station.site.after(1) { [unowned station] _ in station.reader.insert() }
        station.site.after(50) { [unowned station] _ in station.reader.insert() }
        station.site.after(200) { $0.post(.stopRequested) }
        station.run()
        #expect(station.reader.image.grey == nil)
        #expect(station.reader.image.balance == Amount(fen: 50_000))
        #expect(station.greyRecords.map(\.state) == [executed ? .settled : .void])
    }

    @Test("a grey card without a record here is told where to go, and is not touched")
    func greyElsewhere() throws {
        let station = try station(pulledAt: 300)
        station.site.after(60) { $0.post(.stopRequested) }
        station.run()
        let other = try TestStation()
        let before = station.reader.image
        station.site.after(1) { [unowned station] _ in station.reader.insert() }
        station.site.after(60) { $0.post(.stopRequested) }
        station.journalIsReplaced(by: other.journal)
        station.run()
        #expect(station.display.refusals.contains(.greyElsewhere))
        #expect(station.reader.image == before)
    }

    @Test("after a power cut at any write the card pays exactly what the journal says")
    func powerCuts() throws {
        var cuts = 0
        for writes in 0..<60 {
            let station = try TestStation()
            station.settings.limit = Preset(centilitres: 300)
            station.journal.writesLeft = writes
            station.scheduleRefuel(centilitres: 300)
            guard case .storage = station.run() else { break }
            cuts += 1
            station.journal.writesLeft = nil
            station.reader.pull()
            station.site.setNozzle(lifted: false)
            station.clearAgenda()
            station.site.after(5) { [unowned station] _ in station.reader.insert() }
            station.site.after(120) { [unowned station] _ in station.reader.pull() }
            station.site.after(180) { $0.post(.stopRequested) }
            #expect(station.run() == nil)
            let paid = station.records.filter { $0.kind == .sale || $0.kind == .localUnlock }
                .reduce(0) { $0 + Int($1.amount.fen) }
            #expect(station.reader.image.grey == nil, "cut at write \(writes)")
            #expect(Int(station.reader.image.balance.fen) == 50_000 - paid, "cut at write \(writes)")
            #expect(station.greyRecords.allSatisfy { $0.state != .open }, "cut at write \(writes)")
            let lost = station.site.trueCounts - station.records.reduce(0) { $0 + $1.reading.counts[0] }
            #expect((0...200).contains(lost), "cut at write \(writes): \(lost) counts are in no record")
        }
        print("power cuts: \(cuts)")
        #expect(cuts > 8)
    }
}
