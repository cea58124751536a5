private import Synchronization
package import Threads

/// A loop of the service that has to make progress, and its limit.
package struct WatchedLoop: Sendable {
    /// A loop that waits comes back every second; a board that has other work may take some more.
    static let waitingNanosecondsMax: UInt64 = 5 * LoopProgress.waitNanosecondsMax
    /// For what waits for nothing but a lock.
    static let promptNanosecondsMax: UInt64 = 10_000_000_000
    /// A card, a reader and a disk may keep a thread for some time. A call that takes longer does not come back.
    static let callNanosecondsMax: UInt64 = 60_000_000_000
    /// So long a delivery that goes on is worth more than what is lost without the loop.
    static let inFlowNanosecondsMax: UInt64 = 600_000_000_000

    /// As it stands in the log: "the keypad's thread".
    let name: String
    let progress: LoopProgress
    /// nil for one that may stand at work as long as it likes.
    let workingNanosecondsMax: UInt64?
    /// While some valve is open; nil for the same.
    let inFlowNanosecondsMax: UInt64?

    package init(
        _ name: String,
        _ progress: LoopProgress,
        workingNanosecondsMax: UInt64? = Self.promptNanosecondsMax,
        inFlowNanosecondsMax: UInt64? = nil
    ) {
        self.name = name
        self.progress = progress
        self.workingNanosecondsMax = workingNanosecondsMax
        self.inFlowNanosecondsMax = inFlowNanosecondsMax
    }

    /// One that a disk may keep.
    static func calling(_ name: String, _ progress: LoopProgress) -> WatchedLoop {
        WatchedLoop(name, progress, workingNanosecondsMax: callNanosecondsMax)
    }

    /// What it does not do; nil as it should.
    func trouble(inFlow: Bool) -> String? {
        switch progress.standing {
        case .unwatched, .ended: return nil
        case .waiting(let nanoseconds):
            return nanoseconds > Self.waitingNanosecondsMax ? "\(name) does not come back from its wait" : nil
        case .working(let nanoseconds):
            guard let most = inFlow ? inFlowNanosecondsMax ?? workingNanosecondsMax : workingNanosecondsMax else {
                return nil
            }
            return nanoseconds > most ? "\(name) stands in a call" : nil
        }
    }
}

/// The loops that the watchdog looks after beside sides and pumps. Any thread may add one; those that have ended are let go.
package final class WatchedLoops: Sendable {
    private let loops: Mutex<[WatchedLoop]> = Mutex([])

    package init() {}

    package func add(_ loop: WatchedLoop) {
        loops.withLock { loops in
            loops.removeAll { $0.progress.standing == .ended }
            loops.append(loop)
        }
    }

    /// Of the first that makes no progress; nil when all do.
    func trouble(inFlow: Bool) -> String? {
        loops.withLock(\.self).lazy.compactMap { $0.trouble(inFlow: inFlow) }.first
    }
}
