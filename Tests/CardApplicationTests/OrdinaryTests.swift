import CardApplication
import CardCryptography
import FuelPassbook
import ISO7816
import Issuer
import Quantities
import TestCards
import Testing

/// The rules of the ordinary passbook (spec/passbook.md, Decisions; decision 0007) that no table shows, with the issuer's
/// own functions on the other side.
struct OrdinaryTests {
    @Test func theIssuerLoadsUnloadsAndChangesTheLimit() throws {
        let card = try openCard()
        let loading = try issuer.verifyMAC1(
            card: card.profile.card,
            command: TestCard.initializeForLoad,
            answer: card.beginLoad()
        )
        let loaded = loading.makeMAC2(time: TestCard.time)
        let credit = try card.exchange(loaded.command)
        let balanceLoaded = try loaded.verify(credit.tac)
        #expect(balanceLoaded == card.image.balance && card.image.balance.fen == 51_234)
        #expect(try proof(card, .load, card.profile.online.number).tac.isValid(credit.tac))

        let unloading = try issuer.verifyMAC1(
            card: card.profile.card,
            command: TestCard.initializeForUnload,
            answer: card.beginUnload()
        )
        let unloaded = unloading.makeMAC2(time: TestCard.time)
        let debit = try card.exchange(unloaded.command)
        let balanceUnloaded = try unloaded.verify(debit.mac3)
        #expect(balanceUnloaded == card.image.balance && card.image.balance.fen == 50_000)
        let kept = try proof(card, .unload, card.profile.online.number + 1)
        #expect(kept.mac.isValid(debit.mac3))
        #expect(
            try issuer.isTACValid(
                kept.tac,
                card: card.profile.card,
                keyIndex: Demonstration.keyIndex,
                keyVersion: Demonstration.keyVersion,
                balance: card.image.balance,
                online: OnlineNumber(card.profile.online.number + 1),
                amount: TestCard.ordinaryAmount,
                type: .unload,
                terminal: TestCard.terminal,
                time: TestCard.time
            )
        )

