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

@Suite("The debit that goes wrong, and what settles the card afterwards")
struct SettlementTests {
    private static let price: UInt32 = 3_925

    /// 5 L for 39.25 yuan.
    private func refuel(_ prepare: (TestStation) throws -> Void) throws -> (TestStation, SideFailure?) {
        let station = try TestStation()
        try prepare(station)
        station.scheduleRefuel(centilitres: 500)
        return (station, station.run())
    }

    /// The first time that a notice says so.
    private func at(
        _ station: TestStation,
        _ isMoment: @escaping (Notice) -> Bool,
        _ event: @escaping (TestStation) -> Void
    ) {
        var isFirst = true
        station.display.onNotice = { [unowned station] notice in
            guard isFirst, isMoment(notice) else { return }
            isFirst = false
            event(station)
        }
    }

    /// The card comes, for longer than a new sale waits for its first flow.
    private func nextVisit(_ station: TestStation) {
        station.clearAgenda()
        station.display.onNotice = { _ in }
        station.settings.limit = Preset(centilitres: 100)
        station.reader.pull()
        station.site.setNozzle(lifted: false)
        station.site.after(5) { [unowned station] _ in station.reader.insert() }
        station.site.after(85) { [unowned station] _ in station.reader.pull() }
        station.site.after(120) { $0.post(.stopRequested) }
        #expect(station.run() == nil)
    }

    private func expectPaidOnce(_ station: TestStation, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(station.reader.image.balance.fen == 50_000 - Self.price, sourceLocation: sourceLocation)
        #expect(station.reader.image.grey == nil, sourceLocation: sourceLocation)
        #expect(station.greyRecords.allSatisfy { $0.state == .settled }, sourceLocation: sourceLocation)
        #expect(station.records.allSatisfy { !$0.phase.isOpen }, sourceLocation: sourceLocation)
    }

    @Test("a card that paid and is back within the grace time proves it: one sale, one receipt")
    func provesWithinGrace() throws {
        let (station, _) = try refuel { station in
            station.reader.faults[.debitForPetrol] = [.pulledAfter]
            at(station, { $0 == .cardFault(.removed) }) { station in
                station.site.after(2) { [unowned station] _ in station.reader.insert() }
            }
        }
        expectPaidOnce(station)
        #expect(station.records.map(\.kind) == [.sale])
        #expect(station.records.first?.mac4IsValid == true)
        #expect(station.display.receipts.count == 1)
    }

    @Test("an answer to the debit that is cut short is a lost one: the card proves that it paid", arguments: 0..<8)
    func answerCutShort(length: Int) throws {
        let (station, _) = try refuel { station in
            station.reader.faults[.debitForPetrol] = [.answer { $0.prefix(length) + $0.suffix(2) }]
            at(station, { $0 == .settling }) { station in
                // The card is powered up again where it lies.
                station.site.after(2) { [unowned station] _ in station.reader.pull() }
                station.site.after(3) { [unowned station] _ in station.reader.insert() }
            }
        }
        nextVisit(station)
        expectPaidOnce(station)
    }

    @Test("a wrong MAC4 counts as an answer not seen: the card that paid proves it at once", arguments: 0..<32)
    func mac4(bit: Int) throws {
        let (station, _) = try refuel { station in
            station.reader.faults[.debitForPetrol] = [
                .answer { flipped($0, byte: 4 + bit / 8, bit: bit % 8) }
            ]
        }
        expectPaidOnce(station)
        let sale = try #require(station.records.first)
        #expect(sale.kind == .sale && sale.mac4IsValid == true)
        #expect(sale.debitTAC == station.reader.image.proofs.first?.tac)
        #expect(station.display.receipts == [sale])
    }

    @Test("a refused debit leaves a grey record, from which the card pays at its next visit")
    func refusedDebit() throws {
        let (station, _) = try refuel { station in
            station.reader.faults[.debitForPetrol] = [.status(.wrongLength)]
        }
        #expect(station.records.map(\.kind) == [.cardFault])
        #expect(station.records.first?.remark?.isEmpty == false)
        // `status` is the reader's: this card has executed the command, and proves it.
        nextVisit(station)
        expectPaidOnce(station)
    }

    @Test("a card that will not say whether it paid leaves a grey record, and proves it at its next visit")
    func proofRefused() throws {
        let (station, _) = try refuel { station in
            station.reader.faults[.debitForPetrol] = [.pulledAfter]
            station.reader.faults[.getTransactionProve] = [.status(.conditionsOfUseNotSatisfied)]
            at(station, { $0 == .cardFault(.removed) }) { station in
                station.site.after(2) { [unowned station] _ in station.reader.insert() }
            }
        }
        #expect(station.records.map(\.kind) == [.cardFault])
        #expect(station.greyRecords.map(\.state) == [.open])
        nextVisit(station)
        expectPaidOnce(station)
    }

    @Test("a stop while the card is waited for leaves a grey record, from which it pays")
    func stopInGrace() throws {
        let (station, failure) = try refuel { station in
            station.reader.faults[.debitForPetrol] = [.pulledBefore]
            at(station, { $0 == .cardFault(.removed) }) { $0.site.post(.stopRequested) }
        }
        #expect(failure == nil)
        #expect(station.records.map(\.kind) == [.escape])
        nextVisit(station)
        expectPaidOnce(station)
    }

