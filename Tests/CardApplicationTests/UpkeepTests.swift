import CardApplication
import FuelPassbook
import ISO7816
import Quantities
import TestCards
import Testing

/// Decision 0007, rule by rule.
struct UpkeepTests {
    @Test func aBlockedApplicationBeginsNothingAndStillTells() throws {
        let card = try blockedCard()
        let refused = [
            TestCard.initializeForLoad.apdu, card.credit().apdu, TestCard.initializeForPurchase.apdu,
            TestCard.initializeForPurchase.cashWithdrawalAPDU, card.debitForPurchase().apdu,
            TestCard.initializeForUnload.apdu, card.debitForUnload().apdu, TestCard.initializeForUpdate.apdu,
            card.updateOverdraftLimit().apdu, TestCard.initializeForPetrol.apdu, card.lock().apdu,
        ]
        for command in refused {
            #expect(card.send(command.bytes).status == .functionNotSupported)
        }
        #expect(card.send(TestCard.select.bytes).status == .success)
        #expect(card.send(GetBalance().apdu.bytes).status == .success)
        try card.restart()
        try card.open()
        #expect(card.send(TestCard.initializeForPetrol.apdu.bytes).status == .functionNotSupported)
        try card.drawChallenge()
        try card.answer(card.unblock().apdu.bytes, "APPLICATION UNBLOCK")
        try card.beginPetrol()
    }

    @Test func aBlockedGreyPurseIsSettled() throws {
        let card = try TestCard()
        try card.bring(to: .grey)
        try card.drawChallenge()
        try card.answer(card.block().apdu.bytes, "APPLICATION BLOCK")
        _ = try card.exchange(card.debit(Amount(fen: 5)))
        #expect(card.image.grey == nil && card.image.balance.fen == card.profile.balance.fen - 5)
    }

    @Test func aBlockForGoodEndsTheApplication() throws {
        let card = try TestCard()
        try card.open()
        try card.drawChallenge()
        try card.answer(card.block(.permanent).apdu.bytes, "APPLICATION BLOCK")
        try card.restart()
        for command in [TestCard.select.bytes, TestCard.verify, GetBalance().apdu.bytes] {
            #expect(card.send(command).status == .applicationLockedForGood)
        }
    }

    @Test func anUnblockOfWhatIsNotBlockedIsRefused() throws {
        let card = try TestCard()
        try card.open()
        try card.drawChallenge()
        #expect(card.send(card.unblock().apdu.bytes).status == .conditionsOfUseNotSatisfied)
        #expect(card.image.upkeepTriesLeft == 3)
    }

    @Test func aChallengeServesOnce() throws {
        let card = try TestCard()
        try card.open()
        try card.drawChallenge()
        let block = card.block().apdu.bytes
        try card.answer(block, "APPLICATION BLOCK")
        #expect(card.send(block).status == .conditionsOfUseNotSatisfied)
        for ending in [TestCard.select.bytes, [0x00, 0xB0, 0x97, 0x00, 0x01]] {
            try card.drawChallenge()
            _ = card.send(ending)
            #expect(card.send(card.unblock().apdu.bytes).status == .conditionsOfUseNotSatisfied)
        }
        #expect(card.image.upkeepTriesLeft == 3 && card.image.block == .temporary)
    }

    @Test func wrongCodesCloseTheUpkeepAndNothingElse() throws {
        let card = try TestCard()
        try card.open()
        var reload = card.reloadPIN
        reload[reload.count - 1] ^= 1
        #expect(card.send(reload).status == .macInvalid)
        // A right RELOAD PIN may be a recorded one: it fills nothing.
        try card.answer(card.reloadPIN, "RELOAD PIN")
        #expect(card.image.upkeepTriesLeft == 2)
        try card.drawChallenge()
        var block = card.block().apdu
        block.data[0] ^= 1
        #expect(card.send(block.bytes).status == .macInvalid)
        try card.drawChallenge()
        var external = card.externalAuthenticate().apdu
        external.data[0] ^= 1
        #expect(card.send(external.bytes).status == .verificationFailed(triesLeft: 0))
        try card.restart()
        try card.answer(TestCard.select.bytes, "SELECT")
        try card.drawChallenge()
        let closed = [
            card.reloadPIN, card.block().apdu.bytes, card.unblock().apdu.bytes, card.unblockPIN().apdu.bytes,
            card.externalAuthenticate().apdu.bytes,
        ]
        for command in closed {
            #expect(card.send(command).status == .authenticationMethodBlocked)
        }
        try card.answer(TestCard.verifyNew, "VERIFY")
        try card.beginPurchase()
    }

