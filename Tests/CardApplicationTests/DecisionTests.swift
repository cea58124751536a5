import CardApplication
import CardCryptography
import FuelPassbook
import ISO7816
import Quantities
import TestCards
import Testing

/// The decisions of spec/grey-lock.md, section 6, that concern the card and that no table or known answer shows.
struct DecisionTests {
    private let amount = Amount(fen: 2_500)

    @Test func d3TheDebitCarriesTheNumberAfterTheLock() throws {
        let card = try greyCard()
        #expect(card.image.ctc.number == card.profile.ctc.number + 1)
        #expect(try card.exchange(GetGreyStatus()).ctc == card.image.ctc)
        #expect(card.send(altered(card.debit(amount), ctc: card.profile.ctc)).status == .conditionsOfUseNotSatisfied)
        #expect(card.send(card.debit(amount).apdu.bytes).status == .success)
    }

    @Test func d4AnotherNumberChangesNothing() throws {
        let card = try greyCard()
        let before = card.image
        for number in [0, before.ctc.number - 1, before.ctc.number + 1, .max] {
            let command = altered(card.debit(amount), ctc: CTC(number))
            #expect(card.send(command).status == .conditionsOfUseNotSatisfied)
        }
        #expect(card.image == before && card.state == .grey)
    }

    @Test func d6GreyAndWrongKeyIndexAreToldApart() throws {
        let card = try TestCard()
        try card.open()
        var command = TestCard.initializeForPetrol.apdu
        command.data[0] = 2
        #expect(card.send(command.bytes).status == .keyIndexNotSupported)
        try card.bring(to: .grey)
        #expect(card.send(command.bytes).status == .commandNotAccepted)
    }

    @Test func d7GetBalanceKeepsPrePetrol() throws {
        let card = try TestCard()
        try card.bring(to: .prePetrol)
        #expect(try card.exchange(GetBalance()).balance == card.profile.balance)
        _ = try card.exchange(card.lock())
        #expect(card.state == .grey)
    }

