import CardApplication
import CardCryptography
import Dispenser
import FuelPassbook
import ISO7816
import Issuer
import Metering
import Quantities
import Records
import SecurityModule
import Simulation
import Testing

@Suite("A prepaid sale, from the debit to the refund record")
struct PrepaidTests {
    @Test("what was paid flows exactly, and nothing is owed")
    func wholeSale() throws {
        let station = try prepaidStation(Preset(centilitres: 2_000))
        station.scheduleRefuel(centilitres: 5_000)
        #expect(station.run() == nil)

        let record = try #require(station.records.first)
        #expect(station.records.count == 1)
        #expect(record.kind == .prepaid)
        #expect(record.phase == .settled)
        #expect(record.reading.counts == [8_000])
        #expect(record.amount == Amount(fen: 15_700))
        #expect(record.nonCardPart == .zero)
        #expect(record.mac4IsValid == true)
        #expect(record.debitTAC != nil)
        #expect(station.reader.image.balance == Amount(fen: 50_000 - 15_700))
        #expect(station.reader.image.ctc == CTC(1))
        #expect(station.reader.image.log.first?.type == .refuel)
        #expect(station.display.receipts == [record])
        let totaliser = try #require(try station.journal.edge.totaliser(of: 1))
        #expect(totaliser.counts == [8_000])
        #expect(totaliser.fen == 15_700)
        expectBalanced(station)
    }

    @Test("the issuer can judge the TAC of a purchase and of a refuel from the record alone", arguments: [true, false])
    func issuerJudgesTAC(prepaid: Bool) throws {
        let station = try prepaid ? prepaidStation(Preset(centilitres: 300)) : TestStation()
        station.scheduleRefuel(centilitres: 300)
        station.run()
        let record = try #require(station.records.first)
        let debit = try #require(record.debit)
        var keys = IssuerKeys()
        keys.load(Demonstration.schemeKeys, index: Demonstration.keyIndex, version: Demonstration.keyVersion)
        let issuer = Issuer(keys: keys)
        func isValid(_ amount: Amount) throws -> Bool {
            try issuer.isDebitTACValid(
                MAC(bytes: #require(record.debitTAC)),
                card: record.card,
                keyIndex: #require(record.standing).key.index,
                keyVersion: #require(record.standing).key.version,
                debit: TerminalDebit(
                    amount: amount,
                    type: debit.type,
                    terminal: record.terminal,
                    ttc: debit.ttc,
                    time: debit.time
                )
            )
        }
        #expect(try isValid(record.amount))
        #expect(try !isValid(Amount(fen: record.amount.fen + 1)))
    }

    @Test("a pump that fails before it begins: all of the payment is refunded")
    func pumpFailsAtBegin() throws {
        let station = try prepaidStation(Preset(centilitres: 1_000))
        station.pump.refuses = { $0 == .beginSale }
        station.scheduleRefuel(centilitres: 1_000)
        guard case .pump = station.run() else {
            Issue.record("the side goes on without its pump")
            return
        }
        #expect(station.records.map(\.kind) == [.prepaid, .refund])
        #expect(station.records.last?.amount == Amount(fen: 7_850))
        expectBalanced(station)
    }

    @Test("after too many pulser faults the rest is refunded, and the side stays closed")
    func pulserFaults() throws {
        let station = try prepaidStation(Preset(centilitres: 1_000))
        station.settings.pulserFaultsMax = 3
        station.scheduleRefuel(centilitres: 1_000)
        station.site.after(8) { site in
            for _ in 0..<4 { site.disturbPulser() }
        }
        station.run()
        #expect(station.records.map(\.kind) == [.prepaid, .refund])
        #expect(try station.journal.edge.lock(of: 1) != nil)
        expectBalanced(station)
    }

    @Test("paid, and then the board restarts with another nozzle and calibration: the rest is refunded")
    func restartWithOtherSettings() throws {
        let station = try prepaidStation(Preset(centilitres: 1_000))
        station.scheduleRefuel(centilitres: 1_000)
        station.site.after(6) { [unowned station] _ in station.journal.writesLeft = 0 }
        guard case .storage = station.run() else {
            Issue.record("the journal's power was not cut")
            return
        }
        station.journal.writesLeft = nil
        station.reader.pull()
        station.site.setNozzle(lifted: false)
        station.clearAgenda()
        let other = Calibration(
            countsPerLitre: 400,
            points: [
                CalibrationPoint(litresPerMinute: 10, factorMillionths: 1_000_000),
                CalibrationPoint(litresPerMinute: 40, factorMillionths: 990_000),
            ]
        )
        station.settings.calibration = other
        station.settings.nozzle = 2
        station.site.restart(calibration: other)
        station.scheduleRefuel(centilitres: 100)
        #expect(station.run() == nil)
        #expect(station.records.filter { $0.kind == .prepaid }.map(\.phase) == [.settled, .settled])
        #expect(try station.journal.edge.totaliser(of: 1)?.counts.count == 1)
        #expect(try station.journal.edge.totaliser(of: 2)?.counts.count == 2)
        expectBalanced(station)
    }

    @Test("a purchase that answers a write error is not void before the card was powered up again")
    func writeError() throws {
        let station = try prepaidStation(Preset(centilitres: 1_000))
        station.reader.hasPetrolCommands = false
        station.reader.faults[.debitForPurchase] = [.status(.memoryFailure)]
        station.site.after(1) { [unowned station] _ in station.reader.insert() }
        station.site.after(40) { $0.post(.stopRequested) }
        station.run()
        #expect(station.site.trueCounts == 0)
        // This card did pay: all of it is refunded, and nothing was declared void.
        #expect(station.records.map(\.kind) == [.prepaid, .refund])
        expectBalanced(station)
    }

    @Test("each durable write comes before the act that it stands for")
    func orderOfWrites() throws {
        let station = try prepaidStation(Preset(centilitres: 60))
        station.scheduleRefuel(centilitres: 30)
        station.run()
        var entries = station.log.entries
        let open = try #require(entries.firstIndex(of: "valve opens"))
        entries[open...].removeAll { $0 == "journal: paid" }
        #expect(
            entries == [
                "SELECT", "READ BINARY", "GET GREY STATUS", "VERIFY", "INITIALIZE FOR PETROL", "journal: intent",
                "LOCK FOR PETROL", "journal: debit-sent", "DEBIT FOR PETROL", "INITIALIZE FOR PETROL", "journal: paid",
                "valve opens", "journal: settled+settled",
            ]
        )
    }

