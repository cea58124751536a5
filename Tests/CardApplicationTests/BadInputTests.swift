import CardApplication
import FuelPassbook
import ISO7816
import Quantities
import TestCards
import Testing

/// Every prefix and every single-bit flip of each command, in a state that accepts it.
///
/// Known and wanted: TID, TTC, date and time of DEBIT FOR PETROL are not covered by the GMAC. A flip there debits the
/// right amount once, and shows in MAC4 or the TAC, which the module and the issuer check. The left two bytes of a purchase's
/// TTC do not enter its session key: a flip there shows in the TAC.
struct BadInputTests {
    private static let amount = Amount(fen: 4_321)

    @Test(arguments: CommandRule.all)
    func theCommandItselfIsAccepted(rule: CommandRule) throws {
        let card = try card(for: rule)
        let command = command(rule, card)
        #expect(card.send(command).status == .success)
        #expect(StatusModel(state: rule.home, original: command).status(of: command) == 0x9000)
    }

    @Test(arguments: CommandRule.all)
    func everyPrefix(rule: CommandRule) throws {
        let whole = command(rule, try card(for: rule))
        for length in 0..<whole.count {
            try check(Array(whole.prefix(length)), of: whole, rule, "\(length) bytes")
        }
        // A prefix that ends before the Le of a command with an answer is `6700`, SELECT alone may leave it out.
        if rule.le != .none {
            let status = StatusModel(state: rule.home, original: whole).status(of: Array(whole.dropLast()))
            #expect(status == (rule.description == "SELECT" ? 0x9000 : 0x6700))
        }
    }

    @Test(arguments: CommandRule.all)
    func everySingleBitFlip(rule: CommandRule) throws {
        let whole = command(rule, try card(for: rule))
        for bit in 0..<whole.count * 8 {
            var altered = whole
            altered[bit / 8] ^= 1 << (bit % 8)
            try check(altered, of: whole, rule, "bit \(bit % 8) of byte \(bit / 8)")
        }
    }

    @Test(arguments: CommandRule.all)
    func oneByteMore(rule: CommandRule) throws {
        let whole = command(rule, try card(for: rule))
        for byte in UInt8.min...UInt8.max {
            try check(whole + [byte], of: whole, rule, "\(byte) appended")
        }
    }

    /// D2: the Lc of Table 11 with its data, which leave out the CTC.
    @Test func aDebitWithTheLengthOfTable11IsRefused() throws {
        let card = try card(for: .debitForPetrol)
        var command = card.debit(Self.amount).apdu
        command.data.removeSubrange(4..<6)
        #expect(command.bytes[4] == 0x19)
        #expect(card.send(command.bytes).status == .wrongLength)
        #expect(card.image.grey != nil)
    }

