package import CardCryptography
package import ISO7816
package import Quantities

// Money onto the card, with the issuer (spec/passbook.md).

/// INITIALIZE FOR LOAD.
package struct InitializeForLoad: PassbookCommand {
    package static let instruction = Instruction.initializeForLoad
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

    package typealias Response = OnlineInitialization
}

/// CREDIT FOR LOAD. Date and time are the issuer's.
package struct CreditForLoad: PassbookCommand {
    package static let instruction = Instruction.creditForLoad
    package static let length = 0x0B

    package let time: TransactionTime
    package let mac2: MAC

    package init(time: TransactionTime, mac2: MAC) {
        self.time = time
        self.mac2 = mac2
    }

    package init(reading reader: inout FieldReader) throws(ParseError) {
        time = try reader.read("date and time")
        mac2 = try reader.read("MAC2")
    }

    package func append(to bytes: inout [UInt8]) {
        time.append(to: &bytes)
        mac2.append(to: &bytes)
    }

    package struct Response: PassbookMessage {
        package static let length = 0x04

        package let tac: MAC

        package init(tac: MAC) {
            self.tac = tac
        }

        package init(reading reader: inout FieldReader) throws(ParseError) {
            tac = try reader.read("TAC")
        }

        package func append(to bytes: inout [UInt8]) {
            tac.append(to: &bytes)
        }
    }
}

/// What a card answers to INITIALIZE FOR LOAD, INITIALIZE FOR UNLOAD and INITIALIZE FOR UNLOCK.
package struct OnlineInitialization: PassbookMessage {
    package static let length = 0x10

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

    package init(reading reader: inout FieldReader) throws(ParseError) {
        balance = try reader.read("balance")
        online = try reader.read("online number")
        keyVersion = try reader.read("key version")
        algorithm = try reader.read("algorithm")
        icc = try reader.read("ICC")
        mac1 = try reader.read("MAC1")
    }

    package func append(to bytes: inout [UInt8]) {
        balance.append(to: &bytes)
        online.append(to: &bytes)
        keyVersion.append(to: &bytes)
        algorithm.append(to: &bytes)
        icc.append(to: &bytes)
        mac1.append(to: &bytes)
    }
}
