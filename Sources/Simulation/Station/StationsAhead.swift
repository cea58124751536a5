private import Synchronization
private import Threads

/// Stations that several threads play ahead, given out in their order: what becomes of one is the same on whatever thread.
final class StationsAhead: Sendable {
    struct Played: Sendable {
        let tally: StationSimulation.Tally
        /// The rule that was broken.
        let reason: String?
    }

    private struct State {
        var begun = 0
        var played: [Int: Played] = [:]
        var isOver = false
    }

    private let state = Mutex(State())
    private let changed = MonotonicSemaphore()
    private let threads = Mutex<[NamedThread]>([])

    /// - Parameter jobs: how many threads play.
    init(jobs: Int, _ play: @escaping @Sendable (_ station: Int) -> Played) {
        threads.withLock { threads in
            threads = (0..<jobs).map { job in
                NamedThread("stations \(job)") { [self] in
                    while let station = begin() { end(station, play(station)) }
                }
            }
        }
    }

    /// The stations that are played now are played to their end.
    func end() {
        state.withLock { $0.isOver = true }
        for thread in threads.withLock({ $0 }) { thread.join() }
    }

    private func begin() -> Int? {
        state.withLock { state in
            guard !state.isOver else { return nil }
            state.begun += 1
            return state.begun - 1
        }
    }

    private func end(_ station: Int, _ played: Played) {
        state.withLock { $0.played[station] = played }
        changed.signal()
    }

    func take(_ station: Int) -> Played {
        while true {
            if let played = state.withLock({ $0.played.removeValue(forKey: station) }) { return played }
            _ = changed.wait(until: nil)
        }
    }
}
