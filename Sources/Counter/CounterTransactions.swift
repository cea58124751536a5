private import CardCryptography
package import FuelPassbook
private import ISO7816
private import Issuer
package import Quantities
package import Records

// Load, unload and online unlock. A visit first judges what is open; then each is: INITIALIZE, MAC1, the entry in the book, the
// command with MAC2, and its proof.

extension CounterVisit {
    /// - Parameter pin: asks for the card's.
    /// - Returns: false when an earlier visit's transaction of this kind proved done, so that none was made now.
    package func load(
        _ amount: Amount,
        at time: TransactionTime,
        pin: () throws(CounterStop) -> PIN
    ) throws(CounterStop) -> Bool {
        guard try judgeAll(.load, pin) else { return false }
        let (command, answer) = try begin {
            InitializeForLoad(keyIndex: $0, amount: amount, terminal: book.counter)
        }
        let entry = try entry(.load(amount), command.keyIndex, answer, answer.balance.adding(amount), time)
        let authorised = try issued { () throws(IssuerError) in
            try side.issuer.verifyMAC1(card: card, command: command, answer: answer)
        }.makeMAC2(time: time)
        try carryOut(authorised, entry, proof: \.tac)
        return true
    }

    /// As ``load(_:at:pin:)``.
    package func unload(
        _ amount: Amount,
        at time: TransactionTime,
        pin: () throws(CounterStop) -> PIN
    ) throws(CounterStop) -> Bool {
        guard try judgeAll(.unload, pin) else { return false }
        let (command, answer) = try begin {
            InitializeForUnload(keyIndex: $0, amount: amount, terminal: book.counter)
        }
        let entry = try entry(.unload(amount), command.keyIndex, answer, answer.balance.subtracting(amount), time)
        let authorised = try issued { () throws(IssuerError) in
            try side.issuer.verifyMAC1(card: card, command: command, answer: answer)
        }.makeMAC2(time: time)
        try carryOut(authorised, entry, proof: \.mac3)
        return true
    }

    /// What an unlock goes by.
    package enum UnlockBasis: Sendable {
        /// Believed by its code.
        case records(GreyRecordFile)
        case forced(Signature)
    }

    /// Steps 2.1 to 2.10. As ``load(_:at:pin:)``.
    package func unlock(
        _ basis: UnlockBasis,
        at time: TransactionTime,
        pin: () throws(CounterStop) -> PIN
    ) throws(CounterStop) -> Bool {
        guard try judgeByProof().allSatisfy({ $0.task.type != .onlineUnlock }) else { return false }
        let (task, balance) = try decide(basis)
        try verifyPIN(pin)
        try judgeByStanding()
        if case .unlock(let lock, _) = task, let settled = book.settling(lock, of: card) {
            throw .data("entry \(settled.id) settled this record already: it is not paid twice")
        }
        let (command, answer) = try begin { InitializeForUnlock(keyIndex: $0, terminal: book.counter) }
        let authenticated = try issued { () throws(IssuerError) in
            try side.issuer.verifyMAC1(card: card, command: command, answer: answer)
        }
        if let balance, balance != answer.balance {
            throw .data(
                "the record is of a lock at \(balance), the card has \(answer.balance): it is another lock's record"
            )
        }
        let entry = try entry(task, command.keyIndex, answer, answer.balance.subtracting(task.amount), time)
        let authorised = try authorise(authenticated, task.amount, time)
        try carryOut(authorised, entry, proof: \.mac3)
        return true
    }

    // MARK: - Steps

    private func authorise(
        _ authenticated: consuming AuthenticatedUnlock,
        _ amount: Amount,
        _ time: TransactionTime
    ) throws(CounterStop) -> AuthorisedUnlock {
        do throws(IssuerError) { return try authenticated.makeMAC2(amount: amount, time: time) } catch {
            throw .issuer(error)
        }
    }

    /// - Returns: whether the transaction may go on.
    private func judgeAll(
        _ type: TransactionType,
        _ pin: () throws(CounterStop) -> PIN
    ) throws(CounterStop) -> Bool {
        guard try judgeByProof().allSatisfy({ $0.task.type != type }) else { return false }
        try verifyPIN(pin)
        try judgeByStanding()
        return true
    }

