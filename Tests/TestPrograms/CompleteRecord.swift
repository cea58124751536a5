import FuelPassbook
import Quantities
package import Records

extension RecordFields {
    /// The record, with what its kind and phase cannot be without: made up where it is not there.
    package func completed() throws -> Record {
        var fields = self
        let debit = DebitAttempt(ttc: TTC(head.number.value), type: .refuel, terminal: head.terminal, time: head.begun)
        let hasLock =
            switch kind {
            case .sale, .escape, .cardFault, .prepaid, .localUnlock, .onlineUnlock: true
            case .noCard, .refund, .test: false
            }
        if hasLock { fields.mac3 = mac3 ?? [1, 2, 3, 4] }
        switch phase {
        case .debitSent, .settled, .paid: if hasLock, kind != .onlineUnlock { fields.debits = [debit] }
        case .intent, .locked, .torn, .flowing, .ended, .escaped, .void: break
        }
        if phase == .settled || phase == .paid { (fields.debitTAC, fields.mac4IsValid) = ([5, 6, 7, 8], true) }
        if phase.isOpen || phase == .escaped { fields.gmac = gmac ?? seal }
        switch kind {
        case .localUnlock, .onlineUnlock, .refund: fields.settles = settles ?? RecordNumber(1)
        case .sale, .escape, .cardFault, .prepaid, .noCard, .test: break
        }
        return try Record(fields)
    }

    private var seal: SealedGMAC {
        SealedGMAC(
            card: standing.card,
            terminal: head.terminal,
            ttc: TTC(head.number.value),
            ctc: standing.ctc,
            amount: amount,
            key: standing.key,
            sealed: Array(repeating: 0, count: SealedGMAC.sealedLength)
        )
    }
}