    /// Shape, then life, then Table 1, then PIN, then the command's own checks: what two gates refuse, the first answers.
    @Test func theGatesStandInTheirOrder() throws {
        var wrongIndex = TestCard.initializeForPetrol.apdu
        wrongIndex.data[0] = 2
        var wrongLength = wrongIndex
        wrongLength.expectedLength = nil

        let card = try TestCard()
        #expect(card.send(wrongLength.bytes).status == .wrongLength)
        #expect(card.send(wrongIndex.bytes).status == .conditionsOfUseNotSatisfied)
        try card.answer(TestCard.select.bytes, "SELECT")
        #expect(card.send(wrongIndex.bytes).status == .securityStatusNotSatisfied)
        #expect(card.send(card.debit(Self.amount).apdu.bytes).status == .commandNotAccepted)
        try card.bring(to: .grey)
        try card.answer(TestCard.select.bytes, "SELECT")
        #expect(card.send(wrongIndex.bytes).status == .commandNotAccepted)

        try card.answer(TestCard.verify, "VERIFY")
        var wrongGMAC = card.debit(Self.amount).apdu
        wrongGMAC.data[26] ^= 1
        for _ in 0..<3 { #expect(card.send(wrongGMAC.bytes).status == .macInvalid) }
        try card.restart()
        #expect(card.send(wrongIndex.bytes).status == .applicationLockedForGood)
        #expect(card.send(wrongLength.bytes).status == .wrongLength)
    }

    private func check(_ bytes: [UInt8], of whole: [UInt8], _ rule: CommandRule, _ damage: String) throws {
        let card = try card(for: rule)
        let before = card.image
        let model = StatusModel(state: rule.home, original: whole)
        let expected = model.status(of: bytes)
        let response = card.send(bytes)
        #expect(response.status.rawValue == expected, "\(rule), \(damage): \(response.status)")
        #expect(response.status == .success || response.data.isEmpty, "\(rule), \(damage)")

        let after = card.image
        if rule.description == "DEBIT FOR PETROL", expected == 0x9000 {
            #expect(card.send(whole).status == .commandNotAccepted, "\(damage): a second debit")
            #expect(card.image.balance == after.balance, "\(damage)")
        }
        let effective = model.rule(of: bytes)?.description
        let isDone = expected == 0x9000
        let moved = isDone ? Self.money[effective ?? ""] ?? 0 : 0
        #expect(Int(after.balance.fen) == Int(before.balance.fen) + moved, "\(rule), \(damage)")
        let cleared = isDone && effective == "DEBIT FOR PETROL"
        #expect(cleared ? after.grey == nil : after.grey == before.grey, "\(rule), \(damage)")
        let offline = isDone && effective == "DEBIT FOR PURCHASE / CASH WITHDRAW" ? 1 : 0 as UInt16
        #expect(after.ctc.number == before.ctc.number + offline, "\(rule), \(damage)")
        let online = isDone && Self.countingOnline.contains(effective ?? "") ? 1 : 0 as UInt16
        #expect(after.online.number == before.online.number + online, "\(rule), \(damage)")
        let lost: UInt8 = effective == "DEBIT FOR PETROL" && expected == 0x9302 ? 1 : 0
        #expect(after.gmacTriesLeft == before.gmacTriesLeft - lost, "\(rule), \(damage)")
        let isUpkeep = Self.upkeep.contains(effective ?? "")
        let upkeepLost: UInt8 = isUpkeep && (expected == 0x9302 || expected == 0x63C2) ? 1 : 0
        #expect(after.upkeepTriesLeft == before.upkeepTriesLeft - upkeepLost, "\(rule), \(damage)")
        let pinLost: UInt8 = expected == 0x63C2 && !isUpkeep ? 1 : 0
        #expect(after.pinTriesLeft == before.pinTriesLeft - pinLost, "\(rule), \(damage)")
    }

    private static let money = [
        "DEBIT FOR PETROL": -4_321, "CREDIT FOR LOAD": 1_234, "DEBIT FOR PURCHASE / CASH WITHDRAW": -1_234,
        "DEBIT FOR UNLOAD": -1_234, "UPDATE OVERDRAFT LIMIT": 20_000,
    ]
    private static let countingOnline: Set = ["CREDIT FOR LOAD", "DEBIT FOR UNLOAD", "UPDATE OVERDRAFT LIMIT"]
    private static let upkeep: Set = [
        "EXTERNAL AUTHENTICATE", "RELOAD PIN", "PIN UNBLOCK", "APPLICATION BLOCK", "APPLICATION UNBLOCK",
    ]

    /// In the rule's state, after one sale that can be proved.
    private func card(for rule: CommandRule) throws -> TestCard {
        let card = try TestCard()
        try card.bring(to: .grey)
        _ = try card.exchange(card.debit(Amount(fen: 1)))
        try card.bring(to: rule.home)
        if rule.description == "APPLICATION UNBLOCK" {
            try card.drawChallenge()
            try card.answer(card.block().apdu.bytes, "APPLICATION BLOCK")
        }
        if Self.upkeep.contains(rule.description) { try card.drawChallenge() }
        return card
    }

    private func command(_ rule: CommandRule, _ card: TestCard) -> [UInt8] {
        switch rule.description {
        case "SELECT": TestCard.select.bytes
        case "READ BINARY": ReadBinary(file: 0x15, count: 30).apdu.bytes
        case "VERIFY": TestCard.verify
        case "GET BALANCE": GetBalance().apdu.bytes
        case "GET TRANSACTION PROVE":
            GetTransactionProve(type: .refuel, number: card.profile.ctc.number).apdu.bytes
        case "INITIALIZE FOR PETROL": TestCard.initializeForPetrol.apdu.bytes
        case "LOCK FOR PETROL": card.lock().apdu.bytes
        case "DEBIT FOR PETROL": card.debit(Self.amount).apdu.bytes
        case "INITIALIZE FOR UNLOCK": TestCard.initializeForUnlock.apdu.bytes
        case "DEBIT FOR UNLOCK": card.debitForUnlock(Self.amount).apdu.bytes
        case "GET GREY STATUS": GetGreyStatus().apdu.bytes
        case _: ordinaryCommand(rule, card)
        }
    }

    private func ordinaryCommand(_ rule: CommandRule, _ card: TestCard) -> [UInt8] {
        switch rule.description {
        case "READ RECORD": ReadRecord(number: 1).apdu.bytes
        case "GET CHALLENGE": GetChallenge(count: 4).apdu.bytes
        case "EXTERNAL AUTHENTICATE": card.externalAuthenticate().apdu.bytes
        case "INTERNAL AUTHENTICATE": [0x00, 0x88, 0x00, 0x00, 0x08, 1, 2, 3, 4, 5, 6, 7, 8, 0x08]
        case "CHANGE PIN": TestCard.changePIN
        case "RELOAD PIN": card.reloadPIN
        case "PIN UNBLOCK": card.unblockPIN().apdu.bytes
        case "APPLICATION BLOCK": card.block().apdu.bytes
        case "APPLICATION UNBLOCK": card.unblock().apdu.bytes
        case "INITIALIZE FOR LOAD": TestCard.initializeForLoad.apdu.bytes
        case "CREDIT FOR LOAD": card.credit().apdu.bytes
        case "INITIALIZE FOR PURCHASE": TestCard.initializeForPurchase.apdu.bytes
        case "INITIALIZE FOR CASH WITHDRAW": TestCard.initializeForPurchase.cashWithdrawalAPDU.bytes
        case "DEBIT FOR PURCHASE / CASH WITHDRAW": card.debitForPurchase().apdu.bytes
        case "INITIALIZE FOR UNLOAD": TestCard.initializeForUnload.apdu.bytes
        case "DEBIT FOR UNLOAD": card.debitForUnload().apdu.bytes
        case "INITIALIZE FOR UPDATE": TestCard.initializeForUpdate.apdu.bytes
        case "UPDATE OVERDRAFT LIMIT": card.updateOverdraftLimit().apdu.bytes
        case _: preconditionFailure("no command for \(rule)")
        }
    }
}
