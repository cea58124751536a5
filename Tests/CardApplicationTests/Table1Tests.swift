import CardApplication
import CardCryptography
import FuelPassbook
import ISO7816
import TestCards
import Testing

/// Table 1 for the commands of this card, in the states that they reach: each command in each state, once as it should
/// be and once made to fail (D5, D8).
@Suite(.enabled(if: SharedFolder.isUsable, Comment(rawValue: SharedFolder.reasonToSkip)))
struct Table1Tests {
    static let reachable: [PurseState] = [.idle, .prePetrol, .grey, .unlocking]
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
    }

    @Test func theTableHasARowForEachCommandAndTheRestIsListed() throws {
        let table = try Table1()
        let built = Set(Command.allCases.map(\.rawValue))
        #expect(built.isSubset(of: table.rows.keys))
        let missing = table.rows.keys.filter { !built.contains($0) }.sorted()
        print("Table 1 rows not run, their commands are not built: \(missing.joined(separator: "; "))")
        let states = PurseState.allCases.filter { !Self.reachable.contains($0) }.map(\.rawValue)
        print("Table 1 columns not run, no built command reaches them: \(states.joined(separator: "; "))")
        // A row that gains its command must gain its tests.
        #expect(missing.count == 9 && table.rows.count == 17)
    }

    @Test(arguments: Command.allCases, reachable)
    func success(command: Command, state: PurseState) throws {
        let next = try Table1().rows[command.rawValue]?[state]
        let card = try card(in: state)
        let before = Purse(card)
        let status = card.send(right(command, card).bytes).status
        guard let next else {
            #expect(status == .commandNotAccepted)
            #expect(Purse(card) == before)
            #expect(card.state == fallback(card))
            return
        }
        #expect(status == .success)
        #expect(card.state == next)
        #expect(Purse(card) == before.after(command))
    }

    @Test(arguments: Command.allCases, reachable)
    func failure(command: Command, state: PurseState) throws {
        let accepted = try Table1().rows[command.rawValue]?[state] != nil
        let card = try card(in: state)
        let before = Purse(card)
        let (wrong, refusal) = try wrong(command, card)
        // A wrong shape is refused before Table 1 is asked.
        let isShape = refusal.rawValue >> 8 == 0x6C
        #expect(card.send(wrong.bytes).status == (accepted || isShape ? refusal : .commandNotAccepted))
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

    /// D8: the same in "pre-petrol".
    @Test(arguments: Command.allCases)
    func aFailedCommandInPrePetrolEndsTheSession(command: Command) throws {
        let card = try card(in: .prePetrol)
        let lock = card.lock().apdu.bytes
        #expect(card.send(try wrong(command, card).apdu.bytes).status != .success)
        #expect(card.send(lock).status == .commandNotAccepted)
        #expect(card.image.grey == nil)
    }

    /// D21, D24: commands that Table 1 does not list.
    @Test(arguments: reachable)
    func commandsOutsideTheTable(state: PurseState) throws {
        let card = try card(in: state)
        let before = Purse(card)
        for command in [TestCard.verify, ReadBinary(file: 0x15, count: 30).apdu.bytes] {
            #expect(card.send(command).status == .success)
            #expect(card.state == state)
        }
        try card.answer(TestCard.select.bytes, "SELECT")
        #expect(card.state == fallback(card))

        let failing: [([UInt8], StatusWord)] = [
            (ReadBinary(file: 0x16, count: 30).apdu.bytes, .fileNotFound),
            ([0x00, 0x20, 0x00, 0x00, 0x02, 0x12, 0x34], .verificationFailed(triesLeft: 2)),
            (SelectApplication(aid: [0xF0, 1, 2, 3, 4]).apdu.bytes, .fileNotFound),
            ([0x00, 0x84, 0x00, 0x00, 0x04], .instructionNotSupported),
        ]
        for (command, status) in failing {
            let card = try self.card(in: state)
            #expect(card.send(command).status == status)
            #expect(card.state == fallback(card))
            #expect(Purse(card) == before)
        }
    }

    @Test(arguments: reachable)
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
        var gmacTries: UInt8

        init(_ card: TestCard) {
            isGrey = card.image.grey != nil
            balance = card.image.balance
            ctc = card.image.ctc
            online = card.image.online
            gmacTries = card.image.gmacTriesLeft
        }

        /// What the success of `command` does to it (spec/grey-lock.md, section 5).
        func after(_ command: Command) -> Purse {
            var next = self
            switch command {
            case .getBalance, .getTransactionProve, .initializeForPetrol, .initializeForUnlock, .getGreyStatus: break
            case .lockForPetrol:
                next.isGrey = true
                next.ctc = CTC(ctc.number + 1)
            case .debitForPetrol:
                next.isGrey = false
                next.balance = Amount(fen: balance.fen - Table1Tests.amount.fen)
            case .debitForUnlock:
                next.isGrey = false
                next.balance = Amount(fen: balance.fen - Table1Tests.amount.fen)
                next.online = OnlineNumber(online.number + 1)
            }
            return next
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
        }
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
        case .initializeForPetrol, .initializeForUnlock:
            apdu.data[0] = 2
            return (apdu, .keyIndexNotSupported)
        case .lockForPetrol, .debitForUnlock:
            apdu.data[apdu.data.count - 1] ^= 1
            return (apdu, .macInvalid)
        case .debitForPetrol:
            apdu.data[5] ^= 1
            return (apdu, .conditionsOfUseNotSatisfied)
        }
    }
}
