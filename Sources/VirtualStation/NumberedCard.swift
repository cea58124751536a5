import CardApplication
import CardCryptography
import FuelPassbook
import ISO7816
import Simulation

extension DemonstrationCard {
    /// A card is served at one side at a time, so each side has its own: the demonstration's, and those that follow it.
    ///
    /// - Parameter index: of the side, from 0 to 7.
    static func image(number index: Int) -> [UInt8] {
        let demonstration = Demonstration.applicationFile
        var digits = demonstration.asn.bytes
        digits[digits.count - 1] += UInt8(index)
        let number: ApplicationSerialNumber
        do throws(ParseError) { number = try ApplicationSerialNumber(parsing: digits) } catch {
            preconditionFailure("the demonstration's number ends in 42")
        }
        let file = PublicApplicationFile(
            issuer: demonstration.issuer,
            asn: number,
            validFrom: demonstration.validFrom,
            validTo: demonstration.validTo
        )
        return CardImage(
            personalising: file,
            keyIndex: Demonstration.keyIndex,
            keyVersion: Demonstration.keyVersion,
            balance: Demonstration.balance,
            pin: Demonstration.pin,
            pinTries: Demonstration.pinTries,
            gmacTries: Demonstration.gmacTries,
            keys: CardKeys(card: number, scheme: Demonstration.schemeKeys),
            random: SystemRandom()
        ).bytes
    }
}
