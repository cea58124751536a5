package import FuelPassbook
package import ISO7816
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

/// Who decided something by hand, and why; both as typed.
package struct Signature: Equatable, Sendable {
    package static let bytesMax = 120

    package let name: String
    package let reason: String

    /// - Throws: `.wrongLength` for one that is empty or longer than 120 bytes.
    package init(name: String, reason: String) throws(ParseError) {
        guard (1...Self.bytesMax).contains(name.utf8.count) else { throw .wrongLength("name") }
        guard (1...Self.bytesMax).contains(reason.utf8.count) else { throw .wrongLength("reason") }
        self.name = name
        self.reason = reason
    }
}

/// What the counter authorised one card to do, and what became of it.
package struct CounterEntry: Equatable, Sendable {
    package enum State: Equatable, Sendable {
        /// MAC2 may have left, and nothing proves what the card did.
        case open
        /// The card proved that it did it.
        case done
        /// The card proved that it did not, and no longer can.
        case void
        case closedByHand(isDone: Bool, Signature)
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
}

// MARK: - In the book

extension CounterEntry {
    init(parsing bytes: [UInt8]) throws(ParseError) {
        var reader = FieldReader(bytes)
        id = try reader.read("id")
        card = try reader.read("card")
        key = try KeyReference(index: reader.read("key index"), version: reader.read("key version"))
        online = try reader.read("online number")
        balance = try reader.read("balance")
        time = try reader.read("time")
        task = try CounterTask(reading: &reader)
        state = try State(reading: &reader)
        try reader.finish("entry")
    }

    var bytes: [UInt8] {
        var bytes = id.bytes + card.bytes + key.index.bytes + key.version.bytes + online.bytes + balance.bytes
        bytes += time.bytes
        task.append(to: &bytes)
        state.append(to: &bytes)
        return bytes
    }
}

extension CounterTask {
    private enum Kind: UInt8 {
        case load = 1
        case unload = 2
        case unlock = 3
        case forcedUnlock = 4
    }

    fileprivate init(reading reader: inout FieldReader) throws(ParseError) {
        switch try Kind(rawValue: reader.read("kind")) {
        case .load: self = .load(try reader.read("amount"))
        case .unload: self = .unload(try reader.read("amount"))
        case .unlock:
            let lock = try LockedSaleName(
                terminal: reader.read("terminal"),
                ttc: reader.read("TTC"),
                ctc: reader.read("CTC")
            )
            self = .unlock(lock, try reader.read("amount"))
        case .forcedUnlock: self = .forcedUnlock(try Signature(reading: &reader))
        case nil: throw .invalid("kind")
        }
    }

    fileprivate func append(to bytes: inout [UInt8]) {
        switch self {
        case .load(let amount): bytes += [Kind.load.rawValue] + amount.bytes
        case .unload(let amount): bytes += [Kind.unload.rawValue] + amount.bytes
        case .unlock(let lock, let amount):
            bytes += [Kind.unlock.rawValue] + lock.terminal.bytes + lock.ttc.bytes + lock.ctc.bytes + amount.bytes
        case .forcedUnlock(let signature):
            bytes.append(Kind.forcedUnlock.rawValue)
            signature.append(to: &bytes)
        }
    }
}

extension CounterEntry.State {
    private enum Kind: UInt8 {
        case open = 1
        case done = 2
        case void = 3
        case doneByHand = 4
        case voidByHand = 5
    }

    fileprivate init(reading reader: inout FieldReader) throws(ParseError) {
        switch try Kind(rawValue: reader.read("state")) {
        case .open: self = .open
        case .done: self = .done
        case .void: self = .void
        case .doneByHand: self = .closedByHand(isDone: true, try Signature(reading: &reader))
        case .voidByHand: self = .closedByHand(isDone: false, try Signature(reading: &reader))
        case nil: throw .invalid("state")
        }
    }

    fileprivate func append(to bytes: inout [UInt8]) {
        switch self {
        case .open: bytes.append(Kind.open.rawValue)
        case .done: bytes.append(Kind.done.rawValue)
        case .void: bytes.append(Kind.void.rawValue)
        case .closedByHand(let isDone, let signature):
            bytes.append((isDone ? Kind.doneByHand : Kind.voidByHand).rawValue)
            signature.append(to: &bytes)
        }
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

    fileprivate func append(to bytes: inout [UInt8]) {
        for text in [name, reason] { bytes += [UInt8(text.utf8.count)] + Array(text.utf8) }
    }
}
