package import CardCryptography
package import ISO7816
package import Quantities

// Money off the card, back to the holder's account, with the issuer (spec/passbook.md).

/// INITIALIZE FOR UNLOAD.
package struct InitializeForUnload: PassbookCommand {
    package static let instruction = Instruction.initializeForUnload
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

/// DEBIT FOR UNLOAD. Date and time are the issuer's.
package struct DebitForUnload: PassbookCommand {
    package static let instruction = Instruction.debitForUnload
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

        package let mac3: MAC

        package init(mac3: MAC) {
            self.mac3 = mac3
        }

        package init(reading reader: inout FieldReader) throws(ParseError) {
            mac3 = try reader.read("MAC3")
        }

        package func append(to bytes: inout [UInt8]) {
            mac3.append(to: &bytes)
        }
    }
}
