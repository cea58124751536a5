import Console
import Foundation
import Glibc
import Synchronization
import TestFolders
import TestPrograms
import Testing
import Threads

/// A pipe whose reader reads when the test says so.
private final class SlowPipe: Sendable {
    let writing: Int32
    private let reading: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        let result = unsafe pipe(&ends)
        precondition(result == 0)
        reading = ends[0]
        writing = ends[1]
        let flags = fcntl(writing, F_GETFL)
        _ = fcntl(writing, F_SETFL, flags | O_NONBLOCK)
    }

    deinit {
        close(reading)
    }

    /// Up to and with the first line that `ends`.
    func lines(until ends: (Substring) -> Bool) -> [String] {
        var text: [UInt8] = []
        let patience = Patience()
        while patience.awaitInput(of: reading) {
            var more = [UInt8](repeating: 0, count: 65_536)
            let count = unsafe read(reading, &more, more.count)
            guard count > 0 else { break }
            text += more.prefix(count)
            guard text.last == UInt8(ascii: "\n") else { continue }
            let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
            if lines.contains(where: ends) { return lines.map(String.init) }
        }
        return []
    }
}

@Suite("What waits for a reader", .timeLimit(.minutes(10)))
struct OutputQueueTests {
    private static let line = String(repeating: "x", count: 999)

    @Test("a reader that reads nothing keeps nobody waiting; what was dropped is counted where it was")
    func fullPipe() {
        let pipe = SlowPipe()
        let queue = OutputQueue(
            name: "test-log",
            descriptor: pipe.writing,
            overflow: .losesNewest { "\($0) lines were dropped\n" }
        )
        let posted = 20_000
        for number in 0..<posted { queue.post("\(number) \(Self.line)\n") }
        queue.drain(withinNanoseconds: 10_000_000)
        // Each line, or the count of those in its place, in their order.
        var accounted = 0
        var dropped = 0
        while accounted < posted {
            let lines = pipe.lines { _ in true }
            guard !lines.isEmpty else {
                Issue.record("after \(accounted) comes nothing")
                return
            }
            for line in lines {
                if line.hasSuffix("were dropped"), let count = Int(line.prefix { $0 != " " }) {
                    dropped += count
                    accounted += count
                } else {
                    guard line.hasPrefix("\(accounted) ") else {
                        Issue.record("after \(accounted): \(line.prefix(20))")
                        return
                    }
                    accounted += 1
                }
            }
        }
        #expect(accounted == posted && dropped > 0)
        queue.post("the next\n")
        #expect(pipe.lines { $0 == "the next" } == ["the next"])
    }

    /// journald that was stopped and started: the stream that it had is gone for good.
    @Test("a stream that is gone is opened anew, and what was lost meanwhile is counted")
    func reopened() {
        var ends: [Int32] = [-1, -1]
        #expect(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        let isBack = Atomic(false)
        let pipe = SlowPipe()
        let queue = OutputQueue(
            name: "test-log",
            descriptor: ends[0],
            overflow: .losesNewest { "\($0) lines were dropped\n" },
            reopen: { isBack.load(ordering: .acquiring) ? pipe.writing : nil }
        )
        close(ends[1])
        for number in 1...3 {
            queue.post("lost \(number)\n")
            queue.drain(withinNanoseconds: 30_000_000_000)
        }
        isBack.store(true, ordering: .releasing)
        queue.post("heard\n")
        #expect(pipe.lines { $0 == "heard" } == ["3 lines were dropped", "heard"])
        queue.post("and again\n")
        #expect(pipe.lines { $0 == "and again" } == ["and again"])
    }

    @Test("journald is told who speaks, and nobody is waited for where none listens")
    func journal() throws {
        let folder = try TestFolder()
        let path = folder.path("stdout")
        #expect(JournalStream.open(path) == nil)
        let listening = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listening) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
        let isBound = unsafe withUnsafePointer(to: &address) { address in
            // SAFETY: an address of the Unix family is passed as any address, with its own length.
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe bind(listening, address, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        #expect(isBound && listen(listening, 1) == 0)
        let stream = try #require(JournalStream.open(path))
        close(stream)
        let heard = accept(listening, nil, nil)
        defer { close(heard) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = unsafe read(heard, &bytes, bytes.count)
        // systemd, sd_journal_stream_fd(): identifier, unit, priority, level prefix, syslog, kmsg, console.
        #expect(String(decoding: bytes.prefix(max(0, count)), as: UTF8.self) == "greylockd\n\n6\n1\n0\n0\n0\n")
    }

    @Test("on a screen the present is kept and the past is lost")
    func screen() {
        let pipe = SlowPipe()
        let queue = OutputQueue(name: "test-screen", descriptor: pipe.writing, overflow: .losesOldest)
        for number in 0..<20_000 { queue.post("\(number) \(Self.line)\n") }
        let lines = pipe.lines { $0.hasPrefix("19999 ") }
        #expect(lines.count < 2_000 && lines.last?.hasPrefix("19999 ") == true)
    }

    @Test("what can be written is written before a drain returns; a dead stream is not waited for")
    func drained() {
        let pipe = SlowPipe()
        let queue = OutputQueue(name: "test-log", descriptor: pipe.writing, overflow: .losesOldest)
        queue.post("last words\n")
        queue.drain(withinNanoseconds: 30_000_000_000)
        #expect(pipe.lines { $0 == "last words" } == ["last words"])
        let dead = OutputQueue(name: "test-dead", descriptor: -1, overflow: .losesOldest)
        dead.post("nobody\n")
        let begun = MonotonicClock.nanoseconds
        dead.drain(withinNanoseconds: 30_000_000_000)
        #expect(MonotonicClock.nanoseconds - begun < 20_000_000_000)
    }
}
