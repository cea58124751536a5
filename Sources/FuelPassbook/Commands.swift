package import CardCryptography
package import ISO7816
package import Quantities

/// A command of the passbook that carries data elements, and the answer that belongs to it.
package protocol PassbookCommand: Sendable {
    associatedtype Response: PassbookMessage

    static var instruction: Instruction { get }
    static var length: Int { get }

    init(reading reader: inout FieldReader) throws(ParseError)
    func append(to bytes: inout [UInt8])
}

/// The data of an answer.
package protocol PassbookMessage: Sendable {
    static var length: Int { get }

    init(reading reader: inout FieldReader) throws(ParseError)
    func append(to bytes: inout [UInt8])
}

extension PassbookCommand {
    package init(parsing data: [UInt8]) throws(ParseError) {
        var reader = FieldReader(data)
        try self.init(reading: &reader)
        try reader.finish(Self.instruction.name)
    }

    package var apdu: CommandAPDU {
        var data: [UInt8] = []
        append(to: &data)
        return CommandAPDU(Self.instruction.header, data: data, expectedLength: Response.length)
    }
}

extension PassbookMessage {
    package init(parsing data: [UInt8]) throws(ParseError) {
        var reader = FieldReader(data)
        try self.init(reading: &reader)
        try reader.finish("answer")
    }

    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return bytes
    }
}

// MARK: - INITIALIZE FOR PETROL (Tables 3 to 6)

package struct InitializeForPetrol: PassbookCommand {
    package static let instruction = Instruction.initializeForPetrol
    package static let length = 0x0B

    package let keyIndex: KeyIndex
    package let terminal: TerminalID
    package let ttc: TTC

    package init(keyIndex: KeyIndex, terminal: TerminalID, ttc: TTC) {
        self.keyIndex = keyIndex
        self.terminal = terminal
        self.ttc = ttc
    }

    package init(reading reader: inout FieldReader) throws(ParseError) {
        keyIndex = try reader.read("key index")
        terminal = try reader.read("TID")
        ttc = try reader.read("TTC")
    }

    package func append(to bytes: inout [UInt8]) {
        keyIndex.append(to: &bytes)
        terminal.append(to: &bytes)
        ttc.append(to: &bytes)
    }

    /// The random number has 4 bytes, as the Le says, and not the 1 byte of Table 5 (D1).
    package struct Response: PassbookMessage {
        package static let length = 0x10

        package let balance: Amount
        /// The number before the lock.
        package let ctc: CTC
        package let keyVersion: KeyVersion
        package let algorithm: AlgorithmID
        package let icc: ICCRandom
        package let mac1: MAC

        package init(
            balance: Amount,
            ctc: CTC,
            keyVersion: KeyVersion,
            algorithm: AlgorithmID,
            icc: ICCRandom,
            mac1: MAC
        ) {
            self.balance = balance
            self.ctc = ctc
            self.keyVersion = keyVersion
            self.algorithm = algorithm
            self.icc = icc
            self.mac1 = mac1
        }

        package init(reading reader: inout FieldReader) throws(ParseError) {
            balance = try reader.read("balance")
            ctc = try reader.read("CTC")
            keyVersion = try reader.read("key version")
            algorithm = try reader.read("algorithm")
            icc = try reader.read("ICC")
            mac1 = try reader.read("MAC1")
        }

        package func append(to bytes: inout [UInt8]) {
            balance.append(to: &bytes)
            ctc.append(to: &bytes)
            keyVersion.append(to: &bytes)
            algorithm.append(to: &bytes)
            icc.append(to: &bytes)
            mac1.append(to: &bytes)
        }
    }
}

// MARK: - LOCK FOR PETROL (Tables 7 to 10)

package struct LockForPetrol: PassbookCommand {
    package static let instruction = Instruction.lockForPetrol
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
        package static let length = 0x08

        package let lockTAC: MAC
        package let mac3: MAC

        package init(lockTAC: MAC, mac3: MAC) {
            self.lockTAC = lockTAC
            self.mac3 = mac3
        }

        package init(reading reader: inout FieldReader) throws(ParseError) {
            lockTAC = try reader.read("lock TAC")
            mac3 = try reader.read("MAC3")
        }

        package func append(to bytes: inout [UInt8]) {
            lockTAC.append(to: &bytes)
            mac3.append(to: &bytes)
        }
    }
}

// MARK: - DEBIT FOR PETROL (Tables 11 to 14)

