import Dispenser
import Foundation
import Glibc
import ISO7816
import Logging
import Metering
import Pump
import Synchronization
import TestFolders
import TestPrograms
import Testing
import Threads

@testable import Station

@Suite(.timeLimit(.minutes(10)))
struct SupervisorTests {
    private let folder: TestFolder
    private let socket: NotifySocket

    init() throws {
        folder = try TestFolder()
        socket = try NotifySocket(path: folder.path("notify"))
    }

    private func supervisor(microseconds: UInt64?) throws -> Supervisor {
        try #require(Supervisor(socketPath: socket.path, watchdogMicroseconds: microseconds))
    }

    @Test func whatIsSaidIsOneDatagramAndOneLineAStatus() throws {
        let supervisor = try supervisor(microseconds: nil)
        supervisor.startGoesOn()
        supervisor.ready("a\nb")
        supervisor.feedWatchdog()
        supervisor.stopping()
        #expect(socket.next() == "EXTEND_TIMEOUT_USEC=60000000")
        #expect(socket.next() == "READY=1\nSTATUS=a b")
        #expect(socket.next() == "WATCHDOG=1")
        #expect(socket.next() == "STOPPING=1\nSTATUS=stopping")
    }

    @Test(arguments: ["", "relative", "vsock:2:1", "/" + String(repeating: "x", count: 200)])
    func aSocketThatIsNoneIsNoSupervisor(path: String) {
        #expect(Supervisor(socketPath: path, watchdogMicroseconds: nil) == nil)
    }

    /// Longer than the clock counts: nobody waits for it.
    @Test(arguments: [0, .max, .max / 1_000 + 1] as [UInt64])
    func aLimitThatIsNoneIsNoWatchdog(microseconds: UInt64) throws {
        #expect(try supervisor(microseconds: microseconds).watchdogNanoseconds == nil)
    }

    @Test func aFullSocketHoldsNobodyUp() throws {
        let supervisor = try supervisor(microseconds: nil)
        for _ in 0..<10_000 { supervisor.feedWatchdog() }
    }

    private func pump(_ lines: StuckLines) throws -> PumpThread {
        try PumpThread(
            name: "pump-w",
            lines: lines,
            calibration: Calibration(
                countsPerLitre: 400,
                points: [CalibrationPoint(litresPerMinute: 40, factorMillionths: 1_000_000)]
            ),
            kind: .quadrature(.alarm)
        ) { _ in }
    }

