import Foundation
import FuelPassbook
import Journal
import Quantities
import Records
import SecurityModule
import StationInterface
import TestFolders
import Testing

@testable import Station

/// A card that left one terminal grey pays at another, to which the record came by both control sockets.
@Suite(.timeLimit(.minutes(5)))
struct TravellingGreysTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private func escape() throws -> InterfaceStation {
        try InterfaceStation(folder, [2_000], name: "a", escapes: true)
    }

    private func other() throws -> InterfaceStation {
        try InterfaceStation(folder, [205], name: "b", terminal: TerminalID(0x31))
    }

    private func answer(_ client: InterfaceClientOfTest, _ members: String) throws -> [String: Any] {
        let answer = try client.ask(members)
        return try #require(answer["answer"] as? [String: Any], "\(answer)")
    }

    private func escaped(_ station: InterfaceStation) throws -> (file: String, amount: Int) {
        let client = try station.client()
        #expect(try answer(client, #""command":"greys","after":9"#)["file"] is NSNull)
        _ = try client.wait(for: "an escape") { _ in
            try (answer(client, #""command":"greys""#)["records"] as? [Any])?.isEmpty == false
        }
        let page = try answer(client, #""command":"greys","limit":1"#)
        let record = try #require((page["records"] as? [[String: Any]])?.first)
        #expect(page["last"] as? Int == record["ttc"] as? Int)
        // The collector cannot take the sale away before its card has paid.
        let number = try #require(record["ttc"] as? Int)
        let acknowledge = "\"command\":\"acknowledge\",\"key\":\"a\",\"numbers\":[\(number)]"
        #expect(try client.refusal(acknowledge) == "record-open")
        return (try #require(page["file"] as? String), try #require(record["amountFen"] as? Int))
    }

    private func order(_ file: String, key: String) -> String {
        "\"command\":\"take-greys\",\"key\":\"\(key)\",\"file\":\"\(file.replacing("\n", with: "\\n"))\""
    }

    @Test func aCardPaysElsewhereOnce() throws {
        let first = try escape()
        let (file, amount) = try escaped(first)
        #expect(first.stop() == nil)
        let second = try other()
        let client = try second.client()
        for _ in 1...2 {
            let taken = try #require(try answer(client, order(file, key: "g1"))["records"] as? [[String: Any]])
            #expect(taken.count == 1 && taken[0]["new"] as? Bool == true)
        }
        let again = try #require(try answer(client, order(file, key: "g2"))["records"] as? [[String: Any]])
        #expect(again.count == 1 && again[0]["new"] as? Bool == false)
        let here = try #require(again[0]["here"] as? UInt32)
        // What is not its own does not travel on.
        #expect(try answer(client, #""command":"greys""#)["file"] is NSNull)
        _ = try client.wait(for: "the local unlock, and a sale") { _ in second.receipts(1) >= 2 }
        #expect(second.stop() == nil)
        let reader = try JournalReader(path: folder.path("bjournal.sqlite"), key: .demonstration)
        let grey = try #require(try reader.greyRecords().first { $0.number == RecordNumber(here) })
        #expect(grey.state == .settled && Int(grey.amount.fen) == amount && amount > 0)
        let unlocks = try reader.records(limit: 1_000).filter { $0.settles == grey.number }
        #expect(unlocks.count == 1)
    }

    @Test func aFileThatWasChangedIsRefusedAndItsKeyMayComeAgain() throws {
        let first = try escape()
        let (file, _) = try escaped(first)
        let own = try first.client()
        // Its own records are here.
        let known = try #require(try answer(own, order(file, key: "o"))["records"] as? [[String: Any]])
        #expect(known.allSatisfy { $0["new"] as? Bool == false })
        #expect(first.stop() == nil)
        let second = try other()
        let client = try second.client()
        for place in stride(from: 0, to: file.utf8.count, by: 7) {
            var bytes = Array(file.utf8)
            bytes[place] = bytes[place] == UInt8(ascii: "1") ? UInt8(ascii: "2") : UInt8(ascii: "1")
            let changed = String(decoding: bytes, as: UTF8.self)
            #expect(try client.refusal(order(changed, key: "g")) == "greys-wrong", "\(place)")
        }
        #expect(try client.refusal(#""command":"take-greys","key":"g","file":"""#) == "member-wrong")
        #expect(try answer(client, order(file, key: "g"))["records"] != nil)
        #expect(second.stop() == nil)
    }
}
