import CardApplication
import Dispenser
import FuelPassbook
import ISO7816
import Quantities
import Records
import SecurityModule
import Simulation
import Testing

@Suite("A purchase whose answer was not heard, and what the card proves of it")
struct TornPurchaseTests {
    /// After a visit with `fault` at the debit, in which no fuel may flow.
    private func tornStation(_ fault: ExchangeFault) throws -> TestStation {
        let station = try prepaidStation(Preset(centilitres: 1_000), hasPetrolCommands: false)
        station.reader.faults[.debitForPurchase] = [fault]
        station.site.after(1) { [unowned station] _ in station.reader.insert() }
        station.site.after(3) { $0.setNozzle(lifted: true) }
        station.site.after(40) { $0.post(.stopRequested) }
        station.run()
        #expect(!station.log.entries.contains("valve opens"))
        #expect(station.site.trueCounts == 0)
        station.reader.pull()
        station.clearAgenda()
        return station
    }

    private func secondVisit(_ station: TestStation) {
        station.site.setNozzle(lifted: false)
        station.site.after(10) { [unowned station] _ in station.reader.insert() }
        station.site.after(60) { [unowned station] _ in station.reader.pull() }
        station.site.after(70) { $0.post(.stopRequested) }
        #expect(station.run() == nil)
    }

    @Test(
        "pulled before or after the debit: void, or all of it refunded, at whatever pump the card comes back",
        arguments: [true, false],
        [PaymentMode.greyLock, .prepaid(Preset(centilitres: 500))]
    )
    func resolved(executed: Bool, payment: PaymentMode) throws {
        let station = try tornStation(executed ? .pulledAfter : .pulledBefore)
        #expect(station.records.map(\.phase) == [.torn])
        #expect(station.display.refusals == [.purchaseUnproven(Amount(fen: 7_850))])
        station.settings.payment = payment
        secondVisit(station)
        let torn = try #require(station.records.first)
        // Void takes a later purchase with the same number, which shows that the card still had it.
        #expect(torn.phase == (executed ? .settled : payment == .greyLock ? .torn : .void))
        #expect(torn.mac2IsValid == (executed ? true : nil))
        #expect(torn.remark?.contains("not answered") == true)
        let refunds = station.records.filter { $0.kind == .refund && $0.settles == torn.number }
        #expect(refunds.map(\.amount) == (executed ? [Amount(fen: 7_850)] : []))
        expectBalanced(station)
    }

    @Test("a wrong MAC2: no fuel, the record says so, and what the card proves it paid is refunded", arguments: 0..<32)
    func wrongMAC2(bit: Int) throws {
        let station = try tornStation(.answer { flipped($0, byte: 4 + bit / 8, bit: bit % 8) })
        #expect(station.display.refusals.contains(.module(.mac2Wrong)))
        #expect(station.records.map(\.kind) == [.prepaid, .refund])
        #expect(station.records.first?.remark == "\(SecurityModuleError.mac2Wrong)")
        #expect(station.reader.image.balance == Amount(fen: 50_000 - 7_850))
        expectBalanced(station)
    }

    @Test("without a proof nothing is refunded; the first right one refunds once")
    func wrongProof() throws {
        let station = try prepaidStation(Preset(centilitres: 1_000), hasPetrolCommands: false)
        let flip = ExchangeFault.answer { flipped($0, byte: 0, bit: 0) }
        station.reader.faults[.debitForPurchase] = [.answer { flipped($0, byte: 4, bit: 0) }]
        station.reader.faults[.getTransactionProve] = [flip, flip]
        station.site.after(1) { [unowned station] _ in station.reader.insert() }
        station.site.after(40) { $0.post(.stopRequested) }
        station.run()
        let torn = try #require(station.records.first)
        #expect(station.records.count == 1)
        #expect(torn.phase == .torn)
        #expect(torn.mac2IsValid == false)
        #expect(station.display.refusals == [.purchaseUnproven(torn.amount)])
        #expect(torn.debitTAC == station.reader.image.proofs.first?.tac)

        station.reader.pull()
        station.clearAgenda()
        station.settings.payment = .greyLock
        for _ in 0..<3 { secondVisit(station) }
        #expect(station.records.first?.phase == .settled)
        #expect(station.records.count { $0.settles == torn.number } == 1)
        expectBalanced(station)
    }

    @Test("a power cut at any write of the visit that resolves it refunds it once")
    func powerCuts() throws {
        for writes in 0..<6 {
            let station = try tornStation(.pulledAfter)
            station.journal.writesLeft = writes
            station.site.setNozzle(lifted: false)
            station.site.after(10) { [unowned station] _ in station.reader.insert() }
            station.site.after(60) { $0.post(.stopRequested) }
            station.run()
            station.journal.writesLeft = nil
            station.reader.pull()
            station.clearAgenda()
            secondVisit(station)
            #expect(station.records.first?.phase == .settled, "cut at write \(writes)")
            expectBalanced(station, "cut at write \(writes)")
        }
    }

    @Test("without a number for its refund it stays torn, ends nothing, and is refunded when there are numbers again")
    func withoutNumbers() throws {
        let station = try tornStation(.pulledAfter)
        station.journal.numberFault = StorageFault(noNumber: "the mark is gone")
        secondVisit(station)
        #expect(station.records.map(\.phase) == [.torn])
        #expect(station.display.refusals.last == .noNumber("the mark is gone"))
        station.journal.numberFault = nil
        secondVisit(station)
        #expect(station.records.first?.phase == .settled)
        expectBalanced(station)
    }

    @Test("an answer cut short, or a status word in its place, ends without fuel and without loss", arguments: 0..<10)
    func cutShort(length: Int) throws {
        let station = try tornStation(.answer { Array($0.prefix(length)) })
        secondVisit(station)
        #expect(station.records.first?.phase == .settled)
        expectBalanced(station)
        let refused = try tornStation(.status(.macInvalid))
        #expect(refused.records.first?.phase == .settled)
        expectBalanced(refused)
    }

    @Test("a card that counted on elsewhere proves neither: the purchase stays torn for the issuer")
    func countedElsewhere() throws {
        let station = try tornStation(.pulledBefore)
        let journal = station.journal
        station.journalIsReplaced(by: TestJournal(log: station.log))
        secondVisit(station)
        #expect(station.records.map(\.kind) == [.prepaid, .refund])
        station.journalIsReplaced(by: journal)
        station.settings.payment = .prepaid(Preset(centilitres: 1_000))
        secondVisit(station)
        let torn = try #require(station.records.first)
        #expect(torn.phase == .torn)
        #expect(!station.records.contains { $0.settles == torn.number })
        #expect(station.records.count { $0.kind == .prepaid && $0.phase == .settled } == 1)
    }
}
