import Codes

extension CardCode {
    var explanation: Explanation {
        switch self {
        case .cardRemoved:
            Explanation(
                "The card was removed",
                "It left between two commands.",
                money: .unproven,
                .customer("put it back")
            )
        case .cardReaderFailed:
            Explanation(
                "The reader failed",
                "Nothing was heard of it, or it answered with an error.",
                money: .unproven,
                .technician("look at its plug; systemctl status pcscd")
            )
        case .cardInUse:
            Explanation(
                "Another program has the card",
                "It holds the card for itself.",
                money: .unproven,
                .technician("end that program; see the package's polkit rule")
            )
        case .cardUnresponsive:
            Explanation(
                "The card does not answer",
                "There is a card, and no chip: upside down, dirty or dead.",
                money: .unproven,
                .customer("turn it, or wipe its contacts")
            )
        case .cardMalformed:
            Explanation(
                "The card's bytes are no answer",
                "What came is shorter than the least answer.",
                money: .unproven,
                .customer("put it in again")
            )
        case .cardDoesNotAnswer:
            Explanation(
                "A call to the card takes too long",
                "The valve is closed by the pump's own thread meanwhile.",
                money: .onDisk,
                .customer("take the card out")
            )
        case .cardReader:
            Explanation(
                "A reader is in use",
                "Its name.",
                money: .nothing
            )
        case .keyNotLoaded:
            Explanation(
                "The card's key is not loaded",
                "No purchase master of that index and version is held here.",
                money: .noSale,
                .custodian("greylock keys load takes the issuer's block, greylock keys activate puts it in use")
            )
        case .keyNotInUse:
            Explanation(
                "The card's key does not sell now",
                "It is retired, or not active yet.",
                money: .noSale,
                .custodian("greylock keys list shows the dates")
            )
        case .keyHolderFails:
            Explanation(
                "The token with the card's key does not answer",
                "Cards of that key are refused; sales of that key settle later.",
                money: .unproven,
                .technician("see that the token is plugged in and p11-kit's server runs")
            )
        case .algorithmNotSupported:
            Explanation(
                "The card wants another algorithm",
                "Only triple DES is known.",
                money: .nothing,
                .issuer("the card was personalised for another terminal")
            )
        case .mac1Wrong:
            Explanation(
                "The card did not prove itself",
                "MAC1 is wrong: it is no card of this scheme, or its key is another.",
                money: .nothing,
                .issuer("look at the card"),
                .custodian("see that the right master is loaded")
            )
        case .mac2Wrong:
            Explanation(
                "The payment is not proven",
                "MAC2 is wrong.",
                money: .unproven,
                .issuer("look at the card")
            )
        case .mac3Wrong:
            Explanation(
                "The lock is not proven",
                "MAC3 is wrong, and no fuel flows.",
                money: .unproven,
                .issuer("look at the card")
            )
        case .sealBroken:
            Explanation(
                "A sealed code does not belong to its record",
                "The record or its code was altered.",
                money: .issuers,
                .technician("greylock records lists the row"),
                .issuer("release the card at the counter")
            )
        }
    }
}
