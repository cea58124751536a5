package import CardCryptography
package import ISO7816
package import Quantities

// Money off the card, back to the holder's account, with the issuer (spec/passbook.md).

/// INITIALIZE FOR UNLOAD.
package struct InitializeForUnload: PassbookCommand {
    package static let instruction = Instruction.initializeForUnload

    package let keyIndex: KeyIndex
    package let amount: Amount
    package let terminal: TerminalID

    package init(keyIndex: KeyIndex, amount: Amount, terminal: TerminalID) {
        self.keyIndex = keyIndex
        self.amount = amount
        self.terminal = terminal
    }

    package static let layout = MessageLayout(
        Self.init,
        Field("key index", \.keyIndex),
        Field("amount", \.amount),
        Field("TID", \.terminal)
    )

    package typealias Response = OnlineInitialization
}

/// DEBIT FOR UNLOAD. Date and time are the issuer's.
package struct DebitForUnload: PassbookCommand {
    package static let instruction = Instruction.debitForUnload

    package let time: TransactionTime
    package let mac2: MAC

    package init(time: TransactionTime, mac2: MAC) {
        self.time = time
        self.mac2 = mac2
    }

    package static let layout = MessageLayout(Self.init, Field("date and time", \.time), Field("MAC2", \.mac2))

    package struct Response: PassbookMessage {
        package let mac3: MAC

        package init(mac3: MAC) {
            self.mac3 = mac3
        }

        package static let layout = MessageLayout(Self.init, Field("MAC3", \.mac3))
    }
}
