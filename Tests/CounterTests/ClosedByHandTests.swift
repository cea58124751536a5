import CardApplication
import Counter
import FuelPassbook
import Quantities
import TestCards
import TestCounters
import Testing

/// The card of an entry that was closed by hand comes after all.
struct ClosedByHandTests {
    private struct Case: CustomTestStringConvertible {
        let errand: CounterErrand
        let isDone: Bool
        let closed: CounterEntry.Outcome

        var shown: CounterEntry.Outcome { isDone ? .done : .notDone }
        var testDescription: String { "\(errand), \(shown), closed as \(closed)" }
    }

    private static let cases = CounterErrand.allCases.flatMap { errand in
        [true, false].flatMap { isDone in
            CounterEntry.Outcome.allCases.map { Case(errand: errand, isDone: isDone, closed: $0) }
        }
    }

    @Test("it judges the entry, and the money moves once", arguments: cases)
    private func comesLater(_ example: Case) throws {
        let (counter, act) = try example.errand.begin()
        let signature = try Signature(name: "Wang Li", reason: "the card is lost")
        counter.reader.loss = example.isDone ? .after : .before
        _ = reason { () throws(CounterStop) in _ = try act() }
        try counter.restart()
        try counter.book.close(1, as: example.closed, by: signature)
        #expect(counter.book.entries[0].outcome == example.closed)
        #expect(
            reason { () throws(CounterStop) in try counter.book.close(1, as: .done, by: signature) }
                == .data("entry 1 is closed: it stays as it is")
        )
        try counter.restart()

        #expect(try act() == !example.isDone)
        let entry = counter.book.entries[0]
        #expect(entry.state == .closedByHand(as: example.closed, signature, shown: example.shown))
        #expect(entry.outcome == example.shown && counter.findings.first == .shownAfterAll(entry))
        #expect(counter.reader.card.image.balance.fen == example.errand.balanceDone)
        #expect(counter.reader.deliveries == 1)

        try counter.restart()
        #expect(counter.book.entries[0] == entry)
        try counter.visit().judge(pin: counter.pin)
        #expect(counter.findings.isEmpty, "it is asked once")
    }

    @Test("a change of the PIN is enough for a proof")
    func proofWithoutPIN() throws {
        let counter = try TestCounter(TestCard())
        counter.reader.loss = .after
        _ = reason { () throws(CounterStop) in _ = try counter.load(1_00) }
        try counter.restart()
        let signature = try Signature(name: "Wang Li", reason: "the card is lost")
        try counter.book.close(1, as: .notDone, by: signature)
        #expect(try counter.visit().judgeByProof().map(\.outcome) == [.done])
        guard case .shownAfterAll = counter.findings.first else {
            Issue.record("\(counter.findings)")
            return
        }
    }
}