    @Test func aRightCodeOverAChallengeFillsTheUpkeepCounter() throws {
        let card = try TestCard()
        try card.open()
        var reload = card.reloadPIN
        reload[5] ^= 1
        for _ in 0..<2 { #expect(card.send(reload).status == .macInvalid) }
        #expect(card.image.upkeepTriesLeft == 1)
        try card.drawChallenge(8)
        try card.answer(card.externalAuthenticate().apdu.bytes, "EXTERNAL AUTHENTICATE")
        #expect(card.image.upkeepTriesLeft == 3)
    }

    @Test func changePINWantsTheOldOneAndVerifies() throws {
        let card = try TestCard()
        try card.answer(TestCard.select.bytes, "SELECT")
        try card.answer(TestCard.changePIN, "CHANGE PIN")
        try card.beginPurchase()
        #expect(card.send(TestCard.changePIN).status == .verificationFailed(triesLeft: 2))
        #expect(card.send(TestCard.initializeForPurchase.apdu.bytes).status == .securityStatusNotSatisfied)
        try card.answer(TestCard.verifyNew, "VERIFY")
        #expect(card.image.pinTriesLeft == 3)
        for _ in 0..<3 { _ = card.send(TestCard.changePIN) }
        #expect(card.send(TestCard.changePIN).status == .authenticationMethodBlocked)
    }

    @Test func aPINThatIsNoneIsRefused() throws {
        let card = try TestCard()
        try card.answer(TestCard.select.bytes, "SELECT")
        let none: [[UInt8]] = [[0x12, 0x3F], [0x1A, 0x34], [0xF2, 0x34], [0x12], [0x12, 0x34, 0xFF]]
        for new in none {
            let data = [0x12, 0x34, 0x56, 0xFF] + new
            let command: [UInt8] = [0x80, 0x5E, 0x01, 0x00, UInt8(data.count)] + data
            #expect(card.send(command).status == .incorrectData, "\(Hex.string(new))")
        }
        #expect(card.image.pinTriesLeft == 3)
        let odd: [UInt8] = [0x80, 0x5E, 0x01, 0x00, 0x07, 0x12, 0x34, 0x56, 0xFF, 0x12, 0x34, 0x5F]
        try card.answer(odd, "CHANGE PIN")
        try card.answer([0x00, 0x20, 0x00, 0x00, 0x03, 0x12, 0x34, 0x5F], "VERIFY")
    }

    @Test(arguments: [true, false])
    func theIssuersPINOpensABlockedOneAndMustBeVerified(reloaded: Bool) throws {
        let card = try TestCard()
        try card.answer(TestCard.select.bytes, "SELECT")
        for _ in 0..<3 { _ = card.send([0x00, 0x20, 0x00, 0x00, 0x02, 0x00, 0x00]) }
        #expect(card.send(TestCard.verify).status == .authenticationMethodBlocked)
        try card.drawChallenge()
        try card.answer(reloaded ? card.reloadPIN : card.unblockPIN().apdu.bytes, "the issuer's PIN")
        #expect(card.image.pinTriesLeft == 3)
        #expect(card.send(TestCard.initializeForPurchase.apdu.bytes).status == .securityStatusNotSatisfied)
        #expect(card.send(TestCard.verify).status == .verificationFailed(triesLeft: 2))
        try card.answer(TestCard.verifyNew, "VERIFY")
        try card.beginPurchase()
    }

    /// Computed once with the `openssl` command line (`enc -des-ede3`, single DES as three equal keys) from the
    /// demonstration masters, the demonstration card and the challenges below; no code of this project took part.
    @Test func theUpkeepCodesAreThoseOfAnotherImplementation() throws {
        let card = try TestCard()
        let four = try Challenge(bytes: [1, 2, 3, 4])
        let eight = try Challenge(bytes: [1, 2, 3, 4, 5, 6, 7, 8])
        card.challenge = four
        #expect(Hex.string(card.block().mac.bytes) == "6087662F")
        #expect(Hex.string(card.unblockPIN().enciphered) == "A2A4167947E169DB")
        #expect(Hex.string(card.unblockPIN().mac.bytes) == "50E273C9")
        #expect(Hex.string(card.externalAuthenticate().cryptogram.bytes) == "F3C3A17677207D4C")
        card.challenge = eight
        #expect(Hex.string(card.unblock().mac.bytes) == "762EF0E9")
        #expect(Hex.string(card.reloadPIN.suffix(4)) == "647C975A")
        try card.open()
        let answer = try card.exchange(InternalAuthenticate(challenge: eight))
        #expect(Hex.string(answer.cryptogram.bytes) == "A4FD1D2EF3A0EEF1")
    }

    /// Nothing of a PIN comes into a trace.
    @Test func aTraceNamesSecretsWithoutShowingThem() {
        #expect(Instruction.allCases.filter(\.carriesPIN) == [.verify, .changePIN, .reloadPIN])
        for instruction in Instruction.allCases {
            #expect((Trace(instruction).secretFields != nil) == instruction.carriesPIN)
        }
        #expect(Trace(.changePIN).secretFields == ["old PIN not shown", "new PIN not shown"])
    }

    private func blockedCard() throws -> TestCard {
        let card = try TestCard()
        try card.open()
        try card.drawChallenge()
        try card.answer(card.block().apdu.bytes, "APPLICATION BLOCK")
        return card
    }
}
