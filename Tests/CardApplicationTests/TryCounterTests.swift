import CardApplication
import CardCryptography
import FuelPassbook
import ISO7816
import Quantities
import TestCards
import Testing

/// A code that a counter guards: which command presents it, and what its right one does.
enum GuardedCode: CaseIterable, Sendable {
    case verify, changePIN, gmac, reloadPIN, unblockPIN, block, unblock, externalAuthenticate

    func triesLeft(_ card: CardImage) -> UInt8 {
        switch self {
        case .verify, .changePIN: card.pinTriesLeft
        case .gmac: card.gmacTriesLeft
        case .reloadPIN, .unblockPIN, .block, .unblock, .externalAuthenticate: card.upkeepTriesLeft
        }
    }

    /// Where the code stands in the command.
    private var place: Range<Int> {
        switch self {
        case .verify, .changePIN: 5..<8
        case .gmac: 28..<32
        case .reloadPIN: 8..<12
        case .unblockPIN: 13..<17
        case .block, .unblock: 5..<9
        case .externalAuthenticate: 5..<13
        }
    }

    /// The command with the right code, from power-up on.
    func prepare(on card: TestCard) throws -> [UInt8] {
        card.reset()
        try card.answer(TestCard.select.bytes, "SELECT")
        switch self {
        case .verify: return TestCard.verify
        case .changePIN: return TestCard.changePIN
        case .gmac:
            try card.answer(TestCard.verify, "VERIFY")
            return card.debit(Amount(fen: 5)).apdu.bytes
        case .reloadPIN: return card.reloadPIN
        case .unblockPIN, .block, .unblock, .externalAuthenticate:
            try card.drawChallenge(8)
            switch self {
            case .unblockPIN: return card.unblockPIN().apdu.bytes
            case .block: return card.block().apdu.bytes
            case .unblock: return card.unblock().apdu.bytes
            case _: return card.externalAuthenticate().apdu.bytes
            }
        }
    }

    /// A card for which the right code is a right command.
    func card(tries: UInt8 = 3) throws -> TestCard {
        let card = try TestCard()
        switch self {
        case .gmac: try card.bring(to: .grey)
        case .unblock:
            try card.answer(TestCard.select.bytes, "SELECT")
            try card.drawChallenge()
            try card.answer(card.block().apdu.bytes, "APPLICATION BLOCK")
        case _: break
        }
        for _ in tries..<3 { _ = try card.send(guess(1, in: prepare(on: card))) }
        return card
    }

    /// `command` with another code, a different one for each `number` from 1; PINs keep to digits.
    func guess(_ number: Int, in command: [UInt8]) -> [UInt8] {
        var command = command
        switch self {
        case .verify, .changePIN:
            // Six digits; 123456 itself is left out.
            let digits = UInt64(number < 123_456 ? number - 1 : number)
            let code = BCD.encode(digits, count: 6)
            for (offset, index) in place.enumerated() {
                command[index] = UInt8(truncatingIfNeeded: code >> (8 * UInt64(2 - offset)))
            }
        case _:
            command[place.lowerBound] ^= UInt8(truncatingIfNeeded: number)
            command[place.lowerBound + 1] ^= UInt8(truncatingIfNeeded: number >> 8)
        }
        return command
    }
}

/// Where the power goes.
struct TryCut: CustomTestStringConvertible, Sendable {
    /// nil for nowhere.
    let write: Int?
    let failure: TestMemory.Failure

    static let all = [
        TryCut(write: nil, failure: .none), TryCut(write: 1, failure: .beforeWriting),
        TryCut(write: 1, failure: .afterWriting), TryCut(write: 2, failure: .beforeWriting),
        TryCut(write: 2, failure: .afterWriting),
    ]

    var testDescription: String { "\(failure) at write \(write.map(String.init) ?? "none")" }

    /// Everything that the card shows to whoever holds its answer and watches its supply.
    func observe(_ command: [UInt8], _ card: TestCard) -> Observation {
        card.memory.failure = write == nil ? .none : failure
        card.memory.commitsBeforeFailure = write.map { $0 - 1 } ?? 0
        card.memory.attempts = 0
        let response = card.send(command)
        let observation = Observation(answer: response.bytes, writes: card.memory.attempts)
        card.memory.restorePower()
        card.memory.commitsBeforeFailure = 0
        card.reset()
        return observation
    }

    struct Observation: Equatable {
        let answer: [UInt8]
        let writes: Int
    }
}

@Suite("D29: a try is counted before its code is compared")
struct TryCounterTests {
    @Test(
        "power cut at or after any write shows nothing of a code that no try paid for",
        arguments: GuardedCode.allCases
    )
    func oneGuess(code: GuardedCode) throws {
        for tries in UInt8(1)...3 {
            for cut in TryCut.all {
                let (guessing, knowing) = (try code.card(tries: tries), try code.card(tries: tries))
                #expect(code.triesLeft(guessing.image) == tries)
                let before = guessing.image
                let wrong = cut.observe(code.guess(77, in: try code.prepare(on: guessing)), guessing)
                let right = cut.observe(try code.prepare(on: knowing), knowing)
                let left = code.triesLeft(guessing.image)
                let what = Comment("\(code), \(tries) left, \(cut.testDescription)")
                #expect(left == tries - (cut.write == 1 && cut.failure == .beforeWriting ? 0 : 1), what)
                #expect(wrong == right || left < tries, what)
                // Cut before its comparison, the right code is no other than a wrong one.
                if cut.write == 1 {
                    #expect(wrong == right && code.triesLeft(knowing.image) == left, what)
                    #expect(guessing.image.balance == before.balance && guessing.image.grey == before.grey, what)
                }
            }
        }
    }

