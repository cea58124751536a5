import FuelPassbook
import ISO7816
package import Quantities

/// One line of the book: id 4, time 7, kind 1, and what that kind has.
package enum BookLine: Equatable, Sendable {
    case entry(CounterEntry)
    case acceptance(Acceptance)

    package var id: UInt32 {
        switch self {
        case .entry(let entry): entry.id
        case .acceptance(let acceptance): acceptance.id
        }
    }

    package var time: TransactionTime {
        switch self {
        case .entry(let entry): entry.time
        case .acceptance(let acceptance): acceptance.time
        }
    }

    /// How often the book was written for it.
    var changes: UInt32 {
        switch self {
        case .acceptance: 1
        case .entry(let entry):
            switch entry.state {
            case .open: 1
            case .done, .void, .closedByHand(_, _, shown: nil): 2
            case .closedByHand: 3
            }
        }
    }
}

extension BookLine {
    fileprivate enum Kind: UInt8 {
        case load = 1
        case unload = 2
        case unlock = 3
        case forcedUnlock = 4
        case clock = 5
        case book = 6
        case card = 7
    }

    init(parsing bytes: [UInt8]) throws(ParseError) {
        var reader = FieldReader(bytes)
        let id: UInt32 = try reader.read("id")
        let time: TransactionTime = try reader.read("time")
        switch try Kind(rawValue: reader.read("kind")) {
        case .load: self = .entry(try CounterEntry(id, time, .load(reader.read("amount")), &reader))
        case .unload: self = .entry(try CounterEntry(id, time, .unload(reader.read("amount")), &reader))
        case .unlock:
            let lock = try LockedSaleName(
                terminal: reader.read("terminal"),
                ttc: reader.read("TTC"),
                ctc: reader.read("CTC")
            )
            self = .entry(try CounterEntry(id, time, .unlock(lock, reader.read("amount")), &reader))
        case .forcedUnlock:
            self = .entry(try CounterEntry(id, time, .forcedUnlock(Signature(reading: &reader)), &reader))
        case .clock: self = .acceptance(try Acceptance(id, time, .clock, &reader))
        case .book: self = .acceptance(try Acceptance(id, time, .book, &reader))
        case .card:
            let subject = try Acceptance.Subject.card(reader.read("card"), reader.read("online number"))
            self = .acceptance(try Acceptance(id, time, subject, &reader))
        case nil: throw .invalid("kind")
        }
        try reader.finish("line")
    }

    var bytes: [UInt8] {
        let content =
            switch self {
            case .entry(let entry): entry.bytes
            case .acceptance(let acceptance): acceptance.bytes
            }
        return id.bytes + time.bytes + content
    }
}

extension CounterEntry {
    fileprivate init(
        _ id: UInt32,
        _ time: TransactionTime,
        _ task: CounterTask,
        _ reader: inout FieldReader
    ) throws(ParseError) {
        try self.init(
            id: id,
            task,
            card: reader.read("card"),
            key: KeyReference(index: reader.read("key index"), version: reader.read("key version")),
            online: reader.read("online number"),
            balance: reader.read("balance"),
            time: time,
            state: State(reading: &reader)
        )
    }

    fileprivate var bytes: [UInt8] {
        task.bytes + card.bytes + key.index.bytes + key.version.bytes + online.bytes + balance.bytes + state.bytes
    }
}

extension CounterTask {
    fileprivate var bytes: [UInt8] {
        switch self {
        case .load(let amount): [BookLine.Kind.load.rawValue] + amount.bytes
        case .unload(let amount): [BookLine.Kind.unload.rawValue] + amount.bytes
        case .unlock(let lock, let amount):
            [BookLine.Kind.unlock.rawValue] + lock.terminal.bytes + lock.ttc.bytes + lock.ctc.bytes + amount.bytes
        case .forcedUnlock(let signature): [BookLine.Kind.forcedUnlock.rawValue] + signature.bytes
        }
    }
}

extension CounterEntry.State {
    private enum Kind: UInt8 {
        case open = 1
        case done = 2
        case void = 3
        case closedByHand = 4
    }

    fileprivate init(reading reader: inout FieldReader) throws(ParseError) {
        switch try Kind(rawValue: reader.read("state")) {
        case .open: self = .open
        case .done: self = .done
        case .void: self = .void
        case .closedByHand:
            guard let outcome = try CounterEntry.Outcome(reading: &reader) else { throw .invalid("outcome") }
            self = .closedByHand(
                as: outcome,
                try Signature(reading: &reader),
                shown: try CounterEntry.Outcome(reading: &reader)
            )
        case nil: throw .invalid("state")
        }
    }

    fileprivate var bytes: [UInt8] {
        switch self {
        case .open: [Kind.open.rawValue]
        case .done: [Kind.done.rawValue]
        case .void: [Kind.void.rawValue]
        case .closedByHand(let outcome, let signature, let shown):
            [Kind.closedByHand.rawValue, outcome.code] + signature.bytes + [shown.code]
        }
    }
}

extension CounterEntry.Outcome {
    /// nil for `00`.
    fileprivate init?(reading reader: inout FieldReader) throws(ParseError) {
        let code: UInt8 = try reader.read("outcome")
        switch code {
        case 0: return nil
        case Self.done.code: self = .done
        case Self.notDone.code: self = .notDone
        case _: throw .invalid("outcome")
        }
    }

    fileprivate var code: UInt8 {
        switch self {
        case .done: 1
        case .notDone: 2
        }
    }
}

extension CounterEntry.Outcome? {
    fileprivate var code: UInt8 { map(\.code) ?? 0 }
}

extension Acceptance {
    fileprivate init(
        _ id: UInt32,
        _ time: TransactionTime,
        _ subject: Subject,
        _ reader: inout FieldReader
    ) throws(ParseError) {
        self.init(id: id, subject: subject, time: time, signature: try Signature(reading: &reader))
    }

    fileprivate var bytes: [UInt8] {
        let subject =
            switch subject {
            case .clock: [BookLine.Kind.clock.rawValue]
            case .book: [BookLine.Kind.book.rawValue]
            case .card(let card, let online): [BookLine.Kind.card.rawValue] + card.bytes + online.bytes
            }
        return subject + signature.bytes
    }
}

extension Signature {
    fileprivate init(reading reader: inout FieldReader) throws(ParseError) {
        try self.init(name: Self.text("name", &reader), reason: Self.text("reason", &reader))
    }

    private static func text(_ name: String, _ reader: inout FieldReader) throws(ParseError) -> String {
        let count: UInt8 = try reader.read(name)
        guard let text = String(validating: try reader.read(name, count: Int(count)), as: UTF8.self) else {
            throw .invalid(name)
        }
        return text
    }

    fileprivate var bytes: [UInt8] { [name, reason].flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } }
}
