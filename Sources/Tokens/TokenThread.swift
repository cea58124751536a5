import Glibc
import Synchronization
import Threads

/// The one thread that calls a token's module. A call has no time limit in PKCS#11: who asks waits so long and no longer, and as
/// long as a call hangs the next are refused at once. Any thread may ask.
final class TokenThread: Sendable {
    private final class Call: Sendable {
        let body: @Sendable (TokenSession) -> Void
        let done = MonotonicSemaphore()

        init(_ body: @escaping @Sendable (TokenSession) -> Void) { self.body = body }
    }

    private final class Desk: Sendable {
        let work = MonotonicSemaphore()
        let next: Mutex<Call?> = Mutex(nil)

        func take() -> Call? { next.withLock { $0.take() } }
    }

    private enum Standing {
        case free
        /// Nobody waits for it any more.
        case late(Call)
        case ended
    }

    private let desk: Desk
    private let thread: NamedThread
    private let standing: Mutex<Standing> = Mutex(.free)

    init(_ place: TokenPlace) {
        let desk = Desk()
        self.desk = desk
        thread = NamedThread("token") {
            Self.blockBrokenPipes()
            let session = TokenSession(place)
            while desk.work.wait(until: nil), let call = desk.take() {
                call.body(session)
                call.done.signal()
            }
        }
    }

    /// A module that speaks to another process would end this one when that has ended.
    private static func blockBrokenPipes() {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGPIPE)
        let result = unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
        precondition(result == 0, "a thread masks its signals")
    }

    /// - Returns: false when the token does not answer in time; the body may still run, or never.
    func perform(
        before deadline: UInt64,
        _ body: @escaping @Sendable (TokenSession) -> Void
    ) -> Bool {
        standing.withLock { standing in
            switch standing {
            case .ended: return false
            case .late(let call):
                guard call.done.wait(until: MonotonicClock.nanoseconds) else { return false }
                standing = .free
            case .free: break
            }
            let call = Call(body)
            desk.next.withLock { $0 = call }
            desk.work.signal()
            if call.done.wait(until: deadline) { return true }
            standing = .late(call)
            return false
        }
    }

    /// Ended already, does nothing. A thread that hangs is left behind.
    func end(before deadline: UInt64) {
        let isFree = perform(before: deadline) { $0.end() }
        let wasEnded = standing.withLock { standing in
            defer { standing = .ended }
            if case .ended = standing { return true }
            return false
        }
        guard isFree, !wasEnded else { return }
        desk.work.signal()
        thread.join()
    }
}
