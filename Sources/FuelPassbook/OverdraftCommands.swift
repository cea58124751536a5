package import CardCryptography
package import ISO7816
package import Quantities

// The overdraft limit, which only the issuer changes (spec/passbook.md).

/// INITIALIZE FOR UPDATE.
package struct InitializeForUpdate: PassbookCommand {
    package static let instruction = Instruction.initializeForUpdate
    package static let length = 0x07

    package let keyIndex: KeyIndex
    package let terminal: TerminalID

    package init(keyIndex: KeyIndex, terminal: TerminalID) {
        self.keyIndex = keyIndex
        self.terminal = terminal
    }

    package init(reading reader: inout FieldReader) throws(ParseError) {
        keyIndex = try reader.read("key index")
        terminal = try reader.read("TID")
    }

    package func append(to bytes: inout [UInt8]) {
        keyIndex.append(to: &bytes)
        terminal.append(to: &bytes)
    }

    package struct Response: PassbookMessage {
        package static let length = 0x13

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

        package init(reading reader: inout FieldReader) throws(ParseError) {
            balance = try reader.read("balance")
            online = try reader.read("online number")
            overdraftLimit = try reader.read("overdraft limit")
            keyVersion = try reader.read("key version")
            algorithm = try reader.read("algorithm")
            icc = try reader.read("ICC")
            mac1 = try reader.read("MAC1")
        }

        package func append(to bytes: inout [UInt8]) {
            balance.append(to: &bytes)
            online.append(to: &bytes)
            overdraftLimit.append(to: &bytes)
            keyVersion.append(to: &bytes)
            algorithm.append(to: &bytes)
            icc.append(to: &bytes)
            mac1.append(to: &bytes)
        }
    }
}

/// UPDATE OVERDRAFT LIMIT. Date and time are the issuer's.
package struct UpdateOverdraftLimit: PassbookCommand {
    package static let instruction = Instruction.updateOverdraftLimit
    package static let length = 0x0E

    package let limit: OverdraftLimit
    package let time: TransactionTime
    package let mac2: MAC

    package init(limit: OverdraftLimit, time: TransactionTime, mac2: MAC) {
        self.limit = limit
        self.time = time
        self.mac2 = mac2
    }

    package init(reading reader: inout FieldReader) throws(ParseError) {
        limit = try reader.read("new overdraft limit")
        time = try reader.read("date and time")
        mac2 = try reader.read("MAC2")
    }

    package func append(to bytes: inout [UInt8]) {
        limit.append(to: &bytes)
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
