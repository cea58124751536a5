import CardApplication
import CardCryptography
import Counter
import FuelPassbook
import ISO7816
import Quantities
import TestCards
import TestCounters
import Testing

/// Each way in which the answer to the command with MAC2 gets lost: the next visit finds out what the card did, and the money moves
/// once.
struct LostAnswerTests {
    @Test(arguments: CounterErrand.allCases)
    func nothingLost(_ errand: CounterErrand) throws {
        let (counter, act) = try errand.begin()
        #expect(try act())
        #expect(counter.reader.card.image.balance.fen == errand.balanceDone && counter.reader.card.image.grey == nil)
        let entry = try #require(counter.book.entries.first)
        #expect(entry.state == .done && entry.balance.fen == errand.balanceDone && counter.findings == [.done(entry)])
    }

    @Test("the card did it, and the process ended", arguments: CounterErrand.allCases)
    func after(_ errand: CounterErrand) throws {
        let (counter, act) = try errand.begin()
        counter.reader.loss = .after
        guard case .open = reason({ () throws(CounterStop) in _ = try act() }) else {
            Issue.record("the loss is not said")
            return
        }
        try counter.restart()
        #expect(counter.book.entries.map(\.state) == [.open])
        #expect(try !act())
        let entry = try #require(counter.book.entries.first)
        #expect(counter.book.entries.count == 1 && entry.state == .done && counter.findings == [.wasDone(entry)])
        #expect(counter.reader.card.image.balance.fen == errand.balanceDone && counter.reader.deliveries == 1)
    }

    @Test("the card never got it, and the process ended", arguments: CounterErrand.allCases)
    func before(_ errand: CounterErrand) throws {
        let (counter, act) = try errand.begin()
        counter.reader.loss = .before
        guard case .open = reason({ () throws(CounterStop) in _ = try act() }) else {
            Issue.record("the loss is not said")
            return
        }
        try counter.restart()
        #expect(try act())
        #expect(counter.book.entries.map(\.state) == [.void, .done])
        #expect(counter.findings.count == 2)
        #expect(counter.reader.card.image.balance.fen == errand.balanceDone && counter.reader.deliveries == 1)
    }

    @Test("a refusal in place of the answer does not pass for one", arguments: CounterErrand.allCases)
    func replaced(_ errand: CounterErrand) throws {
        let (counter, act) = try errand.begin()
        counter.reader.loss = .answerReplaced
        #expect(try act())
        #expect(counter.book.entries.map(\.state) == [.done])
        #expect(counter.reader.card.image.balance.fen == errand.balanceDone)
    }

    @Test("a refusal is believed when the card shows its number unused", arguments: CounterErrand.allCases)
    func madeUp(_ errand: CounterErrand) throws {
        let (counter, act) = try errand.begin()
        counter.reader.loss = .refusalMadeUp
        guard case .refused = reason({ () throws(CounterStop) in _ = try act() }) else {
            Issue.record("the refusal is not said")
            return
        }
        #expect(counter.book.entries.map(\.state) == [.void])
        #expect(counter.reader.card.image.balance.fen == 500_00)
    }

    @Test("the entry is on the disk before the command with MAC2 leaves", arguments: CounterErrand.allCases)
    func writtenAhead(_ errand: CounterErrand) throws {
        let (counter, act) = try errand.begin()
        var standing: [CounterEntry.State] = []
        counter.reader.arrived = { standing = counter.book.entries.map(\.state) }
        #expect(try act())
        #expect(standing == [.open])
    }

    @Test("a book that cannot be written lets no command with MAC2 leave", arguments: CounterErrand.allCases)
    func diskGone(_ errand: CounterErrand) throws {
        let (counter, act) = try errand.begin()
        try counter.folder.breakBook()
        guard case .book = reason({ () throws(CounterStop) in _ = try act() }) else {
            Issue.record("the disk is not named")
            return
        }
        #expect(counter.reader.deliveries == 0 && counter.reader.card.image.balance.fen == 500_00)
    }

    @Test("another kind of visit judges it and then does its own")
    func otherKind() throws {
        let (counter, act) = try CounterErrand.unlock.begin()
        counter.reader.loss = .after
        _ = reason { () throws(CounterStop) in _ = try act() }
        try counter.restart()
        #expect(try counter.load(50_00))
        #expect(counter.book.entries.map(\.state) == [.done, .done])
        #expect(counter.reader.card.image.balance.fen == 500_00 - 7_85 + 50_00)
    }

    @Test("a card whose number passed the entry without proof waits for a person")
    func passed() throws {
        let (counter, act) = try CounterErrand.load.begin()
        counter.reader.loss = .before
        _ = reason { () throws(CounterStop) in _ = try act() }
        try counter.restart()
        // Another counter loads it, under the number of the entry.
        let other = try TestCounter(counter.reader.card, id: TerminalID(0x3100_0000_0098))
        #expect(try other.load(1_00))
        guard case .open(let words) = reason({ () throws(CounterStop) in _ = try act() }) else {
            Issue.record("it is not left open")
            return
        }
        #expect(words.contains("greylock counter close 1"))
        #expect(counter.book.entries.map(\.state) == [.open] && counter.reader.card.image.balance.fen == 501_00)
        let signature = try Signature(name: "Wang Li", reason: "seen in the card's log")
        try counter.book.close(1, as: .notDone, by: signature)
        #expect(try act())
        #expect(counter.reader.card.image.balance.fen == 601_00)
    }
}