    @Test("a pump that fails while the card is waited for: a grey record is left")
    func pumpFailsInGrace() throws {
        let broken = PumpFault(reason: "the line is gone")
        let (station, failure) = try refuel { station in
            station.reader.faults[.debitForPetrol] = [.pulledBefore]
            at(station, { $0 == .cardFault(.removed) }) { $0.site.post(.pumpFailed(broken)) }
        }
        #expect(failure == .pump(broken))
        nextVisit(station)
        expectPaidOnce(station)
    }

    // MARK: - Local unlock

    /// A station whose card escaped without paying its 5 L.
    private func escaped() throws -> TestStation {
        let (station, _) = try refuel { $0.reader.faults[.debitForPetrol] = [.pulledBefore] }
        #expect(station.records.map(\.phase) == [.escaped])
        #expect(station.reader.image.grey != nil)
        return station
    }

    @Test("a local unlock that never reached the card is tried again under its own number")
    func unlockTriedAgain() throws {
        let station = try escaped()
        station.reader.faults[.debitForPetrol] = [.pulledBefore]
        nextVisit(station)
        #expect(station.records.map(\.phase) == [.escaped, .debitSent])
        nextVisit(station)
        expectPaidOnce(station)
        #expect(station.records.map(\.kind) == [.escape, .localUnlock])
    }

    @Test("a local unlock whose answer was lost is proven at the next visit")
    func unlockProven() throws {
        let station = try escaped()
        station.reader.faults[.debitForPetrol] = [.pulledAfter]
        nextVisit(station)
        nextVisit(station)
        expectPaidOnce(station)
        #expect(station.records.prefix(2).map(\.kind) == [.escape, .localUnlock])
    }

    @Test("a local unlock that the card refuses stays open, and the next one pays under its number")
    func unlockRefused() throws {
        let station = try escaped()
        let grey = try #require(station.greyRecords.first)
        // The card takes no debit of another number.
        station.reader.onCommand = { [unowned station] instruction in
            guard instruction == .getGreyStatus else { return }
            station.reader.faults[.getGreyStatus] = [.answer { flipped($0, byte: 6, bit: 0) }]
            station.reader.onCommand = { _ in }
        }
        nextVisit(station)
        let refused = try #require(station.records.last)
        #expect(refused.kind == .localUnlock && refused.phase == .debitSent)
        #expect(refused.remark?.hasPrefix("DEBIT FOR PETROL was answered") == true)
        #expect(station.greyRecords.map(\.state) == [.open])
        #expect(station.greyRecords.first?.gmac == grey.gmac)
        #expect(station.reader.image.balance == Amount(fen: 50_000))
        nextVisit(station)
        expectPaidOnce(station)
        #expect(station.records.first { $0.number == refused.number }?.phase == .settled)
    }

    @Test("a grey record whose seal was altered pays nothing, and the card stays as it is")
    func sealBroken() throws {
        let station = try escaped()
        let grey = try #require(station.greyRecords.first)
        let gmac = SealedGMAC(
            card: grey.card,
            terminal: grey.gmac.terminal,
            ttc: grey.gmac.ttc,
            ctc: grey.ctc,
            amount: Amount(fen: 1),
            key: grey.gmac.key,
            sealed: grey.gmac.sealed
        )
        let altered = try GreyRecord(GreyRecordFields(grey.number, mac3: grey.mac3, gmac: gmac, .open))
        try station.journal.edge.commit(JournalEntry(grey: altered))
        let image = station.reader.image
        nextVisit(station)
        #expect(station.display.refusals == [.module(.sealBroken)])
        #expect(station.reader.image == image)
    }

    @Test("a card that the issuer released is not debited here: grey record and open unlock are closed")
    func releasedByTheIssuer() throws {
        let station = try escaped()
        station.reader.faults[.debitForPetrol] = [.pulledBefore]
        nextVisit(station)
        try release(station)
        nextVisit(station)
        #expect(station.greyRecords.map(\.state).first == .elsewhere)
        #expect(station.records.prefix(2).map(\.phase) == [.escaped, .void])
        #expect(station.records.prefix(2).last?.remark == "the card came back free and proved no debit of this record")
        #expect(station.reader.image.grey == nil)
    }

    /// Online unlock, steps 2.1 to 2.10, for nothing.
    private func release(_ station: TestStation) throws {
        station.reader.insert()
        station.clearAgenda()
        let reader = station.reader
        try reader.connect()
        _ = try reader.transmit(SelectApplication(aid: Demonstration.aid).apdu.bytes.span)
        _ = try Demonstration.pin.withVerifyCommand { (command) throws(CardFault) in try reader.transmit(command) }
        let initialize = InitializeForUnlock(keyIndex: Demonstration.keyIndex, terminal: Demonstration.terminal)
        let answer = try InitializeForUnlock.Response(
            parsing: try reader.transmit(initialize.apdu.bytes.span).data
        )
        var keys = IssuerKeys()
        keys.load(Demonstration.schemeKeys, index: Demonstration.keyIndex, version: Demonstration.keyVersion)
        let time = try #require(station.site.localTime)
        let unlock = try Issuer(keys: keys)
            .verifyMAC1(card: reader.image.file.asn, command: initialize, answer: answer)
            .makeMAC2(amount: .zero, time: time)
        #expect(try reader.transmit(unlock.command.apdu.bytes.span).status == .success)
    }
}
