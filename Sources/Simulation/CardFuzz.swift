private import CardApplication
private import CardCryptography
package import FuelPassbook
private import ISO7816
import Quantities

/// Sequences of commands against the card application, right ones and damaged ones, with ``FuzzModel`` as the judge. The same
/// seed sends the same bytes on every machine.
package struct CardFuzz {
    /// How many steps one card lives.
    package static let stepsPerCard = 400

    package struct Violation: Sendable {
        package let seed: UInt64
        /// Which of the seed's cards, from 0.
        package let card: Int
        package let reason: String
        /// The shortest sequence found that still shows it: each command with its answer.
        package let exchanges: [String]
    }

    package struct Tally: Sendable {
        package var apdus = 0
        package var cards = 0
        package var accepted = 0
        /// Commands that wrote the log.
        package var transactions = 0
        /// Commands during which the power went.
        package var powerCuts = 0
        /// How often each command was accepted.
        package var acceptances: [Instruction: Int] = [:]
    }

    package private(set) var tally = Tally()
    private let seed: UInt64

    package init(seed: UInt64) { self.seed = seed }

    /// Sends at least `apdus` commands; the first violation ends it.
    package mutating func run(apdus: Int) -> Violation? {
        while tally.apdus < apdus {
            let card = tally.cards
            let cardSeed = SplitMix64(state: seed).offset(UInt64(card))
            var generator = FuzzGenerator(seed: cardSeed)
            let steps = generator.steps(Self.stepsPerCard)
            var life = FuzzedCard(seed: cardSeed)
            let reason = life.play(steps)
            tally.add(life)
            guard let reason else { continue }
            let shortest = Self.shortest(steps) { steps in
                var life = FuzzedCard(seed: cardSeed)
                return life.play(steps) == reason
            }
            var last = FuzzedCard(seed: cardSeed, recording: true)
            _ = last.play(shortest)
            return Violation(seed: seed, card: card, reason: reason, exchanges: last.exchanges)
        }
        return nil
    }

    /// Leaves out ever smaller parts for as long as `stillFails` holds.
    package static func shortest<Step>(_ steps: [Step], where stillFails: ([Step]) -> Bool) -> [Step] {
        var steps = steps
        var size = max(1, steps.count / 2)
        while true {
            var start = 0
            while start < steps.count {
                var fewer = steps
                fewer.removeSubrange(start..<min(start + size, steps.count))
                if stillFails(fewer) { steps = fewer } else { start += size }
            }
            if size == 1 { return steps }
            size /= 2
        }
    }
}

extension CardFuzz.Tally {
    fileprivate mutating func add(_ life: borrowing FuzzedCard) {
        apdus += life.apdus
        accepted += life.accepted
        transactions += life.transactions
        powerCuts += life.powerCuts
        cards += 1
        acceptances.merge(life.acceptances) { $0 + $1 }
    }
}

/// One card from its personalisation on.
private struct FuzzedCard: ~Copyable {
    private(set) var apdus = 0
    private(set) var accepted = 0
    private(set) var transactions = 0
    private(set) var powerCuts = 0
    private(set) var acceptances: [Instruction: Int] = [:]
    private(set) var exchanges: [String] = []
    private let records: Bool
    private var card: CardApplication<FuzzMemory>
    private var terminal: FuzzTerminal
    private var model: FuzzModel
    private let memory: FuzzMemory

    init(seed: UInt64, recording: Bool = false) {
        records = recording
        let random = SeededRandom(seed: seed)
        var numbers = SplitMix64(state: seed)
        let file = Demonstration.applicationFile
        let cardKeys = CardKeys(card: file.asn, scheme: Demonstration.schemeKeys)
        let limit = numbers.below(2) == 0 ? 0 : UInt32(numbers.below(5_000))
        var image = CardImage(
            personalising: file,
            keyIndex: Demonstration.keyIndex,
            keyVersion: Demonstration.keyVersion,
            balance: Amount(fen: numbers.below(8) == 0 ? .max - 1_000 : UInt32(numbers.below(100_000))),
            overdraftLimit: OverdraftLimit(fen: limit),
            pin: Demonstration.pin,
            pinTries: 15,
            gmacTries: 15,
            keys: cardKeys,
            random: random
        )
        // Near their ends, the numbers show what the last one does.
        if numbers.below(4) == 0 { image.ctc = CTC(0xFFF0 + UInt16(numbers.below(16))) }
        if numbers.below(4) == 0 { image.online = OnlineNumber(0xFFF0 + UInt16(numbers.below(16))) }
        let keys = FuzzKeys(card: file.asn)
        terminal = FuzzTerminal(keys: keys)
        model = FuzzModel(card: image, keys: keys)
        memory = FuzzMemory(image.bytes)
        card = CardApplication(
            aid: Demonstration.aid,
            keys: cardKeys,
            image: image,
            memory: memory,
            random: random
        )
    }

