import Foundation
import Journal
import Records
import SecurityModule
import TestFolders
import Testing

@testable import Station

/// Records leave by the control socket, and their room comes back.
@Suite(.timeLimit(.minutes(10)))
struct CollectingTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    @Test func aBoardOf64RecordsSellsOnWhileTheyAreCollected() throws {
        let station = try InterfaceStation(folder, [205, 205, 205, 205], speed: 100, journal: ", capacity = 64")
        let client = try station.client()
        var collected: Set<Int> = []
        var turns = 0
        while collected.count < 100 {
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
        }
        #expect(try client.refusal(#""command":"acknowledge","key":"x","numbers":[99999]"#) == "no-such-record")
        #expect(station.stop() == nil)
        let reader = try JournalReader(path: folder.path("journal.sqlite"), key: .demonstration)
        #expect(try reader.damagedRows == [])
    }
}
