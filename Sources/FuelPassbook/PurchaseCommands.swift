package import CardCryptography
package import ISO7816
package import Quantities

// The ordinary purchase and cash withdrawal (spec/passbook.md; seed 002).

/// INITIALIZE FOR PURCHASE, and with another header INITIALIZE FOR CASH WITHDRAW.
package struct InitializeForPurchase: PassbookCommand {
    package static let instruction = Instruction.initializeForPurchase
    package static let length = 0x0B

    package let keyIndex: KeyIndex
    package let amount: Amount
    package let terminal: TerminalID

    package init(keyIndex: KeyIndex, amount: Amount, terminal: TerminalID) {
        self.keyIndex = keyIndex
        self.amount = amount
        self.terminal = terminal
    }

    package init(reading reader: inout FieldReader) throws(ParseError) {
        keyIndex = try reader.read("key index")
        amount = try reader.read("amount")
        terminal = try reader.read("TID")
    }

    package func append(to bytes: inout [UInt8]) {
        keyIndex.append(to: &bytes)
        amount.append(to: &bytes)
        terminal.append(to: &bytes)
    }

    /// INITIALIZE FOR CASH WITHDRAW of the same data.
    package var cashWithdrawalAPDU: CommandAPDU {
        var command = apdu
        command.header = Instruction.initializeForCashWithdrawal.header
        return command
    }

    package struct Response: PassbookMessage {
        package static let length = 0x0F

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

        package init(reading reader: inout FieldReader) throws(ParseError) {
            balance = try reader.read("balance")
            ctc = try reader.read("CTC")
            overdraftLimit = try reader.read("overdraft limit")
            keyVersion = try reader.read("key version")
            algorithm = try reader.read("algorithm")
            icc = try reader.read("ICC")
        }

        package func append(to bytes: inout [UInt8]) {
            balance.append(to: &bytes)
            ctc.append(to: &bytes)
            overdraftLimit.append(to: &bytes)
            keyVersion.append(to: &bytes)
            algorithm.append(to: &bytes)
            icc.append(to: &bytes)
        }
    }
}

/// DEBIT FOR PURCHASE / CASH WITHDRAW. Date and time are the terminal's.
package struct DebitForPurchase: PassbookCommand {
    package static let instruction = Instruction.debitForPurchase
    package static let length = 0x0F

    package let ttc: TTC
    package let time: TransactionTime
    package let mac1: MAC

    package init(ttc: TTC, time: TransactionTime, mac1: MAC) {
        self.ttc = ttc
        self.time = time
        self.mac1 = mac1
    }

    package init(reading reader: inout FieldReader) throws(ParseError) {
        ttc = try reader.read("TTC")
        time = try reader.read("date and time")
        mac1 = try reader.read("MAC1")
    }

    package func append(to bytes: inout [UInt8]) {
        ttc.append(to: &bytes)
        time.append(to: &bytes)
        mac1.append(to: &bytes)
    }

    package struct Response: PassbookMessage {
        package static let length = 0x08

        package let tac: MAC
        package let mac2: MAC

        package init(tac: MAC, mac2: MAC) {
            self.tac = tac
            self.mac2 = mac2
        }

        package init(reading reader: inout FieldReader) throws(ParseError) {
            tac = try reader.read("TAC")
            mac2 = try reader.read("MAC2")
        }

        package func append(to bytes: inout [UInt8]) {
            tac.append(to: &bytes)
            mac2.append(to: &bytes)
        }
    }
}
