import CardApplication
import CardCryptography
import Dispenser
import FuelPassbook
import ISO7816
import Quantities
import Simulation
import Testing

/// What happens to one exchange between terminal and card.
enum ExchangeFault {
    /// The card leaves before the command reaches it.
    case pulledBefore
    /// The card executes the command and leaves before its answer is heard.
    case pulledAfter
    /// The answer arrives changed.
    case answer(([UInt8]) -> [UInt8])
    /// The answer is only a status word.
    case status(StatusWord)
}

/// A demonstration card in a reader that can be told to fail at a given command.
final class TestReader: CardReader {
    private var card: CardApplication<VolatileCardMemory>
    private let site: VirtualSite
    private let log: EventLog
    private(set) var isInserted = false
    /// By instruction: faults for its next uses, first one first.
    var faults: [Instruction: [ExchangeFault?]] = [:]
    /// Without them it answers petrol commands as a card of the ordinary passbook does.
    var hasPetrolCommands = true
    /// Between card and reader: makes the answer, of its own or with the card's, which it asks as often as it likes.
    var shim: ((_ command: [UInt8], _ card: ([UInt8]) -> ResponseAPDU) -> ResponseAPDU)?
    var onDisconnect: () -> Void = {}
    /// Called before the card hears of a command.
    var onCommand: (Instruction) -> Void = { _ in }

    init(
        site: VirtualSite,
        log: EventLog,
        asn: String = "00010000000000000042",
        balance: UInt32 = 50_000,
        ctc: CTC = CTC(0)
    ) throws {
        self.site = site
        self.log = log
        let file = PublicApplicationFile(
            issuer: Array("GREYLOCK".utf8),
            asn: try ApplicationSerialNumber(parsing: Hex.bytes(asn)),
            validFrom: try CalendarDate(year: 2024, month: 1, day: 1),
            validTo: try CalendarDate(year: 2049, month: 12, day: 31)
        )
        let keys = CardKeys(card: file.asn, scheme: Demonstration.schemeKeys)
        let random = SystemRandom()
        var image = CardImage(
            personalising: file,
            keyIndex: Demonstration.keyIndex,
            keyVersion: Demonstration.keyVersion,
            balance: Amount(fen: balance),
            pin: Demonstration.pin,
            pinTries: 3,
            gmacTries: 3,
            keys: keys,
            random: random
        )
        image.ctc = ctc
        card = CardApplication(
            aid: Demonstration.aid,
            keys: keys,
            image: image,
            memory: VolatileCardMemory(),
            random: random
        )
    }

    var image: CardImage { card.image }

    /// The other reader's card comes here.
    func replaceCard(by other: TestReader) {
        let image = other.image
        card = CardApplication(
            aid: Demonstration.aid,
            keys: CardKeys(card: image.file.asn, scheme: Demonstration.schemeKeys),
            image: image,
            memory: VolatileCardMemory(),
            random: SystemRandom()
        )
    }

    /// Away from the station, from one power-up to the next.
    func visitElsewhere(_ visit: ((Span<UInt8>) -> ResponseAPDU) throws -> Void) rethrows {
        card.reset()
        try visit { card.respond(to: $0) }
        card.reset()
    }

    func insert() {
        isInserted = true
        card.reset()
        site.post(.reader(.cardInserted))
    }

    func pull() {
        guard isInserted else { return }
        isInserted = false
        card.reset()
        site.post(.reader(.cardRemoved))
    }

    /// The reader goes, with the card in it.
    func lose() {
        isInserted = false
        card.reset()
        site.post(.reader(.lost("unplugged")))
    }

    /// Power-ups that fail because another program has the card.
    var heldConnections = 0

    func connect() throws(CardFault) {
        guard isInserted else { throw .removed }
        guard heldConnections == 0 else {
            heldConnections -= 1
            throw .inUse("SCardConnect")
        }
        card.reset()
    }

    func transmit(_ command: Span<UInt8>) throws(CardFault) -> ResponseAPDU {
        guard isInserted else { throw .removed }
        let instruction = instruction(of: command)
        onCommand(instruction)
        var queue = faults[instruction] ?? []
        let fault = queue.isEmpty ? nil : queue.removeFirst()
        faults[instruction] = queue
        if case .pulledBefore = fault {
            pull()
            throw .removed
        }
        log.append("\(instruction.name)")
        let answer = answer(to: command, instruction)
        switch fault {
        case .pulledBefore, nil: return answer
        case .pulledAfter:
            pull()
            throw .removed
        case .status(let status): return ResponseAPDU(status: status)
        case .answer(let change):
            do throws(ParseError) {
                return try ResponseAPDU(parsing: change(answer.bytes))
            } catch {
                throw .malformed(error)
            }
        }
    }

    func disconnect() { onDisconnect() }

    private func answer(to command: Span<UInt8>, _ instruction: Instruction) -> ResponseAPDU {
        if !hasPetrolCommands, instruction.isPetrol { return ResponseAPDU(status: .classNotSupported) }
        guard let shim else { return card.respond(to: command) }
        return shim([UInt8](copying: command)) { card.respond(to: $0.span) }
    }

    private func instruction(of command: Span<UInt8>) -> Instruction {
        do {
            return try Instruction(CommandLayout(parsing: command).header)
        } catch {
            preconditionFailure("the terminal sent no command of the passbook")
        }
    }
}

extension Instruction {
    fileprivate var isPetrol: Bool {
        switch self {
        case .initializeForPetrol, .lockForPetrol, .debitForPetrol, .initializeForUnlock, .debitForUnlock,
            .getGreyStatus:
            true
        case _: false
        }
    }
}
