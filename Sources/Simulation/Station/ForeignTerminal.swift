import CardApplication
import CardCryptography
import FuelPassbook
import GreyLock
import ISO7816
import Issuer
import Quantities
import Records
import SecurityModule

/// The rest of the cards' world: a shop and another station, with a security module of their own, and the issuer's counter.
///
/// Each of them does what it must with the cards, and nothing goes wrong there: what they are for is that numbers count
/// up, proofs are replaced and grey marks come and go without the station knowing.
///
/// Every call throws the card's `StatusWord` when the card does not serve there; any other error is a wrong code or answer.
final class ForeignTerminal {
    private static let terminal = TerminalID(0x0099_8877_6655)
    private let module: SecurityModule
    private let issuer: Issuer
    /// Who else hears what is said to a card.
    private let tap: (SimulatedCard, [UInt8], ResponseAPDU) -> Void
    private var ttc: UInt32 = 0
    /// Of cards that left the other station without paying.
    private var unpaid: [ApplicationSerialNumber: Escape] = [:]

    struct Escape {
        let due: SealedGMAC
        let icc: ICCRandom
    }

    init(random: any RandomSource & Sendable, tap: @escaping (SimulatedCard, [UInt8], ResponseAPDU) -> Void) {
        self.tap = tap
        module = .demonstration(at: Self.terminal, random: random)
        var issuerKeys = IssuerKeys()
        issuerKeys.load(Demonstration.schemeKeys, index: Demonstration.keyIndex, version: Demonstration.keyVersion)
        issuer = Issuer(keys: issuerKeys)
    }

    /// An ordinary purchase; a card that is grey or has too little is sent away.
    func shop(_ card: SimulatedCard, _ amount: Amount, _ time: TransactionTime) throws {
        try open(card)
        let command = InitializeForPurchase(
            keyIndex: Demonstration.keyIndex,
            amount: amount,
            terminal: Self.terminal
        )
        let answer = try exchange(card, command)
        let debiting = try module.makeMAC1(card: card.asn, command: command, answer: answer, ttc: nextTTC(), time: time)
        let paid = try exchange(
            card,
            DebitForPurchase(ttc: debiting.ttc, time: debiting.time, mac1: debiting.mac1)
        )
        _ = try debiting.verifyMAC2(paid.mac2, tac: paid.tac)
    }

    /// A refuel, or the payment of the one that escaped before.
    func refuel(
        _ card: SimulatedCard,
        _ amount: Amount,
        escapes: Bool,
        _ time: TransactionTime,
        ttc: TTC? = nil
    ) throws {
        try open(card)
        let reader = CounterReader(card, tap)
        let purse = PatentCard(CardDialogue(reader), module: module, keyIndex: Demonstration.keyIndex)
        if card.image.grey?.terminal == Self.terminal, let escape = unpaid[card.asn] {
            try debit(purse, escape.due, ctc: card.image.ctc, time)
            unpaid[card.asn] = nil
            return
        }
        let due: SealedGMAC
        do throws(CardStop) {
            let sale = try purse.authenticate(card.asn, RecordNumber((ttc ?? nextTTC()).number), for: .sale)
            let balance = sale.standing.balance
            var tac: [UInt8]?
            due = try purse.lock(sale.makeMAC2(time: time), tac: &tac).end(amount: min(amount, balance))
        } catch {
            throw sentAway(error)
        }
        if escapes {
            let begun = try InitializeForPetrol.Response(parsing: reader.answers[0].data)
            unpaid[card.asn] = Escape(due: due, icc: begun.icc)
        } else {
            try debit(purse, due, ctc: card.image.ctc, time)
        }
    }

    /// What the card owes the other station; nil when nothing locks it there.
    func escape(of card: SimulatedCard) -> Escape? {
        card.image.grey?.terminal == Self.terminal ? unpaid[card.asn] : nil
    }

