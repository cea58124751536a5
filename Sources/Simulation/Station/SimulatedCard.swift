import CardApplication
import CardCryptography
import FuelPassbook
import ISO7816
import Quantities

/// A customer's card, with memory that can lose its power.
final class SimulatedCard {
    static let balance = Amount(fen: 20_000)

    let number: Int
    let asn: ApplicationSerialNumber
    /// Without petrol commands, as an ordinary passbook's card.
    let isOrdinary: Bool
    private let memory: ChipMemory
    private var application: CardApplication<ChipMemory>

    convenience init(number: Int, isOrdinary: Bool = false, scheme: borrowing SchemeKeys, random: any RandomSource) {
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
        self.init(number: number, isOrdinary: isOrdinary, image: image, keys: keys, random: random)
    }

    private init(
        number: Int,
        isOrdinary: Bool,
        image: CardImage,
        keys: consuming CardKeys,
        random: any RandomSource
    ) {
        self.number = number
        self.isOrdinary = isOrdinary
        asn = image.file.asn
        memory = ChipMemory(image: image.bytes)
        application = CardApplication(
            aid: Demonstration.aid,
            keys: keys,
            image: image,
            memory: memory,
            random: random
        )
    }

    var image: CardImage { application.image }

    /// The same card once more, as it is now without power.
    func twin(random: any RandomSource) -> SimulatedCard {
        let keys = CardKeys(card: asn, scheme: Demonstration.schemeKeys)
        return SimulatedCard(number: number, isOrdinary: isOrdinary, image: image, keys: keys, random: random)
    }

    func losePower() { application.reset() }

    func respond(to command: Span<UInt8>) -> ResponseAPDU {
        memory.writes = 0
        if isOrdinary && command[0] == Instruction.initializeForPetrol.header.cla {
            return ResponseAPDU(status: .classNotSupported)
        }
        return application.respond(to: command)
    }

    /// How often the last command wrote.
    var writes: Int { memory.writes }

    /// The power goes at write `write` of the command: it and what comes after are not kept.
    ///
    /// - Returns: what the card would have answered, had it known no better.
    @discardableResult
    func failDuring(_ command: Span<UInt8>, atWrite write: Int) -> ResponseAPDU {
        memory.writes = 0
        memory.isCut = false
        memory.writesLeft = write
        defer {
            memory.writesLeft = nil
            application.reset()
        }
        return application.respond(to: command)
    }

    /// The power goes while the command executes: nothing of it is kept.
    ///
    /// - Parameter keepsCount: of a command whose code a counter guards, the lower counter is kept (D29), unless it is the
    ///   last one: that ends the card, and nothing at the station can help it.
    func failDuring(_ command: Span<UInt8>, keepsCount: Bool) {
        let isLast = image.gmacTriesLeft == 1 || image.pinTriesLeft == 1
        failDuring(command, atWrite: keepsCount && Self.isCounted(command) && !isLast ? 1 : 0)
    }

    /// What its holder sees when he takes its power away at write `write` of the command: the answer, where it comes before.
    func seenDuring(_ command: Span<UInt8>, atWrite write: Int) -> StatusWord? {
        let answer = failDuring(command, atWrite: write)
        return memory.isCut ? nil : answer.status
    }

    /// Selects the application and verifies the PIN, as whoever knows it can.
    ///
    /// - Returns: the status word that refused it.
    @discardableResult
    func open() -> StatusWord? {
        losePower()
        if let refusal = select() { return refusal }
        let verified = Demonstration.pin.withVerifyCommand { respond(to: $0) }
        return verified.status == .success ? nil : verified.status
    }

    /// - Returns: the status word that refused it.
    @discardableResult
    func select() -> StatusWord? { Selection.select(Demonstration.aid) { respond(to: $0.bytes.span) } }

    /// A counter guards the code of the command.
    static func isCounted(_ command: Span<UInt8>) -> Bool {
        let header = CommandHeader(command[0], command[1], command[2], command[3])
        return header == Instruction.verify.header || header == Instruction.debitForPetrol.header
    }
}

private final class ChipMemory: CardMemory {
    private var image: [UInt8]
    var writes = 0
    /// nil while there is power.
    var writesLeft: Int?
    /// A write found no power.
    var isCut = false

    init(image: [UInt8]) { self.image = image }

    func commit(_ image: [UInt8]) throws(CardMemoryFailure) {
        if let writesLeft {
            guard writesLeft > 0 else {
                isCut = true
                throw CardMemoryFailure(reason: "no power")
            }
            self.writesLeft = writesLeft - 1
        }
        writes += 1
        self.image = image
    }

    func read() throws(CardMemoryFailure) -> [UInt8] { image }
}

extension ApplicationSerialNumber {
    /// The right eight bytes, by which a card is recognised (spec/grey-lock.md, D30).
    var identity: UInt64 { diversificationNumber }
}