    @Test("ten thousand guesses with any cut: no more than three of them are judged", arguments: TryCut.all)
    func manyPINs(cut: TryCut) throws { try attack(.verify, cut, guesses: 10_001) }

    @Test("a thousand guesses of each code with any cut: no more than three of them are judged", arguments: TryCut.all)
    func manyCodes(cut: TryCut) throws {
        for code in GuardedCode.allCases { try attack(code, cut, guesses: 1_000) }
    }

    private func attack(_ code: GuardedCode, _ cut: TryCut, guesses: Int) throws {
        let knowing = try code.card()
        let known = cut.observe(try code.prepare(on: knowing), knowing)
        let card = try code.card()
        var judged = 0
        var before = code.triesLeft(card.image)
        for number in 1...guesses {
            guard before > 0 else { break }
            let seen = cut.observe(code.guess(number, in: try code.prepare(on: card)), card)
            let left = code.triesLeft(card.image)
            if seen != known { judged += 1 }
            #expect(left <= before)
            before = left
        }
        #expect(judged <= 3, "\(code), \(cut.testDescription): \(judged)")
        // With no try left the right code is refused as well.
        guard before == 0 else { return }
        if code == .gmac {
            #expect(card.send(TestCard.select.bytes).status == .applicationLockedForGood)
        } else {
            #expect(card.send(try code.prepare(on: card)).status == .authenticationMethodBlocked, "\(code)")
        }
    }

    @Test("a right code costs no try", arguments: GuardedCode.allCases)
    func rightCode(code: GuardedCode) throws {
        for tries in UInt8(1)...3 {
            let card = try code.card(tries: tries)
            try card.answer(code.prepare(on: card), "\(code)")
            // A recorded RELOAD PIN may be played again: it gives its own try back and no other.
            #expect(code.triesLeft(card.image) == (code == .reloadPIN ? tries : 3))
        }
    }

    @Test("a right code of a command that is refused for another reason has its try back")
    func refusedForAnotherReason() throws {
        let poor = try GuardedCode.gmac.card(tries: 2)
        _ = try GuardedCode.gmac.prepare(on: poor)
        let tooMuch = poor.debit(Amount(fen: poor.profile.balance.fen + 1)).apdu.bytes
        #expect(poor.send(tooMuch).status == .insufficientFunds)
        #expect(poor.image.gmacTriesLeft == 2 && poor.image.grey != nil)
        #expect(poor.image.bytes == poor.memory.image)

        let open = try GuardedCode.externalAuthenticate.card(tries: 2)
        #expect(open.send(try GuardedCode.unblock.prepare(on: open)).status == .conditionsOfUseNotSatisfied)
        #expect(open.image.upkeepTriesLeft == 2 && open.image.bytes == open.memory.image)

        // No PIN, under its right MAC.
        let none: [UInt8] = [0x12, 0x3F]
        let key = PINReloadKey(master: open.profile.masters.scheme[.pinReload], card: open.profile.card)
        let data = none + key.mac(pin: none.span).bytes
        #expect(open.send([0x80, 0x5E, 0x00, 0x00, UInt8(data.count)] + data).status == .incorrectData)
        #expect(open.image.upkeepTriesLeft == 2 && open.image.bytes == open.memory.image)
    }

    @Test(
        "a right code that power cut off from its comparison at the last try leaves none",
        arguments: GuardedCode.allCases
    )
    func lastTry(code: GuardedCode) throws {
        let card = try code.card(tries: 1)
        let balance = card.image.balance
        let cut = TryCut(write: 2, failure: .beforeWriting)
        _ = cut.observe(try code.prepare(on: card), card)
        #expect(code.triesLeft(card.image) == 0 && card.image.balance == balance)
        let select = card.send(TestCard.select.bytes).status
        switch code {
        case .gmac: #expect(select == .applicationLockedForGood)
        case .verify, .changePIN:
            // The issuer opens it again.
            try card.drawChallenge()
            try card.answer(card.unblockPIN().apdu.bytes, "PIN UNBLOCK")
            try card.answer(TestCard.verifyNew, "VERIFY")
        case .reloadPIN, .unblockPIN, .block, .unblock, .externalAuthenticate:
            #expect(card.send(TestCard.verify).status == .success)
        }
    }

    @Test("a card torn in each debit but the last is debited once, with its counter at the limit")
    func tornDebits() throws {
        let card = try GuardedCode.gmac.card()
        for cut in [TryCut(write: 1, failure: .afterWriting), TryCut(write: 2, failure: .beforeWriting)] {
            _ = cut.observe(try GuardedCode.gmac.prepare(on: card), card)
        }
        #expect(card.image.gmacTriesLeft == 1 && card.image.grey != nil)
        try card.answer(GuardedCode.gmac.prepare(on: card), "DEBIT FOR PETROL")
        #expect(card.image.gmacTriesLeft == 3 && card.image.grey == nil)
        #expect(card.image.balance.fen == card.profile.balance.fen - 5)
    }
}