    @Test func thePumpsThreadThatStandsStillIsNotVouchedFor() throws {
        let lines = StuckLines()
        let pump = try pump(lines)
        let log = Logger(label: "test") { _ in LineLogHandler() }
        let side = ReachableSide(1) {}
        side.takes(pump)
        let watchdog = try #require(Watchdog(supervisor(microseconds: 200_000), [side], log: log))
        for _ in 0..<5 { #expect(socket.next() == "WATCHDOG=1") }
        try pump.perform(.beginSale)
        let command = NamedThread("command") {
            do throws(PumpFault) {
                try pump.perform(.open(CutOff(slowAtCounts: .max, stopAtCounts: .max, reportAtCounts: .max)))
            } catch {
                // It takes longer than a command may.
            }
        }
        command.join()
        // Its thread stands in a call for over a second now.
        while pump.stillNanoseconds < Watchdog.pumpStillNanosecondsMax { sched_yield() }
        // One sign may have been on its way.
        socket.drain()
        _ = socket.next(milliseconds: 60)
        socket.drain()
        #expect(socket.next(milliseconds: 1_000) == nil)
        lines.release()
        #expect(socket.next() == "WATCHDOG=1")
        watchdog.stop()
        pump.stop()
    }

    /// A card with a shim can keep its reader as long as it likes (ISO/IEC 7816-3: waiting time extension).
    @Test func aCardThatKeepsItsReaderEndsNoSaleNextDoor() throws {
        let log = Logger(label: "test") { _ in LineLogHandler() }
        let (held, other) = (ReachableSide(1) {}, ReachableSide(2) {})
        for side in [held, other] { side.mailbox.post(.reader(.back)) }
        _ = held.mailbox.next(until: nil)
        held.cardCall.begin()
        let pump = try pump(StuckLines())
        other.takes(pump)
        let watchdog = try #require(
            Watchdog(supervisor(microseconds: 200_000), [held, other], log: log, sideAwayNanosecondsMax: 1_000_000)
        )
        while held.awayNanoseconds < 10_000_000 { sched_yield() }
        socket.drain()
        for _ in 0..<3 { #expect(socket.next(milliseconds: 2_000) == "WATCHDOG=1") }
        // Nobody is left to sell: whoever watches begins anew.
        other.takesNoPump()
        pump.stop()
        _ = socket.next(milliseconds: 60)
        socket.drain()
        #expect(socket.next(milliseconds: 1_000) == nil)
        watchdog.stop()
    }

    @Test func aLoopIsSeenAtWorkAtItsWaitAndAtItsEnd() {
        let progress = LoopProgress()
        #expect(progress.standing == .unwatched)
        progress.works()
        guard case .working = progress.standing else {
            Issue.record("\(progress.standing)")
            return
        }
        let never = MonotonicSemaphore()
        #expect(!never.wait(until: MonotonicClock.nanoseconds + 1_000_000, showing: progress))
        guard case .working = progress.standing else {
            Issue.record("\(progress.standing)")
            return
        }
        progress.waits()
        guard case .waiting = progress.standing else {
            Issue.record("\(progress.standing)")
            return
        }
        #expect(progress.awayNanoseconds == 0)
        progress.ends()
        #expect(progress.standing == .ended)
    }

    @Test func eachLoopHasItsLimitAndAnEndedOneHasNone() {
        let loops = WatchedLoops()
        let (quick, slow, free) = (LoopProgress(), LoopProgress(), LoopProgress())
        loops.add(WatchedLoop("the quick one", quick, workingNanosecondsMax: 1_000_000))
        loops.add(
            WatchedLoop("the slow one", slow, workingNanosecondsMax: 1_000_000, inFlowNanosecondsMax: 60_000_000_000)
        )
        loops.add(WatchedLoop("the free one", free, workingNanosecondsMax: nil))
        #expect(loops.trouble(inFlow: false) == nil)
        for loop in [quick, slow, free] { loop.works() }
        while quick.awayNanoseconds < 2_000_000 { sched_yield() }
        #expect(loops.trouble(inFlow: false) == "the quick one stands in a call")
        quick.ends()
        #expect(loops.trouble(inFlow: true) == nil)
        #expect(loops.trouble(inFlow: false) == "the slow one stands in a call")
        slow.waits()
        #expect(loops.trouble(inFlow: false) == nil)
    }

    /// What ends a stop that hangs is a thread like any other.
    @Test func aStopThatDoesNotEndTheProcessIsNotVouchedFor() throws {
        let log = Logger(label: "test") { _ in LineLogHandler() }
        let stop = StopControl()
        let watchdog = try #require(Watchdog(supervisor(microseconds: 200_000), [], stop: stop, log: log))
        #expect(socket.wait(for: "WATCHDOG=1"))
        stop.request()
        let waited = try #require(socket.awaitEndOfSigns(seconds: 20))
        #expect(waited > 4)
        watchdog.stop()
    }

    @Test func aThreadThatWaitsForEventsIsAliveAndOneThatIsAwayIsCounted() {
        let mailbox = Mailbox()
        #expect(mailbox.awayNanoseconds == 0)
        mailbox.post(.reader(.back))
        _ = mailbox.next(until: nil)
        let away = mailbox.awayNanoseconds
        #expect(away > 0)
        #expect(mailbox.awayNanoseconds >= away)
        #expect(mailbox.next(until: 0) == nil)
    }

    private func service(pump: String) throws -> Program {
        let configuration = try folder.file(
            "greylock.toml",
            ServiceConfiguration.text(journal: (folder.path("journal.sqlite"), ""), pump: pump)
        )
        return try Program("greylock", ["run", "--config", configuration], variables: socket.variables)
    }

    @Test func theServiceIsReadyLivesIsFrozenAndStops() throws {
        let service = try service(pump: ServiceConfiguration.simulated(centilitres: 90_000, speed: 1))
        #expect(socket.wait(for: "READY=1"))
        #expect(socket.wait(for: "valves open"))
        for _ in 0..<4 { #expect(socket.wait(for: "WATCHDOG=1")) }
        service.signal(SIGSTOP)
        // One sign may have been on its way.
        _ = socket.next(milliseconds: 500)
        socket.drain()
        #expect(socket.next(milliseconds: 2_000) == nil, "longer than WatchdogSec: systemd kills it")
        service.signal(SIGCONT)
        #expect(socket.wait(for: "WATCHDOG=1"))
        service.signal(SIGTERM)
        #expect(socket.wait(for: "STOPPING=1"))
        #expect(service.end() == 0)
    }

    @Test func aChipThatIsNotThereYetIsWaitedForAndAStopIsTaken() throws {
        let lines = "chip = \"no such chip\"\na = 0\nb = 1\nnozzle = 2\nmotor = 4\nmain_valve = 5"
        let service = try service(pump: ServiceConfiguration.gpio(lines))
        #expect(socket.wait(for: "READY=1"))
        #expect(socket.wait(for: "STATUS=inoperative: out of order: the pump's lines are waited for: no GPIO chip"))
        #expect(socket.wait(for: "WATCHDOG=1"))
        #expect(service.wait(for: "the pump's lines are waited for") != nil)
        service.signal(SIGTERM)
        #expect(socket.wait(for: "STOPPING=1"))
        #expect(service.end() == 0)
    }
}
