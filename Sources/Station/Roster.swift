private import Synchronization
import Threads

/// Which sides of a service serve, and why the service ends. A side that cannot serve tries again as long as another one serves:
/// else the process ends, and what watches it starts it anew.
final class Roster: Sendable {
    private struct State {
        var serving: Set<Int>
        /// For what can pass.
        var waiting: Set<Int> = []
        var failure: ServiceFailure?
    }

    private let state: Mutex<State>
    private let endAll: @Sendable () -> Void

    /// - Parameter end: tells every side to stop; called at the first failure of the whole service.
    init(_ sides: [Int], end: @escaping @Sendable () -> Void) {
        state = Mutex(State(serving: Set(sides)))
        endAll = end
    }

    /// Why the service ended; nil when it was told to.
    var failure: ServiceFailure? { state.withLock(\.failure) }

    func serves(_ side: Int) {
        state.withLock { state in
            state.serving.insert(side)
            state.waiting.remove(side)
        }
    }

    /// It waits for its pump's lines, for however long; what it waits for ends nothing.
    func waits(_ side: Int) {
        state.withLock { state in
            state.serving.remove(side)
            state.waiting.insert(side)
        }
    }

    /// Only another setting can help it. It ends no side that sells or may sell again: such an end is final.
    ///
    /// - Returns: whether another side serves or waits; when none does, this is why the service ends.
    func closes(_ side: Int, _ failure: ServiceFailure) -> Bool {
        let othersMaySell = state.withLock { state in
            state.serving.remove(side)
            state.waiting.remove(side)
            return !state.serving.isEmpty || !state.waiting.isEmpty
        }
        if !othersMaySell { end(failure) }
        return othersMaySell
    }

    /// - Parameter triesAgain: as long as another one serves.
    /// - Returns: whether another side serves; when none does, this is why the service ends.
    func leaves(_ side: Int, _ failure: ServiceFailure, triesAgain: Bool) -> Bool {
        let othersServe = state.withLock { state in
            state.serving.remove(side)
            if triesAgain { state.waiting.insert(side) } else { state.waiting.remove(side) }
            return !state.serving.isEmpty
        }
        if !othersServe { end(failure) }
        return othersServe
    }

    /// No side can go on.
    func end(_ failure: ServiceFailure) {
        state.withLock { $0.failure = $0.failure ?? failure }
        endAll()
    }
}