    @Test("the reading is on disk at least every half litre and every second of flow")
    func checkpoints() throws {
        let station = try prepaidStation(Preset(centilitres: 1_000))
        station.display.onProgress = { [unowned station] shown in
            let saved = station.records.first?.reading.volume.shownCentilitres
            #expect(saved.map { shown - $0 <= 50 } == true, "\(shown) cl shown")
        }
        station.scheduleRefuel(centilitres: 1_000)
        station.run()
        #expect(station.records.first?.reading.volume == Volume(centilitres: 1_000))
    }

    @Test("of a preset amount only the price of whole centilitres is debited")
    func presetAmount() throws {
        let station = try prepaidStation(Preset(amount: Amount(fen: 10_000)))
        station.scheduleRefuel(centilitres: 5_000)
        station.run()
        // 12.73 L cost 99.93 yuan, 12.74 L cost 100.01.
        #expect(station.records.map(\.amount) == [Amount(fen: 9_993)])
        #expect(station.records.first?.reading.volume == Volume(centilitres: 1_273))
        expectBalanced(station)
    }

    @Test("less than was paid leaves one refund record of the rest", arguments: [1, 400, 999])
    func lessFlows(centilitres: Int) throws {
        let station = try prepaidStation(Preset(centilitres: 1_000))
        station.scheduleRefuel(centilitres: centilitres)
        station.run()
        let sale = try #require(station.records.first)
        let refund = try #require(station.records.last)
        #expect(station.records.map(\.kind) == [.prepaid, .refund])
        #expect(sale.price.fen == UInt32(station.settings.unitPrice.fen(forCentilitres: centilitres)))
        #expect(refund.amount.fen == 7_850 - sale.price.fen)
        #expect(refund.settles == sale.number)
        #expect(refund.card == sale.card)
        #expect(refund.ctc == sale.ctc)
        #expect(!refund.phase.isOpen)
        #expect(station.display.notices.contains(.refund(refund.amount)))
        expectBalanced(station)
    }

    @Test("when nothing flows, all of it is refunded")
    func nothingFlows() throws {
        let station = try prepaidStation(Preset(centilitres: 1_000))
        station.site.after(1) { [unowned station] _ in station.reader.insert() }
        station.site.after(60) { $0.post(.stopRequested) }
        station.run()
        #expect(station.records.map(\.kind) == [.prepaid, .refund])
        #expect(station.records.last?.amount == Amount(fen: 7_850))
        expectBalanced(station)
    }

    @Test("what flows beyond the payment is never the card's")
    func overrun() throws {
        let station = try prepaidStation(Preset(centilitres: 200), overrunCounts: 12)
        station.scheduleRefuel(centilitres: 5_000)
        station.run()
        let record = try #require(station.records.first)
        #expect(record.reading.volume == Volume(centilitres: 203))
        #expect(record.amount == Amount(fen: 1_570))
        #expect(record.nonCardPart == Amount(fen: 1_594 - 1_570))
        #expect(station.records.count == 1)
        expectBalanced(station)
    }

