import Codes

extension NoticeCode {
    var explanation: Explanation {
        switch self {
        case .insertCard:
            Explanation(
                "The side is free",
                "It waits for a card.",
                money: .nothing,
                .customer("put the card in")
            )
        case .readingCard:
            Explanation(
                "A card is read",
                "The card's files and its state are read, before anything is written to it.",
                money: .nothing,
                .customer("leave the card in")
            )
        case .typePIN:
            Explanation(
                "The PIN is awaited",
                "The card wants its holder's PIN, which is typed once a sale.",
                money: .nothing,
                .customer("type the PIN, then Enter")
            )
        case .liftNozzle:
            Explanation(
                "The sale may begin",
                "The card has proved itself and its balance suffices. It is locked when the nozzle is lifted.",
                money: .nothing,
                .customer("lift the nozzle")
            )
        case .fuelling:
            Explanation(
                "The valves are open",
                "The card is locked, the lock is on disk, and fuel may flow.",
                money: .onDisk
            )
        case .cardGone:
            Explanation(
                "The card left in mid-sale",
                "The valves are closed, and the sale waits for its card for the grace time ([timeouts] grace).",
                money: .onDisk,
                .customer("put the same card back; else it pays at its next visit here")
            )
        case .readerGone:
            Explanation(
                "The reader left in mid-sale",
                "The reader was unplugged or failed while a sale was under way. The valves are closed, and the sale waits for the card.",
                money: .onDisk,
                .staff("look at the reader's plug")
            )
        case .otherCard:
            Explanation(
                "Another card was put in",
                "A sale is open at this side, and the card in the reader is not its own. It was not touched.",
                money: .onDisk,
                .customer("wait until the sale before you is finished")
            )
        case .settling:
            Explanation(
                "The sale is being paid",
                "The card is told to pay what was counted, and its proof is checked.",
                money: .onDisk,
                .customer("leave the card in")
            )
        case .settlingEarlierSale:
            Explanation(
                "An earlier sale is being paid",
                "The card was here before and left without paying. It pays that sale first.",
                money: .onDisk,
                .customer("leave the card in")
            )
        case .earlierSaleSettled:
            Explanation(
                "An earlier sale is paid",
                "The card proved that it paid, and it is free again.",
                money: .paid
            )
        case .removeCard:
            Explanation(
                "The visit is over",
                "Nothing more is done with the card.",
                money: .nothing,
                .customer("take the card")
            )
        case .cardFault:
            Explanation(
                "The card or its reader failed",
                "A call to the card did not end as it should. The line names what happened, the cause its kind.",
                money: .onDisk,
                .customer("take the card out and put it in again"),
                .staff("when it comes with every card, look at the reader")
            )
        case .escaped:
            Explanation(
                "A card left without paying",
                "The sale ended and its card was gone, or did not prove that it paid. A grey record holds the sale's amount, and the card stays locked until it is paid.",
                money: .onDisk,
                .staff("tell the customer that the card pays at its next visit here"),
                .technician("for another terminal: greylock records export")
            )
        case .readerLost:
            Explanation(
                "The card reader is gone",
                "No card can be served until it is back. It is looked for by itself.",
                money: .onDisk,
                .staff("plug the reader in"),
                .technician("see whether pcscd runs and lists it: pcsc_scan")
            )
        case .pumpMissing:
            Explanation(
                "The pump's lines are waited for",
                "The chip or a line of this side cannot be had, and the side is out of order. It tries again by itself. The words behind it name what is missing.",
                money: .sideClosed,
                .technician("greylock lines --config FILE shows chips, lines and who holds them")
            )
        case .parametersRefused:
            Explanation(
                "The parameters of the meter are not in order",
                "The side has no set of parameters that it believes, and sells nothing. The cause says why.",
                money: .sideClosed,
                .technician(
                    "greylock parameters verify --config FILE; greylock parameters import puts a set under seal"
                )
            )
        case .identification:
            Explanation(
                "Which program and parameters are in force",
                "Somebody asked at the console, with the key i.",
                money: .nothing
            )
        case .program:
            Explanation(
                "Which program runs",
                "Its version and the SHA-256 of its file, at each start and where somebody asked for it.",
                money: .nothing
            )
        case .notArmed:
            Explanation(
                "The terminal has no keys",
                "It serves no card until its custodians have loaded its keys.",
                money: .noSale,
                .custodian("greylock keys load --config FILE")
            )
        case .pulserFaults:
            Explanation(
                "The pulser was faulty in a sale",
                "Edges came that a sound pulser does not give. The sale charges what is proven.",
                money: .onDisk,
                .technician(
                    "greylock position --config FILE shows the faults by kind; look at plug, shield and supply of the pulser"
                )
            )
        case .strayFaults:
            Explanation(
                "Edges came outside any sale",
                "The pulser's lines are disturbed while no fuel may flow, or the service stood still.",
                money: .nothing,
                .technician(
                    "look at the shield and the earth of the pulser's cable; greylock pulses watch shows the lines as they move"
                )
            )
        case .pulserWorn:
            Explanation(
                "The pulser is worn",
                "The distance between its edges has become short: it still counts right, and will not for ever.",
                money: .nothing,
                .technician("exchange the pulser; greylock pulses watch shows its margin")
            )
        case .meterStopped:
            Explanation(
                "The pump closed by itself",
                "What the pulser says cannot be, and the valves were closed at once. The sale ends with what was counted; the cause says why.",
                money: .uncounted,
                .technician("greylock position --config FILE; look at the pulser before the side is opened again")
            )
        case .emergency:
            Explanation(
                "Emergency stop, or power fails",
                "The emergency input is active. The valves are closed, no card is served, and a sale under way ends with what was counted.",
                money: .onDisk,
                .staff("release the emergency stop when the danger is over"),
                .technician("when nobody pressed it, look for a cut wire: the contact is closed in service")
            )
        case .emergencyOver:
            Explanation(
                "The emergency stop is released",
                "Cards are served again.",
                money: .nothing
            )
        case .strayFlow:
            Explanation(
                "Fuel flowed outside any sale",
                "More than a tenth of a litre was counted with the valves closed. A record of its own holds it, and no card pays it.",
                money: .uncounted,
                .technician("close the hand valve, look for a leaking valve, then for disturbed pulser lines")
            )
        case .fuelDoesNotStop:
            Explanation(
                "Fuel still flows with the valves closed",
                "The valves were told to close, and the pulser still counts.",
                money: .uncounted,
                .staff("close the hand valve and call for service"),
                .technician("look at the valves and their relays")
            )
        case .heldForCheckpoint:
            Explanation(
                "Fuel waits for the disk",
                "A checkpoint is not on disk yet, so the valves are closed until it is: what flows is never more than what a power cut may cost.",
                money: .onDisk,
                .technician("when it comes often, the disk is too slow or worn: put the journal on a better one")
            )
        case .interrupted:
            Explanation(
                "The service stopped in mid-sale",
                "It was told to stop. What flowed is on disk, and the card pays it at its next visit.",
                money: .onDisk
            )
        case .journalNearlyFull:
            Explanation(
                "The journal is nearly full",
                "Below 48 free records it warns, below 16 no card is served.",
                money: .nothing,
                .integrator(
                    "acknowledge records that the host has (greylock station acknowledge), or raise journal.capacity"
                )
            )
        case .recovered:
            Explanation(
                "A sale was open at the start",
                "The service ended in mid-sale, by a power cut or otherwise. The sale is made whole from its last checkpoint, and its card pays it.",
                money: .onDisk,
                .technician("compare the nozzle's own counter when it happens without a power cut")
            )
        case .waitForTheirCards:
            Explanation(
                "Sales wait for their cards",
                "Debits were sent whose answers nobody saw. What each card did is found out at its next visit.",
                money: .unproven,
                .technician("greylock records --config FILE lists them")
            )
        case .releasedElsewhere:
            Explanation(
                "The card was released without this terminal",
                "The card is free again by a proof of the issuer or another terminal. Its earlier sale here goes to the issuer.",
                money: .issuers
            )
        case .prepaying:
            Explanation(
                "A sale is being paid before fuel flows",
                "The side sells prepaid (payment = \"prepaid\").",
                money: .unproven,
                .customer("leave the card in")
            )
        case .prepaid:
            Explanation(
                "A sale was paid before fuel flows",
                "What does not flow is refunded by the issuer.",
                money: .paid,
                .customer("lift the nozzle; the card may be taken")
            )
        case .prepaidCardGone:
            Explanation(
                "The card left a paid sale",
                "It is paid already and goes on without the card.",
                money: .paid
            )
        case .refund:
            Explanation(
                "Less flowed than was paid",
                "A refund record says how much the issuer owes the card.",
                money: .issuers,
                .customer("keep the receipt")
            )
        case .purchaseVoid:
            Explanation(
                "The last payment did not happen",
                "The card proved that it did not pay at its last visit.",
                money: .nothing
            )
        case .damagedRow:
            Explanation(
                "A row of the journal is not believed",
                "Its code is wrong: it was edited, or the disk lost it. It is left as it is, and all others are used.",
                money: .issuers,
                .technician(
                    "greylock records --config FILE lists it; look at the disk; then greylock position --accept-rows"
                )
            )
        case .totalsDiffer:
            Explanation(
                "The totals of a nozzle differ",
                "Journal, file and board memory did not say the same at the start. The highest authentic one holds.",
                money: .uncounted,
                .technician(
                    "compare it with the nozzle's own counter; greylock position --history keeps the difference"
                )
            )
        case .totalsMadeAnew:
            Explanation(
                "A place of the totals is made anew",
                "It was empty or not authentic, and was written from the others.",
                money: .nothing,
                .technician("when nobody exchanged the medium, look at it")
            )
        case .totalsNotWritten:
            Explanation(
                "The totals are kept in one place fewer",
                "The file or the board's memory cannot be written. Sales go on while one of them is left beside the journal.",
                money: .nothing,
                .technician("look at the medium that the line names")
            )
        case .totalsKeptAgain:
            Explanation(
                "The totals are kept in that place again",
                "It can be written again.",
                money: .nothing
            )
        case .closed:
            Explanation(
                "The side is closed",
                "The service stops, or the station closed the side.",
                money: .nothing
            )
        }
    }
}