    /// The local unlock of a sale whose grey record another station sent here.
    func settle(_ card: SimulatedCard, _ gmac: SealedGMAC, _ time: TransactionTime) throws {
        try open(card)
        let selected: SelectedCard
        do throws(CardStop) {
            selected = try Selection.card(
                over: CardDialogue(CounterReader(card, tap)),
                module: module,
                keyIndex: Demonstration.keyIndex
            )
        } catch {
            throw sentAway(error)
        }
        switch selected {
        case .grey(let purse, let status): try debit(purse, gmac, ctc: status.ctc, time)
        case .free: throw StatusWord.commandNotAccepted
        case .ordinary(let status): throw status
        }
    }

    /// The issuer releases a grey card, for what the record of its sale says, and loads one that has little.
    func serveAtCounter(
        _ card: SimulatedCard,
        owed: Amount?,
        _ time: TransactionTime
    ) throws {
        try open(card)
        if let grey = card.image.grey {
            let amount = grey.terminal == Self.terminal ? unpaid[card.asn]?.due.amount : owed
            try unlock(card, amount ?? .zero, time)
            unpaid[card.asn] = nil
        }
        guard card.image.balance < SimulatedCard.balance else { return }
        let command = InitializeForLoad(
            keyIndex: Demonstration.keyIndex,
            amount: SimulatedCard.balance,
            terminal: Self.terminal
        )
        let answer = try exchange(card, command)
        let load = try issuer.verifyMAC1(card: card.asn, command: command, answer: answer).makeMAC2(time: time)
        let loaded = try exchange(card, load.command)
        _ = try load.verify(loaded.tac)
    }

    private func unlock(_ card: SimulatedCard, _ amount: Amount, _ time: TransactionTime) throws {
        let command = InitializeForUnlock(keyIndex: Demonstration.keyIndex, terminal: Self.terminal)
        let answer = try exchange(card, command)
        let unlock = try issuer.verifyMAC1(card: card.asn, command: command, answer: answer).makeMAC2(
            amount: amount,
            time: time
        )
        let unlocked = try exchange(card, unlock.command)
        _ = try unlock.verify(unlocked.mac3)
    }

    /// Its answer is right and heard here: the card is not asked whether it is free.
    private func debit(_ purse: PatentCard, _ gmac: SealedGMAC, ctc: CTC, _ time: TransactionTime) throws {
        let attempt = DebitAttempt(ttc: nextTTC(), type: .refuel, terminal: Self.terminal, time: time)
        let answer: CardAnswer<AnsweredDebit?>
        do throws(CardStop) {
            answer = try purse.debit(gmac, ctc: ctc, attempt, among: [attempt])
        } catch {
            throw sentAway(error)
        }
        switch answer {
        case .success(.some): break
        case .success(nil): throw WrongMAC4()
        case .status(let status): throw status
        }
    }

    private func nextTTC() -> TTC {
        ttc += 1
        return TTC(ttc)
    }

    private func open(_ card: SimulatedCard) throws {
        if let refusal = card.open() { throw refusal }
    }

    private func exchange<Command: PassbookCommand>(
        _ card: SimulatedCard,
        _ command: Command
    ) throws -> Command.Response {
        do throws(CardStop) {
            return try CardDialogue(CounterReader(card, tap)).exchange(command)
        } catch {
            throw sentAway(error)
        }
    }

    private func sentAway(_ stop: CardStop) -> any Error {
        guard case .answered(_, let status) = stop else { return stop }
        return status
    }
}

private struct WrongMAC4: Error {}

/// The card as another terminal's reader has it.
private final class CounterReader: CardReader {
    private let card: SimulatedCard
    private let tap: (SimulatedCard, [UInt8], ResponseAPDU) -> Void
    private(set) var answers: [ResponseAPDU] = []

    init(_ card: SimulatedCard, _ tap: @escaping (SimulatedCard, [UInt8], ResponseAPDU) -> Void) {
        self.card = card
        self.tap = tap
    }

    func connect() {}

    func transmit(_ command: Span<UInt8>) -> ResponseAPDU {
        let answer = card.respond(to: command)
        answers.append(answer)
        tap(card, [UInt8](copying: command), answer)
        return answer
    }

    func disconnect() {}
}
