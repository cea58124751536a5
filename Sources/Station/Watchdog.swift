import Logging
import Pump
private import Synchronization
private import Threads

/// Another thread of the service that has to make progress.
struct WatchedLoop: Sendable {
    let name: String
    let awayNanosecondsMax: UInt64
    /// Since when the thread has not come back to its wait; zero while it waits.
    let awayNanoseconds: @Sendable () -> UInt64

    init(name: String, awayNanosecondsMax: UInt64, awayNanoseconds: @escaping @Sendable () -> UInt64) {
        self.name = name
        self.awayNanosecondsMax = awayNanosecondsMax
        self.awayNanoseconds = awayNanoseconds
    }
}

/// Gives the supervisor signs of life as long as the threads that count make progress: each side's and its pump's. A thread
/// of its own looks after them, so that none has to speak (decision record 0024).
final class Watchdog: Sendable {
    /// Signs of life within the supervisor's limit.
    static let signsPerLimit: UInt64 = 4
    /// The longest turn that the pump's thread makes, with the valves closed, and half of it: fuel is not watched then.
    static let pumpStillNanosecondsMax = PumpThread.turnNanosecondsMax.closed * 3 / 2
    /// A card, a reader and a disk may keep the side's thread for some time, while the pump's thread holds fuel at the next
    /// checkpoint. A call that takes longer does not come back.
    static let sideAwayNanosecondsMax: UInt64 = 60_000_000_000

    private let supervisor: Supervisor
    private let sides: [ReachableSide]
    private let loops: [WatchedLoop]
    private let log: Logger
    private let sideAwayNanosecondsMax: UInt64
    private let stopped = MonotonicSemaphore()
    private let thread = Mutex<NamedThread?>(nil)

    /// nil when the supervisor waits for no sign of life.
    init?(
        _ supervisor: Supervisor,
        _ sides: [ReachableSide],
        loops: [WatchedLoop] = [],
        log: Logger,
        sideAwayNanosecondsMax: UInt64 = Watchdog.sideAwayNanosecondsMax
    ) {
        guard let limit = supervisor.watchdogNanoseconds else { return nil }
        self.sideAwayNanosecondsMax = sideAwayNanosecondsMax
        self.supervisor = supervisor
        self.sides = sides
        self.loops = loops
        self.log = log
        thread.withLock { $0 = NamedThread("watchdog") { [self] in run(every: limit / Self.signsPerLimit) } }
    }

    /// Returns when the thread has ended. Stopped already, it does nothing.
    func stop() {
        let running = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        guard let running else { return }
        stopped.signal()
        running.join()
    }

    private func run(every pause: UInt64) {
        var said: String?
        repeat {
            let trouble = trouble
            if let trouble {
                if said == nil { log.critical("no sign of life for the watchdog: \(trouble)") }
            } else {
                supervisor.feedWatchdog()
            }
            said = trouble
        } while !stopped.wait(until: MonotonicClock.nanoseconds + pause)
    }

    /// A card keeps its reader as long as it likes (ISO/IEC 7816-3: waiting time extension): that ends no sale next door. Its
    /// own side sells nothing, and its valve is closed.
    private func isKeptByCard(_ side: ReachableSide) -> Bool {
        side.cardCall.isUnderWay
            && sides.contains { $0 !== side && $0.serves && $0.awayNanoseconds <= sideAwayNanosecondsMax }
    }

    /// Which thread makes no progress; nil when all do.
    private var trouble: String? {
        for side in sides {
            if (side.pump?.stillNanoseconds ?? 0) > Self.pumpStillNanosecondsMax {
                return "position \(side.number): the pump's thread stands still"
            }
            if side.awayNanoseconds > sideAwayNanosecondsMax, !isKeptByCard(side) {
                return "position \(side.number): the side's thread stands in a call"
            }
        }
        return loops.first { $0.awayNanoseconds() > $0.awayNanosecondsMax }.map { "\($0.name) stands in a call" }
    }
}
