import CardCryptography
package import FuelPassbook
import ISO7816
package import Records
package import SecurityModule

/// A card of the patent's family (WO 01/15024), its application selected and for all but ``status()`` its PIN verified, and the
/// module that answers it. What a step needs on disk is there before it is called, and what it says is for its caller to write.
package struct PatentCard {
    private let dialogue: CardDialogue
    private let module: SecurityModule
    private let keyIndex: KeyIndex

    package init(_ dialogue: CardDialogue, module: SecurityModule, keyIndex: KeyIndex) {
        self.dialogue = dialogue
        self.module = module
        self.keyIndex = keyIndex
    }

    /// Steps 3.1 and 3.2; nil when the purse is not grey.
    package func status() throws(CardStop) -> GetGreyStatus.Response? {
        switch try dialogue.purse() {
        case .grey(let status): status
        case .free, .noPetrolCommands: nil
        }
    }

    // MARK: - The lock

    /// Steps 1.1 to 1.4, of a card that can be locked once more: the lock counts up, and behind it the card must still answer
    /// INITIALIZE FOR PETROL, which proves the debit.
    package func begin(
        _ card: ApplicationSerialNumber,
        _ number: RecordNumber
    ) throws(CardStop) -> AuthenticatedSale {
        let sale = try authenticate(card, number, for: .sale)
        guard let locked = sale.standing.ctc.next, locked < .maximum else { throw .numbersUsedUp }
        return sale
    }

    /// Steps 1.1 to 1.3: INITIALIZE FOR PETROL and its MAC1, under the module's number of that record.
    package func authenticate(
        _ card: ApplicationSerialNumber,
        _ number: RecordNumber,
        for use: KeyHolder.Use
    ) throws(CardStop) -> AuthenticatedSale {
        let command = InitializeForPetrol(keyIndex: keyIndex, terminal: module.terminal, ttc: module.ttc(for: number))
        let answer: InitializeForPetrol.Response
        do throws(CardStop) { answer = try dialogue.exchange(command) } catch .answered(_, .keyIndexNotSupported) {
            throw .noKey(keyIndex)
        }
        do throws(SecurityModuleError) {
            return try module.verifyMAC1(card: card, command: command, answer: answer, for: use)
        } catch {
            throw .module(error)
        }
    }

    /// Steps 1.6 to 1.9. Whatever goes wrong, the command has left and the card may be locked.
    ///
    /// - Parameter tac: the lock TAC, where the card answered one, whether its MAC3 is right or not.
    package func lock(
        _ locking: consuming LockingSale,
        tac: inout [UInt8]?
    ) throws(CardStop) -> LockedSale {
        let answer = try dialogue.exchange(LockForPetrol(time: locking.time, mac2: locking.mac2))
        tac = answer.lockTAC.bytes
        do throws(SecurityModuleError) { return try locking.verifyMAC3(answer.mac3) } catch { throw .module(error) }
    }

    // MARK: - The debit, and what proves it

    /// Steps 1.12 to 1.15, and 3.4 to 3.7: DEBIT FOR PETROL. No code covers a status word: the card has paid or not.
    ///
    /// - Parameters:
    ///   - gmac: that authorises it; what it is bound to is the lock.
    ///   - ctc: the card's number since the lock.
    ///   - attempts: with `attempt`, all whose answers were not seen.
    /// - Returns: nil for an answer whose MAC4 is right for no debit that was sent.
    package func debit(
        _ gmac: SealedGMAC,
        ctc: CTC,
        _ attempt: DebitAttempt,
        among attempts: [DebitAttempt]
    ) throws(CardStop) -> CardAnswer<AnsweredDebit?> {
        let opened: MAC
        do throws(SecurityModuleError) { opened = try module.open(gmac) } catch { throw .module(error) }
        let command = DebitForPetrol(
            amount: gmac.amount,
            ctc: ctc,
            terminal: attempt.terminal,
            ttc: attempt.ttc,
            time: attempt.time,
            gmac: opened
        )
        switch try dialogue.send(command) {
        case .success(let answer): return .success(try answeredDebit(answer.mac4, answer.debitTAC, gmac, attempts))
        case .status(let status): return .status(status)
        }
    }

    /// A grey card answers no INITIALIZE FOR PETROL (D26): whoever has had MAC4 made beforehand cannot show a number above the
    /// lock's. nil when the card does not show it.
    package func release(fromLockOf gmac: SealedGMAC, _ number: RecordNumber) throws(CardStop) -> ProvenRelease? {
        do throws(CardStop) {
            return try authenticate(gmac.card, number, for: .settlement).release(fromLockAt: gmac.ctc)
        } catch {
            switch error {
            case .answered, .noKey, .module: return nil
            case .card, .malformed, .numbersUsedUp: throw error
            }
        }
    }

    /// What GET TRANSACTION PROVE says of the debits that were sent under a GMAC; nil when MAC4 is right for none, which also
    /// is what a card answers that another terminal released (D27).
    package func answeredDebit(
        under gmac: SealedGMAC,
        _ attempts: [DebitAttempt]
    ) throws(CardStop) -> AnsweredDebit? {
        guard let last = attempts.last else { return nil }
        for type in [last.type, last.type == .refuel ? .localUnlock : .refuel] {
            // Asked twice: an answer that was altered on its way differs from the next, another terminal's proof does not.
            for _ in 0..<2 {
                guard let answer = try dialogue.proof(of: type, ctc: gmac.ctc) else { break }
                if let answered = try answeredDebit(answer.mac, answer.tac, gmac, attempts) { return answered }
            }
        }
        return nil
    }

    private func answeredDebit(
        _ mac4: MAC,
        _ tac: MAC,
        _ gmac: SealedGMAC,
        _ attempts: [DebitAttempt]
    ) throws(CardStop) -> AnsweredDebit? {
        do throws(SecurityModuleError) {
            return try module.verifyMAC4(
                mac4,
                tac: tac,
                card: gmac.card,
                key: gmac.key,
                amount: gmac.amount,
                attempts: attempts
            )
        } catch {
            throw .module(error)
        }
    }
}
