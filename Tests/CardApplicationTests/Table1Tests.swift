import CardApplication
import CardCryptography
import FuelPassbook
import ISO7816
import Quantities
import TestCards
import Testing

/// Table 1 whole: each command in each of the eight states, once as it should be and once made to fail (D5, D8).
@Suite(.enabled(if: SharedFolder.isUsable, Comment(rawValue: SharedFolder.reasonToSkip)))
struct Table1Tests {
    static let amount = Amount(fen: 1_234)

    enum Command: String, CaseIterable, Sendable {
        case getBalance = "GET BALANCE"
        case getTransactionProve = "GET TRANSACTION PROVE"
        case initializeForPetrol = "INITIALIZE FOR PETROL"
        case lockForPetrol = "LOCK FOR PETROL"
        case debitForPetrol = "DEBIT FOR PETROL"
        case initializeForUnlock = "INITIALIZE FOR UNLOCK"
        case debitForUnlock = "DEBIT FOR UNLOCK"
        case getGreyStatus = "GET GREY STATUS"
        case initializeForLoad = "INITIALIZE FOR LOAD"
        case creditForLoad = "CREDIT FOR LOAD"
        case initializeForPurchase = "INITIALIZE FOR PURCHASE"
        case initializeForCashWithdrawal = "INITIALIZE FOR CASH WITHDRAW"
        case debitForPurchase = "DEBIT FOR PURCHASE / CASH WITHDRAW"
        case initializeForUnload = "INITIALIZE FOR UNLOAD"
        case debitForUnload = "DEBIT FOR UNLOAD"
        case initializeForUpdate = "INITIALIZE FOR UPDATE"
        case updateOverdraftLimit = "UPDATE OVERDRAFT LIMIT"

        /// D5: what a grey purse answers `6989` to.
        var isOrdinary: Bool {
            switch self {
            case .initializeForLoad, .creditForLoad, .initializeForPurchase, .initializeForCashWithdrawal,
                .debitForPurchase, .initializeForUnload, .debitForUnload, .initializeForUpdate, .updateOverdraftLimit:
                true
            case .getBalance, .getTransactionProve, .initializeForPetrol, .lockForPetrol, .debitForPetrol,
                .initializeForUnlock, .debitForUnlock, .getGreyStatus:
                false
            }
        }
    }

    @Test func theTableHasARowForEachCommandAndAColumnForEachState() throws {
        let table = try Table1()
        #expect(Set(Command.allCases.map(\.rawValue)) == Set(table.rows.keys))
        let columns = Set(table.rows.values.flatMap(\.keys))
        #expect(columns == Set(PurseState.allCases))
    }

    @Test(arguments: Command.allCases, PurseState.allCases)
    func success(command: Command, state: PurseState) throws {
        let next = try Table1().rows[command.rawValue]?[state]
        let card = try card(in: state)
        let before = Purse(card)
        let status = card.send(right(command, card).bytes).status
        guard let next else {
            #expect(status == Self.refusal(of: command, in: state))
            #expect(Purse(card) == before)
            #expect(card.state == fallback(card))
            return
        }
        #expect(status == .success)
        #expect(card.state == next)
        #expect(Purse(card) == before.after(command))
    }

    @Test(arguments: Command.allCases, PurseState.allCases)
    func failure(command: Command, state: PurseState) throws {
        let accepted = try Table1().rows[command.rawValue]?[state] != nil
        let card = try card(in: state)
        let before = Purse(card)
        let (wrong, refusal) = try wrong(command, card)
        // A wrong shape is refused before Table 1 is asked.
        let isShape = refusal.rawValue >> 8 == 0x6C
        let expected = accepted || isShape ? refusal : Self.refusal(of: command, in: state)
        #expect(card.send(wrong.bytes).status == expected)
        #expect(Purse(card) == before)
        #expect(card.state == fallback(card))
    }

    /// D8: what failed in "unlocking" leaves a purse that still must be settled.
    @Test(arguments: Command.allCases)
    func aFailedCommandInUnlockingDoesNotFreeThePurse(command: Command) throws {
        let card = try card(in: .unlocking)
        let unlock = card.debitForUnlock(Self.amount).apdu.bytes
        #expect(card.send(try wrong(command, card).apdu.bytes).status != .success)
        #expect(card.send(unlock).status == .commandNotAccepted)
        #expect(card.send(GetGreyStatus().apdu.bytes).status == .success)
    }

