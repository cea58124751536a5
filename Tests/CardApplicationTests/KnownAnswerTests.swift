import CardApplication
import CardCryptography
import FuelPassbook
import ISO7816
import Quantities
import TestCards
import Testing

/// The cases of `patent-profile.json` as APDUs: what the card answers is compared byte by byte with the known answer.
/// What the card must refuse is asserted as that refusal.
@Suite(.enabled(if: SharedFolder.isUsable, Comment(rawValue: SharedFolder.reasonToSkip)))
struct KnownAnswerTests {
    @Test func everyCaseIsRefuelled() throws {
        var tally = Tally()
        for known in try PatentCase.all() {
            try refuel(known, &tally)
        }
        print("known answers through the card, refuelling: \(tally)")
        #expect(tally.compared > 0)
    }

    @Test func everyCaseIsReleasedByADebitOfZero() throws {
        var tally = Tally()
        for known in try PatentCase.all() where known.ctc != .maximum {
            let card = try lockedCard(known)
            let gmac = MAC(bytes: try known.expected("GMAC_of_zero"))
            _ = try card.exchange(debit(known, card, amount: .zero, gmac: gmac))
            #expect(card.image.balance == known.balance && card.image.grey == nil, "\(known)")
            tally.compared += 1
        }
        print("known answers through the card, debit of zero: \(tally)")
    }

    @Test func everyCaseIsUnlockedOnline() throws {
        var tally = Tally()
        for known in try PatentCase.all() {
            try unlockOnline(known, &tally)
        }
        print("known answers through the card, online unlock: \(tally)")
        #expect(tally.compared > 0)
    }

    private struct Tally: CustomStringConvertible {
        var compared = 0
        var refused = 0

        var description: String { "\(compared) values compared, \(refused) refusals asserted" }
    }

    // MARK: - Refuel (steps 1.1 to 1.14)

    private func refuel(_ known: PatentCase, _ tally: inout Tally) throws {
        let card = try card(known)
        guard known.ctc != .maximum else {
            #expect(card.send(initialize(known).apdu.bytes).status == .counterAtMaximum, "\(known)")
            tally.refused += 1
            return
        }
        let begun = try card.exchange(initialize(known))
        #expect(begun.balance == known.balance && begun.ctc == known.ctc && begun.icc == known.icc, "\(known)")
        try compare(begun.mac1, "MAC1", known, &tally)

        let locked = try card.exchange(lock(known))
        try compare(locked.lockTAC, "lockTAC", known, &tally)
        try compare(locked.mac3, "MAC3", known, &tally)

        if known.debitType == .localUnlock {
            let status = try card.exchange(GetGreyStatus())
            #expect(status.balance == known.balance && status.ctc == known.ctc.next, "\(known)")
            try compare(status.mac3, "MAC3", known, &tally)
            try compare(status.lockTAC, "lockTAC", known, &tally)
        }
        try settle(known, card, &tally)
    }

    private func settle(_ known: PatentCase, _ card: TestCard, _ tally: inout Tally) throws {
        let command = debit(known, card, amount: known.amount, gmac: MAC(bytes: try known.expected("GMAC")))
        guard let balanceAfter = known.balanceAfter else {
            #expect(card.send(command.apdu.bytes).status == .insufficientFunds, "\(known)")
            #expect(card.image.grey != nil && card.image.balance == known.balance, "\(known)")
            tally.refused += 1
            return
        }
        let settled = try card.exchange(command)
        try compare(settled.mac4, "MAC4", known, &tally)
        try compare(settled.debitTAC, "debitTAC", known, &tally)
        #expect(card.image.balance == balanceAfter && card.image.grey == nil, "\(known)")

        let proof = try proof(card, known.debitType, known.ctc.number)
        try compare(proof.mac, "MAC4", known, &tally)
        try compare(proof.tac, "debitTAC", known, &tally)
    }

    // MARK: - Online unlock (steps 2.1 to 2.8)

    /// The lock that it ends is another sale's: its data do not enter the unlock.
    private func unlockOnline(_ known: PatentCase, _ tally: inout Tally) throws {
        var profile = profile(known)
        profile.ctc = CTC(0)
        profile.random = [0, 0, 0, 0] + known.icc.bytes
        let card = try TestCard(profile)
        try card.bring(to: .grey)
        let initialize = InitializeForUnlock(keyIndex: Demonstration.keyIndex, terminal: known.terminal)
        guard known.online != .maximum else {
            #expect(card.send(initialize.apdu.bytes).status == .counterAtMaximum, "\(known)")
            tally.refused += 1
            return
        }
        let begun = try card.exchange(initialize)
        #expect(begun.online == known.online && begun.icc == known.icc && begun.balance == known.balance, "\(known)")
        try compare(begun.mac1, "unlockMAC1", known, &tally)

        let command = DebitForUnlock(
            amount: known.amount,
            time: known.time,
            mac2: MAC(bytes: try known.expected("unlockMAC2"))
        )
        guard let balanceAfter = known.balanceAfter else {
            #expect(card.send(command.apdu.bytes).status == .insufficientFunds, "\(known)")
            #expect(card.image.grey != nil, "\(known)")
            tally.refused += 1
            return
        }
        try compare(try card.exchange(command).mac3, "unlockMAC3", known, &tally)
        #expect(card.image.balance == balanceAfter && card.image.grey == nil, "\(known)")
        #expect(card.image.online == known.online.next, "\(known)")

        let proof = try proof(card, .onlineUnlock, known.online.number)
        try compare(proof.mac, "unlockMAC3", known, &tally)
        try compare(proof.tac, "unlockTAC", known, &tally)
    }

    // MARK: - The case's card and commands

    private func profile(_ known: PatentCase) -> TestProfile {
        var profile = TestProfile()
        profile.masters = known.masters
        profile.card = known.card
        profile.balance = known.balance
        profile.ctc = known.ctc
        profile.online = known.online
        profile.random = known.icc.bytes
        return profile
    }

    private func card(_ known: PatentCase) throws -> TestCard {
        let card = try TestCard(profile(known))
        try card.open()
        return card
    }

    private func lockedCard(_ known: PatentCase) throws -> TestCard {
        let card = try card(known)
        _ = try card.exchange(initialize(known))
        _ = try card.exchange(lock(known))
        return card
    }

    private func initialize(_ known: PatentCase) -> InitializeForPetrol {
        InitializeForPetrol(keyIndex: Demonstration.keyIndex, terminal: known.terminal, ttc: known.ttc)
    }

    private func lock(_ known: PatentCase) throws -> LockForPetrol {
        LockForPetrol(time: known.time, mac2: MAC(bytes: try known.expected("MAC2")))
    }

    private func debit(_ known: PatentCase, _ card: TestCard, amount: Amount, gmac: MAC) -> DebitForPetrol {
        DebitForPetrol(
            amount: amount,
            ctc: card.image.ctc,
            terminal: known.terminal,
            ttc: known.ttc,
            time: known.time,
            gmac: gmac
        )
    }

    private func proof(_ card: TestCard, _ type: TransactionType, _ number: UInt16) throws -> TransactionProof {
        let command = GetTransactionProve(type: type, number: number)
        return try TransactionProof(parsing: card.answer(command.apdu.bytes, "GET TRANSACTION PROVE"))
    }

    private func compare(_ mac: MAC, _ field: String, _ known: PatentCase, _ tally: inout Tally) throws {
        #expect(mac.bytes == (try known.expected(field)), "\(known): \(field)")
        tally.compared += 1
    }
}
