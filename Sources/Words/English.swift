import Dispenser
import FuelPassbook
import ISO7816
import Metering
import Quantities
import Records
import SecurityModule

struct English: Vocabulary {
    // MARK: - To whoever looks after the board

    func words(_ state: SideState) -> String { state.rawValue }

    func words(_ notice: Notice) -> String {
        switch notice {
        case .insertCard: "insert your card"
        case .readingCard: "reading the card"
        case .typePIN: "type your PIN"
        case .liftNozzle(let balance): "balance \(balance): lift the nozzle"
        case .fuelling: "valves open"
        case .cardGone(let seconds): "card removed: put it back within \(seconds) s, or the sale waits on your card"
        case .readerGone(let reason, let seconds): "\(reason); the sale waits \(seconds) s for the card"
        case .otherCard: "this is another card: wait until the sale before you is finished"
        case .settling: "paying"
        case .settlingEarlierSale(let amount): "your earlier sale of \(amount) is not paid yet: paying it now"
        case .earlierSaleSettled(let amount): "earlier sale of \(amount) paid, the card is free again"
        case .removeCard: "take your card"
        case .refused(let refusal): words(refusal)
        case .cardFault(let fault): "\(fault)"
        case .escaped(let amount): "the sale of \(amount) is not paid: the card is locked and pays at its next visit"
        case .readerLost(let reason): reason
        case .pumpMissing(let reason, _): "out of order: the pump's lines are waited for: \(reason)"
        case .identification(let identification):
            "greylock \(identification.version), SHA-256 \(identification.programDigits); parameters version"
                + " \(identification.parametersVersion), checksum \(identification.checksum)"
        case .program(let version, let hash): "greylock \(version), SHA-256 \(Hex.string(hash))"
        case .parametersRefused(let refusal): words(refusal)
        case .notArmed: "no card is served: this terminal has no keys; its custodians load them with greylock keys load"
        case .pulserFaults(let count): "\(count) pulser \(count == 1 ? "fault" : "faults") in this sale"
        case .strayFaults(let count):
            "\(count) pulser faults outside any sale since the start: its lines are disturbed, or the service stood still"
        case .pulserWorn(let margin):
            "the pulser is worn: \(margin) % of its margin is left, below \(PulserHealth.marginPercentMin) % it wants to be exchanged"
        case .meterStopped(let stop): "\(stop): the sale ends"
        case .emergency: "EMERGENCY STOP, or power fails: no fuel flows, no card is served"
        case .emergencyOver: "the emergency stop is released"
        case .strayFlow(let number, let centilitres):
            "\(centilitres) cl flowed outside any sale (record \(number.value)): the valve leaks, or the pulser's lines are"
                + " disturbed"
        case .fuelDoesNotStop: "fuel still flows with the valves closed: close the hand valve and call for service"
        case .heldForCheckpoint: "the journal's disk is slow: fuel waits for it"
        case .interrupted(let amount):
            "the service stops: the sale of \(amount) is on disk, and the card pays at its next visit"
        case .journalNearlyFull(let room): "the journal has room for \(room) more records: raise journal.capacity soon"
        case .recovered(let number, let amount): "sale \(number.value) was interrupted: its grey record is \(amount)"
        case .waitForTheirCards(let count):
            "\(count) debits whose answers were not seen wait for their cards: greylock records lists them"
        case .releasedElsewhere(let amount):
            "this card was released without this terminal: its earlier sale of \(amount) goes to the issuer"
        case .prepaying(let amount): "this sale of \(amount) is paid before fuel flows"
        case .prepaid(let amount): "\(amount) paid: lift the nozzle; you may take your card"
        case .prepaidCardGone: "card removed: the sale is paid and goes on without it"
        case .refund(let amount): "\(amount) of what was paid did not flow: the issuer refunds it, keep the receipt"
        case .purchaseVoid(let amount): "the card did not pay the \(amount) of its last visit: nothing is owed"
        case .totalsDiffer(let difference):
            "the totals of nozzle \(difference.nozzle) differ: the \(words(difference.keeper)) had \(words(difference.from)), and"
                + " \(words(difference.to)) hold: compare them with the nozzle's own counter"
        case .totalsMadeAnew(let place, let reason):
            "the totals in the \(place) are made anew\(reason.map { ", they were not believed: \($0)" } ?? ": there were none")"
        case .totalsNotWritten(let reason): "the totals are kept in one place fewer: \(reason)"
        case .totalsKeptAgain(let place): "the totals are kept in the \(place) again"
        case .damagedRow(let row):
            "the journal's row is not believed and left as it is: \(row); greylock records lists it"
        case .closed: "closed"
        }
    }

