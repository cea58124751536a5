import CardApplication
import CardCryptography
import FuelPassbook
import ISO7816

/// What makes a new demonstration card.
package enum DemonstrationCard {
    /// The image of a card that has done nothing yet (spec/grey-lock.md, section 7).
    ///
    /// - Parameter index: of the side that serves it, from 0 to 7: a card is served at one side at a time, so that each has
    ///   its own, the demonstration's and those whose numbers follow.
    package static func image(number index: Int = 0) -> [UInt8] {
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
