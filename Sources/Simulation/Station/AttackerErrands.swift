import CardApplication
import CardCryptography
import Dispenser
import FuelPassbook
import ISO7816
import Metering
import Quantities
import Records
import SecurityModule
import Words

// What the attacker does with his card between two visits.

extension SimulatedStation {
    /// So many numbers ahead.
    private static let numbersAhead: UInt32 = 6

    /// MAC1 of the station's next numbers, what it will ask for a purchase, the proofs of the last numbers, and the rest that a
    /// card tells.
    func askAhead(_ card: SimulatedCard) {
        tape.met(.askedAhead)
        guard card.open() == nil else { return }
        _ = Selection.identify(Demonstration.aid) { ask(card, $0) }
        _ = Selection.purse { ask(card, $0) }
        ask(card, GetBalance().apdu)
        card.open()
        let next = journal.store.lastNumber.value + 1
        for number in next..<next + Self.numbersAhead {
            let index = Demonstration.keyIndex
            ask(
                card,
                InitializeForPetrol(keyIndex: index, terminal: terminal, ttc: module.ttc(for: RecordNumber(number)))
                    .apdu
            )
        }
        if let amount = prepaidAmount {
            ask(card, InitializeForPurchase(keyIndex: Demonstration.keyIndex, amount: amount, terminal: terminal).apdu)
        }
        for type in [TransactionType.refuel, .localUnlock, .purchase] {
            for back in 0..<min(3, card.image.ctc.number + 1) {
                ask(card, GetTransactionProve(type: type, number: card.image.ctc.number - back).apdu)
            }
        }
        card.losePower()
    }

    @discardableResult
    private func ask(_ card: SimulatedCard, _ command: CommandAPDU) -> ResponseAPDU {
        let bytes = command.bytes
        let answer = card.respond(to: bytes.span)
        shim.hears(bytes, answer)
        return answer
    }

    /// They were the station's own commands, and the card executes them as it would have then.
    func giveKeptCommands(_ card: SimulatedCard, debitAhead: Int?) {
        let time = debitAhead.flatMap { ahead in
            (0..<ahead).reduce(site.localTime) { time, _ in time?.nextSecond }
        }
        let commands = shim.takeKept().map { command in time.map { Shim.debit(command, at: $0) } ?? command }
        guard !commands.isEmpty else { return }
        tape.met(.keptCommandGiven)
        card.open()
        for command in commands {
            let before = card.image
            let answer = card.respond(to: command.span)
            tape.note { "\(Shim.instruction(of: command)?.name ?? "no command"), kept: \(answer.status)" }
            shim.hears(command, answer)
            ledger.exchanged(card, command.span, answer, before: before, journal.store)
        }
        card.losePower()
    }
}

extension SimulatedStation {
    private var terminal: TerminalID { module.terminal }

    /// What a prepaid sale asks for here; nil when the card pays afterwards.
    var prepaidAmount: Amount? {
        guard case .prepaid(let preset) = settings.payment, let centilitres = preset.centilitres else { return nil }
        return Amount(fen: UInt32(settings.unitPrice.fen(forCentilitres: centilitres)))
    }
}

// MARK: - Guesses

extension SimulatedStation {
    /// He does not lock his card for good: so many tries he leaves it.
    private static let pinTriesKept: UInt8 = 5
    private static let gmacTriesKept: UInt8 = 1

    /// He knows the right code, and asks a twin of his card whether it tells one from the other before it counts the try.
    func guess(_ code: CustomerVisit.GuessedCode, _ card: SimulatedCard, tries: Int, cutAtWrite write: Int) {
        tape.met(.codeGuessed)
        for _ in 0..<tries {
            let before = card.image
            switch code {
            case .pin:
                guard before.pinTriesLeft > Self.pinTriesKept else { return }
                let right = card.twin(random: random)
                right.select()
                card.select()
                let seenRight = Demonstration.pin.withVerifyCommand { right.seenDuring($0, atWrite: write) }
                let seenWrong = card.seenDuring(Self.wrongVerify.span, atWrite: write)
                tried(seenRight != seenWrong, before.pinTriesLeft, card.image.pinTriesLeft)
            case .gmac:
                guard before.gmacTriesLeft > Self.gmacTriesKept, let grey = before.grey,
                    let gmac = ledger.oracle.gmac(of: grey.ttc, card: card.asn, amount: Amount(fen: 1))
                else { return }
                let right = card.twin(random: random)
                guard right.open() == nil, card.open() == nil else { return }
                let seenRight = right.seenDuring(debit(card, grey, gmac).span, atWrite: write)
                let wrong = MAC(bytes: gmac.bytes.map { ~$0 })
                let seenWrong = card.seenDuring(debit(card, grey, wrong).span, atWrite: write)
                tried(seenRight != seenWrong, before.gmacTriesLeft, card.image.gmacTriesLeft)
            }
        }
    }

    private func tried(_ learns: Bool, _ before: UInt8, _ after: UInt8) {
        tape.note { "a code is tried: \(before.tries) left before, \(after) after\(learns ? "" : ", nothing learnt")" }
        ledger.guessed(learns: learns, triesLeft: before, after: after)
    }

    private func debit(_ card: SimulatedCard, _ grey: GreyLock, _ gmac: MAC) -> [UInt8] {
        DebitForPetrol(
            amount: Amount(fen: 1),
            ctc: card.image.ctc,
            terminal: grey.terminal,
            ttc: grey.ttc,
            time: grey.time,
            gmac: gmac
        ).apdu.bytes
    }

    /// VERIFY of 654321.
    private static let wrongVerify: [UInt8] = [0x00, 0x20, 0x00, 0x00, 0x03, 0x65, 0x43, 0x21]
}