    @Test("the card may leave after the debit and come back: fuel goes on, and it is not touched")
    func cardLeaves() throws {
        let station = try prepaidStation(Preset(centilitres: 1_000))
        var isPulled = false
        station.display.onProgress = { [unowned station] shown in
            guard shown >= 300, !isPulled else { return }
            isPulled = true
            station.reader.pull()
            station.site.after(2) { [unowned station] _ in station.reader.insert() }
        }
        station.scheduleRefuel(centilitres: 1_000)
        station.run()
        #expect(station.display.notices.contains(.prepaidCardGone))
        #expect(station.log.entries.count { $0 == "valve opens" } == 1)
        #expect(station.log.entries.count { $0 == "VERIFY" } == 1)
        #expect(station.records.map(\.kind) == [.prepaid])
        #expect(station.records.first?.reading.volume == Volume(centilitres: 1_000))
        expectBalanced(station)
    }

    @Test("the service stops in mid-sale: valve shut, and the rest refunded at once")
    func stopped() throws {
        let station = try prepaidStation(Preset(centilitres: 1_000))
        station.scheduleRefuel(centilitres: 1_000)
        station.site.after(10) { $0.post(.stopRequested) }
        #expect(station.run() == nil)
        #expect(station.records.map(\.phase) == [.settled, .settled])
        #expect(station.records.first?.reading.counts == [station.site.trueCounts])
        #expect(station.site.snapshot.outputs == [])
        expectBalanced(station)
    }

    @Test("not enough money: nothing is debited, and the balance is named")
    func notEnoughMoney() throws {
        let station = try prepaidStation(Preset(centilitres: 1_000), balance: 7_849)
        station.scheduleRefuel(centilitres: 1_000)
        station.run()
        #expect(
            station.display.refusals == [
                .notEnoughMoney(balance: Amount(fen: 7_849), needed: Amount(fen: 7_850))
            ]
        )
        #expect(station.records.isEmpty)
        #expect(station.reader.image.balance == Amount(fen: 7_849))
        #expect(!station.log.entries.contains("valve opens"))
    }

    @Test("a grey card pays its earlier sale before it can prepay another")
    func greyCard() throws {
        let station = try TestStation()
        station.display.onProgress = { [unowned station] shown in if shown >= 300 { station.reader.pull() } }
        station.scheduleRefuel(centilitres: 1_000)
        station.run()
        #expect(station.greyRecords.map(\.state) == [.open])

        station.settings.payment = .prepaid(Preset(centilitres: 100))
        station.display.onProgress = { _ in }
        station.site.after(1) { [unowned station] _ in station.reader.insert() }
        station.site.after(10) { [unowned station] _ in station.reader.pull() }
        station.site.after(20) { $0.post(.stopRequested) }
        station.run()
        #expect(station.records.map(\.kind) == [.escape, .localUnlock])
        #expect(station.reader.image.grey == nil)
        station.scheduleRefuel(centilitres: 500)
        station.run()
        #expect(station.records.map(\.kind) == [.escape, .localUnlock, .prepaid])
        #expect(station.records.last?.phase == .settled)
    }

    @Test("after a power cut at any write: paid is delivered and refunded, or the purchase is void, to the fen")
    func powerCuts() throws {
        var cuts = 0
        for writes in 0..<60 {
            let station = try prepaidStation(Preset(centilitres: 300))
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
            expectBalanced(station, "cut at write \(writes)")
            #expect(station.records.allSatisfy { !$0.phase.isOpen }, "cut at write \(writes)")
            let lost = station.site.trueCounts - station.records.reduce(0) { $0 + $1.reading.counts[0] }
            #expect((0...200).contains(lost), "cut at write \(writes): \(lost) counts are in no record")
        }
        print("power cuts of a prepaid sale: \(cuts)")
        #expect(cuts > 8)
    }

    @Test("what does not flow is refunded also where no more numbers are given", arguments: [false, true])
    func refundWithoutNumbers(hasPetrolCommands: Bool) throws {
        let station = try prepaidStation(Preset(centilitres: 500), hasPetrolCommands: hasPetrolCommands)
        station.reader.onCommand = { [unowned station] instruction in
            guard instruction == .lockForPetrol || instruction == .debitForPurchase else { return }
            station.journal.numberFault = StorageFault(noNumber: "the mark is gone")
        }
        station.scheduleRefuel(centilitres: 200)
        #expect(station.run() == nil)
        #expect(station.records.map(\.kind) == [.prepaid, .refund])
        #expect(station.records.map(\.phase) == [.settled, .settled])
        expectBalanced(station)
    }
}
