package import FuelPassbook
package import ISO7816
package import SecurityModule

/// What a sale knows of a card with the grey lock: status, begin, lock, debit, proof (<doc:0041-a-family-of-its-own>).
package typealias GreyLockCard = PatentCard

/// A card by how it can pay, and how its purse stands. No code covers any of it: what it leads to proves itself.
package enum SelectedCard {
    case grey(GreyLockCard, GetGreyStatus.Response)
    /// D18.
    case free(GreyLockCard)
    /// Without the grey lock, or it says so: the ordinary purchase alone.
    case ordinary(StatusWord)
}

extension Selection {
    /// Steps 3.1 and 3.2, of a card whose application is selected: what it answers says of which family it is.
    package static func card(
        over dialogue: CardDialogue,
        module: SecurityModule,
        keyIndex: KeyIndex
    ) throws(CardStop) -> SelectedCard {
        switch try dialogue.purse() {
        case .grey(let status): .grey(PatentCard(dialogue, module: module, keyIndex: keyIndex), status)
        case .free: .free(PatentCard(dialogue, module: module, keyIndex: keyIndex))
        case .noPetrolCommands(let status): .ordinary(status)
        }
    }
}
