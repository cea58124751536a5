package import CardCryptography
package import FuelPassbook
package import Quantities

extension CardImage {
    /// What a new card keeps: no transaction yet, both transaction numbers zero, every try left.
    ///
    /// - Parameters:
    ///   - balance: with the overdraft limit.
    ///   - pinTries: 1 to 15.
    ///   - gmacTries: 1 to 15.
    package init(
        personalising file: PublicApplicationFile,
        keyIndex: KeyIndex,
        keyVersion: KeyVersion,
        balance: Amount,
        overdraftLimit: OverdraftLimit = .zero,
        holder: HolderFile = .blank,
        pin: borrowing PIN,
        pinTries: UInt8,
        gmacTries: UInt8,
        keys: borrowing CardKeys,
        random: any RandomSource
    ) {
        precondition((1...15).contains(pinTries) && (1...15).contains(gmacTries))
        self.init(
            file: file,
            holder: holder,
            keyIndex: keyIndex,
            keyVersion: keyVersion,
            balance: balance,
            overdraftLimit: overdraftLimit,
            ctc: CTC(0),
            online: OnlineNumber(0),
            gmacTriesLimit: gmacTries,
            gmacTriesLeft: gmacTries,
            pinTriesLimit: pinTries,
            pinTriesLeft: pinTries,
            upkeepTriesLeft: Self.upkeepTriesMax,
            block: .none,
            sealedPIN: StoredPIN(pin, sealing: keys.sealing, card: file.asn, random: random).sealed,
            grey: nil,
            log: [],
            proofs: []
        )
    }
}
