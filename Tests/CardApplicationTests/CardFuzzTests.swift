import CardApplication
import FuelPassbook
import ISO7816
import Quantities
import Simulation
import TestCards
import Testing

struct CardFuzzTests {
    @Test func twoHundredThousandCommandsBreakNoRule() {
        var fuzz = CardFuzz(seed: 20_010_301)
        let violation = fuzz.run(apdus: 200_000)
        #expect(violation == nil, "\(violation?.reason ?? ""): \(violation?.exchanges ?? [])")
        // The sequences reach what they are to try.
        #expect(Set(fuzz.tally.acceptances.keys) == Set(Instruction.allCases))
        #expect(fuzz.tally.transactions > 1_000 && fuzz.tally.powerCuts > 1_000)
    }

    @Test func theSameSeedSendsTheSame() {
        var first = CardFuzz(seed: 7)
        var second = CardFuzz(seed: 7)
        _ = first.run(apdus: 4_000)
        _ = second.run(apdus: 4_000)
        #expect(first.tally.acceptances == second.tally.acceptances && first.tally.apdus == second.tally.apdus)
    }

    /// The judge is judged: each forbidden change of a card, after a command that may not make it.
    @Test func everyForbiddenChangeIsNoticed() throws {
        let forbidden: [(name: String, change: (inout CardImage) -> Void)] = [
            ("money made", { $0.balance = Amount(fen: $0.balance.fen + 1) }),
            ("money lost", { $0.balance = Amount(fen: $0.balance.fen - 1) }),
            ("a limit raised", { $0.overdraftLimit = OverdraftLimit(fen: 1) }),
            ("a grey mark cleared", { $0.grey = nil }),
            ("a number moved", { $0.ctc = CTC($0.ctc.number + 1) }),
            ("the other number moved", { $0.online = OnlineNumber($0.online.number + 1) }),
            ("GMAC tries filled", { $0.gmacTriesLeft += 1 }),
            ("PIN tries filled", { $0.pinTriesLeft += 1 }),
            ("upkeep tries filled", { $0.upkeepTriesLeft += 1 }),
            ("a block", { $0.block = .temporary }),
            ("a log record lost", { $0.log.removeAll() }),
        ]
        for accepted in [true, false] {
            for (name, change) in forbidden {
                let before = try wornGreyCard().image
                var after = before
                change(&after)
                var model = FuzzModel(card: before)
                let response = ResponseAPDU(
                    data: accepted ? before.balance.bytes : [],
                    status: accepted ? .success : .macInvalid
                )
                let found = model.violation(GetBalance().apdu, response, before: before, after: after)
                #expect(found != nil, "\(name), accepted: \(accepted)")
                var honest = FuzzModel(card: before)
                #expect(honest.violation(GetBalance().apdu, response, before: before, after: before) == nil)
            }
        }
    }

    /// Commands that were accepted with another code than theirs.
    @Test func aCodeThatIsNotTheOtherSidesIsNoticed() throws {
        let card = try TestCard()
        try card.bring(to: .load)
        var command = card.credit().apdu
        command.data[10] ^= 1
        let before = card.image
        var after = before
        after.balance = Amount(fen: before.balance.fen + TestCard.ordinaryAmount.fen)
        after.online = OnlineNumber(before.online.number + 1)
        var model = FuzzModel(card: before)
        let found = model.violation(
            command,
            ResponseAPDU(data: [1, 2, 3, 4]),
            before: before,
            after: after
        )
        #expect(found == "CREDIT FOR LOAD was accepted without its code")
    }

    /// What a restart may find after power went in a command, and what it may not.
    @Test func everyForbiddenChangeInAPowerCutIsNoticed() throws {
        let verify = CommandAPDU(Instruction.verify.header, data: [0x12, 0x34, 0x56])
        let before = try wornGreyCard().image
        var counted = before
        counted.pinTriesLeft -= 1
        var filled = before
        filled.pinTriesLeft = before.pinTriesLimit
        var paid = counted
        paid.balance = Amount(fen: before.balance.fen - 1)
        var free = filled
        free.grey = nil
        let wrong = CommandAPDU(Instruction.verify.header, data: [0x12, 0x34, 0x57])
        let cases: [(CommandAPDU, CardImage, comparedCode: Bool, isAllowed: Bool)] = [
            (verify, before, false, true), (wrong, before, false, true), (wrong, before, true, false),
            (verify, counted, false, true), (verify, counted, true, true), (wrong, counted, true, true),
            (verify, filled, true, true), (wrong, filled, true, false), (verify, paid, true, false),
            (verify, free, true, false), (GetBalance().apdu, counted, false, false),
        ]
        for (index, (command, after, comparedCode, isAllowed)) in cases.enumerated() {
            var model = FuzzModel(card: before)
            let found = model.violationOfCut(command, before: before, after: after, comparedCode: comparedCode)
            #expect((found == nil) == isAllowed, "case \(index): \(found ?? "nothing")")
        }
    }

    @Test func aSequenceIsShortenedToWhatMatters() {
        let shortest = CardFuzz.shortest(Array(0..<400)) { $0.contains(17) && $0.contains(230) && $0.contains(231) }
        #expect(shortest == [17, 230, 231])
    }

    /// Grey, with one of everything lost, and a log.
    private func wornGreyCard() throws -> TestCard {
        let card = try TestCard()
        try card.bring(to: .grey)
        _ = try card.exchange(card.debit(Amount(fen: 1)))
        try card.bring(to: .grey)
        var wrong = card.debit(Amount(fen: 1)).apdu
        wrong.data[26] ^= 1
        #expect(card.send(wrong.bytes).status == .macInvalid)
        var reload = card.reloadPIN
        reload[6] ^= 1
        #expect(card.send(reload).status == .macInvalid)
        #expect(card.send([0x00, 0x20, 0x00, 0x00, 0x02, 0x00, 0x00]).status == .verificationFailed(triesLeft: 2))
        return card
    }
}
