private import CardCryptography
package import FuelPassbook
private import ISO7816
private import Issuer
package import Quantities

// What the card shows of earlier entries, and of the book.

extension CounterVisit {
    /// Judges everything that waits for the card, and does nothing else.
    package func judge(pin: () throws(CounterStop) -> PIN) throws(CounterStop) {
        _ = try judgeByProof()
        guard !book.waiting(card).isEmpty else { return }
        try verifyPIN(pin)
        try judgeByStanding()
    }

    /// Notes as done what GET TRANSACTION PROVE proves (D14, D22). No PIN is needed.
    ///
    /// - Returns: the entries that are done.
    package func judgeByProof() throws(CounterStop) -> [CounterEntry] {
        var done: [CounterEntry] = []
        for entry in book.waiting(card) where try isProven(entry) {
            done.append(try judge(entry, as: .done))
        }
        return done
    }

    /// Notes as not done what the card, its PIN verified, shows to be not done and no longer possible.
    ///
    /// - Throws: `.open` while one is neither proved nor void.
    package func judgeByStanding() throws(CounterStop) {
        guard !book.waiting(card).isEmpty else { return }
        let standing = try freshStanding()
        for entry in book.waiting(card) {
            if standing == entry.online {
                _ = try judge(entry, as: .notDone)
            } else if entry.state == .open {
                throw .open(
                    """
                    entry \(entry.id): the card's number has passed it and the card keeps no proof of it: find out what became of it, \
                    then greylock counter close \(entry.id)
                    """
                )
            }
        }
    }

    private func judge(_ entry: CounterEntry, as outcome: CounterEntry.Outcome) throws(CounterStop) -> CounterEntry {
        let judged = try book.judge(entry, as: outcome)
        let finding: Finding =
            switch judged.state {
            case .closedByHand: .shownAfterAll(judged)
            case .open, .done, .void: outcome == .done ? .wasDone(judged) : .wasNotDone(judged)
            }
        tell(finding)
        return judged
    }

    func isProven(_ entry: CounterEntry) throws(CounterStop) -> Bool {
        let answer = try transmit(GetTransactionProve(type: entry.task.type, number: entry.online.number).apdu)
        guard answer.status == .success else { return false }
        let proof: TransactionProof
        do throws(ParseError) { proof = try TransactionProof(parsing: answer.data) } catch { return false }
        return try issued { () throws(IssuerError) in
            try side.issuer.isTACValid(
                proof.tac,
                card: entry.card,
                keyIndex: entry.key.index,
                keyVersion: entry.key.version,
                balance: entry.balance,
                online: entry.online,
                amount: entry.task.amount,
                type: entry.task.type,
                terminal: book.counter,
                time: entry.time
            )
        }
    }

    /// The card's online number now. MAC1 covers a terminal id drawn at random, so no answer collected before is right; and the
    /// INITIALIZE ends the session in the card that an older MAC2 belongs to.
    private func freshStanding() throws(CounterStop) -> OnlineNumber {
        let terminal: TerminalID
        do throws(ParseError) {
            terminal = try TerminalID(parsing: side.random.bytes(TerminalID.length))
        } catch {
            preconditionFailure("any six bytes are a terminal id")
        }
        if try greyStatus() != nil {
            let (command, answer) = try initialize { InitializeForUnlock(keyIndex: $0, terminal: terminal) }
            _ = try issued { () throws(IssuerError) in
                try side.issuer.verifyMAC1(card: card, command: command, answer: answer)
            }
            return answer.online
        }
        let (command, answer) = try initialize {
            InitializeForLoad(keyIndex: $0, amount: Amount(fen: 1), terminal: terminal)
        }
        _ = try issued { () throws(IssuerError) in
            try side.issuer.verifyMAC1(card: card, command: command, answer: answer)
        }
        return answer.online
    }

    // MARK: - The book, by the card

    /// An INITIALIZE at a number that the book accounts for, or the card's log by other counters.
    func begin<Command: PassbookCommand>(
        _ command: (KeyIndex) -> Command
    ) throws(CounterStop) -> (Command, OnlineInitialization) where Command.Response == OnlineInitialization {
        let first = try initialize(command)
        guard book.expectedNumber(card) != UInt32(first.1.online.number) else { return first }
        try account(for: first.1.online)
        let second = try initialize(command)
        guard second.1.online == first.1.online else {
            throw .refused("the card's number changed while it was asked: begin again; nothing was changed")
        }
        return second
    }

    /// - Throws: when the book is an older copy, or may be.
    private func account(for online: OnlineNumber) throws(CounterStop) {
        let expected = book.expectedNumber(card)
        if let expected, online.number < expected { throw isBehind(online, expected) }
        let missing = (UInt16(expected ?? 0)..<online.number).filter { number in
            !book.entries.contains { $0.card == card && $0.online.number == number && $0.outcome != .notDone }
        }
        let records = try onlineLog().filter { missing.contains($0.number) }
        if let own = records.first(where: { $0.terminal == book.counter }) {
            throw .book(
                """
                the card did something at this counter on \(own.time) that the book does not have (\(own.amount), its number \
                \(own.number)): the book is an older copy. Put the newest in its place; nothing was done. Only where that cannot be: \
                greylock counter accept card
                """
            )
        }
        // Of a card that was never here nothing is known.
        guard expected != nil else { return }
        guard missing.allSatisfy({ number in records.contains { $0.number == number } }) else {
            throw .book(
                """
                the card's number is \(online.number), the book accounts for \(missing[0]): it was at another counter, or the book is \
                an older copy and has forgotten what it did here. Find out; nothing was done. Then, if the book is the newest: greylock \
                counter accept card
                """
            )
        }
        tell(.wasElsewhere(records))
    }

    private func isBehind(_ online: OnlineNumber, _ expected: UInt32) -> CounterStop {
        .refused(
            """
            the card's number is \(online.number), and it proved here that it was \(expected): it is a copy of the card, or an older \
            state of it. Keep it; nothing was changed
            """
        )
    }

    /// Of transactions with an online number. No code covers it.
    private func onlineLog() throws(CounterStop) -> [LogRecord] {
        var records: [LogRecord] = []
        for number in 1...Self.logRecordsMax {
            let answer = try transmit(ReadRecord(number: number).apdu)
            guard answer.status == .success else { break }
            do throws(ParseError) { records.append(try LogRecord(parsing: answer.data)) } catch { break }
        }
        let types: Set<TransactionType> = [.load, .unload, .overdraft, .onlineUnlock]
        return records.filter { types.contains($0.type) }
    }

    /// More than a card has (ten, most often), and an end.
    private static let logRecordsMax: UInt8 = 30

    /// Somebody says that the card's number is right.
    ///
    /// - Throws: `.refused` when the book accounts for it.
    package func acceptCard(
        by signature: Signature,
        at time: TransactionTime,
        pin: () throws(CounterStop) -> PIN
    ) throws(CounterStop) {
        try judge(pin: pin)
        try verifyPIN(pin)
        let online = try freshStanding()
        let expected = book.expectedNumber(card)
        if let expected, online.number < expected { throw isBehind(online, expected) }
        guard expected != UInt32(online.number) else {
            throw .refused("the book accounts for the card's number \(online.number): there is nothing to accept")
        }
        try book.accept(.card(card, online), at: time, by: signature)
    }
}
