import CardApplication
import CardCryptography
import FuelPassbook
import Glibc
import GreyLock
import ISO7816
import Quantities
import Records
import SecurityModule
import Station
import VirtualCards

/// Card commands a second: our card application and a card in plain Python answer the same refuels, taking turns.
///
/// The commands are made once before, by a terminal's steps (``PatentCard``) at our card, every MAC checked. Each turn starts
/// with a new card whose random numbers are the same, so that it answers those commands again. Only that is timed on
/// either side: no MAC of a terminal, nothing read or written. The answers must be the same ones, byte for byte.
enum CardBench {
    private static let refuels = 2_000
    private static let turns = 5
    private static let firstICC: UInt32 = 0x1122_3344
    private static let name = "card APDUs in process"
    /// Debian's own, for which Debian's python3-cryptography is.
    private static let python = "/usr/bin/python3"

    static func run(peers: String) -> [BenchResult] {
        do {
            let exchanges = try recordedExchanges()
            let folder = try TemporaryFolder("greylock-bench")
            defer { folder.remove() }
            let commands = folder.path + "/commands"
            try write(exchanges, to: commands)
            var ours: [UInt64] = []
            var theirs: [UInt64] = []
            for _ in 0..<turns {
                ours.append(try ownTurn(exchanges))
                theirs.append(try peerTurn(peers + "/card.py", commands, exchanges))
            }
            let thousands = Double(exchanges.count) * 1_000_000
            return [
                .rate(
                    name: name,
                    value: thousands / median(ours),
                    unit: "k APDU/s",
                    reference: thousands / median(theirs),
                    of: "Python card"
                )
            ]
        } catch {
            return [.notMeasured(name: name, why: "\(error)")]
        }
    }

    private static func recordedExchanges() throws -> [Exchange] {
        let terminal = try RecordingTerminal(card: newCard())
        for number in 1...refuels { try terminal.refuel(RecordNumber(UInt32(number))) }
        return terminal.exchanges
    }

    private static func newCard() throws -> CardApplication<VolatileCardMemory> {
        let image = DemonstrationCard.image()
        return CardApplication(
            aid: Demonstration.aid,
            keys: CardKeys(card: Demonstration.applicationFile.asn, scheme: Demonstration.schemeKeys),
            image: try CardImage(parsing: image),
            memory: VolatileCardMemory(image: image),
            random: CountingRandom(from: firstICC)
        )
    }

    /// - Returns: the nanoseconds of all commands together.
    private static func ownTurn(_ exchanges: [Exchange]) throws -> UInt64 {
        var card = try newCard()
        var answers: [ResponseAPDU] = []
        let start = benchClock()
        for exchange in exchanges { answers.append(card.respond(to: exchange.command.span)) }
        let elapsed = benchClock() - start
        guard answers == exchanges.map(\.answer) else {
            throw CardBenchFault("our card does not answer the same commands alike")
        }
        return elapsed
    }

    private static func peerTurn(_ program: String, _ commands: String, _ exchanges: [Exchange]) throws -> UInt64 {
        let arguments = [python, program, commands, Hex.string(firstICC.bytes)]
        guard let child = ChildProcess(arguments, reading: STDOUT_FILENO) else {
            throw CardBenchFault("\(python) does not start")
        }
        var lines: [String] = []
        while let line = child.line() { lines.append(line) }
        let status = child.wait()
        if let reason = lines.last, reason.hasPrefix("cannot ") { throw CardBenchFault("card.py \(reason)") }
        guard status == 0, let last = lines.popLast(), last.hasPrefix("nanoseconds "),
            let elapsed = UInt64(last.dropFirst("nanoseconds ".count)), elapsed > 0, lines.count == exchanges.count
        else { throw CardBenchFault("card.py does not run to its end") }
        for (line, exchange) in zip(lines, exchanges) where line != Hex.string(exchange.answer.bytes) {
            let header = Hex.string(exchange.command.prefix(4))
            throw CardBenchFault("the Python card answers \(header) otherwise than ours")
        }
        return elapsed
    }

    /// The commands alone, one a line.
    private static func write(_ exchanges: [Exchange], to path: String) throws {
        let text = exchanges.map { Hex.string($0.command) + "\n" }.joined()
        guard let file = unsafe fopen(path, "we") else { throw CardBenchFault("\(path) cannot be written") }
        let isWritten = unsafe fputs(text, file) >= 0
        guard unsafe fclose(file) == 0, isWritten else { throw CardBenchFault("\(path) cannot be written") }
    }
}

private struct Exchange {
    let command: [UInt8]
    let answer: ResponseAPDU
}

/// A terminal that refuels again and again, and what went between it and the card.
private struct RecordingTerminal {
    private static let amount = Amount(fen: 20)

    private let reader: RecordingReader
    private let dialogue: CardDialogue
    private let module = SecurityModule.demonstration()
    private let time: TransactionTime

    var exchanges: [Exchange] { reader.exchanges }

    init(card: consuming CardApplication<VolatileCardMemory>) throws {
        reader = RecordingReader(card)
        dialogue = CardDialogue(reader)
        time = try TransactionTime(date: CalendarDate(year: 2026, month: 1, day: 2), hour: 3, minute: 4, second: 5)
    }

    /// Steps 1.1 to 1.15 of the source, and the balance after them.
    func refuel(_ number: RecordNumber) throws {
        let card = try Selection.identify(Demonstration.aid, dialogue.transmit).get().asn
        let selected = try Selection.card(over: dialogue, module: module, keyIndex: Demonstration.keyIndex)
        guard case .free(let purse) = selected else { throw CardBenchFault("our card is grey") }
        // With the published PIN.
        let verified = try Demonstration.pin.withVerifyCommand { try reader.transmit($0) }
        guard verified.status == .success else { throw verified.status }
        let sale = try purse.begin(card, number)
        let balance = sale.standing.balance
        var tac: [UInt8]?
        let locked = try purse.lock(sale.makeMAC2(time: time), tac: &tac)
        guard let present = locked.proof.ctc.next else { throw CardBenchFault("the card's numbers are used up") }
        let gmac = locked.end(amount: Self.amount)
        let attempt = DebitAttempt(
            ttc: module.ttc(for: number),
            type: .refuel,
            terminal: module.terminal,
            time: time
        )
        switch try purse.debit(gmac, ctc: present, attempt, among: [attempt]) {
        case .success(.some): break
        case .success(nil): throw CardBenchFault("MAC4 of our card is wrong")
        case .status(let status): throw status
        }
        guard try dialogue.exchange(GetBalance()).balance == balance.subtracting(Self.amount) else {
            throw CardBenchFault("our card took another amount")
        }
    }
}

/// A card in this process, and what was sent to it and answered.
private final class RecordingReader: CardReader {
    private(set) var exchanges: [Exchange] = []
    private var card: CardApplication<VolatileCardMemory>

    init(_ card: consuming CardApplication<VolatileCardMemory>) { self.card = card }

    func connect() {}

    func transmit(_ command: Span<UInt8>) throws(CardFault) -> ResponseAPDU {
        let answer = card.respond(to: command)
        exchanges.append(Exchange(command: [UInt8](copying: command), answer: answer))
        return answer
    }

    func disconnect() {}
}

/// The card's random numbers, one after the other.
private final class CountingRandom: RandomSource {
    private var next: UInt32

    init(from first: UInt32) { next = first }

    func bytes(_ count: Int) -> [UInt8] {
        precondition(count == ICCRandom.length, "a refuel draws nothing but its ICC")
        defer { next &+= 1 }
        return next.bytes
    }
}

private struct CardBenchFault: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
