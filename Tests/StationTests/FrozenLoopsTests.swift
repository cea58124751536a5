import Foundation
import Glibc
import TestFolders
import TestPrograms
import Testing

/// One thread of the service held by ptrace in mid-flow, the test in systemd's place: what SIGSTOP, which stops them all, cannot
/// show. What the valves do meanwhile `FrozenLoopsOnGPIOTests` shows, on lines that can be looked at.
@Suite(.timeLimit(.minutes(10)), .enabled(if: HeldThread.isPossible, Comment(rawValue: HeldThread.reasonToSkip)))
struct FrozenLoopsTests {
    private let folder: TestFolder
    private let socket: NotifySocket

    init() throws {
        folder = try TestFolder()
        socket = try NotifySocket(path: folder.path("notify"))
    }

    private func service(centilitres: Int = 90_000) throws -> Program {
        let text = ServiceConfiguration.text(
            journal: (folder.path("journal.sqlite"), ""),
            card: "kind = \"virtual\", state = \"\(folder.path("card"))\"",
            pump: ServiceConfiguration.simulated(centilitres: centilitres, speed: 2)
        )
        let sockets = "[interface]\nread = \"\(folder.path("read"))\"\ncontrol = \"\(folder.path("control"))\"\n"
        let configuration = try folder.file("greylock.toml", text + "\n" + sockets)
        return try Program("greylock", ["run", "--config", configuration], variables: socket.variables)
    }

    /// The unit kills it within its limit, and the next start has the customer pay what was delivered.
    ///
    /// - Parameter limit: of the thread, in seconds, and half of it again for a machine that has other work.
    private func killed(_ thread: String, _ limit: Double) throws {
        let service = try service()
        #expect(service.wait(litres: 2) != nil)
        socket.drain()
        let held = try HeldThread(thread, of: service.id)
        let waited = try #require(socket.awaitEndOfSigns(seconds: 60), "\(thread) stood still, and nobody noticed")
        print("\(thread) held: no sign of life after \(String(format: "%.1f", waited)) s")
        #expect(waited < limit * 1.5 + Double(NotifySocket.limitMilliseconds) / 1_000, "\(thread)")
        service.signal(SIGKILL)
        #expect(service.end() == -SIGKILL)
        withExtendedLifetime(held) {}
        try settled()
    }

    private func settled() throws {
        let next = try service()
        #expect(next.wait(for: "notice paid")?.contains("settles-ttc=1") == true)
        next.signal(SIGTERM)
        #expect(next.end() == 0)
        let report = try JournalReport(journal: folder.path("journal.sqlite"))
        let (sale, claim) = (try #require(report.sales.first), try #require(report.sales.last))
        #expect(sale.phase == "escaped" && claim.phase == "settled" && claim.settles == sale.ttc)
        // Two litres were shown; half of one may be behind the checkpoint.
        #expect(sale.volumeMicrolitres >= 1_500_000 && claim.amountFen == sale.amountFen)
        #expect(report.greyRecords.allSatisfy { $0.state != "open" })
    }

    @Test(arguments: [
        "interface", "desk", "renewal", "parameters", "journal-beat", "log", "signals", "card-watch", "side-1",
    ])
    func aLoopThatDoesNotComeBackFromItsWait(thread: String) throws { try killed(thread, 6) }

    @Test func thePumpsThread() throws { try killed("pump-1", 1.5) }

    @Test func theWatchdogItself() throws { try killed("watchdog", 0.5) }

    /// It only waits for the others' end.
    @Test func theFirstThreadIsMissedByNobody() throws {
        let service = try service(centilitres: 300)
        #expect(service.wait(for: "valves open") != nil)
        socket.drain()
        let held = try HeldThread("greylock", of: service.id)
        #expect(service.wait(for: "notice paid") != nil)
        #expect(socket.awaitEndOfSigns(seconds: 8) == nil)
        // A stop still ends the process.
        service.signal(SIGTERM)
        #expect(service.end() == 75)
        withExtendedLifetime(held) {}
    }
}
