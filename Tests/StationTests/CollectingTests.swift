import Foundation
import Journal
import Records
import SecurityModule
import TestFolders
import Testing

@testable import Station

/// Records leave by the control socket, and their room comes back. `GREYLOCK_DAY_SALES=2880` asks for the sales of 24 hours, a sale in
/// four minutes at each of eight sides, as fast as they go: alone in its process, memory and descriptors are looked at too.
@Suite(.timeLimit(.minutes(30)))
struct CollectingTests {
    private static let asked = ProcessInfo.processInfo.environment["GREYLOCK_DAY_SALES"].flatMap { Int($0) }
    private static let sales = asked ?? 500

    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private struct Footprint {
        let residentKiB: Int
        let descriptors: Int

        init() throws {
            let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")[1]
            residentKiB = try #require(Int(pages)) * 4
            descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        }
    }

    /// What was collected and acknowledged leaves the journal in the end, and the proof of it must not.
    @Test func aCollectedRecordSaysWhatProvesIt() throws {
        let station = try InterfaceStation(folder, [205], speed: 100)
        let client = try station.client()
        _ = try client.wait(for: "a sale") { _ in station.receipts(1) >= 1 }
        let answer = try client.ask(#""command":"records","limit":1"#)
        let record = try #require(((answer["answer"] as? [String: Any])?["records"] as? [[String: Any]])?.first)
        #expect(station.stop() == nil)
        let reader = try JournalReader(path: folder.path("journal.sqlite"), key: .demonstration)
        let kept = try #require(try reader.records(limit: 10).first { Int($0.number.value) == record["ttc"] as? Int })
        let identification = try #require(kept.head.identification)
        let said = try #require(record["identification"] as? [String: Any])
        #expect(record["mac4IsValid"] as? Bool == true && record["counts"] as? [Int] == kept.reading.counts)
        #expect(said["parametersVersion"] as? Int == identification.parametersVersion)
        #expect((said["programSHA256"] as? String)?.count == 64 && (said["parametersHash"] as? String)?.count == 64)
    }

    @Test func aBoardOf64RecordsSellsOnWhileTheyAreCollected() throws {
        // At ten fen a litre no card comes to its end.
        let flows = [Int](repeating: 205, count: 8)
        let station = try InterfaceStation(folder, flows, speed: 100, price: 10, journal: ", capacity = 64")
        let client = try station.client()
        var collected: Set<Int> = []
        var turns = 0
        var early: Footprint?
        while collected.count < Self.sales {
            let answer = try client.ask(#""command":"records""#)
            let records = try #require((answer["answer"] as? [String: Any])?["records"] as? [[String: Any]])
            let numbers = records.filter { $0["acknowledgeable"] as? Bool == true }.compactMap { $0["ttc"] as? Int }
            // No record comes twice.
            #expect(collected.isDisjoint(with: numbers))
            guard numbers.count >= 10 else { continue }
            #expect(records.allSatisfy { $0["amountFen"] as? Int ?? 0 > 0 })
            turns += 1
            let order =
                "\"command\":\"acknowledge\",\"key\":\"a\(turns)\",\"numbers\":[\(numbers.map { "\($0)" }.joined(separator: ","))]"
            for _ in 1...2 { #expect(try client.ask(order)["answer"] != nil) }
            collected.formUnion(numbers)
            if early == nil, collected.count > Self.sales / 4 { early = try Footprint() }
        }
        let late = try Footprint()
        #expect(try client.refusal(#""command":"acknowledge","key":"x","numbers":[99999]"#) == "no-such-record")
        #expect(try client.refusal(#""command":"records","after":99999"#) == "no-such-record")
        #expect(try client.ask("\"command\":\"records\",\"after\":\(Self.sales / 2)")["answer"] != nil)
        #expect(station.stop() == nil)
        let reader = try JournalReader(path: folder.path("journal.sqlite"), key: .demonstration)
        #expect(try reader.damagedRows == [])
        guard Self.asked != nil, let early else { return }
        print(
            """
            \(collected.count) sales: \(early.residentKiB) KiB and \(early.descriptors) descriptors after a quarter, \
            \(late.residentKiB) KiB and \(late.descriptors) at the end
            """
        )
        #expect(late.residentKiB <= early.residentKiB + early.residentKiB / 10 + 4_096)
        #expect(late.descriptors == early.descriptors)
    }
}
