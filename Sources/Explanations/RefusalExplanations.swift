import Codes

extension RefusalCode {
    var explanation: Explanation {
        switch self {
        case .notThisScheme:
            Explanation(
                "The card is of another scheme",
                "It did not take the selection of this terminal's application.",
                money: .nothing,
                .customer("take the card"),
                .integrator("when it comes with the scheme's own cards, [card] aid is wrong")
            )
        case .noSuchApplication:
            Explanation(
                "The card has not the application asked for",
                "It has no application of the name in [card] aid.",
                money: .nothing,
                .customer("take the card"),
                .integrator("compare [card] aid with what the issuer gave; greylock card status says what a card has")
            )
        case .fileUnreadable:
            Explanation(
                "The card's public file is unreadable",
                "Its bytes are not what the scheme says.",
                money: .nothing,
                .customer("ask the card's issuer")
            )
        case .notYetValid:
            Explanation(
                "The card is not valid yet",
                "Its first day is later than today by this board's clock.",
                money: .nothing,
                .staff("see whether the board's date is right")
            )
        case .expired:
            Explanation(
                "The card is not valid any more",
                "Its last day is before today by this board's clock.",
                money: .nothing,
                .customer("ask the issuer for a new card"),
                .staff("see whether the board's date is right")
            )
        case .blacklisted:
            Explanation(
                "The card is blocked",
                "It is on the list of blocked cards.",
                money: .nothing,
                .customer("ask the card's issuer")
            )
        case .pinWrong:
            Explanation(
                "The PIN is wrong",
                "The card refused the PIN and counted one try.",
                money: .nothing,
                .customer("type it again with care: after the last try the card is blocked")
            )
        case .pinBlocked:
            Explanation(
                "The PIN is blocked",
                "Too many wrong PINs were tried, here or elsewhere.",
                money: .nothing,
                .customer("ask the issuer to unblock it"),
                .issuer("greylock counter pin")
            )
        case .pinNotTyped:
            Explanation(
                "No PIN was typed in time",
                "The time of [timeouts] pin is over.",
                money: .nothing,
                .customer("put the card in again")
            )
        case .pinMalformed:
            Explanation(
                "What was typed is no PIN",
                "A PIN has 4 to 12 digits, and no card was asked.",
                money: .nothing,
                .customer("type it again")
            )
        case .pinCancelled:
            Explanation(
                "The customer cancelled",
                "No PIN was given to the card.",
                money: .nothing,
                .customer("take the card")
            )
        case .pinNotTried:
            Explanation(
                "A PIN is not tried for the customer",
                "The one that was typed before was wrong, and nobody has just typed another: a try would be lost.",
                money: .unproven,
                .customer("take the card, and put it in again to type the PIN")
            )
        case .consoleGone:
            Explanation(
                "No PIN can be typed: the console is gone",
                "The terminal at which this side's PIN is typed has ended.",
                money: .sideClosed,
                .technician("start the service again at its console: systemctl restart greylockd")
            )
        case .keypadGone:
            Explanation(
                "No PIN can be typed: the keypad is gone",
                "The input device of [side.N.pin] is not there, or belongs to somebody else. It is looked for by itself; the cause of the keypad's own line says why.",
                money: .sideClosed,
                .technician("plug it in; ls /dev/input/by-path")
            )
        case .lockedForGood:
            Explanation(
                "The card's application is locked for good",
                "Its issuer, or too many wrong commands, ended it.",
                money: .nothing,
                .customer("ask the issuer for a new card")
            )
        case .greyElsewhere:
            Explanation(
                "The card is locked by a sale elsewhere",
                "It left another pump or station without paying, and this terminal has no record of that sale.",
                money: .unproven,
                .customer("put it into the pump of that sale, or ask the issuer"),
                .technician("greylock records import takes the other terminal's record"),
                .issuer("greylock counter unlock")
            )
        case .numbersUsedUp:
            Explanation(
                "The card's transaction numbers are used up",
                "It has made as many transactions as it can.",
                money: .nothing,
                .customer("ask the issuer for a new card")
            )
        case .notEnoughMoney:
            Explanation(
                "The balance is too small",
                "The card has less than the least sale here costs.",
                money: .nothing,
                .customer("load the card")
            )
        case .targetTooSmall:
            Explanation(
                "A sale would end below the measured minimum",
                "Preset, limit and parameters leave less than the least quantity that the meter measures.",
                money: .noSale,
                .integrator("raise the preset or the limit of the side in the configuration")
            )
        case .clockNotSet:
            Explanation(
                "The board's clock is not set",
                "It is before the year in which this program was made, and no card is served without a date.",
                money: .noSale,
                .technician(
                    "set the clock: timedatectl; a board without a battery clock needs a time service before greylockd"
                )
            )
        case .clockBehind:
            Explanation(
                "The board's clock is behind the last record",
                "A sale would be older than one that is in the journal.",
                money: .noSale,
                .technician("set the clock; if it is right, greylock position --accept-clock")
            )
        case .journalFull:
            Explanation(
                "The journal is full",
                "What is left is kept for settling earlier sales.",
                money: .noSale,
                .integrator(
                    "acknowledge records that the host has (greylock station acknowledge), or raise journal.capacity"
                )
            )
        case .journalNotCounted:
            Explanation(
                "The journal is being counted",
                "How many records it has is not known yet, soon after the start.",
                money: .nothing,
                .customer("put the card in again in a minute")
            )
        case .noNumber:
            Explanation(
                "The journal gives no number",
                "It may not be the newest copy, or its numbers are used up: the words behind it say which.",
                money: .noSale,
                .technician("put the newest journal back; if there is none, greylock position --accept-journal REASON")
            )
        case .cardKind:
            Explanation(
                "This kind of card does not refuel here",
                "[card] kinds does not name it.",
                money: .nothing,
                .customer("take the card")
            )
        case .emergencyStop:
            Explanation(
                "No sale: emergency stop, or power fails",
                "The emergency input is active.",
                money: .nothing,
                .staff("release the emergency stop when the danger is over")
            )
        case .drained:
            Explanation(
                "No sale begins, by order",
                "The station ordered a drain.",
                money: .nothing,
                .staff("greylock undrain takes it back")
            )
        case .blocked:
            Explanation(
                "The side is closed, by order",
                "The station closed this side, for the reason behind it.",
                money: .nothing,
                .staff("greylock station unblock")
            )
        case .sideLocked:
            Explanation(
                "The side closed itself",
                "Faults of its pulser in a sale were more than it may have, fuel flowed with the valves closed, or the journal is not believed.",
                money: .sideClosed,
                .technician("greylock position --config FILE says why, and which option opens it")
            )
        case .totalsNotKept:
            Explanation(
                "The totals are kept in the journal alone",
                "Neither file nor board memory takes them, and no sale begins with one place only.",
                money: .noSale,
                .technician("look at the media of [totals]")
            )
        case .module:
            Explanation(
                "The security module refuses",
                "A proof of the card is wrong, or its key is not here. The cause says which.",
                money: .unproven,
                .customer("take the card"),
                .custodian("greylock keys list shows which keys sell")
            )
        case .noKey:
            Explanation(
                "The card has no key of this index",
                "The terminal asks by [card] key_index, and the card knows another.",
                money: .nothing,
                .integrator("set [card] key_index to what the issuer says")
            )
        case .purchaseUnproven:
            Explanation(
                "Whether the card paid is not known",
                "Its answer to the payment was not seen or not proven. No fuel flows for it.",
                money: .unproven,
                .customer("put the card in again")
            )
        case .debitUnproven:
            Explanation(
                "The card did not prove that it paid",
                "Its answer to the debit was wrong. The sale stays open.",
                money: .unproven,
                .customer("put the card in again"),
                .issuer("when it comes again with one card, look at that card")
            )
        case .earlierSaleOwed:
            Explanation(
                "An earlier sale is owed",
                "The card says that it is free and does not prove how it came to be.",
                money: .unproven,
                .customer("put the card in again, straight into the reader; if it comes again, ask the issuer")
            )
        case .servedElsewhere:
            Explanation(
                "The card's sale is at another side",
                "Its sale is not finished there.",
                money: .onDisk,
                .customer("put the card in at the position that is named")
            )
        case .refundedUndelivered:
            Explanation(
                "The card's proof came too late",
                "It paid, and nobody let fuel flow for it. A refund record says so.",
                money: .issuers,
                .customer("keep the receipt")
            )
        case .noPetrolCommands:
            Explanation(
                "The card cannot be locked",
                "It has no petrol commands and pays only where fuel is paid before it flows.",
                money: .nothing,
                .customer("use a side that sells prepaid")
            )
        case .petrolCommandsHidden:
            Explanation(
                "The card hides its petrol commands",
                "It used them here before: something may stand between card and reader.",
                money: .unproven,
                .customer("put the card straight into the reader"),
                .staff("look for a foreign part in the reader's slot")
            )
        case .purchaseRepeated:
            Explanation(
                "The card repeats an old payment",
                "It made this very payment here before: something may stand between card and reader.",
                money: .unproven,
                .customer("put the card straight into the reader"),
                .staff("look for a foreign part in the reader's slot")
            )
        case .tornPurchases:
            Explanation(
                "Several payments of this card are not proven",
                "It left too often before its proof was seen.",
                money: .issuers,
                .customer("ask the issuer")
            )
        case .purchasesPaused:
            Explanation(
                "Payments without a lock wait",
                "The last ones were not proven, and cards without petrol commands wait some seconds.",
                money: .nothing,
                .customer("wait")
            )
        case .answer:
            Explanation(
                "The card refused a command",
                "The status word behind it says why.",
                money: .unproven,
                .customer("put the card in again"),
                .issuer("when it comes again with one card, look at that card")
            )
        case .answerMalformed:
            Explanation(
                "The card's answer is malformed",
                "Its bytes are not what the command answers.",
                money: .unproven,
                .customer("put the card in again"),
                .issuer("when it comes again with one card, look at that card")
            )
        case .recordDamaged:
            Explanation(
                "The record of this card's sale is damaged",
                "A row that may be this card's is not believed, so the card cannot be settled here.",
                money: .issuers,
                .technician("greylock records --config FILE lists it"),
                .issuer("greylock counter unlock releases the card")
            )
        }
    }
}
