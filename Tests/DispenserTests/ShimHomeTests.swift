import CardApplication
import CardCryptography
import Dispenser
import FuelPassbook
import ISO7816
import Quantities
import Records
import Simulation
import Testing

/// MAC4 covers amount, terminal and second: a customer who has kept a debit from his card can have the card make that code at
/// home, and say it in the place of a later one (decision record 0015).
@Suite("A MAC4 that the card made at home")
struct ShimHomeTests {
    private let price = Amount(fen: 3_925)

    /// What he says when the card is then asked whether it is free.
    enum Confirmation: CaseIterable {
        case passedOn
        case collected
        case ofTheSale
        case arbitrary
        case status
    }

    /// The card's code for exactly this debit, which the card does not get.
    private static func made(for command: CommandAPDU, as type: TransactionType = .refuel) -> ResponseAPDU {
        do throws(ParseError) {
            let debit = try DebitForPetrol(parsing: command.data)
            let key = PurchaseKey(
                master: DoubleLengthKey(MasterKey.purchase.demonstration),
                card: Demonstration.applicationFile.asn
            )
            let mac4 = key.mac4(amount: debit.amount, type: type, terminal: debit.terminal, time: debit.time)
            return ResponseAPDU(data: DebitForPetrol.Response(debitTAC: MAC(bytes: [1, 2, 3, 4]), mac4: mac4).bytes)
        } catch {
            preconditionFailure("the terminal sent no command: \(error)")
        }
    }

    /// Debits are answered with a code of home, and what is asked behind that as `confirmation` has it.
    private func play(_ shim: Shim, _ confirmation: Confirmation, as type: TransactionType = .refuel) {
        var isDebited = false
        var ofTheSale: ResponseAPDU?
        shim.plan = { [unowned shim] command, card in
            if command.is(.debitForPetrol) {
                isDebited = true
                return Self.made(for: command, as: type)
            }
            guard command.is(.initializeForPetrol) else { return nil }
            guard isDebited else {
                ofTheSale = card(command.bytes)
                return ofTheSale
            }
            return switch confirmation {
            case .passedOn: nil
            case .collected: shim.replayedMAC1(command)
            case .ofTheSale: ofTheSale
            case .arbitrary: ResponseAPDU(data: Array(1...16))
            case .status: ResponseAPDU(status: .conditionsOfUseNotSatisfied)
            }
        }
    }

    @Test("in a sale it pays nothing, whatever the shim says behind it", arguments: Confirmation.allCases)
    func inTheSale(confirmation: Confirmation) throws {
        let station = try TestStation()
        let shim = Shim(station)
        try shim.collect(1...20)
        play(shim, confirmation)
        station.scheduleRefuel(centilitres: 500)
        station.run()
        station.rest()
        station.expectOwed(price)
        station.expectHonestVisitPays(price)
    }

    @Test("at a local unlock it pays nothing", arguments: Confirmation.allCases)
    func atALocalUnlock(confirmation: Confirmation) throws {
        let station = try TestStation()
        let shim = Shim(station)
        try shim.collect(1...20)
        station.escape(at: 319)
        let amount = try #require(station.greyRecords.first).amount
        play(shim, confirmation, as: .localUnlock)
        station.visitAndStop()
        station.expectOwed(amount)
        #expect(station.display.refusals.contains(.debitUnproven(amount)))
        station.expectHonestVisitPays(amount)
    }

    @Test("as the proof of a debit that was swallowed it pays nothing", arguments: Confirmation.allCases)
    func asAProof(confirmation: Confirmation) throws {
        let station = try TestStation()
        let shim = Shim(station)
        try shim.collect(1...20)
        var made: ResponseAPDU?
        shim.plan = { command, _ in
            guard command.is(.debitForPetrol) else { return nil }
            made = made ?? Self.made(for: command)
            return ResponseAPDU(status: .wrongLength)
        }
        station.scheduleRefuel(centilitres: 500)
        station.run()
        station.rest()
        station.expectOwed(price)
        play(shim, confirmation)
        let plan = shim.plan
        shim.plan = { command, card in
            if command.is(.getGreyStatus) { return Shim.notGrey }
            guard command.is(.getTransactionProve), let made else { return plan(command, card) }
            // The proof begins with the code with which the debit's answer ends.
            return ResponseAPDU(data: Array(made.data.suffix(MAC.length) + made.data.prefix(MAC.length)))
        }
        station.visitAndStop()
        station.expectOwed(price)
        station.expectHonestVisitPays(price)
    }

    @Test("before fuel flows it buys nothing", arguments: Confirmation.allCases)
    func prepaid(confirmation: Confirmation) throws {
        let station = try prepaidStation(Preset(centilitres: 500))
        let shim = Shim(station)
        try shim.collect(1...20)
        play(shim, confirmation)
        station.scheduleRefuel(centilitres: 500)
        station.run()
        station.rest()
        #expect(station.site.trueCounts == 0)
        station.expectOwed(price)
        station.reader.shim = nil
        station.visitAndStop()
        #expect(station.records.filter { $0.kind == .refund }.map(\.amount) == [price])
        expectBalanced(station)
    }

    // MARK: - An honest customer

    /// The sale's own question is the first.
    private static var leavesWhenAsked: [ExchangeFault?] { [nil, .pulledBefore] }

