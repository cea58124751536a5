import Codes
import Console
import Logging
private import Metering
import Pump
private import Synchronization
private import Threads

/// Gives the supervisor signs of life as long as the threads that count make progress: each side's, its pump's, and the loops
/// beside them. A thread of its own looks after them, so that none has to speak (<doc:0068-each-loop-is-watched>).
final class Watchdog: Sendable {
    /// Signs of life within the supervisor's limit.
    static let signsPerLimit: UInt64 = 4
    /// The longest turn that the pump's thread makes, with the valves closed, and half of it: fuel is not watched then.
    static let pumpStillNanosecondsMax = PumpThread.turnNanosecondsMax.closed * 3 / 2
    /// With a valve open: one that comes back later ends the sale by itself.
    static let pumpStillInFlowNanosecondsMax = PumpThread.frozenNanoseconds
    /// The pump's thread holds fuel at the next checkpoint meanwhile.
    static let sideAwayNanosecondsMax = WatchedLoop.callNanosecondsMax
    /// After a request to stop the process has ended, whatever its threads do.
    static let stopNanosecondsMax = StopControl.deadlineNanoseconds + 1_000_000_000

    private let supervisor: Supervisor
    private let sides: [ReachableSide]
    private let loops: WatchedLoops
    private let stopControl: StopControl
    private let log: Logger
    private let sideAwayNanosecondsMax: UInt64
    private let stopped = MonotonicSemaphore()
    private let thread = Mutex<NamedThread?>(nil)

    private struct Trouble {
        let words: String
        /// Nothing is gained by waiting: fuel flows, and nobody would stop it.
        var isUrgent = false
    }

    /// nil when the supervisor waits for no sign of life.
    init?(
        _ supervisor: Supervisor,
        _ sides: [ReachableSide],
        loops: WatchedLoops = WatchedLoops(),
        stop: StopControl = StopControl(),
        log: Logger,
        sideAwayNanosecondsMax: UInt64 = Watchdog.sideAwayNanosecondsMax
    ) {
        guard let limit = supervisor.watchdogNanoseconds else { return nil }
        self.sideAwayNanosecondsMax = sideAwayNanosecondsMax
        self.supervisor = supervisor
        self.sides = sides
        self.loops = loops
        stopControl = stop
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
                let reason = "no sign of life for the watchdog: \(trouble.words)"
                if said == nil { log.critical(.service(.noSignOfLife), "\(reason)") }
                if trouble.isUrgent { supervisor.tripWatchdog(reason) }
            } else {
                supervisor.feedWatchdog()
            }
            said = trouble?.words
        } while !stopped.wait(until: MonotonicClock.nanoseconds + pause)
    }

    /// A card keeps its reader as long as it likes (ISO/IEC 7816-3: waiting time extension): that ends no sale next door. Its
    /// own side sells nothing, and its valve is closed.
    private func isKeptByCard(_ side: ReachableSide) -> Bool {
        side.cardCall.isUnderWay
            && sides.contains { $0 !== side && $0.serves && $0.awayNanoseconds <= sideAwayNanosecondsMax }
    }

    /// Which thread makes no progress; nil when all do.
    private var trouble: Trouble? {
        var fuelFlows = false
        for side in sides {
            guard let pump = side.pump else { continue }
            let still = pump.stillNanoseconds
            let isOpen = !pump.snapshot.outputs.isEmpty
            fuelFlows = fuelFlows || isOpen
            if still > (isOpen ? Self.pumpStillInFlowNanosecondsMax : Self.pumpStillNanosecondsMax) {
                return Trouble(words: "position \(side.number): the pump's thread stands still", isUrgent: isOpen)
            }
        }
        for side in sides {
            if side.awayNanoseconds > sideAwayNanosecondsMax, !isKeptByCard(side) {
                return Trouble(words: "position \(side.number): the side's thread stands in a call")
            }
            if side.waitingNanoseconds > WatchedLoop.waitingNanosecondsMax {
                return Trouble(words: "position \(side.number): the side's thread does not come back from its wait")
            }
        }
        if (stopControl.requestedNanoseconds ?? 0) > Self.stopNanosecondsMax {
            return Trouble(words: "a stop does not end the process")
        }
        return loops.trouble(inFlow: fuelFlows).map { Trouble(words: $0) }
    }
}
