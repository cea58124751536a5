package import CardCryptography
package import ISO7816
package import Quantities

// Every cryptogram of the fuel passbook: which key, over which elements, in which order (spec/grey-lock.md, section 2).
// Card, terminal and issuer call these; none spells an input again. This file has the TAC; the keys of purchase and petrol,
// of what the issuer takes part in, and of the card's upkeep stand in files of their own.

/// The TAC key: DTK-left XOR DTK-right, DTK being a child of MTK. The terminal never has it.
package struct TACKey: ~Copyable, Sendable {
    private let key: SingleLengthKey

    package init(master: borrowing DoubleLengthKey, card: ApplicationSerialNumber) {
        key = master.foldedChild(of: card.diversificationFactor)
    }

    package init(_ key: consuming SingleLengthKey) { self.key = key }

    /// TAC of LOCK FOR PETROL; `ctc` is the number before the lock.
    package borrowing func lock(balance: Amount, ctc: CTC, terminal: TerminalID, time: TransactionTime) -> MAC {
        key.mac(of: message(balance, ctc, TransactionType.refuel, terminal, time))
    }

    /// TAC of DEBIT FOR PETROL, and of a purchase or cash withdrawal.
    package borrowing func debit(
        amount: Amount,
        type: TransactionType,
        terminal: TerminalID,
        ttc: TTC,
        time: TransactionTime
    ) -> MAC {
        key.mac(of: message(amount, type, terminal, ttc, time))
    }

    /// TAC of a transaction with the issuer: load, unload, online unlock; `balance` is the one after, `online` the number
    /// before it counted up (D14, D15).
    package borrowing func online(
        balance: Amount,
        online: OnlineNumber,
        amount: Amount,
        type: TransactionType,
        terminal: TerminalID,
        time: TransactionTime
    ) -> MAC {
        key.mac(of: message(balance, online, amount, type, terminal, time))
    }

    /// TAC of UPDATE OVERDRAFT LIMIT; `balance` is the one after, `online` the number before it counted up.
    package borrowing func overdraft(
        balance: Amount,
        online: OnlineNumber,
        limit: OverdraftLimit,
        terminal: TerminalID,
        time: TransactionTime
    ) -> MAC {
        key.mac(of: message(balance, online, limit, TransactionType.overdraft, terminal, time))
    }
}

/// The elements' bytes one after the other.
func message(_ elements: any DataElement...) -> [UInt8] {
    elements.reduce(into: []) { bytes, element in element.append(to: &bytes) }
}

extension MAC: DataElement {
    package init(bytes: ArraySlice<UInt8>) throws(ParseError) {
        guard bytes.count == Self.length else { throw .wrongLength("MAC") }
        self.init(bytes: Array(bytes))
    }

    package func append(to bytes: inout [UInt8]) { bytes += self.bytes }
}
