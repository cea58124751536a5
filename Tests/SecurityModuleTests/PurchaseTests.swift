import CardApplication
import CardCryptography
import FuelPassbook
import ISO7816
import Quantities
import Records
import SecurityModule
import TestCards
import Testing

/// The purchase's session.
struct PurchaseTests {
    private static let amount = Amount(fen: 0x1000)
    private static let ttc = TTC(0x8182_8384)
    private static let card = Demonstration.applicationFile.asn
    private static let key = KeyReference(index: Demonstration.keyIndex, version: Demonstration.keyVersion)

    /// spec/passbook.md, last section: the published key is the card's own, and the type is the purse's `06`.
    @Test func theVocabularyMakesThePublishedMACs() throws {
        let key = PurchaseKey(DoubleLengthKey(LockedBuffer(hexadecimal: "11223344556677888877665544332211")))
        let session = key.purchaseSession(icc: ICCRandom(0x1122_3344), ctc: CTC(0), ttc: TTC(1))
        let time = try Self.time()
        let mac1 = session.mac1(
            amount: Self.amount,
            type: TransactionType(0x06),
            terminal: Demonstration.terminal,
            time: time
        )
        #expect(Hex.string(mac1.bytes) == "F15CAB75")
        #expect(Hex.string(session.mac2(amount: Self.amount).bytes) == "56988A13")
        // The same input with the passbook's type, by OpenSSL's command line.
        let passbook = session.mac1(
            amount: Self.amount,
            type: .purchase,
            terminal: Demonstration.terminal,
            time: time
        )
        #expect(Hex.string(passbook.bytes) == "0021E887")
    }

    /// MPK and ASN of the demonstration (spec/grey-lock.md, section 7), the other inputs of the published example with
    /// CTC 0041 and TTC 81828384; by OpenSSL's command line after spec/grey-lock.md, section 2.
    @Test func theModuleMakesMAC1AndAcceptsMAC2AndRefusesEverySingleBitFlip() throws {
        let mac2 = try Hex.bytes("B6271D20")
        let debiting = try Self.debiting()
        #expect(Hex.string(debiting.mac1.bytes) == "4463BDB6")
        #expect(debiting.ttc == Self.ttc)
        _ = try debiting.verifyMAC2(MAC(bytes: mac2), tac: MAC(bytes: mac2))
        #expect(try Self.isValidMAC2(mac2))
        for bit in 0..<32 {
            var altered = mac2
            altered[bit / 8] ^= 1 << (bit % 8)
            let debiting = try Self.debiting()
            var isRefused = false
            do throws(SecurityModuleError) {
                _ = try debiting.verifyMAC2(MAC(bytes: altered), tac: MAC(bytes: altered))
            } catch {
                isRefused = error == .mac2Wrong
            }
            #expect(isRefused, "bit \(bit)")
            #expect(try !Self.isValidMAC2(altered), "bit \(bit)")
        }
    }

    @Test func aPurchaseThatTheCardTakes() throws {
        let card = try TestCard()
        try card.open()
        let command = InitializeForPurchase(
            keyIndex: Demonstration.keyIndex,
            amount: Self.amount,
            terminal: TestCard.terminal
        )
        let answer = try card.exchange(command)
        let module = Self.module()
        let debiting = try module.makeMAC1(
            card: card.profile.card,
            command: command,
            answer: answer,
            ttc: TestCard.ttc,
            time: TestCard.time
        )
        let paid = try card.exchange(DebitForPurchase(ttc: debiting.ttc, time: debiting.time, mac1: debiting.mac1))
        _ = try debiting.verifyMAC2(paid.mac2, tac: paid.tac)
        #expect(card.image.balance.fen == card.profile.balance.fen - Self.amount.fen)

        let asked = GetTransactionProve(type: .purchase, number: answer.ctc.number).apdu.bytes
        let proof = try TransactionProof(parsing: card.answer(asked, "GET TRANSACTION PROVE"))
        let session = PurchaseSessionData(icc: answer.icc, ctc: answer.ctc, ttc: TestCard.ttc)
        let proven = try module.provePurchase(
            mac2: proof.mac,
            tac: proof.tac,
            card: card.profile.card,
            key: Self.key,
            session: session,
            amount: Self.amount
        )
        #expect(proven?.session == session && proven?.amount == Self.amount)
        #expect(proof.tac.bytes == paid.tac.bytes)
    }

    @Test func whatTheModuleCannotDoIsNamed() throws {
        let module = Self.module()
        let command = InitializeForPurchase(
            keyIndex: Demonstration.keyIndex,
            amount: Self.amount,
            terminal: Demonstration.terminal
        )
        let time = try Self.time()
        #expect(throws: SecurityModuleError.algorithmNotSupported(AlgorithmID(1))) {
            _ = try module.makeMAC1(
                card: Self.card,
                command: command,
                answer: Self.answer(algorithm: AlgorithmID(1)),
                ttc: Self.ttc,
                time: time
            )
        }
        let missing = KeyReference(index: Demonstration.keyIndex, version: KeyVersion(2))
        #expect(throws: SecurityModuleError.keyNotLoaded(missing)) {
            _ = try module.makeMAC1(
                card: Self.card,
                command: command,
                answer: Self.answer(version: KeyVersion(2)),
                ttc: Self.ttc,
                time: time
            )
        }
    }

    private static func time() throws(ParseError) -> TransactionTime {
        try TransactionTime(date: CalendarDate(year: 2012, month: 2, day: 29), hour: 13, minute: 51, second: 0)
    }

    private static func module() -> SecurityModule {
        .demonstration()
    }

    private static func answer(
        algorithm: AlgorithmID = .tripleDES,
        version: KeyVersion = Demonstration.keyVersion
    ) -> InitializeForPurchase.Response {
        InitializeForPurchase.Response(
            balance: Demonstration.balance,
            ctc: CTC(0x0041),
            overdraftLimit: .zero,
            keyVersion: version,
            algorithm: algorithm,
            icc: ICCRandom(0x1122_3344)
        )
    }

    private static func debiting() throws -> DebitingPurchase {
        let command = InitializeForPurchase(
            keyIndex: Demonstration.keyIndex,
            amount: amount,
            terminal: Demonstration.terminal
        )
        return try module().makeMAC1(card: card, command: command, answer: answer(), ttc: ttc, time: time())
    }

    private static func isValidMAC2(_ mac2: [UInt8]) throws(SecurityModuleError) -> Bool {
        let session = PurchaseSessionData(icc: ICCRandom(0x1122_3344), ctc: CTC(0x0041), ttc: ttc)
        let proven = try module().provePurchase(
            mac2: MAC(bytes: mac2),
            tac: MAC(bytes: mac2),
            card: card,
            key: key,
            session: session,
            amount: amount
        )
        return proven != nil
    }
}
