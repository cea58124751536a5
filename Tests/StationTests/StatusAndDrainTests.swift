import Foundation
import Journal
import Metering
import Records
import SecurityModule
import StationInterface
import TestFolders
import TestJournals
import Testing
import Threads

/// What the sockets of a service that sells say and do.
@Suite(.timeLimit(.minutes(5)))
struct StatusAndDrainTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private static let drain = #""command":"drain","key":"d1""#

    private func records() throws -> [Record] {
        try JournalReader(path: folder.path("journal.sqlite"), key: .demonstration).records(limit: 1_000)
    }

    @Test func aSaleIsSeenAsItFlows() throws {
        let station = try InterfaceStation(folder, [1_000, 500], speed: 10)
        let client = try station.client(.read)
        let flowing = try client.wait(for: "a sale") { $0.side(1).state == "fuelling" }
        #expect(flowing["version"] as? String != nil && flowing["drained"] as? Bool == false)
        let side = flowing.side(1)
        #expect(side["nozzle"] as? Int == 1 && side["fenPerLitre"] as? Int == 785 && side["grade"] as? String == "92")
        let sale = try #require(side["sale"] as? [String: Any])
        #expect(try #require(sale["centilitres"] as? Int) <= 1_000)
        let paid = try client.wait(for: "records") { $0.room.map { $0 < 100_000 } ?? false }
        #expect((paid["journal"] as? [String: Any])?["capacity"] as? Int == 100_000)
        #expect(station.stop() == nil)
    }

    @Test func aDrainIsAnsweredWhenTheRunningSalesArePaid() throws {
        let station = try InterfaceStation(folder, [1_500, 900], speed: 10)
        let client = try station.client()
        _ = try client.wait(for: "both sales") { $0.side(1).state == "fuelling" && $0.side(2).state == "fuelling" }
        let answer = try client.ask(Self.drain)
        #expect((answer["answer"] as? [String: Any])?.isEmpty == true)
        let paid = try records()
        #expect(Set(paid.map(\.side)) == [1, 2] && paid.allSatisfy { $0.phase == .settled })
        // Each card comes again, and is refused.
        let refused = try client.wait(for: "refusals") { $0.side(1).code == "drained" || $0.side(2).code == "drained" }
        #expect(refused["drained"] as? Bool == true)
        #expect(try records().count == paid.count)
        _ = try client.ask(#""command":"undrain","key":"u1""#)
        _ = try client.wait(for: "a sale after it") { $0.side(1).state == "fuelling" }
        #expect(station.stop() == nil)
    }

    @Test func theSameKeyAgainGivesTheFirstAnswerAndDoesNothing() throws {
        let station = try InterfaceStation(folder, [300])
        let client = try station.client()
        _ = try client.ask(Self.drain)
        _ = try client.ask(#""command":"undrain","key":"u1""#)
        #expect(try client.status()["drained"] as? Bool == false)
        #expect(try client.ask(Self.drain)["answer"] != nil)
        #expect(try client.status()["drained"] as? Bool == false)
        #expect(try client.refusal(#""command":"undrain","key":"d1""#) == "key-used")
        #expect(station.stop() == nil)
    }

    @Test func aDrainThatIsTakenBackIsRefused() throws {
        let station = try InterfaceStation(folder, [50_000], speed: 1)
        let client = try station.client()
        _ = try client.wait(for: "a sale") { $0.side(1).state == "fuelling" }
        try client.send(Self.drain)
        let other = try station.client()
        _ = try other.wait(for: "the drain") { $0["drained"] as? Bool == true }
        // Two wait for the one drain, and each is told.
        let third = try station.client()
        try third.send(Self.drain)
        _ = try other.ask(#""command":"undrain","key":"u1""#)
        for waiting in [client, third] {
            #expect((try waiting.next()["refused"] as? [String: Any])?["code"] as? String == "taken-back")
        }
        #expect(station.stop() == nil)
    }

    /// They ask without end and take no answer.
    @Test func deafClientsDisturbNoSale() throws {
        let station = try InterfaceStation(folder, [2_000, 2_000], speed: 5)
        let client = try station.client(.read)
        let deaf = try (0..<10).map { _ in try station.client(.read) }
        for one in deaf { try one.send(#""command":"watch""#) }
        let lines = Array(String(repeating: #"{"id":1,"command":"status"}"# + "\n", count: 500).utf8)
        while station.receipts(1) == 0 || station.receipts(2) == 0 {
            for one in deaf {
                do { try one.connection.send(lines, until: 0) } catch { continue }
            }
            _ = try client.status()
        }
        #expect(station.stop() == nil)
        let paid = try records().filter { $0.phase == .settled }
        #expect(paid.allSatisfy { $0.reading.faults.total == 0 && $0.remark == nil })
    }

    @Test func aSocketThatCannotBeMadeEndsTheStart() throws {
        _ = try folder.file("read.sock", "mine")
        let failure = try InterfaceStation(folder, [300]).stop()
        #expect(failure?.exitStatus == 69 && failure?.reason.hasSuffix("read.sock is there, and is no socket") == true)
    }
}
