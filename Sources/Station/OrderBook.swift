import Codes
import StationInterface

/// An order's name: its caller's key, apart for each user.
struct OrderKey: Hashable, Sendable {
    let user: UInt32
    let key: String
}

typealias OrderAnswer = Result<JSON, RequestRefusal>

/// Which orders came, by their keys, and how each was answered first.
struct OrderBook {
    /// What is to be done with an order.
    enum Verdict {
        /// It is new.
        case act
        /// It was answered before.
        case repeated(OrderAnswer)
        /// It came before and is answered when it is done.
        case awaited
        case refused(RequestRefusal)
    }

    private enum Standing {
        case acting([InterfaceLoop.Reply])
        case answered(OrderAnswer)
    }

    /// How many are kept that were answered, and how many may wait for their answer.
    private let keysMax: Int
    /// To one order.
    static let repliesMax = StationDesk.askedMax
    private var known: [OrderKey: (digest: [UInt8], standing: Standing)] = [:]
    /// Those that are answered, the oldest first; what was forgotten stands before ``oldest``.
    private var answered: [OrderKey] = []
    private var oldest = 0

    init(keysMax: Int) { self.keysMax = keysMax }

    /// - Parameters:
    ///   - digest: of what is ordered.
    ///   - mayWait: its answer may come later. Too many that wait keep no other from being done.
    mutating func take(
        _ digest: [UInt8],
        _ key: OrderKey,
        mayWait: Bool,
        _ reply: InterfaceLoop.Reply
    ) -> Verdict {
        guard let (first, standing) = known[key] else {
            guard !mayWait || known.count - (answered.count - oldest) < keysMax else {
                return .refused(RequestRefusal(.tooManyOrders, "\(keysMax) orders are not done yet: come again"))
            }
            known[key] = (digest, .acting([reply]))
            return .act
        }
        guard first == digest else {
            return .refused(RequestRefusal(.keyUsed, "another order came with the key \"\(key.key)\": take a new one"))
        }
        switch standing {
        case .answered(let answer): return .repeated(answer)
        case .acting(let replies):
            // No more than are here; whoever asked before them has gone.
            known[key] = (digest, .acting(replies.suffix(Self.repliesMax - 1) + [reply]))
            return .awaited
        }
    }

    /// The first answer of what was taken.
    ///
    /// - Parameter isKept: false where nothing was done, and the order may come again.
    /// - Returns: who gets it.
    mutating func answer(_ key: OrderKey, _ answer: OrderAnswer, isKept: Bool = true) -> [InterfaceLoop.Reply] {
        guard let (digest, standing) = known[key], case .acting(let replies) = standing else { return [] }
        guard isKept else {
            known[key] = nil
            return replies
        }
        known[key] = (digest, .answered(answer))
        keep(key)
        return replies
    }

    /// One that an earlier run of the service answered.
    mutating func recall(_ digest: [UInt8], _ key: OrderKey, _ answer: OrderAnswer) {
        known[key] = (digest, .answered(answer))
        keep(key)
    }

    private mutating func keep(_ key: OrderKey) {
        answered.append(key)
        guard answered.count - oldest > keysMax else { return }
        known[answered[oldest]] = nil
        oldest += 1
        guard oldest > keysMax else { return }
        answered.removeFirst(oldest)
        oldest = 0
    }
}
