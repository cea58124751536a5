import Glibc
import Records
import TestPrograms
import Testing

/// What the tests do with a program that hangs.
struct PatienceTests {
    @Test func aProgramThatDoesNotEndIsAFailureThatTellsOfItAndIsKilled() throws {
        let shell = try StartedProcess(["/bin/sh", "-c", "tail -f /dev/null & wait"])
        let patience = Patience()
        while ProcessReport.children(of: shell.id).isEmpty, patience.milliseconds > 0 { sched_yield() }
        let child = try #require(ProcessReport.children(of: shell.id).first)
        let texts = ["its last words", "process \(shell.id)", "State:\tS", "thread ", "process \(child)"]
        withKnownIssue {
            #expect(shell.end(Patience(seconds: 1), said: "its last words") == -SIGKILL)
        } matching: { issue in
            let words = "\(issue)"
            return texts.allSatisfy { words.contains($0) }
        }
        #expect(shell.end() == -SIGKILL)
    }
}
