import Counter
import FuelPassbook
import Quantities
import Station
import Words

extension CounterVisit.Finding {
    func lines(_ counter: TerminalID) -> [String] {
        switch self {
        case .wasDone(let entry), .done(let entry): return entry.receipt(counter)
        case .wasNotDone(let entry):
            return [
                """
                \(entry.name): the card did not do it, and no longer can; it is closed, and no money moved
                """
            ]
        case .shownAfterAll(let entry): return entry.shownAfterAll
        case .wasElsewhere(let records):
            let places = records.map { "number \($0.number) at \($0.terminal) on \($0.time)" }
            return ["the card was at other counters since: \(places.joined(separator: ", "))"]
        }
    }
}

extension CounterTask {
    var words: String {
        switch self {
        case .load(let amount): "load of \(amount)"
        case .unload(let amount): "unload of \(amount)"
        case .unlock(_, let amount): "release of a grey card for \(amount)"
        case .forcedUnlock: "forced release of a grey card for nothing"
        }
    }

    /// What is to be done when it was closed by hand as the contrary.
    fileprivate func follows(from shown: CounterEntry.Outcome) -> String {
        switch (self, shown) {
        case (.load(let amount), .done):
            "the card has the \(amount): if its holder got the money back, ask for it, or unload it"
        case (.load(let amount), .notDone):
            "the card never got the \(amount): give the money back, or load it now"
        case (.unload(let amount), .done):
            "the \(amount) left the card: pay them to its holder, if nobody did"
        case (.unload(let amount), .notDone):
            "the card still has the \(amount): ask for what was paid out, or unload it now"
        case (.unlock(_, let amount), .done):
            "the card paid the \(amount) of its record: give back what its holder paid for it otherwise"
        case (.unlock(_, let amount), .notDone):
            "the card did not pay the \(amount) of its record: it is open again, and releases the card"
        case (.forcedUnlock, .done): "the card was released, for nothing: no money moved"
        case (.forcedUnlock, .notDone): "the card was not released: no money moved"
        }
    }
}

extension CounterEntry.Outcome {
    fileprivate var words: String {
        switch self {
        case .done: "done"
        case .notDone: "not done"
        }
    }
}

extension CounterEntry {
    var name: String { "entry \(id), \(task.words) at \(time)" }

    /// What a card showed of an entry that was closed by hand, and what follows.
    fileprivate var shownAfterAll: [String] {
        guard case .closedByHand(let closed, let signature, let shown?) = state else { return [] }
        return [
            "\(name), was closed by hand as \(closed.words), \(signature.words)",
            "the card shows that it is \(shown.words); the book says so now, and nothing is given for it again",
            closed == shown ? "nothing follows" : task.follows(from: shown),
        ]
    }

    fileprivate func receipt(_ counter: TerminalID) -> [String] {
        var table = WordTable()
        table.add("counter", "\(counter), entry \(id)")
        table.add("time", "\(time)")
        table.add("card", card.masked)
        switch task {
        case .load(let amount): table.add("loaded", "\(amount)")
        case .unload(let amount): table.add("unloaded", "\(amount)")
        case .unlock(let lock, let amount):
            table.add("released", "record \(lock.ttc.number) of terminal \(lock.terminal)")
            table.add("paid", "\(amount)")
        case .forcedUnlock(let signature):
            table.add("released", "without payment, by \(signature.name.printable)")
            table.add("reason", signature.reason.printable)
        }
        table.add("balance", "\(balance)")
        return table.lines
    }

    fileprivate var listedLines: [String] {
        var lines = ["\(id)  \(time)  card \(card)  \(task.words)  \(stateWords)"]
        if case .unlock(let lock, _) = task {
            lines.append("    record \(lock.ttc.number) of terminal \(lock.terminal)")
        }
        if case .forcedUnlock(let signature) = task { lines.append("    \(signature.words)") }
        if case .closedByHand(_, let signature, _) = state { lines.append("    closed \(signature.words)") }
        return lines
    }

    private var stateWords: String {
        switch state {
        case .open: "OPEN, no proof yet: put the card in"
        case .done: "done"
        case .void: "not done"
        case .closedByHand(let closed, _, nil): "closed by hand as \(closed.words)"
        case .closedByHand(let closed, _, let shown?):
            "closed by hand as \(closed.words), the card showed later: \(shown.words)"
        }
    }
}

extension BookLine {
    var listed: [String] {
        switch self {
        case .entry(let entry): entry.listedLines
        case .acceptance(let acceptance): acceptance.listedLines
        }
    }
}

extension Acceptance {
    fileprivate var listedLines: [String] {
        let words =
            switch subject {
            case .clock: "the clock accepted"
            case .book: "this book accepted as the newest"
            case .card(let card, let online): "card \(card) accepted at number \(online.number)"
            }
        return ["\(id)  \(time)  \(words)", "    \(signature.words)"]
    }
}

extension Signature {
    fileprivate var words: String { "by \(name.printable): \(reason.printable)" }
}