    @Test func d10LocalUnlockIsTypeTwelveOnlyAfterGreyStatusInThisSelection() throws {
        let steps: [(name: String, type: TransactionType, before: (TestCard) throws -> Void)] = [
            ("at once", .refuel, { _ in }),
            ("after GET GREY STATUS", .localUnlock, { _ = try $0.exchange(GetGreyStatus()) }),
            (
                "after GET GREY STATUS and SELECT", .refuel,
                {
                    _ = try $0.exchange(GetGreyStatus())
                    try $0.open()
                }
            ),
            (
                "after GET GREY STATUS and loss of power", .refuel,
                {
                    _ = try $0.exchange(GetGreyStatus())
                    try $0.restart()
                    try $0.open()
                }
            ),
            (
                "after a refused GET GREY STATUS", .refuel,
                { #expect($0.send([0xE0, 0x50, 0x04, 0x01, 0x10]).status == .wrongExpectedLength(0x11)) }
            ),
        ]
        for step in steps {
            let card = try greyCard()
            try step.before(card)
            let command = card.debit(amount)
            let answer = try card.exchange(command)
            let mac4 = purchaseKey(card).mac4(
                amount: amount,
                type: step.type,
                terminal: command.terminal,
                time: command.time
            )
            #expect(mac4.isValid(answer.mac4), "\(step.name)")
            let tac = TACKey(master: card.profile.masters.tacKey, card: card.profile.card).debit(
                amount: amount,
                type: step.type,
                terminal: command.terminal,
                ttc: command.ttc,
                time: command.time
            )
            #expect(tac.isValid(answer.debitTAC), "\(step.name)")
            #expect(card.image.log.first?.type == step.type, "\(step.name)")
        }
    }

    @Test func d11TheErrorCounterGoesDownToThePermanentLock() throws {
        let card = try greyCard()
        for left in [2, 1, 0] as [UInt8] {
            #expect(card.send(wrongGMAC(card)).status == .macInvalid)
            #expect(card.image.gmacTriesLeft == left && card.image.grey != nil)
        }
        let before = card.image
        for again in 0..<2 {
            for command in everyCommand(card) {
                #expect(card.send(command).status == .applicationLockedForGood, "\(Hex.string(command.prefix(4)))")
            }
            if again == 0 { try card.restart() }
        }
        #expect(card.image == before && before.balance == card.profile.balance)
    }

    @Test func d11ASuccessfulDebitFillsTheErrorCounterAgain() throws {
        let card = try greyCard()
        for _ in 0..<2 { #expect(card.send(wrongGMAC(card)).status == .macInvalid) }
        try card.restart()
        try card.open()
        #expect(card.image.gmacTriesLeft == 1)
        _ = try card.exchange(card.debit(amount))
        #expect(card.image.gmacTriesLeft == 3)
    }

    @Test(arguments: [1, 15] as [UInt8])
    func d11TheLimitIsPersonalised(limit: UInt8) throws {
        var profile = TestProfile()
        profile.gmacTries = limit
        let card = try TestCard(profile)
        try card.bring(to: .grey)
        for _ in 0..<limit { #expect(card.send(wrongGMAC(card)).status == .macInvalid) }
        #expect(card.send(card.debit(amount).apdu.bytes).status == .applicationLockedForGood)
    }

    @Test func d11OnlineUnlockDoesNotFillTheErrorCounter() throws {
        let card = try greyCard()
        #expect(card.send(wrongGMAC(card)).status == .macInvalid)
        try card.beginUnlock()
        _ = try card.exchange(card.debitForUnlock(.zero))
        #expect(card.image.gmacTriesLeft == 2)
    }

    @Test func d12TheLockOutlivesPowerAndIsSettledByTheSameGMAC() throws {
        let card = try TestCard()
        try card.bring(to: .prePetrol)
        let answer = try card.exchange(card.lock())
        try card.restart()
        try card.open()
        let status = try card.exchange(GetGreyStatus())
        #expect(status.mac3.isValid(answer.mac3) && status.lockTAC.isValid(answer.lockTAC))
        #expect(card.image.grey?.mac2 == card.lock().mac2.bytes)
        _ = try card.exchange(card.debit(amount))
        #expect(card.image.balance.fen == card.profile.balance.fen - amount.fen)
    }

    @Test func d16ThePINIsWantedByTheFuelCommandsThatNeedIt() throws {
        for state in [PurseState.idle, .grey] {
            let card = try TestCard()
            try card.bring(to: state)
            // D24: SELECT in the middle forgets the PIN.
            try card.answer(TestCard.select.bytes, "SELECT")
            let wanting =
                state == .idle
                ? [TestCard.initializeForPetrol.apdu]
                : [card.debit(amount).apdu, TestCard.initializeForUnlock.apdu]
            for command in wanting {
                #expect(card.send(command.bytes).status == .securityStatusNotSatisfied)
            }
            #expect(card.send(GetBalance().apdu.bytes).status == .success)
            #expect(card.send(ReadBinary(file: 0x15, count: 30).apdu.bytes).status == .success)
            if state == .grey { #expect(card.send(GetGreyStatus().apdu.bytes).status == .success) }
            try card.answer(TestCard.verify, "VERIFY")
            for command in wanting.reversed() {
                // The second of two is refused by Table 1 or accepted, never for the PIN.
                #expect(card.send(command.bytes).status != .securityStatusNotSatisfied)
            }
        }
    }

    @Test func d16AWrongPINTakesTheVerificationBackAndTheLastBlocks() throws {
        let card = try TestCard()
        try card.open()
        let wrong: [UInt8] = [0x00, 0x20, 0x00, 0x00, 0x03, 0x12, 0x34, 0x57]
        #expect(card.send(wrong).status.rawValue == 0x63C2)
        #expect(card.send(TestCard.initializeForPetrol.apdu.bytes).status == .securityStatusNotSatisfied)
        #expect(card.send(TestCard.verify).status == .success)
        #expect(card.image.pinTriesLeft == 3)
        for left in [2, 1, 0] as [UInt16] { #expect(card.send(wrong).status.rawValue == 0x63C0 | left) }
        #expect(card.send(wrong).status == .authenticationMethodBlocked)
        #expect(card.send(TestCard.verify).status == .authenticationMethodBlocked)
    }

    @Test func d17AnAmountAboveTheBalanceChangesNothing() throws {
        let card = try greyCard()
        let before = card.image
        let above = Amount(fen: before.balance.fen + 1)
        #expect(card.send(card.debit(above).apdu.bytes).status == .insufficientFunds)
        #expect(card.image == before)
        // The GMAC is checked first.
        var command = card.debit(above).apdu
        command.data[26] ^= 1
        #expect(card.send(command.bytes).status == .macInvalid)
        #expect(card.image.gmacTriesLeft == before.gmacTriesLeft - 1)
        _ = try card.exchange(card.debit(before.balance))
        #expect(card.image.balance == .zero)
    }

    @Test func d17AnUnlockAboveTheBalanceLeavesThePurseGrey() throws {
        let card = try greyCard()
        try card.beginUnlock()
        let before = card.image
        let above = Amount(fen: before.balance.fen + 1)
        #expect(card.send(card.debitForUnlock(above).apdu.bytes).status == .insufficientFunds)
        #expect(card.image == before && card.state == .grey)
    }

    @Test func d18GreyStatusOfAPurseThatIsNotGrey() throws {
        let card = try TestCard()
        try card.open()
        #expect(card.send(GetGreyStatus().apdu.bytes).status == .commandNotAccepted)
    }

    @Test func d19ADebitOfZeroClearsTheMarkAndIsLogged() throws {
        let card = try greyCard()
        _ = try card.exchange(card.debit(.zero))
        #expect(card.image.grey == nil && card.image.balance == card.profile.balance)
        #expect(card.image.log.count == 1 && card.image.log.first?.amount == .zero)
    }

    @Test func d20AWrongMAC2LeavesTheErrorCounter() throws {
        let card = try TestCard()
        for _ in 0..<20 {
            try card.bring(to: .prePetrol)
            var command = card.lock().apdu
            command.data[7] ^= 0x80
            #expect(card.send(command.bytes).status == .macInvalid)
        }
        try card.bring(to: .grey)
        for _ in 0..<20 {
            try card.beginUnlock()
            var command = card.debitForUnlock(amount).apdu
            command.data[11] ^= 0x80
            #expect(card.send(command.bytes).status == .macInvalid)
        }
        #expect(card.image.gmacTriesLeft == 3 && card.state == .grey)
    }

    @Test func d22And23ProofsAreKeptByTheNumberBeforeItCountedUp() throws {
        let card = try greyCard()
        let refuelled = try card.exchange(card.debit(amount))
        let offline = card.profile.ctc.number
        #expect(card.image.log.first?.number == offline)
        let proof = try self.proof(card, .refuel, offline)
        #expect(proof.mac.isValid(refuelled.mac4) && proof.tac.isValid(refuelled.debitTAC))

        try card.bring(to: .grey)
        _ = try card.exchange(GetGreyStatus())
        let unlocked = try card.exchange(card.debit(amount))
        #expect(card.image.log.first?.number == offline + 1)
        #expect(try self.proof(card, .localUnlock, offline + 1).mac.isValid(unlocked.mac4))

        try card.bring(to: .unlocking)
        let online = try card.exchange(card.debitForUnlock(amount))
        #expect(card.image.log.first?.number == card.profile.online.number)
        #expect(try self.proof(card, .onlineUnlock, card.profile.online.number).mac.isValid(online.mac3))

        // One of each kind stays, in the memory too.
        try card.restart()
        try card.answer(TestCard.select.bytes, "SELECT")
        #expect(try self.proof(card, .refuel, offline).mac.isValid(refuelled.mac4))
        let number = offline + 1
        for type in [TransactionType.refuel, .onlineUnlock, .load] {
            let command = GetTransactionProve(type: type, number: number).apdu.bytes
            #expect(card.send(command).status == .proofNotAvailable)
        }
    }

    @Test func d24SelectEndsASessionAndKeepsMarkAndCounters() throws {
        let card = try TestCard()
        try card.bring(to: .prePetrol)
        let lock = card.lock().apdu.bytes
        try card.open()
        #expect(card.send(lock).status == .commandNotAccepted)

        try card.bring(to: .unlocking)
        let unlock = card.debitForUnlock(amount).apdu.bytes
        let before = card.image
        try card.open()
        #expect(card.image == before && card.state == .grey)
        #expect(card.send(unlock).status == .commandNotAccepted)
    }

    @Test func countersAtTheirMaximumRefuseTheInitialize() throws {
        var profile = TestProfile()
        profile.ctc = .maximum
        let full = try TestCard(profile)
        try full.open()
        #expect(full.send(TestCard.initializeForPetrol.apdu.bytes).status == .counterAtMaximum)
        #expect(full.state == .idle)

        profile.ctc = CTC(0xFFFE)
        profile.online = .maximum
        let last = try TestCard(profile)
        try last.bring(to: .grey)
        #expect(last.image.ctc == .maximum)
        #expect(last.send(TestCard.initializeForUnlock.apdu.bytes).status == .counterAtMaximum)
        _ = try last.exchange(last.debit(amount))
        #expect(last.image.grey == nil)
    }

    @Test func nothingIsAnsweredBeforeSelect() throws {
        let card = try TestCard()
        for command in everyCommand(card) where command != TestCard.select.bytes {
            #expect(card.send(command).status == .conditionsOfUseNotSatisfied)
        }
    }

    @Test func selectAnswersTheNameAndTheIssuersData() throws {
        let card = try TestCard()
        let answer = try card.answer(TestCard.select.bytes, "SELECT")
        let expected = "6F17 8408 F0504554524F4C01 A50B 9F0C08 475245594C4F434B"
        #expect(answer == (try Hex.bytes(expected)))
    }

    // MARK: - Commands

    private func greyCard() throws -> TestCard {
        let card = try TestCard()
        try card.bring(to: .grey)
        return card
    }

    private func purchaseKey(_ card: TestCard) -> PurchaseKey {
        PurchaseKey(master: card.profile.masters.purchaseKey, card: card.profile.card)
    }

    private func altered(_ command: DebitForPetrol, ctc: CTC) -> [UInt8] {
        DebitForPetrol(
            amount: command.amount,
            ctc: ctc,
            terminal: command.terminal,
            ttc: command.ttc,
            time: command.time,
            gmac: command.gmac
        ).apdu.bytes
    }

    private func wrongGMAC(_ card: TestCard) -> [UInt8] {
        var command = card.debit(amount).apdu
        command.data[26] ^= 1
        return command.bytes
    }

    private func proof(_ card: TestCard, _ type: TransactionType, _ number: UInt16) throws -> TransactionProof {
        let command = GetTransactionProve(type: type, number: number)
        return try TransactionProof(parsing: card.answer(command.apdu.bytes, "GET TRANSACTION PROVE"))
    }

    private func everyCommand(_ card: TestCard) -> [[UInt8]] {
        [
            TestCard.select.bytes, TestCard.verify, ReadBinary(file: 0x15, count: 30).apdu.bytes,
            GetBalance().apdu.bytes, GetTransactionProve(type: .refuel, number: 1).apdu.bytes,
            TestCard.initializeForPetrol.apdu.bytes, card.lock().apdu.bytes, card.debit(amount).apdu.bytes,
            TestCard.initializeForUnlock.apdu.bytes, card.debitForUnlock(amount).apdu.bytes,
            GetGreyStatus().apdu.bytes,
        ] + card.ordinaryCommands
    }
}
