import CardApplication
import CardCryptography
import FuelPassbook
import ISO7816
import Quantities
import Records
import SecurityModule
import TestCards
import Testing

/// Module and card against each other, on the demonstration keys.
struct SessionTests {
    private static let amount = Amount(fen: 12_345)

    @Test func aSaleFromInitializeToMAC4() throws {
        let card = try TestCard()
        let module = module()
        let gmac = try locked(card, module).end(amount: Self.amount)
        let debit = debit(card, Self.amount, try module.open(gmac))
        let answer = try card.exchange(debit)
        #expect(try verify(answer.mac4, module, type: .refuel, Self.amount))
        #expect(try !verify(answer.mac4, module, type: .localUnlock, Self.amount))
        #expect(try !verify(answer.mac4, module, type: .refuel, Amount(fen: Self.amount.fen + 1)))
        #expect(card.image.balance.fen == card.profile.balance.fen - Self.amount.fen)
    }

    @Test func aCheckpointSettlesItsAmountAndNoOther() throws {
        let card = try TestCard()
        let module = module()
        let locked = try locked(card, module)
        let earlier = try module.open(locked.gmac(of: Amount(fen: 100)))
        _ = locked.end(amount: Self.amount)
        #expect(card.send(debit(card, Self.amount, earlier).apdu.bytes).status == .macInvalid)
        #expect(card.send(debit(card, Amount(fen: 100), earlier).apdu.bytes).status == .success)
    }

    @Test func aSealedGMACBelongsToOneRecord() throws {
        let card = try TestCard()
        let module = module()
        let sealed = try locked(card, module).end(amount: Self.amount)
        let other = try ApplicationSerialNumber(parsing: [0, 1, 0, 0, 0, 0, 0, 0, 0, 0x43])
        let moved = [
            SealedGMAC(
                card: sealed.card,
                terminal: TerminalID(1),
                ttc: sealed.ttc,
                ctc: sealed.ctc,
                amount: sealed.amount,
                key: sealed.key,
                sealed: sealed.sealed
            ),
            SealedGMAC(
                card: other,
                terminal: sealed.terminal,
                ttc: sealed.ttc,
                ctc: sealed.ctc,
                amount: sealed.amount,
                key: sealed.key,
                sealed: sealed.sealed
            ),
            SealedGMAC(
                card: sealed.card,
                terminal: sealed.terminal,
                ttc: TTC(sealed.ttc.number + 1),
                ctc: sealed.ctc,
                amount: sealed.amount,
                key: sealed.key,
                sealed: sealed.sealed
            ),
            SealedGMAC(
                card: sealed.card,
                terminal: sealed.terminal,
                ttc: sealed.ttc,
                ctc: CTC(sealed.ctc.number + 1),
                amount: sealed.amount,
                key: sealed.key,
                sealed: sealed.sealed
            ),
            SealedGMAC(
                card: sealed.card,
                terminal: sealed.terminal,
                ttc: sealed.ttc,
                ctc: sealed.ctc,
                amount: Amount(fen: sealed.amount.fen + 1),
                key: sealed.key,
                sealed: sealed.sealed
            ),
            SealedGMAC(
                card: sealed.card,
                terminal: sealed.terminal,
                ttc: sealed.ttc,
                ctc: sealed.ctc,
                amount: sealed.amount,
                key: sealed.key,
                sealed: Array(sealed.sealed.dropLast())
            ),
        ]
        _ = try module.open(sealed)
        #expect(sealed.sealed.count == SealedGMAC.sealedLength)
        for gmac in moved {
            #expect(throws: SecurityModuleError.sealBroken) { _ = try module.open(gmac) }
        }
        for bit in 0..<sealed.sealed.count * 8 {
            var bytes = sealed.sealed
            bytes[bit / 8] ^= 1 << (bit % 8)
            let altered = SealedGMAC(
                card: sealed.card,
                terminal: sealed.terminal,
                ttc: sealed.ttc,
                ctc: sealed.ctc,
                amount: sealed.amount,
                key: sealed.key,
                sealed: bytes
            )
            #expect(throws: SecurityModuleError.sealBroken, "bit \(bit)") { _ = try module.open(altered) }
        }
    }