    /// - Returns: also the balance at the lock, where the record has it.
    private func decide(_ basis: UnlockBasis) throws(CounterStop) -> (CounterTask, Amount?) {
        guard let grey = try greyStatus() else { throw .refused("the card is not grey: there is nothing to release") }
        switch basis {
        case .forced(let signature): return (.forcedUnlock(signature), nil)
        case .records(let file):
            let found = file.entries.first { entry in
                entry.gmac.card == card && entry.mac3 == grey.mac3.bytes && entry.gmac.ctc.next == grey.ctc
            }
            guard let found else {
                throw .data("no record in the file is of this card's lock: export it from the terminal of that sale")
            }
            let lock = LockedSaleName(terminal: file.terminal, ttc: found.gmac.ttc, ctc: found.gmac.ctc)
            return (.unlock(lock, found.gmac.amount), found.balance)
        }
    }

    private func entry(
        _ task: CounterTask,
        _ index: KeyIndex,
        _ answer: OnlineInitialization,
        _ balance: Amount?,
        _ time: TransactionTime
    ) throws(CounterStop) -> CounterEntry {
        guard let balance else {
            throw .refused("the card has \(answer.balance), \(task.amount) does not fit it; nothing was changed")
        }
        return CounterEntry(
            id: book.nextID,
            task,
            card: card,
            key: KeyReference(index: index, version: answer.keyVersion),
            online: answer.online,
            balance: balance,
            time: time
        )
    }

    private func carryOut<Command: PassbookCommand>(
        _ authorised: consuming Authorised<Command>,
        _ entry: CounterEntry,
        proof: KeyPath<Command.Response, MAC>
    ) throws(CounterStop) {
        try book.authorise(entry)
        let (answered, status) = try send(authorised.command, of: entry)
        guard let answered else { return try conclude(entry, status, isProved: false) }
        try conclude(entry, status, isProved: authorised.isProved(by: answered[keyPath: proof]))
    }

    /// Sends the command with MAC2.
    ///
    /// - Returns: nil for an answer that is none.
    private func send<Command: PassbookCommand>(
        _ command: Command,
        of entry: CounterEntry
    ) throws(CounterStop) -> (Command.Response?, String) {
        let answer: ResponseAPDU
        do throws(CardFault) { answer = try exchange(command.apdu) } catch { throw lost(entry, "\(error)") }
        let words = "\(Command.instruction.name): \(answer.status)"
        guard answer.status == .success else { return (nil, words) }
        do throws(ParseError) { return (try Command.Response(parsing: answer.data), words) } catch {
            return (nil, words)
        }
    }

    /// Whatever is no proof leaves the entry open, until the card shows what it did.
    private func conclude(_ entry: CounterEntry, _ answer: String, isProved: Bool) throws(CounterStop) {
        if isProved { return tell(.done(try closeAtOnce(entry))) }
        do throws(CounterStop) {
            if try isProven(entry) { return tell(.done(try closeAtOnce(entry))) }
            try judgeByStanding()
        } catch {
            guard case .book(let reason) = error else { throw lost(entry, answer) }
            throw unwritten(entry, reason)
        }
        throw .refused("the card did not do it (\(answer)); no money moved")
    }

    /// The card has done it.
    private func closeAtOnce(_ entry: CounterEntry) throws(CounterStop) -> CounterEntry {
        do throws(CounterStop) { return try book.judge(entry, as: .done) } catch {
            guard case .book(let reason) = error else { throw error }
            throw unwritten(entry, reason)
        }
    }

    private func unwritten(_ entry: CounterEntry, _ reason: String) -> CounterStop {
        .open(
            """
            what the card did is not in the book (\(reason)): entry \(entry.id) stays open; keep the customer here, mend that, put the \
            same card in and give the command again, which finds out what the card did
            """
        )
    }

    private func lost(_ entry: CounterEntry, _ reason: String) -> CounterStop {
        .open(
            """
            the card's answer is lost (\(reason)): entry \(entry.id) stays open; put the same card in and give the command again, \
            which first finds out what the card did. Give and take no money until then
            """
        )
    }
}

extension Authorised {
    fileprivate consuming func isProved(by proof: MAC) -> Bool {
        do throws(IssuerError) {
            _ = try verify(proof)
            return true
        } catch {
            return false
        }
    }
}