    /// - Returns: the first violation; nil when there is none.
    mutating func play(_ steps: [FuzzStep]) -> String? {
        for step in steps {
            if let reason = play(step) { return reason }
        }
        return nil
    }

    private mutating func play(_ step: FuzzStep) -> String? {
        switch step.kind {
        case .reset:
            card.reset()
            model.reset()
            if records { exchanges.append("reset") }
            return nil
        case .restart: return restart()
        case .cut:
            memory.cut(atWrite: 1 + Int(step.choice & 1), keepingIt: step.choice & 2 != 0)
            if records { exchanges.append("the power goes at write \(1 + Int(step.choice & 1)) of the next command") }
            return nil
        case _: break
        }
        let before = card.image
        let bytes = terminal.command(for: step, balance: before.balance, ctc: before.ctc)
        memory.writes = 0
        let response = card.respond(to: bytes.span)
        apdus += 1
        if records { exchanges.append("\(Hex.string(bytes)) -> \(Hex.string(response.bytes))") }
        let command = Self.parsed(bytes)
        if memory.restorePower() { return cut(command, response, before) }
        if response.status == .success {
            accepted += 1
            guard let instruction = command.flatMap({ Self.instruction($0.header) }) else {
                return "bytes that are no command were accepted"
            }
            acceptances[instruction, default: 0] += 1
            if before.log != card.image.log { transactions += 1 }
            if instruction.isCounted && memory.writes < 2 {
                return "\(instruction.name) compared a code whose try it had not counted"
            }
            do throws(ParseError) {
                try terminal.note(instruction, bytes, response.data)
            } catch {
                return "\(instruction.name) was answered in a wrong shape: \(error)"
            }
        } else {
            terminal.noteRefusal(of: bytes)
        }
        return model.violation(command, response, before: before, after: card.image)
    }

    /// The power went during `command`.
    private mutating func cut(_ command: CommandAPDU?, _ response: ResponseAPDU, _ before: CardImage) -> String? {
        powerCuts += 1
        guard response.status == .memoryFailure && response.data.isEmpty else {
            return "a write failed and the card went on"
        }
        card.reset()
        if records { exchanges.append("restart") }
        if card.image.sealedPIN != before.sealedPIN { terminal.noteUnheardPIN() }
        return model.violationOfCut(command, before: before, after: card.image, comparedCode: memory.writes > 1)
    }

    /// A card made again from what its memory holds must be the same.
    private mutating func restart() -> String? {
        if records { exchanges.append("restart") }
        model.reset()
        let before = card.image
        do throws(ParseError) {
            let image = try CardImage(parsing: memory.image)
            guard image == before else { return "the memory holds another card" }
        } catch {
            return "the memory holds no card: \(error)"
        }
        card.reset()
        return nil
    }

    private static func parsed(_ bytes: [UInt8]) -> CommandAPDU? {
        do throws(ParseError) { return try CommandAPDU(parsing: bytes.span) } catch { return nil }
    }

    private static func instruction(_ header: CommandHeader) -> Instruction? {
        do throws(StatusWord) { return try Instruction(header) } catch { return nil }
    }
}

/// Memory that can lose its power at a write.
private final class FuzzMemory: CardMemory {
    private enum Supply {
        case on
        /// It goes at that write from now, 1 for the next one, which is read back or not.
        case ending(write: Int, isKept: Bool)
        case off
    }

    private(set) var image: [UInt8]
    /// Those that were begun since this was set to zero.
    var writes = 0
    private var supply = Supply.on

    init(_ image: [UInt8]) { self.image = image }

    func cut(atWrite write: Int, keepingIt isKept: Bool) { supply = .ending(write: write, isKept: isKept) }

    /// - Returns: whether it was gone.
    func restorePower() -> Bool {
        defer { supply = .on }
        if case .off = supply { return true }
        return false
    }

    func commit(_ image: [UInt8]) throws(CardMemoryFailure) {
        writes += 1
        switch supply {
        case .on: self.image = image
        case .ending(write: 1, let isKept):
            if isKept { self.image = image }
            supply = .off
            throw CardMemoryFailure(reason: "the power is cut")
        case .ending(let write, let isKept):
            self.image = image
            supply = .ending(write: write - 1, isKept: isKept)
        case .off: throw CardMemoryFailure(reason: "there is no power")
        }
    }

    func read() throws(CardMemoryFailure) -> [UInt8] { image }
}
