private import Synchronization
import Threads

/// Which sides of a service serve, and why the service ends. A side that cannot serve tries again as long as another one serves:
/// else the process ends, and what watches it starts it anew.
final class Roster: Sendable {
    private struct State {
        var serving: Set<Int>
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

    func serves(_ side: Int) { state.withLock { _ = $0.serving.insert(side) } }

    /// It waits for its pump's lines, for however long; what it waits for ends nothing.
    func waits(_ side: Int) { state.withLock { _ = $0.serving.remove(side) } }

    /// - Returns: whether another side serves; when none does, this is why the service ends.
    func leaves(_ side: Int, _ failure: ServiceFailure) -> Bool {
        let othersServe = state.withLock { state in
            state.serving.remove(side)
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
