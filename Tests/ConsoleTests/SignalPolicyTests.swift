import Console
import Glibc
import Testing

@Suite("The policy for signals")
struct SignalPolicyTests {
    /// Named as in the decision record 0020.
    static let table: [(numbers: [Int32], response: SignalResponse)] = [
        ([SIGTERM, SIGINT, SIGQUIT, SIGPWR], .stop),
        ([SIGHUP], .hangUp),
        ([SIGCONT], .continued),
        ([SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS], .fatal),
        ([SIGKILL, SIGSTOP, SIGCHLD, SIGURG, SIGWINCH, 32, 33], .system),
        (
            [
                SIGTSTP, SIGTTIN, SIGTTOU, SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGXCPU, SIGXFSZ,
                SIGIO, SIGSTKFLT,
            ] + Array(34...64), .nothing
        ),
    ]

    @Test("every signal of Linux has one response, and it is the one that is written down")
    func whole() {
        let listed = Self.table.flatMap(\.numbers)
        #expect(listed.sorted() == Array(1...SignalPolicy.numberMax))
        for (numbers, response) in Self.table {
            for number in numbers { #expect(SignalPolicy.response(to: number) == response, "signal \(number)") }
        }
    }
}