    func words(_ refusal: Refusal) -> String {
        switch refusal {
        case .notThisScheme(let status): "not a card of this scheme (\(status))"
        case .noSuchApplication(let aid):
            "not a card of this scheme: it has no application \(Hex.string(aid)), which this terminal asks for"
        case .fileUnreadable(let error): "the card's public file is unreadable: \(error)"
        case .notYetValid(let date): "the card is valid from \(date)"
        case .expired(let date): "the card was valid to \(date)"
        case .blacklisted: "the card is on the list of blocked cards: ask the issuer"
        case .pinWrong(let left): "wrong PIN, \(left.tries) left"
        case .pinBlocked: "the PIN is blocked: ask the issuer to unblock it"
        case .pinNotTyped: "no PIN was typed in time"
        case .pinMalformed(let fault): words(fault)
        case .pinCancelled: "no PIN: the customer cancelled; take your card"
        case .pinNotTried(let left):
            "the PIN was wrong before, \(left.tries) left, and one that nobody has just typed is not tried: take your card"
        case .consoleGone: "the console is gone: no PIN can be typed until the service is started again"
        case .keypadGone(let reason): "no PIN can be typed: \(reason)"
        case .lockedForGood: "the card's application is locked for good: ask the issuer for a new card"
        case .greyElsewhere:
            "the card is locked by an unpaid sale that this pump has no record of: if it was at this station, put the card"
                + " into each of the other pumps here, the one of that sale takes the payment; if it was not, go to the"
                + " station of that sale, or ask the issuer to unlock the card"
        case .numbersUsedUp: "the card's transaction numbers are used up: ask the issuer for a new card"
        case .notEnoughMoney(let balance, let needed):
            "balance \(balance), at least \(needed) is needed: load the card"
        case .targetTooSmall(let target, let least):
            "no card is served: a sale here ends at \(litres(centilitres: target)) L, and less than"
                + " \(litres(centilitres: least)) L is not measured: raise the preset or the limit in the configuration"
        case .clockNotSet: "the board's clock is not set: set it before cards can be served"
        case .clockBehind(let last):
            "no card is served: the board's clock is behind the last record (\(last.words)): set the clock; if it is right,"
                + " a technician accepts it with greylock position --accept-clock"
        case .journalFull(let room):
            "no card is served: the journal has room for \(room) records only, which are kept for settling earlier sales:"
                + " raise journal.capacity in the configuration"
        case .journalNotCounted: "the journal is being counted: put the card in again in a minute"
        case .noNumber(let reason): "no card is served: the journal gives no number, \(reason.printable)"
        case .cardKind(let kind): "a card of kind \(Hex.string([kind])) does not refuel here"
        case .emergencyStop: "the emergency stop is pressed, or power fails"
        case .drained: "no sale begins, by order of the station: greylock undrain takes it back"
        case .blocked(let block): "closed by order of the station: \(block.reason.printable)"
        case .totalsNotKept(let reason): "out of order: the totals are kept in the journal alone: \(reason)"
        case .sideLocked(let lock):
            "closed since \(lock.words); a technician opens it with greylock position \(lock.remedy.flag)"
        case .module(let error): "\(error)"
        case .noKey(let index):
            "the card has no key of index \(index.number), by which this terminal asks (9403): it wants a key of another index"
        case .purchaseUnproven(let amount):
            "whether the card paid \(amount) is not known, and no fuel flows for it: put it in again"
        case .debitUnproven(let amount):
            "the card did not prove that it paid \(amount): nothing counts as paid, put it in again"
        case .servedElsewhere(let side):
            "the card's sale at position \(side) is not finished: put the card in there"
        case .earlierSaleOwed(let amount):
            "an earlier sale of \(amount) is owed, and the card does not prove that it was paid or released: put it in"
                + " again, straight into the reader; if this comes again, ask the issuer"
        case .refundedUndelivered(let amount):
            "the card proved too late that it paid \(amount): no fuel flows, the issuer refunds it, keep the receipt"
        case .noPetrolCommands: "the card has no petrol commands: it can only pay where fuel is paid before it flows"
        case .petrolCommandsHidden:
            "the card hides its petrol commands, which it used here before: put it in again, straight into the reader"
        case .purchaseRepeated:
            "the card repeats a purchase that it made here before: put it in again, straight into the reader; if this"
                + " comes again, ask the issuer"
        case .tornPurchases(let count):
            "\(count) payments of this card here are not proven: ask the issuer, whose books have them"
        case .purchasesPaused(let seconds):
            "the last payments here were not proven: cards without petrol commands wait \(seconds) s"
        case .answer(let instruction, let status): "the card answered \(instruction.name) with \(status)"
        case .answerMalformed(let instruction, let error): "the answer to \(instruction.name): \(error)"
        case .recordDamaged(let row):
            "the record of an unfinished sale, which may be this card's, is not believed (\(row)): ask the issuer, or a"
                + " technician of this station"
        }
    }

