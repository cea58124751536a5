package import CardCryptography
package import ISO7816
package import Quantities

// The ordinary purchase and cash withdrawal (spec/passbook.md; seed 002).

/// INITIALIZE FOR PURCHASE, and with another header INITIALIZE FOR CASH WITHDRAW.
package struct InitializeForPurchase: PassbookCommand {
    package static let instruction = Instruction.initializeForPurchase

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

    /// INITIALIZE FOR CASH WITHDRAW of the same data.
    package var cashWithdrawalAPDU: CommandAPDU {
        var command = apdu
        command.header = Instruction.initializeForCashWithdrawal.header
        return command
    }

    package struct Response: PassbookMessage {
        /// With the overdraft limit.
        package let balance: Amount
        /// The number before the debit.
        package let ctc: CTC
        package let overdraftLimit: OverdraftLimit
        package let keyVersion: KeyVersion
        package let algorithm: AlgorithmID
        package let icc: ICCRandom

        package init(
            balance: Amount,
            ctc: CTC,
            overdraftLimit: OverdraftLimit,
            keyVersion: KeyVersion,
            algorithm: AlgorithmID,
            icc: ICCRandom
        ) {
            self.balance = balance
            self.ctc = ctc
            self.overdraftLimit = overdraftLimit
            self.keyVersion = keyVersion
            self.algorithm = algorithm
            self.icc = icc
        }

        package static let layout = MessageLayout(
            Self.init,
            Field("balance", \.balance),
            Field("CTC", \.ctc),
            Field("overdraft limit", \.overdraftLimit),
            Field("key version", \.keyVersion),
            Field("algorithm", \.algorithm),
            Field("ICC", \.icc)
        )
    }
}

/// DEBIT FOR PURCHASE / CASH WITHDRAW. Date and time are the terminal's.
package struct DebitForPurchase: PassbookCommand {
    package static let instruction = Instruction.debitForPurchase

    package let ttc: TTC
    package let time: TransactionTime
    package let mac1: MAC

    package init(ttc: TTC, time: TransactionTime, mac1: MAC) {
        self.ttc = ttc
        self.time = time
        self.mac1 = mac1
    }

    package static let layout = MessageLayout(
        Self.init,
        Field("TTC", \.ttc),
        Field("date and time", \.time),
        Field("MAC1", \.mac1)
    )

    package struct Response: PassbookMessage {
        package let tac: MAC
        package let mac2: MAC

        package init(tac: MAC, mac2: MAC) {
            self.tac = tac
            self.mac2 = mac2
        }

        package static let layout = MessageLayout(Self.init, Field("TAC", \.tac), Field("MAC2", \.mac2))
    }
}