        let updating = try issuer.verifyMAC1(
            card: card.profile.card,
            command: TestCard.initializeForUpdate,
            answer: card.beginUpdate()
        )
        let updated = try updating.makeMAC2(limit: TestCard.newLimit, time: TestCard.time)
        let update = try card.exchange(updated.command)
        let balanceUpdated = try updated.verify(update.tac)
        #expect(balanceUpdated == card.image.balance && card.image.balance.fen == 70_000)
    }

    @Test func theIssuerUnlocks() throws {
        let card = try TestCard()
        try card.bring(to: .grey)
        let begun = try issuer.verifyMAC1(
            card: card.profile.card,
            command: TestCard.initializeForUnlock,
            answer: card.beginUnlock()
        )
        let unlocking = try begun.makeMAC2(amount: Amount(fen: 100), time: TestCard.time)
        let answer = try card.exchange(unlocking.command)
        let balanceUnlocking = try unlocking.verify(answer.mac3)
        #expect(balanceUnlocking == card.image.balance && card.image.grey == nil)
    }

    @Test func theIssuerRefusesWrongProofs() throws {
        let card = try openCard()
        let other = try ApplicationSerialNumber(parsing: Hex.bytes("00010000000000000043"))
        let answer = try card.beginLoad()
        #expect(throws: IssuerError.mac1Wrong) {
            _ = try issuer.verifyMAC1(card: other, command: TestCard.initializeForLoad, answer: answer)
        }
        let loading = try issuer.verifyMAC1(
            card: card.profile.card,
            command: TestCard.initializeForLoad,
            answer: answer
        )
        let loaded = loading.makeMAC2(time: TestCard.time)
        do throws(IssuerError) {
            _ = try loaded.verify(MAC(bytes: [0, 0, 0, 0]))
            Issue.record("a wrong TAC passes")
        } catch {
            #expect(error == .tacWrong)
        }
        let unknown = InitializeForLoad(keyIndex: KeyIndex(2), amount: .zero, terminal: TestCard.terminal)
        #expect(throws: IssuerError.keyNotLoaded(KeyIndex(2), Demonstration.keyVersion)) {
            _ = try issuer.verifyMAC1(card: card.profile.card, command: unknown, answer: answer)
        }
    }

    @Test func theOverdraftLimitMovesTheBalanceAndCannotGoBelowWhatIsSpent() throws {
        var profile = TestProfile()
        profile.balance = Amount(fen: 1_000)
        profile.overdraftLimit = OverdraftLimit(fen: 5_000)
        let card = try TestCard(profile)
        // 4,000 of the 5,000 are spent.
        for (limit, balance) in [(4_000, 0), (4_001, 1), (0xFF_FFFF, 16_773_215), (4_500, 500)] as [(UInt32, UInt32)] {
            try card.bring(to: .modify)
            _ = try card.exchange(card.updateOverdraftLimit(OverdraftLimit(fen: limit)))
            #expect(card.image.balance.fen == balance && card.image.overdraftLimit.fen == limit)
        }
        try card.bring(to: .modify)
        let before = card.image
        let below = card.updateOverdraftLimit(OverdraftLimit(fen: 3_999)).apdu.bytes
        #expect(card.send(below).status == .conditionsOfUseNotSatisfied)
        #expect(card.image == before && card.state == .idle)
    }

    @Test func onlyOwnMoneyIsUnloadedAndThePurchaseMayUseTheLimit() throws {
        var profile = TestProfile()
        profile.balance = Amount(fen: 6_000)
        profile.overdraftLimit = OverdraftLimit(fen: 5_000)
        let card = try TestCard(profile)
        try card.open()
        #expect(card.send(TestCard.initializeForUnload.apdu.bytes).status == .insufficientFunds)
        try card.beginPurchase()
        _ = try card.exchange(card.debitForPurchase())
        #expect(card.image.balance.fen == 4_766)
        #expect(card.image.log.first?.overdraftLimit == profile.overdraftLimit)
        #expect(card.image.ownMoney == .zero)
    }

    @Test func aLoadThatDoesNotFitIsRefused() throws {
        var profile = TestProfile()
        profile.balance = Amount(fen: .max - 1_233)
        let card = try TestCard(profile)
        try card.open()
        #expect(card.send(TestCard.initializeForLoad.apdu.bytes).status == .conditionsOfUseNotSatisfied)
    }

    /// Key index before counter before money.
    @Test func countersAtTheirMaximumAndTheOrderOfChecks() throws {
        var profile = TestProfile()
        profile.ctc = .maximum
        profile.online = .maximum
        profile.balance = .zero
        let card = try TestCard(profile)
        try card.open()
        let initializes = [
            TestCard.initializeForLoad.apdu, TestCard.initializeForPurchase.apdu,
            TestCard.initializeForPurchase.cashWithdrawalAPDU, TestCard.initializeForUnload.apdu,
            TestCard.initializeForUpdate.apdu,
        ]
        for command in initializes {
            #expect(card.send(command.bytes).status == .counterAtMaximum)
            var otherKey = command
            otherKey.data[0] = 9
            #expect(card.send(otherKey.bytes).status == .keyIndexNotSupported)
            try card.answer(TestCard.select.bytes, "SELECT")
            #expect(card.send(command.bytes).status == .securityStatusNotSatisfied)
            try card.answer(TestCard.verify, "VERIFY")
        }
        let poor = try TestCard(with(profile) { $0.ctc = CTC(0) })
        try poor.open()
        #expect(poor.send(TestCard.initializeForPurchase.apdu.bytes).status == .insufficientFunds)
    }

    @Test func purchaseAndCashWithdrawalAreToldApart() throws {
        let card = try openCard()
        try card.beginPurchase(cash: true)
        #expect(card.send(card.debitForPurchase().apdu.bytes).status == .macInvalid)
        try card.beginPurchase(cash: true)
        let answer = try card.exchange(card.debitForPurchase(.cashWithdrawal))
        #expect(card.image.log.first?.type == .cashWithdrawal)
        let number = card.profile.ctc.number
        #expect(try proof(card, .cashWithdrawal, number).mac.isValid(answer.mac2))
        #expect(
            card.send(GetTransactionProve(type: .purchase, number: number).apdu.bytes).status == .proofNotAvailable
        )
    }

    @Test func theLogIsReadNewestFirstAndHasTenRecords() throws {
        let card = try openCard()
        for _ in 0..<CardImage.logRecordsMax + 2 {
            try card.beginPurchase()
            _ = try card.exchange(card.debitForPurchase())
        }
        for number in 1...UInt8(CardImage.logRecordsMax) {
            let bytes = try card.answer(ReadRecord(number: number).apdu.bytes, "READ RECORD")
            var reader = FieldReader(bytes)
            let record = try LogRecord(reading: &reader)
            #expect(bytes.count == 23 && record == card.image.log[Int(number) - 1])
            #expect(record.number == card.image.ctc.number - UInt16(number))
        }
        #expect(card.send(ReadRecord(number: 11).apdu.bytes).status == .recordNotFound)
    }

    @Test func theHoldersFileIsRead() throws {
        let card = try openCard()
        let bytes = try card.answer(ReadBinary(file: HolderFile.shortIdentifier, count: 256).apdu.bytes, "READ BINARY")
        #expect(try HolderFile(parsing: bytes) == .blank && bytes.count == 39)
    }

    // MARK: - Cards

    private let issuer: Issuer = {
        var keys = IssuerKeys()
        keys.load(Demonstration.schemeKeys, index: Demonstration.keyIndex, version: Demonstration.keyVersion)
        return Issuer(keys: keys)
    }()

    private func openCard() throws -> TestCard {
        let card = try TestCard()
        try card.open()
        return card
    }

    private func with(_ profile: TestProfile, _ change: (inout TestProfile) -> Void) -> TestProfile {
        var profile = profile
        change(&profile)
        return profile
    }

    private func proof(_ card: TestCard, _ type: TransactionType, _ number: UInt16) throws -> TransactionProof {
        let command = GetTransactionProve(type: type, number: number)
        return try TransactionProof(parsing: card.answer(command.apdu.bytes, "GET TRANSACTION PROVE"))
    }
}
