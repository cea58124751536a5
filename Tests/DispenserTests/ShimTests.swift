import CardApplication
import CardCryptography
import Dispenser
import FuelPassbook
import ISO7816
import Quantities
import Records
import SecurityModule
import Simulation
import Testing

@Suite("A customer with a shim between card and reader")
struct ShimTests {
    private let price = Amount(fen: 3_925)

    /// 5 L for 39.25 yuan, with the shim's plan from the first command on.
    private func refuel(
        _ plan: @escaping (CommandAPDU, Shim.Card) -> ResponseAPDU?
    ) throws -> (TestStation, Shim) {
        let station = try TestStation()
        let shim = Shim(station)
        shim.plan = plan
        station.scheduleRefuel(centilitres: 500)
        station.run()
        station.rest()
        return (station, shim)
    }

    /// After an escape with fuel; the shim collected MAC1 of the numbers to come beforehand.
    private func escaped() throws -> (TestStation, Shim, Amount) {
        let station = try TestStation()
        let shim = Shim(station)
        try shim.collect(1...9)
        station.escape(at: 319)
        let amount = try #require(station.greyRecords.first).amount
        #expect(amount > .zero)
        return (station, shim, amount)
    }

    @Test("MAC1 collected before the sale, replayed beside 6901: the record stays owed, and an honest visit pays it")
    func replayedMAC1() throws {
        let (station, shim, amount) = try escaped()
        shim.plan = { [unowned shim] command, _ in
            if command.is(.getGreyStatus) { return Shim.notGrey }
            return shim.replayedMAC1(command)
        }
        station.visitAndStop()
        station.expectOwed(amount)
        #expect(station.display.refusals.contains(.earlierSaleOwed(amount)))
        station.expectHonestVisitPays(amount)
    }

    @Test("MAC1 of a number below that of the lock releases nothing either")
    func olderMAC1() throws {
        let station = try TestStation()
        let shim = Shim(station)
        try shim.collect(1...9)
        station.scheduleRefuel(centilitres: 100)
        station.run()
        station.rest()
        let before = station.reader.image.balance
        station.escape(at: 319)
        let amount = try #require(station.greyRecords.first).amount
        shim.plan = { [unowned shim] command, _ in
            if command.is(.getGreyStatus) { return Shim.notGrey }
            return shim.replayedMAC1(command)
        }
        station.visitAndStop()
        #expect(station.greyRecords.map(\.state) == [.open])
        #expect(!station.records.contains { $0.kind == .onlineUnlock })
        station.reader.shim = nil
        station.visitAndStop()
        #expect(station.greyRecords.map(\.state) == [.settled])
        #expect(station.reader.image.balance == Amount(fen: before.fen - amount.fen))
    }

    @Test("eight arbitrary bytes as the answer to the debit of the sale are no payment", arguments: [true, false])
    func arbitraryDebit(isPassedOn: Bool) throws {
        let (station, _) = try refuel { command, card in
            guard command.is(.debitForPetrol) else { return nil }
            if isPassedOn { _ = card(command.bytes) }
            return Shim.arbitrary
        }
        guard !isPassedOn else {
            // The card had paid, and proves it in the same visit.
            #expect(station.records.map(\.phase) == [.settled])
            #expect(station.records.first?.mac4IsValid == true)
            #expect(station.reader.image.balance == Amount(fen: 50_000 - price.fen))
            return
        }
        station.expectOwed(price)
        #expect(station.records.map(\.phase) == [.escaped])
        station.expectHonestVisitPays(price)
    }

    @Test("the same at a local unlock", arguments: [true, false])
    func arbitraryUnlock(isPassedOn: Bool) throws {
        let (station, shim, amount) = try escaped()
        shim.plan = { command, card in
            guard command.is(.debitForPetrol) else { return nil }
            if isPassedOn { _ = card(command.bytes) }
            return Shim.arbitrary
        }
        station.visitAndStop()
        if !isPassedOn {
            station.expectOwed(amount)
            #expect(station.records.map(\.phase) == [.escaped, .debitSent])
            #expect(station.display.refusals.contains(.debitUnproven(amount)))
        }
        station.expectHonestVisitPays(amount)
    }

    @Test("a debit that was swallowed, and arbitrary bytes as its proof later")
    func arbitraryProof() throws {
        let (station, shim) = try refuel { command, _ in
            command.is(.debitForPetrol) ? ResponseAPDU(status: .wrongLength) : nil
        }
        station.expectOwed(price)
        shim.plan = { [unowned shim] command, _ in
            if command.is(.getGreyStatus) { return Shim.notGrey }
            if command.is(.getTransactionProve) { return Shim.arbitrary }
            return shim.replayedMAC1(command)
        }
        station.visitAndStop()
        station.expectOwed(price)
        station.expectHonestVisitPays(price)
    }

    @Test("arbitrary bytes as proof within the sale's own grace time")
    func arbitraryProofInGrace() throws {
        let (station, _) = try refuel { command, _ in
            if command.is(.debitForPetrol) || command.is(.getTransactionProve) { return Shim.arbitrary }
            return command.is(.getGreyStatus) ? Shim.notGrey : nil
        }
        station.expectOwed(price)
        station.expectHonestVisitPays(price)
    }
}
