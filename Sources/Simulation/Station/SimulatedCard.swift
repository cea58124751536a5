import CardApplication
import CardCryptography
import FuelPassbook
import ISO7816

/// A customer's card, with memory that can lose its power.
final class SimulatedCard {
    static let balance = Amount(fen: 20_000)

    let number: Int
    let asn: ApplicationSerialNumber
    private let memory: ChipMemory
    private var application: CardApplication<ChipMemory>

    init(number: Int, scheme: borrowing SchemeKeys, random: any RandomSource) {
        let demonstration = Demonstration.applicationFile
        let file: PublicApplicationFile
        do throws(ParseError) {
            file = PublicApplicationFile(
                issuer: demonstration.issuer,
                asn: try ApplicationSerialNumber(parsing: [0, 1, 0, 0, 0, 0, 0, 0, 1, UInt8(number)]),
                validFrom: demonstration.validFrom,
                validTo: demonstration.validTo
            )
        } catch {
            preconditionFailure("a card's number is one")
        }
        let keys = CardKeys(card: file.asn, scheme: scheme)
        let image = CardImage(
            personalising: file,
            keyIndex: Demonstration.keyIndex,
            keyVersion: Demonstration.keyVersion,
            balance: Self.balance,
            pin: Demonstration.pin,
            pinTries: 15,
            gmacTries: Demonstration.gmacTries,
            keys: keys,
            random: random
        )
        self.number = number
        asn = file.asn
        memory = ChipMemory()
        application = CardApplication(
            aid: Demonstration.aid,
            keys: keys,
            image: image,
            memory: memory,
            random: random
        )
    }

    var image: CardImage { application.image }

    func losePower() { application.reset() }

    func respond(to command: Span<UInt8>) -> ResponseAPDU { application.respond(to: command) }

    /// The power goes while the command executes: nothing of it is kept.
    func failDuring(_ command: Span<UInt8>) {
        memory.isPowered = false
        _ = application.respond(to: command)
        memory.isPowered = true
        application.reset()
    }
}

private final class ChipMemory: CardMemory {
    var isPowered = true

    func commit(_ image: [UInt8]) throws(CardMemoryFailure) {
        guard isPowered else { throw CardMemoryFailure(reason: "no power") }
    }
}
