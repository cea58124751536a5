import CardApplication
import Dispenser
import FuelPassbook
import Metering
import Quantities
import Records
import Simulation
import Testing

/// Sides of one board: the second one runs while an event of the first one's site is handled, as on a thread of its own.
@Suite("Two sides of one board")
struct BoardTests {
    private let first: TestStation
    private let second: TestStation

    init() throws {
        first = try TestStation()
        second = try Self.second(to: first, asn: "00010000000000000043")
    }

    /// Its clock is ahead of what the first side has written by then.
    private static func second(to first: TestStation, asn: String) throws -> TestStation {
        let second = try TestStation(asn: asn)
        second.journalIsReplaced(by: first.journal)
        (second.settings.number, second.settings.nozzle) = (2, 2)
        second.site.pass(100)
        return second
    }

    private func recovered(_ stations: [TestStation]) throws -> RecoveredBoard {
        let members = stations.map { Board.Member(settings: $0.settings, display: $0.display) }
        return try Board(terminal: Demonstration.terminal, journal: first.journal.edge, clock: first.clock, members)
            .recover()
    }

    /// In the middle of the first side's sale.
    private func whileFirstFuels(_ act: @escaping () -> Void) {
        first.scheduleRefuel(centilitres: 1_000)
        first.site.after(8) { _ in act() }
    }

