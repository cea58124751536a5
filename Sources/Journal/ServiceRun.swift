import FuelPassbook
import Glibc
import ISO7816
package import Quantities
package import Records
import SQLite
import Synchronization
package import Threads

// From when to when nobody counted (decision record 0019). A row for each run of the service, and a file that says each
// second that it runs. The file is not synced: it outlives a killed process, and where the mains failed no fuel flowed.

/// A time from one start of the service to its end.
package struct ServiceRun: Equatable, Sendable {
    let number: Int64
    /// nil when the clock was not set.
    package let begun: TransactionTime?
    /// When the run before it was last known to count, if that ended without a word. Nobody counted from then until
    /// ``begun``.
    package let uncountedSince: TransactionTime?
    /// The run before it ended without a word.
    package let followsUncleanEnd: Bool
    /// Until when it counted: its end; of a run that was killed, what the next start found before it wrote a time of its own.
    /// nil until then.
    package internal(set) var lastCounted: TransactionTime?
    /// With its outputs off and everything on disk.
    package internal(set) var hasEnded = false

    /// nil while it goes on, and when it was killed.
    package var ended: TransactionTime? { hasEnded ? lastCounted : nil }
}

/// How the last run ended.
package enum LastEnd: Equatable, Sendable {
    case clean
    /// When it was last known to count; nil when no clock told.
    case unclean(lastCounted: TransactionTime?)
}

/// Says each second in a file beside the journal that the service runs.
final class RunBeat: Sendable {
    private static let nanoseconds: UInt64 = 1_000_000_000

    private let isOver = MonotonicSemaphore()
    let progress = LoopProgress()
    private let thread: NamedThread

    init(_ journal: String, clock: @escaping @Sendable () -> TransactionTime?) {
        let (isOver, progress) = (isOver, progress)
        progress.works()
        thread = NamedThread("journal-beat") {
            defer { progress.ends() }
            repeat {
                if let time = clock() { Self.write(journal, time) }
            } while !isOver.wait(until: MonotonicClock.nanoseconds + Self.nanoseconds, showing: progress)
        }
    }

    func end() {
        isOver.signal()
        thread.join()
    }

    /// The last time in the file; nil without one.
    static func read(_ journal: String) -> TransactionTime? {
        let descriptor = unsafe open(path(of: journal), O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { _ = close(descriptor) }
        do throws(StorageFault) {
            let digits = try bytes(of: descriptor, count: 2 * TransactionTime.length)
            do throws(ParseError) {
                return try TransactionTime(digits: Hex.bytes(String(decoding: digits, as: UTF8.self)))
            } catch {
                return nil
            }
        } catch {
            return nil
        }
    }

    static func path(of journal: String) -> String { journal + "-beat" }

    /// What cannot be written is an older time at the next start, which is as true.
    private static func write(_ journal: String, _ time: TransactionTime) {
        let descriptor = unsafe open(path(of: journal), O_WRONLY | O_CREAT | O_NONBLOCK | O_CLOEXEC, JournalFile.mode)
        guard descriptor >= 0 else { return }
        let text = Array((Hex.string(time.bytes) + "\n").utf8)
        unsafe _ = pwrite(descriptor, text, text.count, 0)
        _ = close(descriptor)
    }
}

/// The run of this process.
struct PresentRun {
    let run: ServiceRun
    let beat: RunBeat
}

extension SQLiteJournal {
    /// Before recovery, whose records bear its own time: until when the last run counted is written down, if it ended without
    /// a word. This start may end before any side counts, and the one after it is not to take that time for a sign of counting.
    ///
    /// A clock that is not set, or is behind what is known, says nothing for good: what this start writes is no later than that.
    package func noteLastEnd(at now: TransactionTime?) throws(StorageFault) {
        guard let now, writesRows, case .believed(var run) = try lastRun(), !run.hasEnded else { return }
        let signs = signs(of: run)
        guard run.lastCounted == nil, signs.allSatisfy({ $0 <= now }) else { return }
        run.lastCounted = signs.max() ?? .unknown
        try commitRows("note the last run's end") { writer in
            try writer.replace(run)
        }
    }

    /// Writes that a run of the service begins, and from now on each second that it goes on.
    ///
    /// - Returns: how the run before it ended; nil when there was none, and where the journal's state is gone: then nothing
    ///   is written.
    package func beginRun(clock: @escaping @Sendable () -> TransactionTime?) throws(StorageFault) -> LastEnd? {
        guard writesRows else { return nil }
        let now = clock()
        let end = end(of: try lastRun(), before: now)
        var begun: ServiceRun?
        try commitRows("begin a run") { writer in
            let number = try writer.db.nextKey(of: .serviceRun)
            let run =
                switch end {
                case .unclean(let last):
                    ServiceRun(number: number, begun: now, uncountedSince: last, followsUncleanEnd: true)
                case .clean, nil:
                    ServiceRun(number: number, begun: now, uncountedSince: nil, followsUncleanEnd: false)
                }
            try writer.replace(run)
            begun = run
        }
        guard let begun else { preconditionFailure("begun in the transaction") }
        run.withLock { $0 = PresentRun(run: begun, beat: RunBeat(path, clock: clock)) }
        return end
    }

    private enum LastRun {
        case none
        case notBelieved
        case believed(ServiceRun)
    }

    private func lastRun() throws(StorageFault) -> LastRun {
        let belief = try believing()
        return try connection.view("read the last run") { db in
            let newest = "WHERE run BETWEEN 0 AND 1 << 60 ORDER BY run DESC LIMIT 1"
            guard try db.value("SELECT 1 FROM service_run \(newest)") != nil else { return .none }
            let runs: [ServiceRun] = try db.believed(belief, newest)
            return runs.first.map(LastRun.believed) ?? .notBelieved
        }
    }

    /// nil where there is none.
    private func end(of last: LastRun, before now: TransactionTime?) -> LastEnd? {
        let run: ServiceRun?
        switch last {
        case .none: return nil
        case .notBelieved: run = nil
        case .believed(let believed): run = believed
        }
        guard run?.hasEnded != true else { return .clean }
        let known = (run?.lastCounted).map { [$0] } ?? signs(of: run)
        return .unclean(lastCounted: known.filter { $0 <= now ?? $0 && $0 != .unknown }.max() ?? run?.begun)
    }

    /// When the run is known to have counted, apart from what was noted.
    private func signs(of run: ServiceRun?) -> [TransactionTime] {
        [run?.begun, RunBeat.read(path), latestTimeBefore.withLock(\.self)?.local].compactMap(\.self)
            .filter { $0 != .unknown }
    }

    /// Of what says each second that the run goes on; nil where none does.
    package var beatProgress: LoopProgress? { run.withLock { $0?.beat.progress } }

    /// The run ends with the outputs off.
    package func endRun(at time: TransactionTime?) throws(StorageFault) {
        guard let ended = endBeat() else { return }
        try commitRows("end a run") { writer in
            var run = ended.run
            (run.lastCounted, run.hasEnded) = (time, true)
            try writer.replace(run)
        }
    }

    @discardableResult
    func endBeat() -> PresentRun? {
        let last = run.withLock { run in
            let last = run
            run = nil
            return last
        }
        last?.beat.end()
        return last
    }
}
