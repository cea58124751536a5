import CardApplication
import CardCryptography
import FuelPassbook
import ISO7816
import Quantities
import TestCards
import Testing

/// The worked examples of spec/passbook.md, last section, as APDUs. K is the card's own key in them.
///
/// Two of them are another purse's: types 02 and 06, the electronic wallet's. Their MACs over those types cannot pass this
/// card, which must refuse them; what does not hold the type must come out.
struct PublishedExampleTests {
    private static let key = "11223344556677888877665544332211"
    private static let terminal = TerminalID(0x0011_2233_4455)

    @Test func load() throws {
        let card = try card(key: Self.key, random: "11223344")
        let begun = try card.exchange(
            InitializeForLoad(
                keyIndex: Demonstration.keyIndex,
                amount: Amount(fen: 0x1000),
                terminal: Self.terminal
            )
        )
        #expect(begun.icc.number == 0x1122_3344 && begun.online.number == 0 && begun.balance == .zero)
        #expect(Hex.string(begun.mac1.bytes) == "2988AE5A")
        let time = try TransactionTime(parsing: Hex.bytes("20111221214822"))
        _ = try card.exchange(CreditForLoad(time: time, mac2: MAC(bytes: try Hex.bytes("3A845BF0"))))
        #expect(card.image.balance.fen == 0x1000 && card.image.online.number == 1)
    }

    @Test func purchase() throws {
        let amount = Amount(fen: 0x1000)
        let time = try TransactionTime(parsing: Hex.bytes("20120229135100"))
        let initialize = InitializeForPurchase(
            keyIndex: Demonstration.keyIndex,
            amount: amount,
            terminal: Self.terminal
        )

        let refusing = try card(key: Self.key, random: "11223344", balance: amount)
        _ = try refusing.exchange(initialize)
        let ofTheWallet = DebitForPurchase(ttc: TTC(1), time: time, mac1: MAC(bytes: try Hex.bytes("F15CAB75")))
        #expect(refusing.send(ofTheWallet.apdu.bytes).status == .macInvalid)
        #expect(refusing.image.balance == amount)

        let card = try card(key: Self.key, random: "11223344", balance: amount)
        let begun = try card.exchange(initialize)
        #expect(begun.icc.number == 0x1122_3344 && begun.ctc.number == 0)
        let session = PurchaseKey(doubleLengthKey(Self.key))
            .purchaseSession(icc: begun.icc, ctc: begun.ctc, ttc: TTC(1))
        let wallet = session.mac1(
            amount: amount,
            type: TransactionType(0x06),
            terminal: Self.terminal,
            time: time
        )
        #expect(Hex.string(wallet.bytes) == "F15CAB75")
        let mac1 = session.mac1(amount: amount, type: .purchase, terminal: Self.terminal, time: time)
        let answer = try card.exchange(DebitForPurchase(ttc: TTC(1), time: time, mac1: mac1))
        #expect(Hex.string(answer.mac2.bytes) == "56988A13")
        #expect(card.image.balance == .zero && card.image.ctc.number == 1)
    }

    @Test func externalAuthentication() throws {
        let thirtyNines = String(repeating: "39", count: 16)
        let card = try card(key: thirtyNines, random: "9B361B26CB9FA8C8")
        let challenge = try card.answer(GetChallenge(count: 8).apdu.bytes, "GET CHALLENGE")
        #expect(Hex.string(challenge) == "9B361B26CB9FA8C8")
        let cryptogram = try Cryptogram(parsing: Hex.bytes("97F557D8EDE97F95"))
        try card.answer(ExternalAuthenticate(cryptogram: cryptogram).apdu.bytes, "EXTERNAL AUTHENTICATE")
        // The challenge is used up.
        #expect(
            card.send(ExternalAuthenticate(cryptogram: cryptogram).apdu.bytes).status == .conditionsOfUseNotSatisfied
        )
    }

    /// Selected, PIN verified, every transaction number zero, with `key` as DPK, DLK and key of authentication.
    private func card(key: String, random: String, balance: Amount = .zero) throws -> TestCard {
        var profile = TestProfile()
        profile.balance = balance
        profile.ctc = CTC(0)
        profile.online = OnlineNumber(0)
        profile.random = try Hex.bytes(random)
        let scheme = profile.masters.scheme
        let asn = profile.card
        let keys = CardKeys(
            purchase: PurchaseKey(doubleLengthKey(key)),
            tac: TACKey(master: scheme[.tac], card: asn),
            unlock: UnlockKey(master: scheme[.greyUnlock], card: asn),
            load: LoadKey(doubleLengthKey(key)),
            unload: UnloadKey(master: scheme[.unload], card: asn),
            overdraft: OverdraftKey(master: scheme[.overdraft], card: asn),
            pinReload: PINReloadKey(master: scheme[.pinReload], card: asn),
            pinUnblock: PINUnblockKey(master: scheme[.pinUnblock], card: asn),
            maintenance: ApplicationMaintenanceKey(master: scheme[.applicationMaintenance], card: asn),
            externalAuthentication: AuthenticationKey(doubleLengthKey(key)),
            internalAuthentication: AuthenticationKey(master: scheme[.internalAuthentication], card: asn),
            sealing: SealingKey(from: scheme[.greyUnlock].child(of: asn.diversificationFactor), label: "GL-CARD")
        )
        let card = try TestCard(profile, keys: keys)
        try card.open()
        return card
    }

    private func doubleLengthKey(_ text: String) -> DoubleLengthKey {
        DoubleLengthKey(LockedBuffer(hexadecimal: text))
    }
}