    func words(_ kind: RecordKind) -> String {
        switch kind {
        case .sale: "sale"
        case .escape: "escaped sale"
        case .localUnlock: "local unlock"
        case .onlineUnlock: "online unlock notice"
        case .noCard: "no-card sale"
        case .cardFault: "card fault"
        case .prepaid: "prepaid sale"
        case .refund: "refund"
        case .test: "test, returned"
        }
    }

    private func words(_ keeper: TotaliserKeeper) -> String {
        switch keeper {
        case .journal: "journal"
        case .file: "file"
        case .boardMemory: "board's memory"
        }
    }

    private func words(_ total: NozzleTotal) -> String {
        "\(litres(centilitres: total.volume.shownCentilitres)) L and \(yuan(fen: total.fen)) yuan"
    }

    private func words(_ fault: PINFault) -> String {
        let rule = "a PIN is \(PIN.digitsMin) to \(PIN.digitsMax) digits"
        return switch fault {
        case .tooShort: rule
        case .tooLong: "too long: \(rule)"
        case .noDigit: "only digits: \(rule)"
        case .keysLost: "keys were lost on the way, and nothing of what was typed counts"
        }
    }

    // MARK: - To the customer

    func customerWords(_ notice: Notice) -> String {
        switch notice {
        case .insertCard: "Insert your card."
        case .readingCard: "Reading your card..."
        case .typePIN: "your PIN, then Enter: "
        case .liftNozzle(let balance): "Balance \(balance). Lift the nozzle."
        case .fuelling: "Fuel flows."
        case .cardGone(let seconds): "Put your card back within \(seconds) s."
        case .otherCard: "This is another card. Wait until the sale before you is finished."
        case .settling: "Paying..."
        case .settlingEarlierSale(let amount): "Your earlier sale of \(amount) is not paid yet. Paying it now."
        case .earlierSaleSettled(let amount): "Your earlier sale of \(amount) is paid."
        case .removeCard: "Take your card."
        case .refused(let refusal): customerWords(refusal)
        case .cardFault(let fault): customerWords(fault)
        case .escaped(let amount): "The sale of \(amount) is not paid. Your card pays it at its next visit here."
        case .readerLost: "Out of order: the card reader."
        case .readerGone(_, let seconds): "Out of order: the card reader. The sale waits \(seconds) s for it."
        case .pumpMissing: "Out of order: the pump."
        case .identification(let identification):
            """
            Program greylock \(identification.version), SHA-256
            \(identification.programDigits)
            Meter: parameters version \(identification.parametersVersion), checksum \(identification.checksum)
            """
        case .program(let version, let hash):
            """
            Program greylock \(version), SHA-256
            \(Hex.string(hash))
            Meter: no parameters in force
            """
        case .parametersRefused(let refusal):
            "Out of service: the seal of the meter is not in order. Staff: \(short(refusal))."
        case .notArmed: "Out of service: no keys. Staff: greylock keys load."
        case .meterStopped: "The fuel was stopped. You pay what was counted."
        case .emergency: "Emergency stop. No fuel."
        case .emergencyOver: "The emergency stop is over."
        case .fuelDoesNotStop: "Fuel still flows. Call the staff."
        case .interrupted(let amount): "Closed. Your card pays the \(amount) at its next visit here."
        case .releasedElsewhere(let amount): "Your earlier sale of \(amount) goes to the issuer of your card."
        case .prepaying(let amount): "You pay \(amount) before fuel flows."
        case .prepaid(let amount): "\(amount) paid. Lift the nozzle; you may take your card."
        case .prepaidCardGone: "The sale is paid and goes on without the card."
        case .refund(let amount): "\(amount) did not flow. The issuer of your card refunds it: keep the receipt."
        case .purchaseVoid(let amount): "Your card did not pay the \(amount) of its last visit. Nothing is owed."
        case .closed: "Closed."
        case .heldForCheckpoint: "Please wait."
        case .pulserFaults, .strayFaults, .pulserWorn, .strayFlow, .journalNearlyFull, .recovered, .waitForTheirCards,
            .damagedRow, .totalsDiffer, .totalsMadeAnew, .totalsNotWritten, .totalsKeptAgain:
            words(notice)
        }
    }

