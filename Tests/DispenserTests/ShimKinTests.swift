import CardApplication
import CardCryptography
import Dispenser
import FuelPassbook
import ISO7816
import Metering
import Quantities
import Records
import SecurityModule
import Simulation
import Testing

@Suite("More of what a customer with a shim tries")
struct ShimKinTests {
    private let price = Amount(fen: 3_925)

    private func escaped(
        _ debit: ExchangeFault? = nil
    ) throws -> (station: TestStation, shim: Shim, amount: Amount) {
        let station = try TestStation()
        let shim = Shim(station)
        try shim.collect(1...9)
        if let debit {
            station.reader.faults[.debitForPetrol] = [debit]
            station.scheduleRefuel(centilitres: 500)
            station.run()
            station.rest()
        } else {
            station.escape(at: 319)
        }
        return (station, shim, try #require(station.greyRecords.first).amount)
    }

    // MARK: - Whose proof

    @Test("a proof of the number that another terminal's debit left is a release elsewhere, and counts once")
    func settledAtAnotherTerminal() throws {
        let (station, _, amount) = try escaped(.pulledBefore)
        station.reader.shim = nil
        try station.reader.payElsewhere(#require(station.greyRecords.first))
        #expect(station.reader.image.balance == Amount(fen: 50_000 - amount.fen))
        station.visitAndStop()
        #expect(station.greyRecords.map(\.state) == [.elsewhere])
        #expect(station.records.filter { $0.kind == .onlineUnlock }.map(\.amount) == [amount])
        #expect(station.paid == 0)
    }

    @Test("the terminal id in the settings may change between a debit and its proof, and between two debits")
    func otherTerminalID() throws {
        let (proven, _, amount) = try escaped(.pulledAfter)
        proven.terminal = TerminalID(0x0066_7788_99AA)
        proven.expectHonestVisitPays(amount)
        #expect(proven.records.first?.debit?.terminal == Demonstration.terminal)

        let (debited, _, owed) = try escaped()
        debited.terminal = TerminalID(0x0066_7788_99AA)
        debited.expectHonestVisitPays(owed)
        #expect(debited.records.last?.debit?.terminal == debited.terminal)
        #expect(debited.reader.image.log.first?.terminal == debited.terminal)
    }

    @Test(
        "no attempt is forgotten: a grey status that is replayed brings a second debit, and the first is proven later"
    )
    func firstAttemptProven() throws {
        let (station, shim, amount) = try escaped(.pulledBefore)
        var status: ResponseAPDU?
        // He hears the grey status, lets the debit through and swallows its answer; then replays the status.
        shim.plan = { command, card in
            if command.is(.getGreyStatus) {
                status = status ?? card(command.bytes)
                return status
            }
            guard command.is(.debitForPetrol) else { return nil }
            _ = card(command.bytes)
            return Shim.arbitrary
        }
        let hidden: (CommandAPDU) -> ResponseAPDU? = { command in
            command.is(.getTransactionProve) ? ResponseAPDU(status: .proofNotAvailable) : nil
        }
        let plan = shim.plan
        shim.plan = { command, card in hidden(command) ?? plan(command, card) }
        for _ in 0..<3 {
            station.terminal = TerminalID(station.terminal == Demonstration.terminal ? 7 : 8)
            station.visitAndStop()
        }
        #expect(station.greyRecords.first?.state == .open)
        #expect((station.greyRecords.first?.debits.count ?? 0) >= 4)
        station.expectHonestVisitPays(amount)
    }

    @Test("so many attempts are kept and no more: the last is sent again with its own number and time")
    func manyAttempts() throws {
        let (station, shim, amount) = try escaped()
        shim.plan = { command, _ in
            command.is(.debitForPetrol) ? ResponseAPDU(status: .conditionsOfUseNotSatisfied) : nil
        }
        for _ in 0..<[DebitAttempt].attemptsMax + 2 { station.visitAndStop() }
        #expect(station.greyRecords.first?.debits.count == [DebitAttempt].attemptsMax)
        station.expectHonestVisitPays(amount)
    }

    // MARK: - The lock

    @Test("a lock whose answer was swallowed: replays close nothing, and an honest visit frees the card for nothing")
    func swallowedLock() throws {
        let station = try TestStation()
        let shim = Shim(station)
        try shim.collect(1...9)
        station.reader.faults[.lockForPetrol] = [.pulledAfter]
        station.visitAndStop()
        shim.plan = { [unowned shim] command, _ in
            command.is(.getGreyStatus) ? Shim.notGrey : shim.replayedMAC1(command)
        }
        station.visitAndStop()
        #expect(station.greyRecords.allSatisfy { $0.state == .open })
        #expect(station.greyRecords.contains { $0.mac3 == station.reader.image.grey?.mac3 })
        #expect(station.site.trueCounts == 0)
        station.reader.shim = nil
        for _ in 0..<2 { station.visitAndStop() }
        #expect(station.reader.image.grey == nil)
        #expect(station.greyRecords.allSatisfy { $0.state != .open })
        #expect(station.reader.image.balance == Amount(fen: 50_000))
    }

    // MARK: - A status word, or a forged answer, to any command of the return visit

    @Test(
        "a status word or a forged answer to any command of a return visit loses nothing and holds no card",
        arguments: [
            Instruction.select, .readBinary, .getGreyStatus, .verify, .initializeForPetrol, .debitForPetrol,
            .getTransactionProve, .lockForPetrol,
        ]
    )
    func forgedAnswers(instruction: Instruction) throws {
        let statuses: [StatusWord] = [
            .memoryFailure, .wrongLength, .commandNotAccepted, .purseIsGrey, .conditionsOfUseNotSatisfied, .macInvalid,
            .applicationLockedForGood, .insufficientFunds, .counterAtMaximum, .instructionNotSupported,
            .classNotSupported, .authenticationMethodBlocked, .fileNotFound, .proofNotAvailable, .success,
        ]
        let lengths = [0, 4, 8, 16, 17, 30]
        let answers =
            statuses.map { ResponseAPDU(status: $0) }
            + lengths.map { ResponseAPDU(data: Array(repeating: 0x01, count: $0)) }
        for debit in [ExchangeFault.pulledBefore, .pulledAfter] {
            for answer in answers {
                let (station, shim, amount) = try escaped(debit)
                shim.plan = { command, _ in command.is(instruction) ? answer : nil }
                station.visitAndStop()
                #expect(station.paid <= 50_000 - Int(station.reader.image.balance.fen), "\(answer)")
                station.reader.shim = nil
                for _ in 0..<2 { station.visitAndStop() }
                #expect(station.reader.image.grey == nil, "\(answer)")
                #expect(station.reader.image.balance == Amount(fen: 50_000 - amount.fen), "\(answer)")
                // Who hides his proof, but shows that the card is free, has his sale told to the issuer.
                let told = station.records.filter { $0.kind == .onlineUnlock }.reduce(0) { $0 + Int($1.amount.fen) }
                #expect(station.paid + told == Int(amount.fen), "\(answer)")
                #expect(told == 0 || instruction == .getTransactionProve, "\(answer)")
                #expect(station.greyRecords.allSatisfy { $0.state != .open }, "\(answer)")
            }
        }
    }

    // MARK: - D30

    private func leftBytesAltered(_ station: TestStation) {
        station.reader.shim = { bytes, card in
            let answer = card(bytes)
            // The number stands at byte 10 of the public file.
            guard bytes[1] == 0xB0, answer.data.count == PublicApplicationFile.length else { return answer }
            return ResponseAPDU(data: flipped(answer.data, byte: 10, bit: 4))
        }
    }

    @Test("a blacklisted card whose left two bytes are altered is blacklisted")
    func blacklisted() throws {
        let station = try TestStation()
        station.settings.blacklist = [station.reader.image.file.asn]
        leftBytesAltered(station)
        station.scheduleRefuel(centilitres: 100)
        station.run()
        #expect(station.display.refusals == [.blacklisted])
        #expect(station.site.trueCounts == 0)
    }

    @Test("a grey record is found, and the sale goes on, whatever the left two bytes say")
    func sameCard() throws {
        let (station, _, amount) = try escaped()
        leftBytesAltered(station)
        station.visitAndStop()
        #expect(station.greyRecords.map(\.state) == [.settled])
        #expect(station.paid == Int(amount.fen))

        let graceful = try TestStation()
        graceful.reader.faults[.debitForPetrol] = [.pulledAfter]
        graceful.display.onNotice = { [unowned graceful] notice in
            guard notice == .cardFault(.removed) else { return }
            leftBytesAltered(graceful)
            graceful.site.after(2) { [unowned graceful] _ in graceful.reader.insert() }
        }
        graceful.scheduleRefuel(centilitres: 500)
        graceful.run()
        #expect(graceful.records.first?.phase == .settled && graceful.records.first?.kind == .sale)
    }

    // MARK: - The valve

    @Test("no reader is spoken to while a valve is open, so one that hangs holds none open", arguments: 0..<3)
    func valveFirst(way: Int) throws {
        let station = try TestStation()
        if way == 1 { station.settings.closesValveOnCardRemoval = false }
        if way == 2 { station.settings.payment = .prepaid(Preset(centilitres: 500)) }
        var wasOpen = false
        station.reader.onDisconnect = { [unowned station] in
            if !station.site.snapshot.outputs.isEmpty { wasOpen = true }
        }
        station.escape(at: 319)
        #expect(station.site.trueCounts > 0)
        #expect(!wasOpen)
    }
}

extension TestReader {
    /// Local unlock at a terminal that got the record, with its own number, time and id.
    func payElsewhere(_ grey: GreyRecord) throws {
        let module = SecurityModule.demonstration(at: TerminalID(0x77))
        let debit = DebitForPetrol(
            amount: grey.amount,
            ctc: image.ctc,
            terminal: module.terminal,
            ttc: TTC(77),
            time: try TransactionTime(
                date: CalendarDate(year: 2026, month: 6, day: 1),
                hour: 12,
                minute: 34,
                second: 56
            ),
            gmac: try module.open(grey.gmac)
        )
        try visitElsewhere { send in
            _ = send(SelectApplication(aid: Demonstration.aid).apdu.bytes.span)
            _ = Demonstration.pin.withVerifyCommand { send($0) }
            _ = send(GetGreyStatus().apdu.bytes.span)
            try #require(send(debit.apdu.bytes.span).status == .success)
        }
    }
}