    /// D8: the same in every state that a begun transaction gives a purse that is not grey.
    @Test(arguments: Command.allCases, [PurseState.load, .purchase, .unload, .modify, .prePetrol])
    func aFailedCommandEndsTheSession(command: Command, state: PurseState) throws {
        let card = try card(in: state)
        let end = try #require(
            [
                PurseState.load: card.credit().apdu, .purchase: card.debitForPurchase().apdu,
                .unload: card.debitForUnload().apdu, .modify: card.updateOverdraftLimit().apdu,
                .prePetrol: card.lock().apdu,
            ][state]
        )
        #expect(card.send(try wrong(command, card).apdu.bytes).status != .success)
        let before = Purse(card)
        #expect(card.send(end.bytes).status == .commandNotAccepted)
        #expect(Purse(card) == before && card.image.grey == nil)
    }

    /// D21, D24: commands that Table 1 does not list.
    @Test(arguments: PurseState.allCases)
    func commandsOutsideTheTable(state: PurseState) throws {
        let card = try card(in: state)
        let before = Purse(card)
        let internalAuthenticate: [UInt8] = [0x00, 0x88, 0x00, 0x00, 0x08, 1, 2, 3, 4, 5, 6, 7, 8, 0x08]
        let reading = [
            TestCard.verify, ReadBinary(file: 0x15, count: 30).apdu.bytes, ReadBinary(file: 0x16, count: 39).apdu.bytes,
            ReadRecord(number: 1).apdu.bytes, GetChallenge(count: 8).apdu.bytes, internalAuthenticate,
        ]
        for command in reading {
            #expect(card.send(command).status == .success)
            #expect(card.state == state)
        }
        try card.drawChallenge(8)
        try card.answer(card.externalAuthenticate().apdu.bytes, "EXTERNAL AUTHENTICATE")
        try card.drawChallenge()
        try card.answer(card.block().apdu.bytes, "APPLICATION BLOCK")
        try card.drawChallenge()
        try card.answer(card.unblock().apdu.bytes, "APPLICATION UNBLOCK")
        try card.answer(TestCard.changePIN, "CHANGE PIN")
        try card.answer(card.reloadPIN, "RELOAD PIN")
        try card.drawChallenge()
        try card.answer(card.unblockPIN().apdu.bytes, "PIN UNBLOCK")
        #expect(card.state == state && Purse(card) == before)
        try card.answer(TestCard.select.bytes, "SELECT")
        #expect(card.state == fallback(card))

        let failing: [([UInt8], StatusWord)] = [
            (ReadBinary(file: 0x17, count: 30).apdu.bytes, .fileNotFound),
            (ReadRecord(number: 2).apdu.bytes, .recordNotFound),
            (ReadRecord(number: 0).apdu.bytes, .recordNotFound),
            (ReadRecord(file: 0x15, number: 1).apdu.bytes, .fileNotFound),
            ([0x80, 0x5E, 0x01, 0x00, 0x05, 0x12, 0x34, 0xFF, 0x12, 0x34], .verificationFailed(triesLeft: 2)),
            (card.block().apdu.bytes, .conditionsOfUseNotSatisfied),
            ([0x00, 0x20, 0x00, 0x00, 0x02, 0x12, 0x34], .verificationFailed(triesLeft: 2)),
            (SelectApplication(aid: [0xF0, 1, 2, 3, 4]).apdu.bytes, .fileNotFound),
            ([0x00, 0x84, 0x00, 0x00, 0x05], .wrongLength),
            ([0x00, 0xCA, 0x00, 0x00, 0x04], .instructionNotSupported),
        ]
        for (command, status) in failing {
            let card = try self.card(in: state)
            #expect(card.send(command).status == status)
            #expect(card.state == fallback(card))
            #expect(Purse(card) == before)
        }
    }

    @Test(arguments: PurseState.allCases)
    func lossOfPowerKeepsTheGreyMarkAndNothingElse(state: PurseState) throws {
        let card = try card(in: state)
        let before = Purse(card)
        try card.restart()
        #expect(card.state == fallback(card))
        #expect(Purse(card) == before)
    }

    // MARK: - Cards, states, commands

    /// What must be the same after a refusal.
    struct Purse: Equatable {
        var isGrey: Bool
        var balance: Amount
        var ctc: CTC
        var online: OnlineNumber
        var overdraftLimit: OverdraftLimit
        var gmacTries: UInt8
        var upkeepTries: UInt8
        var newestInLog: LogRecord?

        init(_ card: TestCard) {
            isGrey = card.image.grey != nil
            balance = card.image.balance
            ctc = card.image.ctc
            online = card.image.online
            overdraftLimit = card.image.overdraftLimit
            gmacTries = card.image.gmacTriesLeft
            upkeepTries = card.image.upkeepTriesLeft
            newestInLog = card.image.log.first
        }

        /// What the success of `command` does to it (spec/grey-lock.md, section 5).
        func after(_ command: Command) -> Purse {
            var next = self
            switch command {
            case .getBalance, .getTransactionProve, .initializeForPetrol, .initializeForUnlock, .getGreyStatus,
                .initializeForLoad, .initializeForPurchase, .initializeForCashWithdrawal, .initializeForUnload,
                .initializeForUpdate:
                break
            case .creditForLoad:
                next.balance = Amount(fen: balance.fen + Table1Tests.amount.fen)
                next.online = OnlineNumber(online.number + 1)
                next.newestInLog = entry(online.number, .load, TestCard.time)
            case .debitForPurchase:
                next.balance = Amount(fen: balance.fen - Table1Tests.amount.fen)
                next.ctc = CTC(ctc.number + 1)
                next.newestInLog = entry(ctc.number, .purchase, TestCard.time)
            case .debitForUnload:
                next.balance = Amount(fen: balance.fen - Table1Tests.amount.fen)
                next.online = OnlineNumber(online.number + 1)
                next.newestInLog = entry(online.number, .unload, TestCard.time)
            case .updateOverdraftLimit:
                next.balance = Amount(fen: balance.fen + TestCard.newLimit.fen)
                next.overdraftLimit = TestCard.newLimit
                next.online = OnlineNumber(online.number + 1)
                next.newestInLog = entry(online.number, .overdraft, TestCard.time, .zero, TestCard.newLimit)
            case .lockForPetrol:
                next.isGrey = true
                next.ctc = CTC(ctc.number + 1)
            case .debitForPetrol:
                next.isGrey = false
                next.balance = Amount(fen: balance.fen - Table1Tests.amount.fen)
                next.newestInLog = entry(ctc.number - 1, .refuel, TestCard.laterTime)
            case .debitForUnlock:
                next.isGrey = false
                next.balance = Amount(fen: balance.fen - Table1Tests.amount.fen)
                next.online = OnlineNumber(online.number + 1)
                next.newestInLog = entry(online.number, .onlineUnlock, TestCard.laterTime)
            }
            return next
        }

        private func entry(
            _ number: UInt16,
            _ type: TransactionType,
            _ time: TransactionTime,
            _ amount: Amount = Table1Tests.amount,
            _ limit: OverdraftLimit = .zero
        ) -> LogRecord {
            LogRecord(
                number: number,
                overdraftLimit: limit,
                amount: amount,
                type: type,
                terminal: TestCard.terminal,
                time: time
            )
        }
    }

    /// One sale behind it, so that there is a proof to ask for.
    private func card(in state: PurseState) throws -> TestCard {
        let card = try TestCard()
        try card.bring(to: .grey)
        _ = try card.exchange(card.debit(Self.amount))
        try card.bring(to: state)
        return card
    }

    private func fallback(_ card: TestCard) -> PurseState { card.image.grey == nil ? .idle : .grey }

    private func right(_ command: Command, _ card: TestCard) -> CommandAPDU {
        switch command {
        case .getBalance: GetBalance().apdu
        case .getTransactionProve: GetTransactionProve(type: .refuel, number: card.profile.ctc.number).apdu
        case .initializeForPetrol: TestCard.initializeForPetrol.apdu
        case .lockForPetrol: card.lock().apdu
        case .debitForPetrol: card.debit(Self.amount).apdu
        case .initializeForUnlock: TestCard.initializeForUnlock.apdu
        case .debitForUnlock: card.debitForUnlock(Self.amount).apdu
        case .getGreyStatus: GetGreyStatus().apdu
        case .initializeForLoad: TestCard.initializeForLoad.apdu
        case .creditForLoad: card.credit().apdu
        case .initializeForPurchase: TestCard.initializeForPurchase.apdu
        case .initializeForCashWithdrawal: TestCard.initializeForPurchase.cashWithdrawalAPDU
        case .debitForPurchase: card.debitForPurchase().apdu
        case .initializeForUnload: TestCard.initializeForUnload.apdu
        case .debitForUnload: card.debitForUnload().apdu
        case .initializeForUpdate: TestCard.initializeForUpdate.apdu
        case .updateOverdraftLimit: card.updateOverdraftLimit().apdu
        }
    }

    private static func refusal(of command: Command, in state: PurseState) -> StatusWord {
        command.isOrdinary && (state == .grey || state == .unlocking) ? .purseIsGrey : .commandNotAccepted
    }

    /// The command made to fail without counting against the card, and its status word where Table 1 accepts it.
    private func wrong(_ command: Command, _ card: TestCard) throws -> (apdu: CommandAPDU, status: StatusWord) {
        var apdu = right(command, card)
        switch command {
        case .getBalance, .getGreyStatus:
            let length = try #require(apdu.expectedLength)
            apdu.expectedLength = length + 1
            return (apdu, .wrongExpectedLength(length))
        case .getTransactionProve:
            apdu.data[1] ^= 1
            return (apdu, .proofNotAvailable)
        case .initializeForPetrol, .initializeForUnlock, .initializeForLoad, .initializeForPurchase,
            .initializeForCashWithdrawal, .initializeForUnload, .initializeForUpdate:
            apdu.data[0] = 2
            return (apdu, .keyIndexNotSupported)
        case .lockForPetrol, .debitForUnlock, .creditForLoad, .debitForPurchase, .debitForUnload,
            .updateOverdraftLimit:
            apdu.data[apdu.data.count - 1] ^= 1
            return (apdu, .macInvalid)
        case .debitForPetrol:
            apdu.data[5] ^= 1
            return (apdu, .conditionsOfUseNotSatisfied)
        }
    }
}
