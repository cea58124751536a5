import CardApplication
package import CardCryptography
package import Counter
import FuelPassbook
import ISO7816
import Issuer
package import Quantities
import Records
package import SecurityModule
package import TestCards

extension TestCounter {
    /// A grey card and the file of its record.
    package static func greyCard(amount fen: UInt32 = 7_85) throws -> (TestCard, [UInt8]) {
        let card = try TestCard()
        try card.bring(to: .grey)
        return (card, try file(of: card, amount: fen))
    }

    /// - Parameter scheme: whose terminal wrote it.
    package static func file(
        of card: TestCard,
        amount fen: UInt32 = 7_85,
        balance: Amount? = nil,
        master: consuming LockedBuffer = demonstrationMaster()
    ) throws -> [UInt8] {
        guard let grey = card.image.grey else { preconditionFailure("the card is grey") }
        let module = module(master)
        let name = SealedGMAC(
            card: card.profile.card,
            terminal: TestCard.terminal,
            ttc: TestCard.ttc,
            ctc: grey.ctc,
            amount: Amount(fen: fen),
            key: reference,
            sealed: []
        )
        let sealed = recordKey().seal(of: TestCard.terminal)
            .seal(MAC(bytes: [1, 2, 3, 4]), as: name, random: SystemRandom())
        let record = GreyRecord(
            RecordNumber(1),
            mac3: grey.mac3,
            gmac: sealed,
            balance: balance ?? card.image.balance,
            imported: TestCard.time
        )
        return try module.greyRecordFile([record])
    }

    package static func demonstrationMaster() -> LockedBuffer {
        demonstrationStore().newest.purchaseMaster()
    }

    static func demonstrationStore() -> KeyStore {
        KeyStore(
            converting: Demonstration.schemeKeys,
            KeyReference(index: Demonstration.keyIndex, version: Demonstration.keyVersion),
            at: 0
        )
    }

    package static var keys: KeyHolder { holder(demonstrationMaster()) }

    private static func holder(_ master: consuming LockedBuffer) -> KeyHolder {
        var keys = MasterKeys()
        keys.load(master, as: reference)
        return .lockedMemory(keys)
    }

    private static func recordKey() -> RecordKey {
        RecordKey(LockedBuffer(hexadecimal: "0123456789ABCDEF0123456789ABCDEF"), as: reference)
    }

    private static func module(_ master: consuming LockedBuffer) -> SecurityModule {
        SecurityModule(
            terminal: TestCard.terminal,
            keys: holder(master),
            recordKey: recordKey(),
            random: SystemRandom()
        )
    }

    package static func records(_ bytes: [UInt8]) throws(CounterStop) -> CounterVisit.UnlockBasis {
        .records(try GreyRecordFile.carried(bytes, keys: keys))
    }
}
