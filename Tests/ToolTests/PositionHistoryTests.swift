import Foundation
import FuelPassbook
import Journal
import Metering
import Quantities
import Records
import TestFolders
import TestPrograms
import Testing

/// Who opened a position, its faults and its prices: as an inspector asks for them.
struct PositionHistoryTests {
    private let folder: TestFolder
    private let config: String
    private let journal: String

    init() throws {
        folder = try TestFolder()
        journal = folder.path("journal")
        config = try folder.file("greylock.toml", toolConfiguration(journal: journal))
        try makeJournal(journal)
    }

    private func commit(_ entry: JournalEntry) throws { try openJournal(journal).commit(entry) }

    private func position(_ arguments: String...) throws -> Run {
        try Run("greylock", ["position", "--config", config] + arguments)
    }

    /// 2025-06-01 in UTC.
    private func day(_ number: Int) throws -> StationTime {
        let seconds = 1_748_736_000 + 86_400 * number
        return StationTime(utcSeconds: Int64(seconds), local: try TransactionTime(secondsSince1970: seconds))
    }

    @Test(arguments: [
        (["--clear"], "--name TEXT --reason TEXT"), (["--clear", "--name", "W. Li"], "--name TEXT --reason TEXT"),
        (["--clear", "--name", " ", "--reason", "mended"], "--name"),
        (["--clear", "--name", "\u{200B}", "--reason", "mended"], "--name"),
        (["--clear", "--name", "W. Li", "--reason", "\u{202E}mended"], "--reason"),
        (["--accept-journal", " "], "--accept-journal"), (["--name", "W. Li"], "are said with --clear"),
        (["--json", "--accept-clock"], "--json is for looking"),
    ])
    func whatIsNotSaidIsAskedFor(arguments: [String], words: String) throws {
        let run = try Run("greylock", ["position", "--config", config] + arguments)
        #expect(run.status == 64 && run.error.contains(words), "\(run.error)")
    }

    @Test func whoOpenedItStaysWithWhatHadClosedIt() throws {
        let since = try day(0).local
        try commit(JournalEntry(lock: SideLock(side: 1, since: since, reason: "11 pulser faults in one sale")))
        let opened = try position("--clear", "--name", "王丽", "--reason", "channel B's plug was loose")
        #expect(opened.status == 0 && opened.output.contains("position 1 is open again"), "\(opened.output)")
        // Nothing was closed: nobody's word is kept.
        #expect(try position("--clear", "--name", "Nobody", "--reason", "none").status == 0)
        let history = try position("--history").output
        #expect(
            history.contains(
                "by 王丽: channel B's plug was loose; it had closed itself at 2025-06-01 00:00:00: 11 pulser faults in one sale"
            ),
            "\(history)"
        )
        #expect(!history.contains("Nobody"))
        #expect(try !position().output.contains("王丽"))
    }

    @Test func faultsPricesAndDifferencesAreShown() throws {
        #expect(try position().output.contains("pulser of position 1: no fault since the journal was begun"))
        var faults = PulserFaults()
        (faults.missedEdges, faults.flowGaps) = ([0, 2], 1)
        for number in 0..<2 {
            var entry = JournalEntry(faults: NewPulserFaults(side: 1, faults))
            entry.moment = try day(number)
            try commit(entry)
        }
        var entry = JournalEntry()
        entry.price = PriceChange(
            side: 1,
            at: try day(2),
            from: UnitPrice(fenPerLitre: 785),
            to: UnitPrice(fenPerLitre: 791)
        )
        func total(_ litres: Int) -> NozzleTotal {
            NozzleTotal(nozzle: 1, volume: Volume(centilitres: 100 * litres), fen: 700 * litres)
        }
        entry.differences = [TotaliserDifference(at: try day(3), .boardMemory, from: total(9), to: total(10))]
        try commit(entry)
        let short = try position().output
        let line =
            "6 faults since the journal was begun (missed edges B 4, gaps in the flow 2); 3 of them on 2025-06-02"
        #expect(short.contains("pulser of position 1: \(line), the latest such day\n"), "\(short)")
        let long = try position("--history").output
        for part in [
            "  2025-06-01: missed edges B 2, gaps in the flow 1\n",
            "price: 2025-06-03 00:00:00, 2025-06-03 00:00:00 UTC: from 7.85 to 7.91 yuan a litre\n",
            "totals: 2025-06-04 00:00:00, nozzle 1: board-memory had 9.00 L, 63.00 yuan, raised to 10.00 L, 70.00 yuan\n",
        ] {
            #expect(long.contains(part), "\(part) in:\n\(long)")
        }
        let json = try position("--history", "--json")
        let report = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        let side = try #require((report["positions"] as? [[String: Any]])?.first)
        let kinds = try #require((side["pulserFaults"] as? [String: Any])?["kinds"] as? [String: Int])
        #expect(kinds == ["missed edges B": 4, "gaps in the flow": 2])
        #expect((side["prices"] as? [[String: Any]])?.first?["toFenPerLitre"] as? Int == 791)
        #expect((side["totalsDifferences"] as? [[String: Any]])?.first?["keeper"] as? String == "board-memory")
        #expect(report["servesCards"] as? Bool == true && json.status == 0)
    }

    @Test func jsonSaysWhyNoCardIsServed() throws {
        let lock = SideLock(side: 1, since: try day(0).local, reason: "11 pulser faults")
        try commit(JournalEntry(lock: lock))
        let run = try position("--json")
        let report = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        let closed = (report["positions"] as? [[String: Any]])?.first?["closed"] as? [String: Any]
        #expect(closed?["reason"] as? String == "11 pulser faults" && report["servesCards"] as? Bool == false)
        #expect(run.status == 69)
    }
}