/// Lc is `1B`: Table 12 with its CTC, not the `19` of Table 11 (D2). `ctc` is the card's present one, that of the
/// lock plus one (D3); TID, TTC and time are those of the terminal that sends it.
package struct DebitForPetrol: PassbookCommand {
    package static let instruction = Instruction.debitForPetrol
    package static let length = 0x1B

    package let amount: Amount
    package let ctc: CTC
    package let terminal: TerminalID
    package let ttc: TTC
    package let time: TransactionTime
    package let gmac: MAC

    package init(amount: Amount, ctc: CTC, terminal: TerminalID, ttc: TTC, time: TransactionTime, gmac: MAC) {
        self.amount = amount
        self.ctc = ctc
        self.terminal = terminal
        self.ttc = ttc
        self.time = time
        self.gmac = gmac
    }

    package init(reading reader: inout FieldReader) throws(ParseError) {
        amount = try reader.read("amount")
        ctc = try reader.read("CTC")
        terminal = try reader.read("TID")
        ttc = try reader.read("TTC")
        time = try reader.read("date and time")
        gmac = try reader.read("GMAC")
    }

    package func append(to bytes: inout [UInt8]) {
        amount.append(to: &bytes)
        ctc.append(to: &bytes)
        terminal.append(to: &bytes)
        ttc.append(to: &bytes)
        time.append(to: &bytes)
        gmac.append(to: &bytes)
    }

    package struct Response: PassbookMessage {
        package static let length = 0x08

        package let debitTAC: MAC
        package let mac4: MAC

        package init(debitTAC: MAC, mac4: MAC) {
            self.debitTAC = debitTAC
            self.mac4 = mac4
        }

        package init(reading reader: inout FieldReader) throws(ParseError) {
            debitTAC = try reader.read("debit TAC")
            mac4 = try reader.read("MAC4")
        }

        package func append(to bytes: inout [UInt8]) {
            debitTAC.append(to: &bytes)
            mac4.append(to: &bytes)
        }
    }
}

// MARK: - INITIALIZE FOR UNLOCK (Tables 15 to 18)

package struct InitializeForUnlock: PassbookCommand {
    package static let instruction = Instruction.initializeForUnlock
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

    /// The number is the online one (D13).
    package typealias Response = OnlineInitialization
}

// MARK: - DEBIT FOR UNLOCK (Tables 19 to 22)

/// Date and time are the issuer's.
package struct DebitForUnlock: PassbookCommand {
    package static let instruction = Instruction.debitForUnlock
    package static let length = 0x0F

    package let amount: Amount
    package let time: TransactionTime
    package let mac2: MAC

    package init(amount: Amount, time: TransactionTime, mac2: MAC) {
        self.amount = amount
        self.time = time
        self.mac2 = mac2
    }

    package init(reading reader: inout FieldReader) throws(ParseError) {
        amount = try reader.read("amount")
        time = try reader.read("date and time")
        mac2 = try reader.read("MAC2")
    }

    package func append(to bytes: inout [UInt8]) {
        amount.append(to: &bytes)
        time.append(to: &bytes)
        mac2.append(to: &bytes)
    }

    package struct Response: PassbookMessage {
        package static let length = 0x04

        package let mac3: MAC

        package init(mac3: MAC) { self.mac3 = mac3 }

        package init(reading reader: inout FieldReader) throws(ParseError) {
            mac3 = try reader.read("MAC3")
        }

        package func append(to bytes: inout [UInt8]) { mac3.append(to: &bytes) }
    }
}

// MARK: - GET GREY STATUS (Tables 23 to 25)

/// Answered only by a purse that is grey; any other answers `6901` (D18).
package struct GetGreyStatus: PassbookCommand {
    package static let instruction = Instruction.getGreyStatus
    package static let length = 0

    package init() {}
    package init(reading reader: inout FieldReader) throws(ParseError) {}
    package func append(to bytes: inout [UInt8]) {}

    package struct Response: PassbookMessage {
        package static let length = 0x11

        package let flag: GreyFlag
        package let balance: Amount
        /// The card's present number, that of the lock plus one (D3).
        package let ctc: CTC
        package let online: OnlineNumber
        package let mac3: MAC
        package let lockTAC: MAC

        package init(balance: Amount, ctc: CTC, online: OnlineNumber, mac3: MAC, lockTAC: MAC) {
            flag = .grey
            self.balance = balance
            self.ctc = ctc
            self.online = online
            self.mac3 = mac3
            self.lockTAC = lockTAC
        }

        package init(reading reader: inout FieldReader) throws(ParseError) {
            flag = try reader.read("grey flag")
            guard flag == .grey else { throw .invalid("grey flag") }
            balance = try reader.read("balance")
            ctc = try reader.read("CTC")
            online = try reader.read("online number")
            mac3 = try reader.read("MAC3")
            lockTAC = try reader.read("lock TAC")
        }

        package func append(to bytes: inout [UInt8]) {
            flag.append(to: &bytes)
            balance.append(to: &bytes)
            ctc.append(to: &bytes)
            online.append(to: &bytes)
            mac3.append(to: &bytes)
            lockTAC.append(to: &bytes)
        }
    }
}
