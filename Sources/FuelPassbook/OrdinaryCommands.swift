package import CardCryptography
package import ISO7816
package import Quantities

// The ordinary passbook's commands (spec/passbook.md).

/// GET BALANCE.
package struct GetBalance: PassbookCommand {
    package static let instruction = Instruction.getBalance

    package init() {}

    package static let layout = MessageLayout(Self.init)

    package struct Response: PassbookMessage {
        package let balance: Amount

        package init(balance: Amount) { self.balance = balance }

        package static let layout = MessageLayout(Self.init, Field("balance", \.balance))
    }
}

/// What GET TRANSACTION PROVE returns: the MAC and the TAC of a past transaction (D14, D23).
package struct TransactionProof: PassbookMessage, Sendable {
    package let mac: MAC
    package let tac: MAC

    package init(mac: MAC, tac: MAC) {
        self.mac = mac
        self.tac = tac
    }

    package static let layout = MessageLayout(Self.init, Field("MAC", \.mac), Field("TAC", \.tac))
}

/// GET TRANSACTION PROVE. `number` is the one before it counted up (D22).
package struct GetTransactionProve: Sendable {
    package let type: TransactionType
    package let number: UInt16

    package init(type: TransactionType, number: UInt16) {
        self.type = type
        self.number = number
    }

    package init(parsing command: CommandAPDU) throws(ParseError) {
        type = TransactionType(command.header.p2)
        number = try UInt16(parsing: command.data)
    }

    package var apdu: CommandAPDU {
        var header = Instruction.getTransactionProve.header
        header.p2 = type.code
        return CommandAPDU(header, data: number.bytes, expectedLength: TransactionProof.length)
    }
}

/// SELECT by application identifier, and the answered template (ISO/IEC 7816-4, 7.1.1; `6F` with `84` and `A5`).
package struct SelectApplication: Sendable {
    package let aid: [UInt8]

    package init(aid: [UInt8]) { self.aid = aid }

    package var apdu: CommandAPDU {
        CommandAPDU(Instruction.select.header, data: aid, expectedLength: 256)
    }

    /// File control information: the application's name and the issuer's own data.
    package struct Response: Sendable, Equatable {
        package let aid: [UInt8]
        /// The content of `9F0C`.
        package let issuerData: [UInt8]

        package init(aid: [UInt8], issuerData: [UInt8]) {
            self.aid = aid
            self.issuerData = issuerData
        }

        package init(parsing data: [UInt8]) throws(ParseError) {
            let outer = try BERTLV.parse(data)
            guard let template = outer.first, outer.count == 1, template.tag == 0x6F else {
                throw .invalid("file control information")
            }
            let inner = try BERTLV.parse(template.value)
            guard let name = inner.first(where: { $0.tag == 0x84 }) else { throw .invalid("application name") }
            guard let proprietary = inner.first(where: { $0.tag == 0xA5 }) else {
                throw .invalid("proprietary template")
            }
            let objects = try BERTLV.parse(proprietary.value)
            guard let issuer = objects.first(where: { $0.tag == 0x9F0C }) else { throw .invalid("issuer's data") }
            aid = name.value
            issuerData = issuer.value
        }

        package var bytes: [UInt8] {
            let proprietary = BERTLV(tag: 0x9F0C, value: issuerData).bytes
            let content = BERTLV(tag: 0x84, value: aid).bytes + BERTLV(tag: 0xA5, value: proprietary).bytes
            return BERTLV(tag: 0x6F, value: content).bytes
        }
    }
}