    @Test("sell at once, each under numbers of its own, and neither finishes the other's sale")
    func atOnce() throws {
        let board = try recovered([first, second])
        second.scheduleRefuel(centilitres: 500)
        whileFirstFuels { [second] in #expect(second.run(after: board) == nil) }
        #expect(first.run(after: board) == nil)
        #expect(first.records.map(\.kind) == [.sale, .sale])
        #expect(first.records.map(\.phase) == [.settled, .settled])
        #expect(Set(first.records.map(\.side)) == [1, 2])
        #expect(first.records.map(\.reading.volume.shownCentilitres).sorted() == [500, 1_000])
        for (station, side) in [(first, 1), (second, 2)] {
            let sale = try #require(first.records.first { $0.side == side })
            #expect(station.reader.image.balance == Amount(fen: 50_000 - sale.amount.fen))
            #expect(first.journal.store.totalisers[side]?.volume == sale.reading.volume)
        }
    }

    @Test("a card whose sale goes on at one side is sent back there by the other, and served by it afterwards")
    func oneCard() throws {
        let twin = try Self.second(to: first, asn: "00010000000000000042")
        let board = try recovered([first, twin])
        twin.scheduleRefuel(centilitres: 500)
        whileFirstFuels { #expect(twin.run(after: board) == nil) }
        #expect(first.run(after: board) == nil)
        #expect(twin.display.refusals == [.servedElsewhere(side: 1)])
        #expect(first.records.map(\.side) == [1])
        #expect(first.records.map(\.phase) == [.settled])
        twin.reader.pull()
        twin.scheduleRefuel(centilitres: 500)
        #expect(twin.run(after: board) == nil)
        #expect(first.records.map(\.phase) == [.settled, .settled])
    }

    @Test("a pump that fails ends its own side alone")
    func pumpFails() throws {
        let board = try recovered([first, second])
        first.scheduleRefuel(centilitres: 1_000)
        first.site.after(8) { $0.post(.pumpFailed(PumpFault(reason: "the lines are gone"))) }
        #expect(first.run(after: board) == .pump(PumpFault(reason: "the lines are gone")))
        #expect(first.records.map(\.phase) == [.settled])
        second.scheduleRefuel(centilitres: 500)
        #expect(second.run(after: board) == nil)
        #expect(first.records.map(\.phase) == [.settled, .settled])
    }

    @Test("what a crash left is finished once, also of a side that is no more")
    func sideThatIsNoMore() throws {
        (second.settings.number, second.settings.nozzle) = (3, 3)
        let board = try recovered([first, second])
        second.scheduleRefuel(centilitres: 500)
        second.site.after(8) { $0.post(.stopRequested) }
        #expect(second.run(after: board) == nil)
        #expect(first.records.map(\.phase) == [.locked])
        _ = try recovered([first])
        #expect(first.records.map(\.phase) == [.escaped])
        #expect(first.greyRecords.map(\.state) == [.open])
        let sale = try #require(first.records.first)
        #expect(first.journal.store.totalisers[3]?.volume == sale.reading.volume)
        #expect(sale.amount > .zero && first.journal.store.totalisers[1] == nil)
    }

    @Test("a card that escaped at one side pays at the other")
    func paysAtTheOther() throws {
        let twin = try Self.second(to: first, asn: "00010000000000000042")
        let board = try recovered([first, twin])
        first.scheduleRefuel(centilitres: 1_000)
        first.site.after(8) { [first] _ in first.reader.pull() }
        #expect(first.run(after: board) == nil)
        let escape = try #require(first.records.first)
        #expect(escape.kind == .escape)
        twin.reader.replaceCard(by: first.reader)
        twin.site.after(1) { [twin] _ in twin.reader.insert() }
        twin.stop(at: 60)
        #expect(twin.run(after: board) == nil)
        #expect(first.records.map(\.kind) == [.escape, .localUnlock])
        #expect(first.records.last?.side == 2 && first.records.last?.phase == .settled)
        #expect(first.greyRecords.map(\.state) == [.settled])
        #expect(twin.reader.image.balance == Amount(fen: 50_000 - escape.amount.fen))
    }

    @Test("a purchase of one side that is proven at the other leaves the totals of the first alone")
    func tornAtTheOther() throws {
        let twin = try Self.second(to: first, asn: "00010000000000000042")
        for station in [first, twin] {
            station.settings.payment = .prepaid(Preset(centilitres: 500))
            station.reader.hasPetrolCommands = false
        }
        let board = try recovered([first, twin])
        first.reader.faults[.debitForPurchase] = [.pulledAfter]
        first.site.after(1) { [first] _ in first.reader.insert() }
        first.stop(at: 40)
        #expect(first.run(after: board) == nil)
        #expect(first.records.map(\.phase) == [.torn])
        // While the other side reads the totals, the first one sells on.
        let ahead = Totaliser(
            nozzle: 1,
            counts: [9_999],
            base: .zero,
            volume: Volume(microlitres: 24_997_500),
            fen: 1
        )
        first.journal.onWrite = { [first] _ in
            first.journal.onWrite = { _ in }
            first.journal.store.commit(JournalEntry(totaliser: ahead))
        }
        twin.reader.replaceCard(by: first.reader)
        twin.site.after(1) { [twin] _ in twin.reader.insert() }
        twin.stop(at: 40)
        #expect(twin.run(after: board) == nil)
        #expect(first.records.first?.phase == .settled)
        #expect(first.records.contains { $0.kind == .refund })
        #expect(first.journal.store.totalisers[1] == ahead)
    }

    @Test("a wrong PIN at one side is known at the other, which takes no try of it")
    func wrongPINs() throws {
        let twin = try Self.second(to: first, asn: "00010000000000000042")
        let board = try recovered([first, twin])
        first.pin.typed = ["99999999", "99999999"]
        first.site.after(1) { [first] _ in first.reader.insert() }
        first.display.onNotice = { [first] notice in
            guard case .refused(.pinWrong(triesLeft: 1)) = notice else { return }
            first.reader.pull()
        }
        first.stop(at: 60)
        #expect(first.run(after: board) == nil)
        twin.reader.replaceCard(by: first.reader)
        twin.pin.isTyped = false
        twin.site.after(1) { [twin] _ in twin.reader.insert() }
        twin.stop(at: 60)
        #expect(twin.run(after: board) == nil)
        #expect(twin.display.refusals == [.pinNotTried(triesLeft: 1)])
        #expect(twin.reader.image.pinTriesLeft == 1)
    }

    @Test("what another side writes while a sale's time is read makes the clock no clock that is behind")
    func writesBetween() throws {
        let clock = TestClock(first.site)
        first.clock = clock
        first.scheduleRefuel(centilitres: 500)
        first.journal.edge.onRead = { [first] in
            clock.aheadSeconds? += 1
            var entry = JournalEntry()
            entry.moment = clock.now
            first.journal.store.commit(entry)
        }
        #expect(first.run() == nil)
        #expect(first.display.refusals.isEmpty)
        #expect(first.records.map(\.phase) == [.settled])
    }

    @Test("a pump that fails while a sale waits for its card leaves a grey record, from which any side is paid")
    func pumpFailsInGrace() throws {
        let twin = try Self.second(to: first, asn: "00010000000000000042")
        let board = try recovered([first, twin])
        first.reader.faults[.debitForPetrol] = [.pulledBefore]
        first.display.onNotice = { [first] notice in
            if case .cardFault = notice { first.site.post(.pumpFailed(PumpFault(reason: "the lines are gone"))) }
        }
        first.scheduleRefuel(centilitres: 500)
        #expect(first.run(after: board) == .pump(PumpFault(reason: "the lines are gone")))
        #expect(first.records.map(\.phase) == [.escaped])
        #expect(first.greyRecords.map(\.state) == [.open])
        twin.reader.replaceCard(by: first.reader)
        twin.site.after(1) { [twin] _ in twin.reader.insert() }
        twin.stop(at: 60)
        #expect(twin.run(after: board) == nil)
        #expect(first.greyRecords.map(\.state) == [.settled])
        #expect(twin.reader.image.balance == Amount(fen: 50_000 - 3_925))
    }

    @Test("purchases that prove nothing make the next one wait at every side")
    func unprovenPurchases() throws {
        for station in [first, second] {
            station.settings.payment = .prepaid(Preset(centilitres: 500))
            station.reader.hasPetrolCommands = false
        }
        let board = try recovered([first, second])
        first.reader.faults[.debitForPurchase] = [.pulledBefore]
        first.site.pass(99)
        first.site.after(1) { [first] _ in first.reader.insert() }
        first.stop(at: 3)
        #expect(first.run(after: board) == nil)
        second.site.after(1) { [second] _ in second.reader.insert() }
        second.stop(at: 5)
        #expect(second.run(after: board) == nil)
        #expect(second.display.refusals.contains { if case .purchasesPaused = $0 { true } else { false } })
    }
}
