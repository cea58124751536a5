import Foundation
import Journal
import Quantities
import TestFolders
import TestPrograms
import Testing

/// A journal in use, and one whose service was killed.
struct RunningServiceTests {
    private struct Report: Decodable {
        struct Sale: Decodable {
            let ttc: Int
            let phase: String
            let isCheckpoint: Bool
            let volumeMicrolitres: Int
            let amountFen: Int
        }

        struct Service: Decodable {
            let endedCleanly: Bool
            let isRunning: Bool
            let lastCounted: String?
        }

        struct Uncounted: Decodable {
            let from: String?
            let until: String?
        }

        let sales: [Sale]
        let service: Service
        let uncounted: [Uncounted]
    }

    private let folder: TestFolder
    private let config: String

    init() throws {
        folder = try TestFolder()
        config = try folder.file(
            "greylock.toml",
            toolConfiguration(
                journal: folder.path("journal"),
                card: ", state = \"\(folder.path("card"))\"",
                flow: "centilitres = 20000\nlitres_per_minute = 40\nspeed = 1"
            )
        )
    }

    private func records(_ more: String...) throws -> String {
        let run = try Run("greylock", ["records"] + more + ["--config", config])
        #expect(run.status == 0, "\(run.error)")
        return run.output
    }

    private func report() throws -> Report {
        try JSONDecoder().decode(Report.self, from: Data(records("--json").utf8))
    }

    /// Fuel flows, and a checkpoint of it is on disk.
    private func fuellingService() throws -> (service: Program, sale: Report.Sale) {
        let service = try Program("greylock", ["run", "--config", config])
        // A litre is more than two checkpoints.
        #expect(service.wait(for: " L, ") != nil, "\(service.lines)")
        let sale = try #require(try report().sales.last)
        #expect(sale.isCheckpoint && sale.amountFen > 0)
        return (service, sale)
    }

    @Test func aRunningSaleAndAnInterruptedOneShowTheirLastCheckpoint() throws {
        let (service, sale) = try fuellingService()
        #expect(sale.phase == "locked" && sale.volumeMicrolitres > 0)
        #expect(try records().contains("so far, at its last checkpoint"))
        #expect(try report().service.isRunning)
        // By another name it is the same journal.
        let link = folder.path("by-another-name")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder.path("journal"))
        let linked = try Run("greylock", ["records", "--journal", link])
        #expect(linked.status == 0 && linked.output.contains("so far, at its last checkpoint"), "\(linked.output)")
        // Looking never needs the service stopped.
        let look = try Run("greylock", ["position", "--config", config])
        #expect(look.status == 0 && look.output.contains("service: runs since "), "\(look.output)\(look.error)")
        let change = try Run(
            "greylock",
            ["position", "--clear", "--name", "T. Nician", "--reason", "pulser mended", "--config", config]
        )
        #expect(change.status == 74 && change.error.contains("in use by another process"))

        service.signal(SIGKILL)
        #expect(service.end() == -SIGKILL)
        let left = try #require(try report().sales.last)
        #expect(left.isCheckpoint && left.amountFen >= sale.amountFen)
        let text = try records()
        #expect(text.contains(" yuan at its last checkpoint"))
        #expect(text.contains("service: did not end cleanly, was last known to count at "), "\(text)")
        let after = try report()
        #expect(!after.service.endedCleanly && !after.service.isRunning && after.service.lastCounted != nil)

