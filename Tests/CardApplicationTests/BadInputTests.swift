import CardApplication
import FuelPassbook
import ISO7816
import TestCards
import Testing

/// Every prefix and every single-bit flip of each command, in a state that accepts it.
///
/// Known and wanted: TID, TTC, date and time of DEBIT FOR PETROL are not covered by the GMAC. A flip there debits the
/// right amount once, and shows in MAC4 or the TAC, which the module and the issuer check.
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
        let expected = StatusModel(state: rule.home, original: whole).status(of: bytes)
        let response = card.send(bytes)
        #expect(response.status.rawValue == expected, "\(rule), \(damage): \(response.status)")
        #expect(response.status == .success || response.data.isEmpty, "\(rule), \(damage)")

        let after = card.image
        if rule.description == "DEBIT FOR PETROL", expected == 0x9000 {
            #expect(after.grey == nil && after.balance.fen == before.balance.fen - Self.amount.fen, "\(damage)")
            #expect(card.send(whole).status == .commandNotAccepted, "\(damage): a second debit")
            #expect(card.image.balance == after.balance, "\(damage)")
        } else {
            #expect(after.grey == before.grey && after.balance == before.balance, "\(rule), \(damage)")
        }
        #expect(after.ctc == before.ctc && after.online == before.online, "\(rule), \(damage)")
        let lost: UInt8 = rule.description == "DEBIT FOR PETROL" && expected == 0x9302 ? 1 : 0
        #expect(after.gmacTriesLeft == before.gmacTriesLeft - lost, "\(rule), \(damage)")
        #expect(after.pinTriesLeft == before.pinTriesLeft - (expected == 0x63C2 ? 1 : 0), "\(rule), \(damage)")
    }

    /// In the rule's state, after one sale that can be proved.
    private func card(for rule: CommandRule) throws -> TestCard {
        let card = try TestCard()
        try card.bring(to: .grey)
        _ = try card.exchange(card.debit(Amount(fen: 1)))
        try card.bring(to: rule.home)
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
        case _: preconditionFailure("no command for \(rule)")
        }
    }
}