    private func customerWords(_ refusal: Refusal) -> String {
        switch refusal {
        case .notThisScheme, .noSuchApplication, .cardKind: "This card is not taken here. Take your card."
        case .module(.keyNotLoaded(let key)):
            "No fuel: your card wants key \(key.index.number), version \(key.version.number), which this pump does not have."
                + " Take your card, and tell the staff."
        case .module(.keyNotInUse(let key)):
            "No fuel: your card wants key \(key.index.number), version \(key.version.number), which is not in use here now."
                + " Take your card, and tell the staff."
        case .noKey(let index):
            "No fuel: your card has no key \(index.number), by which this pump asks. Take your card, and tell the staff."
        case .fileUnreadable, .answer, .answerMalformed, .module:
            "This card cannot be used. Take your card, and ask its issuer."
        case .pinWrong(let left): "Wrong PIN. \(left.tries) left."
        case .pinMalformed(let fault): "Type again: \(words(fault))."
        case .pinNotTyped: "No PIN was typed. Take your card."
        case .targetTooSmall, .clockNotSet, .clockBehind, .journalFull, .noNumber, .sideLocked, .totalsNotKept:
            "Out of order. Call the staff."
        case .journalNotCounted: "Please wait a minute, and put your card in again."
        case .pinCancelled: "Cancelled. Take your card."
        case .pinNotTried(let left): "Not paid: the PIN was wrong, \(left.tries) left. Take your card."
        case .consoleGone: "Out of order: no PIN can be typed."
        case .keypadGone: "Out of order: the keypad. No PIN can be typed."
        case .emergencyStop: "Emergency stop. No fuel."
        case .drained, .blocked: "Closed."
        case .recordDamaged: "A record of your card cannot be read. Call the staff."
        case .notYetValid, .expired, .blacklisted, .pinBlocked, .lockedForGood, .greyElsewhere, .numbersUsedUp,
            .notEnoughMoney, .purchaseUnproven, .debitUnproven, .earlierSaleOwed, .servedElsewhere,
            .refundedUndelivered, .noPetrolCommands, .petrolCommandsHidden, .purchaseRepeated, .tornPurchases,
            .purchasesPaused:
            "No fuel: \(words(refusal))."
        }
    }

    private func customerWords(_ fault: CardFault) -> String {
        switch fault {
        case .removed: "Your card was taken out."
        case .inUse: "Your card is in use by something else. Wait, or put it in again."
        case .reader: "The card cannot be read. Take it out and put it in again."
        case .unresponsive: "The card does not answer. Take it out, turn it or wipe its contacts, and put it in again."
        case .malformed: "The card cannot be read. Take it out, and ask its issuer."
        }
    }

    var cardDoesNotAnswer: String { "The card does not answer. Take it out." }

    func meter(centilitres: Int, fen: Int) -> String {
        "\(litres(centilitres: centilitres)) L   \(yuan(fen: fen)) yuan"
    }

    func words(_ line: ReceiptLine) -> ReceiptWords {
        switch line {
        case .record(let terminal, let side, let number):
            .sentence("terminal \(terminal), position \(side), record \(number.value)")
        case .kind(let kind): .sentence(words(kind))
        case .time(let time): .entry(label: "date", "\(time)")
        case .card(let number): .entry(label: "card", number)
        case .settles(let number): .entry(label: "for sale", "\(number.value), left unpaid")
        case .fuel(let grade, let nozzle): .sentence("grade \(grade), nozzle \(nozzle)")
        case .volume(let centilitres): .figure(label: "volume", hundredths: centilitres, unit: "L")
        case .unitPrice(let price): .figure(label: "unit price", hundredths: price.fenPerLitre, unit: "yuan/L")
        case .paid(let amount): .money("paid", amount, "yuan")
        case .notPaid(let amount): .money("not paid", amount, "yuan")
        case .refund(let amount): .money("refund", amount, "yuan")
        case .refundDue(let amount): .money("refund due", amount, "yuan, by the issuer")
        case .notByCard(let amount): .money("not by card", amount, "yuan")
        case .balance(let amount): .money("balance", amount, "yuan")
        case .tac(let digits): .entry(label: "TAC", digits)
        case .notAuthentic: .sentence("THE CARD'S ANSWER WAS NOT AUTHENTIC: keep this receipt")
        }
    }
}

extension UInt8 {
    /// As a number of tries in English: "1 try", "2 tries".
    package var tries: String { self == 1 ? "1 try" : "\(self) tries" }
}