    @Test("an honest card that leaves before it is asked has paid, and its next visit says so", arguments: [0, 1])
    func leavesBeforeItIsAsked(way: Int) throws {
        let station = try TestStation()
        station.reader.faults[.initializeForPetrol] = [nil, [.pulledBefore, .pulledAfter][way]]
        station.scheduleRefuel(centilitres: 500)
        station.run()
        station.rest()
        #expect(station.reader.image.balance == Amount(fen: 50_000 - price.fen))
        #expect(station.greyRecords.map(\.state) == [.open])
        #expect(station.display.receipts.isEmpty)
        station.scheduleRefuel(centilitres: 100)
        station.run()
        // One PIN for the proof and the sale behind it.
        #expect(station.pin.asked == 2)
        #expect(station.greyRecords.map(\.state) == [.settled])
        #expect(station.records.map(\.phase) == [.settled, .settled])
        #expect(station.paid == 50_000 - Int(station.reader.image.balance.fen))
        #expect(station.display.receipts.map(\.number) == station.records.map(\.number))
    }

    @Test("what its answer said is kept, because its next transaction takes the place of its proof")
    func answerIsKept() throws {
        let station = try TestStation()
        station.reader.faults[.initializeForPetrol] = Self.leavesWhenAsked
        station.scheduleRefuel(centilitres: 500)
        station.run()
        station.rest()
        let record = try #require(station.records.first)
        #expect(record.phase == .escaped && record.mac4IsValid == nil)
        #expect(record.debitTAC == station.reader.image.proofs.last?.tac)
        #expect(record.debitTAC != nil)
    }

    @Test("back within the grace time it is paid in the same sale")
    func backInTime() throws {
        let station = try TestStation()
        station.reader.faults[.initializeForPetrol] = Self.leavesWhenAsked
        station.reader.onCommand = { [unowned station] instruction in
            guard instruction == .debitForPetrol else { return }
            station.site.after(5) { [reader = station.reader] _ in reader.insert() }
        }
        station.scheduleRefuel(centilitres: 500)
        station.run()
        #expect(station.records.map(\.phase) == [.settled])
        #expect(station.greyRecords.isEmpty)
        #expect(station.display.receipts.count == 1)
    }

    @Test("a card that is not served any more still proves that it paid")
    func blacklistedMeanwhile() throws {
        let station = try TestStation()
        station.reader.faults[.initializeForPetrol] = Self.leavesWhenAsked
        station.scheduleRefuel(centilitres: 500)
        station.run()
        station.rest()
        station.settings.blacklist = [Demonstration.applicationFile.asn]
        station.visitAndStop()
        #expect(station.records.map(\.phase) == [.settled])
        #expect(station.display.refusals.last == .blacklisted)
    }

    @Test("a disturbed answer to the question is asked for again in the same visit")
    func disturbed() throws {
        let station = try TestStation()
        station.reader.faults[.initializeForPetrol] = [nil, .answer { flipped($0, byte: 12, bit: 3) }]
        station.scheduleRefuel(centilitres: 500)
        station.run()
        #expect(station.records.map(\.phase) == [.settled])
        #expect(station.reader.image.balance == Amount(fen: 50_000 - price.fen))
    }

    @Test("once a card is locked its sale is paid where no more numbers are given", arguments: [false, true])
    func noMoreNumbers(isPrepaid: Bool) throws {
        let station = try isPrepaid ? prepaidStation(Preset(centilitres: 500)) : TestStation()
        station.reader.onCommand = { [unowned station] instruction in
            guard instruction == .lockForPetrol else { return }
            station.journal.numberFault = StorageFault(noNumber: "the mark is gone")
        }
        station.scheduleRefuel(centilitres: 500)
        station.run()
        #expect(station.records.map(\.phase) == [.settled])
        #expect(station.reader.image.balance == Amount(fen: 50_000 - price.fen))
    }

    @Test(
        "without a number for a second question the sale is a grey record, which the next visit settles",
        arguments: [false, true]
    )
    func noNumberForTheQuestion(isPrepaid: Bool) throws {
        let station = try isPrepaid ? prepaidStation(Preset(centilitres: 500)) : TestStation()
        station.reader.faults[.initializeForPetrol] = [nil, .answer { flipped($0, byte: 12, bit: 3) }]
        station.reader.onCommand = { [unowned station] instruction in
            guard instruction == .debitForPetrol else { return }
            station.journal.numberFault = StorageFault(noNumber: "the mark is gone")
        }
        station.scheduleRefuel(centilitres: 500)
        station.run()
        station.rest()
        #expect(station.reader.image.balance == Amount(fen: 50_000 - price.fen))
        #expect(station.records.map(\.phase) == [.escaped])
        #expect(station.greyRecords.map(\.state) == [.open])
        #expect(station.display.receipts.isEmpty)
        station.reader.onCommand = { _ in }
        station.journal.numberFault = nil
        station.visitAndStop()
        #expect(station.greyRecords.map(\.state) == [.settled])
        // A prepaid visit goes on with a sale of its own.
        let refunds = station.records.filter { $0.kind == .refund && $0.settles == station.records.first?.number }
        #expect(refunds.map(\.amount) == (isPrepaid ? [price] : []))
        expectBalanced(station)
    }

    @Test("a card is not locked at the last number at which it could be asked", arguments: [0xFFFD, 0xFFFE])
    func lastNumber(ctc: UInt16) throws {
        let station = try TestStation(ctc: CTC(ctc))
        station.scheduleRefuel(centilitres: 100)
        station.run()
        #expect(station.reader.image.grey == nil)
        if ctc == 0xFFFD {
            #expect(station.records.map(\.phase) == [.settled])
        } else {
            #expect(station.records.isEmpty)
            #expect(station.display.refusals.last == .numbersUsedUp)
        }
    }
}
