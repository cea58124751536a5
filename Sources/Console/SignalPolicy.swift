private import Glibc

/// What a signal does to a program of this project; Station's 0020 gives the table and the reasons.
package enum SignalResponse: Equatable, Sendable {
    /// An orderly stop.
    case stop
    /// Nothing: whoever stands at the console can send it, or its default would kill or stop in mid-sale.
    case nothing
    /// The program goes on: the terminal, if it is really gone, shows that itself.
    case hangUp
    /// The program was stopped and goes on: the terminal is made silent again.
    case continued
    /// The program cannot go on. It ends at once, and the kernel releases its lines.
    case fatal
    /// What the system does by itself: nothing, or what no program can change.
    case system
}

/// One policy for every signal, for the service and for the tools while they wait or serve.
package enum SignalPolicy {
    /// The last of the real-time signals.
    package static let numberMax: Int32 = 64
    /// The two that glibc keeps for itself.
    private static let ofTheLibrary: ClosedRange<Int32> = 32...33

    package static func response(to number: Int32) -> SignalResponse {
        switch number {
        case SIGTERM, SIGINT, SIGQUIT, SIGPWR: .stop
        case SIGHUP: .hangUp
        case SIGCONT: .continued
        case SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS: .fatal
        case SIGKILL, SIGSTOP, SIGCHLD, SIGURG, SIGWINCH: .system
        case ofTheLibrary: .system
        case _: .nothing
        }
    }

    static func numbers(_ isMeant: (SignalResponse) -> Bool) -> [Int32] {
        (1...numberMax).filter { isMeant(response(to: $0)) }
    }
}
