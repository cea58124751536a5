package import Dispenser
package import FuelPassbook
import GRDB
import Glibc
import ISO7816
import Synchronization
import Threads

// From when to when nobody counted (decision record 0019). A row for each run of the service, and a file that says each
// second that it runs. The file is not synced: it outlives a killed process, and where the mains failed no fuel flowed.

/// A time from one start of the service to its end.
package struct ServiceRun: Equatable, Sendable {
    /// nil when the clock was not set.
    package let begun: TransactionTime?
    /// When the run before it was last known to count, if that ended without a word. Nobody counted from then until
    /// ``begun``.
    package let uncountedSince: TransactionTime?
    /// The run before it ended without a word.
    package let followsUncleanEnd: Bool
    /// The run ended with its outputs off and everything on disk; nil while it goes on, and when it was killed.
    package let ended: TransactionTime?
    package let hasEnded: Bool

    init(_ row: StoredRow) throws(StorageFault) {
        begun = try row.optional("begun") { column throws(StorageFault) in try row.time(column) }
        uncountedSince = try row.optional("uncounted_since") { column throws(StorageFault) in try row.time(column) }
        followsUncleanEnd = try row.flag("follows_unclean_end")
        ended = try row.optional("ended") { column throws(StorageFault) in try row.time(column) }
        hasEnded = try row.flag("has_ended")
    }
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
    private let thread: NamedThread

    init(_ journal: String, clock: @escaping @Sendable () -> TransactionTime?) {
        let isOver = isOver
        thread = NamedThread("journal-beat") {
            repeat {
                if let time = clock() { Self.write(journal, time) }
            } while !isOver.wait(until: MonotonicClock.nanoseconds + Self.nanoseconds)
        }
    }

    func end() {
        isOver.signal()
        thread.join()
    }

    /// The last time in the file; nil without one.
    static func read(_ journal: String) -> TransactionTime? {
        let descriptor = unsafe open(path(of: journal), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { _ = close(descriptor) }
        do throws(StorageFault) {
            let digits = try bytes(of: descriptor, count: 2 * TransactionTime.length)
            do throws(ParseError) {
                return try TransactionTime(stored: Hex.bytes(String(decoding: digits, as: UTF8.self)))
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
        let descriptor = unsafe open(path(of: journal), O_WRONLY | O_CREAT | O_CLOEXEC, JournalFile.mode)
        guard descriptor >= 0 else { return }
        let text = Array((Hex.string(time.bytes) + "\n").utf8)
        unsafe _ = pwrite(descriptor, text, text.count, 0)
        _ = close(descriptor)
    }
}

extension SQLiteJournal {
    /// Writes that a run of the service begins, and from now on each second that it goes on.
    ///
    /// - Returns: how the run before it ended; nil when there was none.
    package func beginRun(clock: @escaping @Sendable () -> TransactionTime?) throws(StorageFault) -> LastEnd? {
        let now = clock()
        let seen = RunBeat.read(path)
        var end: LastEnd?
        try queue.commit("begin a run") { db in
            let last = try db.rows(of: .serviceRun, "WHERE run BETWEEN 0 AND 1 << 60 ORDER BY run DESC LIMIT 1").first
            let number = try last?.count("run") ?? 0
            if let last {
                let run = last.readable(ServiceRun.init)
                let known = [run?.begun, seen, try db.clockFloor()?.local].compactMap(\.self).filter { $0 <= now ?? $0 }
                end = run?.hasEnded == true ? .clean : .unclean(lastCounted: known.max() ?? run?.begun)
            }
            var row = RowValues()
            row.set("run", number + 1)
            row.set(hex: "begun", now)
            switch end {
            case .unclean(let lastCounted):
                row.set("follows_unclean_end", true)
                row.set(hex: "uncounted_since", lastCounted)
            case .clean, nil:
                row.set("follows_unclean_end", false)
                row.set(hex: "uncounted_since", TransactionTime?.none)
            }
            row.set(hex: "ended", TransactionTime?.none)
            row.set("has_ended", false)
            try db.put(row, in: .serviceRun)
        }
        beat.withLock { $0 = RunBeat(path, clock: clock) }
        return end
    }

    /// The run ends with the outputs off.
    package func endRun(at time: TransactionTime?) throws(StorageFault) {
        endBeat()
        try queue.commit("end a run") { db in
            let sql = "UPDATE service_run SET has_ended = 1, ended = ? WHERE run = (SELECT max(run) FROM service_run)"
            try db.execute(sql: sql, arguments: [time.map { Hex.string($0.bytes) }])
        }
    }

    func endBeat() {
        beat.withLock { beat in
            let last = beat
            beat = nil
            return last
        }?.end()
    }
}