        let again = try Program("greylock", ["run", "--config", config])
        #expect(again.wait(for: "did not end cleanly: nobody counted from 2") != nil, "\(again.lines)")
        #expect(again.wait(for: "ready") != nil)
        again.signal(SIGTERM)
        #expect(again.end() == 0)
        let recovered = try #require(try report().sales.first { $0.ttc == left.ttc })
        #expect(recovered.phase == "escaped" && !recovered.isCheckpoint && recovered.amountFen == left.amountFen)
        let gap = try #require(try report().uncounted.first)
        #expect(gap.from == after.service.lastCounted && gap.until != nil)
        #expect(try report().service.endedCleanly)
        #expect(try records().contains("nobody counted from 2"))
    }

    /// A service that waits for its lines has the journal open, and its last run is that of the killed one before.
    @Test func aStartThatHasNotCountedYetIsNoRunningService() throws {
        let date = try CalendarDate(year: 2025, month: 6, day: 1)
        let begun = try TransactionTime(date: date, hour: 8, minute: 0, second: 0)
        do { _ = try openJournal(folder.path("journal")).beginRun { begun } }
        let journal = try openJournal(folder.path("journal"))
        #expect(try report().service.isRunning)
        try journal.noteLastEnd(at: begun)
        let text = "service: did not end cleanly, was last known to count at 2025-06-01 08:00:00"
        #expect(try records().contains(text))
        #expect(try !report().service.isRunning && report().service.lastCounted == "2025-06-01 08:00:00")
        _ = try journal.beginRun { begun }
        #expect(try report().service.isRunning)
    }

    /// By another name, the second service would settle the first one's running sale.
    @Test func aSecondServiceByAnotherNameIsRefused() throws {
        let (service, sale) = try fuellingService()
        try FileManager.default.createSymbolicLink(
            atPath: folder.path("link"),
            withDestinationPath: folder.path("journal")
        )
        let other = try folder.file("link.toml", toolConfiguration(journal: folder.path("link")))
        let second = try Run("greylock", ["run", "--config", other])
        #expect(second.status == 74 && second.error.contains("in use by another process"), "\(second.error)")
        if geteuid() == 0 {
            let mounted = try Run(
                script: """
                    exec unshare -m --propagation private sh -c '
                        mkdir "$1/other" && mount --bind "$1" "$1/other" || exit 99
                        sed "s,$1/journal,$1/other/journal,;s,$1/card,$1/card2," "$1/greylock.toml" >"$1/other.toml"
                        exec "$BIN/greylock" run --config "$1/other.toml"
                    ' sh "$1"
                    """,
                [folder.url.path]
            )
            if mounted.status == 99 { print("skipped: nothing is mounted: \(mounted.error)") }
            #expect(mounted.status == 99 || mounted.status == 74, "\(mounted.error)")
            #expect(mounted.status == 99 || mounted.error.contains("in use by another process"), "\(mounted.error)")
        }
        let now = try #require(try report().sales.last)
        #expect(now.ttc == sale.ttc && now.phase == "locked" && now.amountFen >= sale.amountFen)
        service.signal(SIGTERM)
        #expect(service.end() == 0)
    }

    @Test func aRestoredJournalIsRefusedByTheServiceUntilItIsAccepted() throws {
        let (service, sale) = try fuellingService()
        service.signal(SIGKILL)
        #expect(service.end() == -SIGKILL)
        #expect(sale.ttc == 1)
        let journal = folder.path("journal")
        for part in ["", "-wal"] {
            try FileManager.default.copyItem(atPath: journal + part, toPath: folder.path("backup") + part)
        }
        let next = try Program("greylock", ["run", "--config", config])
        #expect(next.wait(for: "the card is free again") != nil, "\(next.lines)")
        next.signal(SIGTERM)
        #expect(next.end() == 0)
        try FileManager.default.removeItem(atPath: journal)
        for part in ["", "-wal"] {
            try FileManager.default.moveItem(atPath: folder.path("backup") + part, toPath: journal + part)
        }
        let refused = try Run("greylock", ["run", "--config", config])
        #expect(refused.status == 74 && refused.error.contains("the journal is an older copy"), "\(refused.error)")
        let look = try Run("greylock", ["position", "--config", config])
        #expect(look.output.contains("journal: not used: the journal is an older copy"), "\(look.output)\(look.error)")
        #expect(
            try Run(
                "greylock",
                ["position", "--clear", "--name", "T. Nician", "--reason", "pulser mended", "--config", config]
            ).status == 74
        )
        #expect(try Run("greylock", ["position", "--accept-journal", "a\u{1B}b", "--config", config]).status == 64)
        #expect(try Run("greylock", ["position", "--accept-journal", "", "--config", config]).status == 64)
        let accepted = try Run("greylock", ["position", "--accept-journal", "new SD card", "--config", config])
        #expect(accepted.status == 0, "\(accepted.error)")
        #expect(accepted.output.contains("its numbers go on after "))
        let text = try records()
        #expect(text.contains(" writes missing): new SD card; numbers from 2 went on after "), "\(text)")
        let served = try fuellingService()
        #expect(served.sale.ttc >= 3)
        served.service.signal(SIGTERM)
        #expect(served.service.end() == 0)
    }
}
