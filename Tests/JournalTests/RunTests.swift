import Dispenser
import Foundation
import FuelPassbook
import ISO7816
import Quantities
import Records
import SQLite
import SecurityModule
import Testing

@testable import Journal

/// From when to when nobody counted (decision record 0019).
struct RunTests {
    private let customer = Customer()

    @Test func aCleanEndLeavesNoGap() throws {
        let scratch = try Scratch()
        for number in 0..<3 {
            let journal = try scratch.open()
            let begun = try time(10 * number)
            #expect(try journal.beginRun { begun } == (number == 0 ? nil : .clean))
            try journal.endRun(at: time(10 * number + 5))
        }
        let runs = try JournalReader(path: scratch.path).runs(limit: 2)
        #expect(try runs.map(\.begun) == [time(10), time(20)] && runs.map(\.ended) == [time(15), time(25)])
        #expect(runs.allSatisfy { $0.hasEnded && !$0.followsUncleanEnd && $0.uncountedSince == nil })
    }

    /// The beat, a record and the start of the run: the latest of them before now.
    @Test(arguments: [
        (beat: 40, record: 30, known: 40), (beat: 20, record: 30, known: 30), (beat: 90, record: 5, known: 10),
    ])
    func aKilledServiceIsKnownByTheNextStart(beat: Int, record: Int, known: Int) throws {
        let scratch = try Scratch()
        do {
            let journal = try scratch.open()
            let begun = try time(10)
            #expect(try journal.beginRun { begun } == nil)
            var entry = JournalEntry(try customer.record(UInt32(record), .locked))
            entry.moment = StationTime(utcSeconds: Int64(record), local: try time(record))
            try journal.commit(entry)
        }
        let digits = Hex.string(try time(beat).bytes)
        try Data((digits + "\n").utf8).write(to: URL(filePath: scratch.path + "-beat"))
        let again = try time(60)
        let journal = try scratch.open()
        #expect(try journal.beginRun { again } == .unclean(lastCounted: time(known)))
        let run = try #require(try JournalReader(path: scratch.path).runs(limit: 1).first)
        #expect(try run.followsUncleanEnd && run.uncountedSince == time(known) && run.begun == time(60))
        #expect(!run.hasEnded)
    }

    /// A sale that the start finishes ends now, and nobody counted until now.
    @Test func aRecordOfTheStartItselfIsNoSignOfCounting() throws {
        let scratch = try Scratch()
        do {
            let begun = try time(10)
            _ = try scratch.open().beginRun { begun }
        }
        try FileManager.default.removeItem(atPath: scratch.path + "-beat")
        let journal = try scratch.open()
        var entry = JournalEntry(try customer.record(1, .locked))
        entry.moment = StationTime(utcSeconds: 50, local: try time(50))
        try journal.commit(entry)
        let again = try time(60)
        #expect(try journal.beginRun { again } == .unclean(lastCounted: time(10)))
    }

    /// A start that ends before any side counts leaves a record of its own time.
    @Test(arguments: [10, nil] as [Int?])
    func untilWhenARunCountedIsNotedBeforeRecoveryAndNotAskedAgain(second: Int?) throws {
        let scratch = try Scratch()
        let begun = try second.map { try time($0) }
        do { _ = try scratch.open().beginRun { begun } }
        do {
            let journal = try scratch.open()
            try journal.noteLastEnd(at: time(60))
            var entry = JournalEntry(try customer.record(1, .locked))
            entry.moment = StationTime(utcSeconds: 70, local: try time(70))
            try journal.commit(entry)
        }
        let journal = try scratch.open()
        let again = try time(90)
        try journal.noteLastEnd(at: again)
        #expect(try JournalReader(path: scratch.path).runs(limit: 1).first?.ended == nil)
        #expect(try journal.beginRun { again } == .unclean(lastCounted: begun))
    }

    /// The start before never counted: its clock was behind, or not set, or right.
    @Test(arguments: [
        (beat: 40, clock: 30, known: 40), (beat: 40, clock: 5, known: 40), (beat: 40, clock: nil, known: 40),
        (beat: 90, clock: nil, known: 20), (beat: 40, clock: 50, known: 40),
    ])
    func aStartThatNeverCountedTakesNothingBack(beat: Int, clock: Int?, known: Int) throws {
        let scratch = try Scratch()
        do {
            let journal = try scratch.open()
            let begun = try time(10)
            _ = try journal.beginRun { begun }
            var entry = JournalEntry(try customer.record(1, .locked))
            entry.moment = StationTime(utcSeconds: 20, local: try time(20))
            try journal.commit(entry)
        }
        try Data((Hex.string(time(beat).bytes) + "\n").utf8).write(to: URL(filePath: scratch.path + "-beat"))
        do {
            let journal = try scratch.open()
            try journal.noteLastEnd(at: clock.map(time))
            var entry = JournalEntry(try customer.record(1, .escaped, fen: 9))
            entry.moment = try clock.map { StationTime(utcSeconds: Int64($0), local: try time($0)) }
            try journal.commit(entry)
        }
        let again = try time(60)
        let journal = try scratch.open()
        try journal.noteLastEnd(at: again)
        #expect(try journal.beginRun { again } == .unclean(lastCounted: time(known)))
    }

    /// What is not believed is named, and keeps no service from starting.
    @Test(arguments: [
        "UPDATE service_run SET begun = '20261x25170911'", "UPDATE service_run SET run = 9223372036854775807",
        "UPDATE service_run SET has_ended = 1", "DELETE FROM service_run",
    ])
    func aRunThatIsNotBelievedIsNamed(edit: String) throws {
        let scratch = try Scratch()
        let begun = try time(10)
        do { #expect(try scratch.open().beginRun { begun } == nil) }
        try scratch.withConnection { connection in try connection.write { try $0.execute(edit) } }
        let journal = try scratch.open()
        _ = try journal.room()
        #expect(try Set(journal.damagedRows().map(\.table)) == ["service_run"])
        let end = try journal.beginRun { begun }
        #expect(end == nil || end == .unclean(lastCounted: nil) || end == .unclean(lastCounted: begun))
        #expect(try JournalReader(path: scratch.path, key: .demonstration).runs(limit: 9).count == 1)
        try journal.endRun(at: begun)
    }

    @Test func aClockThatWasNotSetIsNoCrash() throws {
        let scratch = try Scratch()
        do { #expect(try scratch.open().beginRun { nil } == nil) }
        let journal = try scratch.open()
        #expect(try journal.beginRun { nil } == .unclean(lastCounted: nil))
        #expect(try JournalReader(path: scratch.path).runs(limit: 1).first?.followsUncleanEnd == true)
    }

    @Test(arguments: ["", "2028", "20281399000000\n", "rubbish that is longer\n"])
    func aBeatThatIsNoneIsNotBelieved(text: String) throws {
        let scratch = try Scratch()
        try Data(text.utf8).write(to: URL(filePath: scratch.path + "-beat"))
        #expect(RunBeat.read(scratch.path) == nil)
    }
}