    @Test func theGMACDoesNotStandInTheClearInItsSeal() throws {
        let module = module()
        let sealed = try locked(try TestCard(), module).end(amount: Self.amount)
        let plain = try module.open(sealed).bytes
        let windows = (0...sealed.sealed.count - plain.count).map { Array(sealed.sealed[$0..<$0 + plain.count]) }
        #expect(!windows.contains(plain))
    }

    @Test func aCardOfAnotherSchemeIsRefused() throws {
        var profile = TestProfile()
        profile.masters.purchase = MasterKey.load.demonstrationText
        let card = try TestCard(profile)
        let module = module()
        #expect(throws: SecurityModuleError.mac1Wrong) { _ = try authenticated(card, module) }
    }

    @Test func anAnswerToAnotherTerminalIsRefused() throws {
        let card = try TestCard()
        let elsewhere = module(terminal: TerminalID(1))
        #expect(throws: SecurityModuleError.mac1Wrong) { _ = try authenticated(card, elsewhere) }
    }

    @Test func aKeyThatIsNotLoadedIsNamed() throws {
        let missing = KeyReference(index: Demonstration.keyIndex, version: KeyVersion(2))
        let card = try TestCard()
        let module = module(key: missing)
        let wanted = KeyReference(index: Demonstration.keyIndex, version: Demonstration.keyVersion)
        #expect(throws: SecurityModuleError.keyNotLoaded(wanted)) { _ = try authenticated(card, module) }
    }

    @Test func anotherAlgorithmIsRefused() throws {
        let card = try TestCard()
        try card.open()
        let answer = try card.beginPetrol()
        let other = InitializeForPetrol.Response(
            balance: answer.balance,
            ctc: answer.ctc,
            keyVersion: answer.keyVersion,
            algorithm: AlgorithmID(1),
            icc: answer.icc,
            mac1: answer.mac1
        )
        let module = module()
        #expect(throws: SecurityModuleError.algorithmNotSupported(AlgorithmID(1))) {
            _ = try module.verifyMAC1(
                card: card.profile.card,
                command: TestCard.initializeForPetrol,
                answer: other
            )
        }
    }

    // MARK: - Card and module

    private func module(
        terminal: TerminalID = TestCard.terminal,
        key: KeyReference = KeyReference(index: Demonstration.keyIndex, version: Demonstration.keyVersion)
    ) -> SecurityModule {
        var keys = MasterKeys()
        keys.load(MasterKey.purchase.demonstration, as: key)
        return SecurityModule(
            terminal: terminal,
            keys: .lockedMemory(keys),
            recordKey: .demonstration,
            random: SystemRandom()
        )
    }

    private func authenticated(_ card: TestCard, _ module: SecurityModule) throws -> AuthenticatedSale {
        try card.open()
        let answer = try card.beginPetrol()
        return try module.verifyMAC1(
            card: card.profile.card,
            command: TestCard.initializeForPetrol,
            answer: answer
        )
    }

    private func locked(_ card: TestCard, _ module: SecurityModule) throws -> LockedSale {
        let locking = try authenticated(card, module).makeMAC2(time: TestCard.time)
        let answer = try card.exchange(LockForPetrol(time: locking.time, mac2: locking.mac2))
        return try locking.verifyMAC3(answer.mac3)
    }

    private func debit(_ card: TestCard, _ amount: Amount, _ gmac: MAC) -> DebitForPetrol {
        DebitForPetrol(
            amount: amount,
            ctc: card.image.ctc,
            terminal: TestCard.terminal,
            ttc: TestCard.ttc,
            time: TestCard.laterTime,
            gmac: gmac
        )
    }

    private func verify(
        _ mac4: MAC,
        _ module: SecurityModule,
        type: TransactionType,
        _ amount: Amount
    ) throws(SecurityModuleError) -> Bool {
        let attempt = DebitAttempt(ttc: TestCard.ttc, type: type, terminal: TestCard.terminal, time: TestCard.laterTime)
        let proof = try module.verifyMAC4(
            mac4,
            tac: mac4,
            card: TestProfile().card,
            key: KeyReference(index: Demonstration.keyIndex, version: Demonstration.keyVersion),
            amount: amount,
            attempts: [attempt]
        )
        return proof?.attempt == attempt
    }
}
