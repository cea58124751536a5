import CardApplication
import Counter
import Files
import FuelPassbook
import Quantities
import TestCards
import TestFolders

/// Every way in which one errand at the counter is cut short: the power goes before or after each exchange with the card and each
/// write of the book and of its mark, and the answer to the command with MAC2 is right, replaced by a refusal, or made up. Then the
/// clerk gives the command again, or closes by hand what is open and gives it again. The card's balance is judged from outside.
package struct CounterWalk {
    /// Ways that were gone.
    package private(set) var ways = 0

    private let errands: [CounterErrand]

    package init(_ errands: [CounterErrand] = CounterErrand.allCases) { self.errands = errands }

    /// - Returns: the first rule that was broken, and where.
    package mutating func run() throws -> String? {
        for errand in errands {
            if let broken = try putBack(errand) { return "\(errand), older copies: \(broken)" }
            for loss: LossyReader.Loss? in [nil, .answerReplaced, .refusalMadeUp] {
                if let broken = try run(errand, loss, .again) { return broken }
            }
            for afterwards in [Afterwards.closedAsDone, .closedAsNotDone] {
                if let broken = try run(errand, nil, afterwards) { return broken }
            }
        }
        return nil
    }

    private enum Afterwards {
        case again, closedAsDone, closedAsNotDone

        var byHand: CounterEntry.Outcome? {
            switch self {
            case .again: nil
            case .closedAsDone: .done
            case .closedAsNotDone: .notDone
            }
        }
    }

    private mutating func run(
        _ errand: CounterErrand,
        _ loss: LossyReader.Loss?,
        _ afterwards: Afterwards
    ) throws -> String? {
        var instant = 0
        while true {
            let power = Power(until: instant)
            let (counter, act) = try errand.begin(in: .memory, disk: PoweredDisk(power))
            counter.reader.loss = loss
            counter.reader.isOff = power.isGone
            _ = reason { () throws(CounterStop) in _ = try act() }
            guard power.isOff else { return nil }
            power.comeBack()
            ways += 1
            if let broken = try goOn(counter, errand, afterwards, act) {
                let way = "\(loss, default: "no loss"), power cut at instant \(instant), \(afterwards)"
                return "\(errand), \(way): \(broken)"
            }
            instant += 1
        }
    }

    private func goOn(
        _ counter: TestCounter,
        _ errand: CounterErrand,
        _ afterwards: Afterwards,
        _ act: () throws(CounterStop) -> Bool
    ) throws -> String? {
        try counter.restart()
        if let doubt = counter.book.doubt { return "the book is not believed: \(doubt)" }
        let card = counter.reader.card
        let isDone = card.image.online != card.profile.online
        if let outcome = afterwards.byHand {
            guard let open = counter.book.entries.first(where: { $0.state == .open }) else { return nil }
            let signature = try Signature(name: "Wang Li", reason: "the card is lost")
            try counter.book.close(open.id, as: outcome, by: signature)
            if let stop = reason({ () throws(CounterStop) in _ = try act() }) { return "refused: \(stop)" }
            let shown = CounterEntry.State.closedByHand(as: outcome, signature, shown: isDone ? .done : .notDone)
            guard counter.book.entries.contains(where: { $0.id == open.id && $0.state == shown }) else {
                return "the card does not judge what was closed by hand"
            }
        } else if !counter.book.entries.contains(where: { $0.outcome == .done }) {
            // The clerk has no receipt, and the book shows none.
            if let stop = reason({ () throws(CounterStop) in _ = try act() }) { return "refused: \(stop)" }
        }
        guard card.image.balance.fen == errand.balanceDone, card.image.grey == nil else {
            return "the card has \(card.image.balance) and not \(errand.balanceDone) fen"
        }
        guard counter.book.entries.filter({ $0.outcome == .done }).count == 1,
            counter.book.entries.allSatisfy({ !$0.awaitsCard })
        else { return "the book does not say what the card did: \(counter.book.entries.map(\.state))" }
        return nil
    }

    /// Every older book under the newest mark, and the oldest of both.
    private func putBack(_ errand: CounterErrand) throws -> String? {
        let disk = PoweredDisk(Power(until: nil))
        let (counter, act) = try errand.begin(in: .memory, disk: disk)
        let first = try (book: counter.folder.bytes("book"), mark: counter.folder.bytes("book.mark"))
        if let stop = reason({ () throws(CounterStop) in _ = try act() }) { return "\(stop)" }
        let books = [first.book] + disk.written.filter { $0.path == counter.path }.map(\.bytes)
        let card = counter.reader.card.image
        for older in books.dropLast() {
            try counter.folder.write("book", older)
            try counter.restart()
            guard counter.book.doubt != nil, reason({ () throws(CounterStop) in _ = try act() }) != nil else {
                return "an older book is taken under the newest mark"
            }
        }
        try counter.folder.write("book", first.book)
        try counter.folder.write("book.mark", first.mark)
        try counter.restart()
        guard reason({ () throws(CounterStop) in _ = try act() }) != nil, counter.reader.card.image == card else {
            return "a card does not show that book and mark are older"
        }
        return nil
    }
}

/// Of the counter's machine and its reader.
private final class Power {
    private var left: Int?
    private(set) var isOff = false

    /// - Parameter left: instants until it goes; nil where it stays.
    init(until left: Int?) { self.left = left }

    /// Once for each instant.
    func isGone() -> Bool {
        if left == 0 { isOff = true }
        left = left.map { $0 - 1 }
        return isOff
    }

    func comeBack() {
        left = nil
        isOff = false
    }
}

private final class PoweredDisk: BookDisk {
    private let power: Power
    private(set) var written: [(path: String, bytes: [UInt8])] = []

    init(_ power: Power) { self.power = power }

    func replace(_ path: String, with bytes: [UInt8]) throws(FileFault) {
        guard !power.isGone() else { throw FileFault("the power is off") }
        try RealDisk().replace(path, with: bytes)
        written.append((path, bytes))
        guard !power.isGone() else { throw FileFault("the power is off") }
    }
}
