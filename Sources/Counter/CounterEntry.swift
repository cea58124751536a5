package import FuelPassbook
package import Quantities

/// What the counter does to a card's money.
package enum CounterTask: Equatable, Sendable {
    case load(Amount)
    case unload(Amount)
    /// Steps 2.1 to 2.10 with the amount of a grey record.
    case unlock(LockedSaleName, Amount)
    /// The same with zero, because somebody says so.
    case forcedUnlock(Signature)

    package var type: TransactionType {
        switch self {
        case .load: .load
        case .unload: .unload
        case .unlock, .forcedUnlock: .onlineUnlock
        }
    }

    package var amount: Amount {
        switch self {
        case .load(let amount), .unload(let amount), .unlock(_, let amount): amount
        case .forcedUnlock: .zero
        }
    }
}

/// One lock of one card, by which its grey record is known wherever it lies.
package struct LockedSaleName: Equatable, Sendable {
    package let terminal: TerminalID
    package let ttc: TTC
    /// Before the lock.
    package let ctc: CTC

    package init(terminal: TerminalID, ttc: TTC, ctc: CTC) {
        self.terminal = terminal
        self.ttc = ttc
        self.ctc = ctc
    }
}

/// What the counter authorised one card to do, and what became of it.
package struct CounterEntry: Equatable, Sendable {
    package enum Outcome: String, CaseIterable, Sendable {
        case done
        case notDone = "not-done"
    }

    package enum State: Equatable, Sendable {
        /// MAC2 may have left, and nothing proves what the card did.
        case open
        /// The card proved that it did it.
        case done
        /// The card proved that it did not, and no longer can.
        case void
        /// `shown` is what the card proved when it came after all.
        case closedByHand(as: Outcome, Signature, shown: Outcome?)
    }

    /// 1 and up, never used twice in a book.
    package let id: UInt32
    package let task: CounterTask
    package let card: ApplicationSerialNumber
    package let key: KeyReference
    /// Before it counts up (D22).
    package let online: OnlineNumber
    /// Of the card when it has done it.
    package let balance: Amount
    /// The counter's, which MAC2 covers.
    package let time: TransactionTime
    package internal(set) var state: State

    package init(
        id: UInt32,
        _ task: CounterTask,
        card: ApplicationSerialNumber,
        key: KeyReference,
        online: OnlineNumber,
        balance: Amount,
        time: TransactionTime,
        state: State = .open
    ) {
        self.id = id
        self.task = task
        self.card = card
        self.key = key
        self.online = online
        self.balance = balance
        self.time = time
        self.state = state
    }

    /// What became of it, by the card's proof or, before there is one, by hand; nil while it is open.
    package var outcome: Outcome? {
        switch state {
        case .open: nil
        case .done: .done
        case .void: .notDone
        case .closedByHand(let outcome, _, let shown): shown ?? outcome
        }
    }

    /// Whether the card has still to show what it did.
    package var awaitsCard: Bool {
        switch state {
        case .open, .closedByHand(_, _, shown: nil): true
        case .done, .void, .closedByHand: false
        }
    }

    /// When the card has shown it.
    func shown(_ outcome: Outcome) -> CounterEntry {
        precondition(awaitsCard)
        var entry = self
        if case .closedByHand(let closed, let signature, _) = state {
            entry.state = .closedByHand(as: closed, signature, shown: outcome)
        } else {
            entry.state = outcome == .done ? .done : .void
        }
        return entry
    }
}
