package import CardCryptography
package import ISO7816
package import Quantities

/// The data of a command or of an answer.
package protocol PassbookMessage: Sendable {
    static var layout: MessageLayout<Self> { get }
}

/// A command of the passbook that carries data elements, and the answer that belongs to it.
package protocol PassbookCommand: PassbookMessage {
    associatedtype Response: PassbookMessage

    static var instruction: Instruction { get }
}

extension PassbookMessage {
    package static var length: Int { layout.length }

    package init(reading reader: inout FieldReader) throws(ParseError) { self = try Self.layout.read(&reader) }

    package init(parsing data: [UInt8]) throws(ParseError) { self = try Self.layout.parse(data) }

    package func append(to bytes: inout [UInt8]) { Self.layout.append(self, to: &bytes) }

    package var bytes: [UInt8] { Self.layout.bytes(of: self) }
}

extension PassbookCommand {
    package var apdu: CommandAPDU {
        CommandAPDU(Self.instruction.header, data: bytes, expectedLength: Response.length == 0 ? nil : Response.length)
    }
}

/// Of a command that is answered by its status word alone.
package struct NoData: PassbookMessage {
    package static let layout = MessageLayout(Self.init)

    package init() {}
}

// MARK: - INITIALIZE FOR PETROL (Tables 3 to 6)

package struct InitializeForPetrol: PassbookCommand {
    package static let instruction = Instruction.initializeForPetrol

    package let keyIndex: KeyIndex
    package let terminal: TerminalID
    package let ttc: TTC

    package init(keyIndex: KeyIndex, terminal: TerminalID, ttc: TTC) {
        self.keyIndex = keyIndex
        self.terminal = terminal
        self.ttc = ttc
    }

    package static let layout = MessageLayout(
        Self.init,
        Field("key index", \.keyIndex),
        Field("TID", \.terminal),
        Field("TTC", \.ttc)
    )

    /// The random number has 4 bytes, as the Le says, and not the 1 byte of Table 5 (D1).
    package struct Response: PassbookMessage {
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

        package static let layout = MessageLayout(
            Self.init,
            Field("balance", \.balance),
            Field("CTC", \.ctc),
            Field("key version", \.keyVersion),
            Field("algorithm", \.algorithm),
            Field("ICC", \.icc),
            Field("MAC1", \.mac1)
        )
    }
}

// MARK: - LOCK FOR PETROL (Tables 7 to 10)

package struct LockForPetrol: PassbookCommand {
    package static let instruction = Instruction.lockForPetrol

    package let time: TransactionTime
    package let mac2: MAC

    package init(time: TransactionTime, mac2: MAC) {
        self.time = time
        self.mac2 = mac2
    }

    package static let layout = MessageLayout(Self.init, Field("date and time", \.time), Field("MAC2", \.mac2))

    package struct Response: PassbookMessage {
        package let lockTAC: MAC
        package let mac3: MAC

        package init(lockTAC: MAC, mac3: MAC) {
            self.lockTAC = lockTAC
            self.mac3 = mac3
        }

        package static let layout = MessageLayout(Self.init, Field("lock TAC", \.lockTAC), Field("MAC3", \.mac3))
    }
}

// MARK: - DEBIT FOR PETROL (Tables 11 to 14)

/// Lc is `1B`: Table 12 with its CTC, not the `19` of Table 11 (D2). `ctc` is the card's present one, that of the
/// lock plus one (D3); TID, TTC and time are those of the terminal that sends it.
package struct DebitForPetrol: PassbookCommand {
    package static let instruction = Instruction.debitForPetrol

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

    package static let layout = MessageLayout(
        Self.init,
        Field("amount", \.amount),
        Field("CTC", \.ctc),
        Field("TID", \.terminal),
        Field("TTC", \.ttc),
        Field("date and time", \.time),
        Field("GMAC", \.gmac)
    )

    package struct Response: PassbookMessage {
        package let debitTAC: MAC
        package let mac4: MAC

        package init(debitTAC: MAC, mac4: MAC) {
            self.debitTAC = debitTAC
            self.mac4 = mac4
        }

        package static let layout = MessageLayout(Self.init, Field("debit TAC", \.debitTAC), Field("MAC4", \.mac4))
    }
}

// MARK: - INITIALIZE FOR UNLOCK (Tables 15 to 18)

package struct InitializeForUnlock: PassbookCommand {
    package static let instruction = Instruction.initializeForUnlock

    package let keyIndex: KeyIndex
    package let terminal: TerminalID

    package init(keyIndex: KeyIndex, terminal: TerminalID) {
        self.keyIndex = keyIndex
        self.terminal = terminal
    }

    package static let layout = MessageLayout(Self.init, Field("key index", \.keyIndex), Field("TID", \.terminal))

    /// The number is the online one (D13).
    package typealias Response = OnlineInitialization
}

// MARK: - DEBIT FOR UNLOCK (Tables 19 to 22)

/// Date and time are the issuer's.
package struct DebitForUnlock: PassbookCommand {
    package static let instruction = Instruction.debitForUnlock

    package let amount: Amount
    package let time: TransactionTime
    package let mac2: MAC

    package init(amount: Amount, time: TransactionTime, mac2: MAC) {
        self.amount = amount
        self.time = time
        self.mac2 = mac2
    }

    package static let layout = MessageLayout(
        Self.init,
        Field("amount", \.amount),
        Field("date and time", \.time),
        Field("MAC2", \.mac2)
    )

    package struct Response: PassbookMessage {
        package let mac3: MAC

        package init(mac3: MAC) { self.mac3 = mac3 }

        package static let layout = MessageLayout(Self.init, Field("MAC3", \.mac3))
    }
}

// MARK: - GET GREY STATUS (Tables 23 to 25)

/// Answered only by a purse that is grey; any other answers `6901` (D18).
package struct GetGreyStatus: PassbookCommand {
    package static let instruction = Instruction.getGreyStatus

    package init() {}

    package static let layout = MessageLayout(Self.init)

    package struct Response: PassbookMessage {
        package let flag: GreyFlag
        package let balance: Amount
        /// The card's present number, that of the lock plus one (D3).
        package let ctc: CTC
        package let online: OnlineNumber
        package let mac3: MAC
        package let lockTAC: MAC

        package init(balance: Amount, ctc: CTC, online: OnlineNumber, mac3: MAC, lockTAC: MAC) {
            self.init(.grey, balance, ctc, online, mac3, lockTAC)
        }

        private init(
            _ flag: GreyFlag,
            _ balance: Amount,
            _ ctc: CTC,
            _ online: OnlineNumber,
            _ mac3: MAC,
            _ lockTAC: MAC
        ) {
            self.flag = flag
            self.balance = balance
            self.ctc = ctc
            self.online = online
            self.mac3 = mac3
            self.lockTAC = lockTAC
        }

        package static let layout = MessageLayout(
            Self.init,
            Field("grey flag", \.flag),
            Field("balance", \.balance),
            Field("CTC", \.ctc),
            Field("online number", \.online),
            Field("MAC3", \.mac3),
            Field("lock TAC", \.lockTAC)
        )
    }
}
