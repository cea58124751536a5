import Dispenser
import ISO7816
private import Synchronization
import Threads

/// A call to the card reader that is under way, seen from other threads.
final class CardCall: Sendable {
    /// After so long somebody is told; no command of a card that works takes a third of it.
    static let patienceNanoseconds: UInt64 = 3_000_000_000
    /// Between two looks.
    private static let lookNanoseconds: UInt64 = 250_000_000

    private struct Running {
        /// nil when no call is under way.
        var since: UInt64?
        var isTold = false
    }

    private let running = Mutex(Running())
    private let ended = MonotonicSemaphore()
    /// Of the thread that tells.
    let progress = LoopProgress()

    /// - Parameter overdue: called from a thread of its own, once for each call that takes too long.
    init(overdue: @escaping @Sendable () -> Void) {
        progress.works()
        _ = NamedThread("card-watch") { [weak self, ended, progress] in
            defer { progress.ends() }
            while !ended.wait(until: MonotonicClock.nanoseconds + Self.lookNanoseconds, showing: progress) {
                guard let self else { return }
                if isNewlyOverdue() { overdue() }
            }
        }
    }

    deinit { ended.signal() }

    /// Whether the card or its reader has been asked something and has not answered.
    var isUnderWay: Bool { running.withLock { $0.since != nil } }

    func begin() { running.withLock { $0 = Running(since: MonotonicClock.nanoseconds) } }

    func end() { running.withLock { $0 = Running() } }

    private func isNewlyOverdue() -> Bool {
        running.withLock { running in
            guard let since = running.since, !running.isTold else { return false }
            guard MonotonicClock.nanoseconds >= since + Self.patienceNanoseconds else { return false }
            running.isTold = true
            return true
        }
    }
}

/// A reader whose calls are noted while they last.
final class WatchedReader: CardReader {
    private let reader: any CardReader
    private let call: CardCall

    init(_ reader: any CardReader, _ call: CardCall) {
        self.reader = reader
        self.call = call
    }

    func connect() throws(CardFault) {
        call.begin()
        defer { call.end() }
        try reader.connect()
    }

    func transmit(_ command: Span<UInt8>) throws(CardFault) -> ResponseAPDU {
        call.begin()
        defer { call.end() }
        return try reader.transmit(command)
    }

    func disconnect() {
        call.begin()
        defer { call.end() }
        reader.disconnect()
    }
}
