import Dispenser
import FuelPassbook
import Journal
import Metering
import Quantities
import Records
import SecurityModule
import Station
import TestFolders
import TestJournals
import TestPrograms
import Testing
import Threads

/// What `greylock records` and `greylock position` say of a journal.
struct RecordToolTests {
    private let folder: TestFolder
    private let config: String

    init() throws {
        folder = try TestFolder()
        config = try folder.file(
            "greylock.toml",
            toolConfiguration(journal: folder.path("journal"))
        )
    }

    private func record(
        _ number: UInt32,
        _ kind: RecordKind,
        _ phase: RecordPhase,
        year: Int = 2025
    ) throws -> Record {
        try recordFields(
            kind,
            phase,
            number: number,
            year: year,
            card: kind == .noCard || kind == .test ? .none : Demonstration.applicationFile.asn
        )
        .completed()
    }

    /// Another test's program holds this process's descriptors, and with them the journal's lock, until it has begun.
    private static let triesMax = 100

    private func write(_ records: Record...) throws { try write(records) }

    private func write(_ records: [Record], at moment: StationTime? = nil) throws {
        var tries = 0
        while true {
            do throws(StorageFault) {
                let journal = try SQLiteJournal(path: folder.path("journal"), capacity: 64)
                for record in records {
                    var entry = JournalEntry(record)
                    entry.moment = moment
                    try journal.commit(entry)
                }
                return
            } catch {
                tries += 1
                guard error.reason.contains("in use"), tries < Self.triesMax else { throw error }
            }
        }
    }

    private func said(_ arguments: String..., zone: String? = nil, status expected: Int32 = 0) throws -> String {
        var tries = 0
        while true {
            let program = try Program(
                "greylock",
                arguments,
                readsOutput: true,
                variables: zone.map { ["TZ": $0] } ?? [:]
            )
            let status = program.end()
            tries += 1
            if status == ServiceFailure.inputOutput, tries < Self.triesMax { continue }
            #expect(status == expected)
            return program.lines.joined(separator: "\n")
        }
    }

    @Test func recordsSayKindOpenOnesAndRoom() throws {
        try write(
            record(1, .escape, .escaped),
            record(2, .localUnlock, .debitSent),
            record(3, .onlineUnlock, .settled),
            record(4, .noCard, .flowing),
            record(5, .test, .flowing)
        )
        let text = try said("records", "--config", config)
        for part in [
            "local unlock", "online unlock notice", "no-card sale", "of sale 1", "settles 1",
            "records: 5, room for 59 more",
            "open records: 3",
            "  2, local unlock, debit-sent: waits for card 00010000000000000042, which may have paid",
            "  4, no-card sale, flowing: fuel outside any sale, until it rests",
            "  5, test, returned, flowing: goes on, or finished by the service's next start",
        ] {
            #expect(text.contains(part), "\(part) in:\n\(text)")
        }
        #expect(try said("records", "--journal", folder.path("journal")).contains("records: 5\n"))
        // The open ones are shown whatever their age.
        #expect(try said("records", "--last", "1", "--config", config).contains("open records: 3"))
    }

    @Test func aJournalWithLittleRoomSaysWhatFollows() throws {
        for (count, words) in [(17, "raise journal.capacity soon"), (49, "no card is served below 16, raise")] {
            try write((1...count).map { try record(UInt32($0), .sale, .settled) })
            let line = "room for \(64 - count) more: "
            let status = 64 - count < JournalRoom.refusedBelow ? ServiceFailure.unavailable : 0
            for text in [
                try said("records", "--config", config), try said("position", "--config", config, status: status),
            ] {
                #expect(text.contains(line) && text.contains(words), "\(text)")
            }
        }
    }

    @Test func aClockBehindTheRecordsIsAcceptedOnRequestOnly() throws {
        try write(record(1, .sale, .settled))
        #expect(try said("position", "--config", config).contains("behind no record"))
        #expect(try said("position", "--config", config, "--accept-clock").contains("behind no record"))
        let ahead = try record(2, .sale, .settled, year: 2199)
        try write([ahead], at: StationTime(utcSeconds: 7_239_654_000, local: ahead.begun))
        for _ in 0..<2 {
            let text = try said("position", "--config", config, status: ServiceFailure.unavailable)
            #expect(
                text.contains(
                    "behind the last record (2199-06-01 08:00:00, 2199-06-01 07:00:00 UTC), so no card is served"
                ),
                "\(text)"
            )
            #expect(text.contains("--accept-clock"))
        }
        #expect(try said("position", "--config", config, "--accept-clock").contains("accepted, cards are served from"))
        #expect(try said("position", "--config", config).contains("behind no record"))
    }

    /// Records that were made in a zone far ahead, and are read in each other one.
    @Test func anotherZoneIsNoClockThatIsBehind() throws {
        let now = try #require(SystemClock().now)
        let sale = try record(1, .sale, .settled, year: now.local.date.map { $0.year + 1 } ?? 0)
        try write([sale], at: StationTime(utcSeconds: now.utcSeconds - 1, local: sale.begun))
        for zone in ["UTC0", "EST5EDT", "CST-8", "XXX12"] {
            #expect(try said("position", "--config", config, zone: zone).contains("behind no record"))
        }
        // Half an hour ahead in truth, and behind in name: it is refused, and accepted.
        let earlier = try record(2, .sale, .settled)
        try write([earlier], at: StationTime(utcSeconds: now.utcSeconds + 1_800, local: earlier.begun))
        for zone in ["UTC0", "CST-8"] {
            let text = try said("position", "--config", config, zone: zone, status: ServiceFailure.unavailable)
            #expect(text.contains("so no card is served"))
        }
        let accepted = try said("position", "--config", config, "--accept-clock", zone: "CST-8")
        #expect(accepted.contains("accepted, cards are served from"))
        #expect(try said("position", "--config", config, zone: "XXX12").contains("behind no record"))
    }
}
