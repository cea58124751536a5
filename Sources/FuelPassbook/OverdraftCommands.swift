package import CardCryptography
package import ISO7816
package import Quantities

// The overdraft limit, which only the issuer changes (spec/passbook.md).

/// INITIALIZE FOR UPDATE.
package struct InitializeForUpdate: PassbookCommand {
    package static let instruction = Instruction.initializeForUpdate

    package let keyIndex: KeyIndex
    package let terminal: TerminalID

    package init(keyIndex: KeyIndex, terminal: TerminalID) {
        self.keyIndex = keyIndex
        self.terminal = terminal
    }

    package static let layout = MessageLayout(Self.init, Field("key index", \.keyIndex), Field("TID", \.terminal))

    package struct Response: PassbookMessage {
        /// With the overdraft limit.
        package let balance: Amount
        /// The number before it counts up.
        package let online: OnlineNumber
        package let overdraftLimit: OverdraftLimit
        package let keyVersion: KeyVersion
        package let algorithm: AlgorithmID
        package let icc: ICCRandom
        package let mac1: MAC

        package init(
            balance: Amount,
            online: OnlineNumber,
            overdraftLimit: OverdraftLimit,
            keyVersion: KeyVersion,
            algorithm: AlgorithmID,
            icc: ICCRandom,
            mac1: MAC
        ) {
            self.balance = balance
            self.online = online
            self.overdraftLimit = overdraftLimit
            self.keyVersion = keyVersion
            self.algorithm = algorithm
            self.icc = icc
            self.mac1 = mac1
        }

        package static let layout = MessageLayout(
            Self.init,
            Field("balance", \.balance),
            Field("online number", \.online),
            Field("overdraft limit", \.overdraftLimit),
            Field("key version", \.keyVersion),
            Field("algorithm", \.algorithm),
            Field("ICC", \.icc),
            Field("MAC1", \.mac1)
        )
    }
}

/// UPDATE OVERDRAFT LIMIT. Date and time are the issuer's.
package struct UpdateOverdraftLimit: PassbookCommand {
    package static let instruction = Instruction.updateOverdraftLimit

    package let limit: OverdraftLimit
    package let time: TransactionTime
    package let mac2: MAC

    package init(limit: OverdraftLimit, time: TransactionTime, mac2: MAC) {
        self.limit = limit
        self.time = time
        self.mac2 = mac2
    }

    package static let layout = MessageLayout(
        Self.init,
        Field("new overdraft limit", \.limit),
        Field("date and time", \.time),
        Field("MAC2", \.mac2)
    )

    package struct Response: PassbookMessage {
        package let tac: MAC

        package init(tac: MAC) {
            self.tac = tac
        }

        package static let layout = MessageLayout(Self.init, Field("TAC", \.tac))
    }
}
