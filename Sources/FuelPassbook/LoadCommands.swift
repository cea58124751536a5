package import CardCryptography
package import ISO7816
package import Quantities

// Money onto the card, with the issuer (spec/passbook.md).

/// INITIALIZE FOR LOAD.
package struct InitializeForLoad: PassbookCommand {
    package static let instruction = Instruction.initializeForLoad

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

/// CREDIT FOR LOAD. Date and time are the issuer's.
package struct CreditForLoad: PassbookCommand {
    package static let instruction = Instruction.creditForLoad

    package let time: TransactionTime
    package let mac2: MAC

    package init(time: TransactionTime, mac2: MAC) {
        self.time = time
        self.mac2 = mac2
    }

    package static let layout = MessageLayout(Self.init, Field("date and time", \.time), Field("MAC2", \.mac2))

    package struct Response: PassbookMessage {
        package let tac: MAC

        package init(tac: MAC) {
            self.tac = tac
        }

        package static let layout = MessageLayout(Self.init, Field("TAC", \.tac))
    }
}

/// What a card answers to INITIALIZE FOR LOAD, INITIALIZE FOR UNLOAD and INITIALIZE FOR UNLOCK.
package struct OnlineInitialization: PassbookMessage {
    /// With the overdraft limit.
    package let balance: Amount
    /// The number before it counts up.
    package let online: OnlineNumber
    package let keyVersion: KeyVersion
    package let algorithm: AlgorithmID
    package let icc: ICCRandom
    package let mac1: MAC

    package init(
        balance: Amount,
        online: OnlineNumber,
        keyVersion: KeyVersion,
        algorithm: AlgorithmID,
        icc: ICCRandom,
        mac1: MAC
    ) {
        self.balance = balance
        self.online = online
        self.keyVersion = keyVersion
        self.algorithm = algorithm
        self.icc = icc
        self.mac1 = mac1
    }

    package static let layout = MessageLayout(
        Self.init,
        Field("balance", \.balance),
        Field("online number", \.online),
        Field("key version", \.keyVersion),
        Field("algorithm", \.algorithm),
        Field("ICC", \.icc),
        Field("MAC1", \.mac1)
    )
}
