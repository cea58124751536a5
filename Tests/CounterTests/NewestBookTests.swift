import CardApplication
import CardCryptography
import Counter
import Files
import Foundation
import FuelPassbook
import ISO7816
import Quantities
import TestCards
import TestCounters
import TestFolders
import Testing

/// What shows that the book is the newest, and what a named person may say in its place.
struct NewestBookTests {
    private static let signature: Signature = {
        do { return try Signature(name: "Wang Li", reason: "seen on paper") } catch { preconditionFailure("\(error)") }
    }()

    private func expectBook(_ words: String, _ act: () throws(CounterStop) -> Void) {
        guard case .book(let said) = reason(act) else {
            Issue.record("not refused: \(words)")
            return
        }
        #expect(said.contains(words), "\(said)")
    }

    // MARK: - The mark

    @Test("an older copy authorises nothing until somebody accepts it, and then goes on")
    func olderCopy() throws {
        let counter = try TestCounter(TestCard())
        #expect(try counter.load(1_00))
        let older = try counter.folder.bytes("book")
        #expect(try counter.unload(50))
        try counter.folder.write("book", older)
        try counter.restart()
        expectBook("changed 2 times, when the mark was written 4 times") { () throws(CounterStop) in
            try counter.book.requireNewest()
        }
        expectBook("older copy") { () throws(CounterStop) in _ = try counter.load(1_00) }
        #expect(counter.reader.deliveries == 2 && counter.book.entries.count == 1)
        try counter.book.accept(.book, at: TestCard.time, by: Self.signature)
        try counter.restart()
        #expect(counter.book.doubt == nil)
        guard case .acceptance(let line) = counter.book.lines.last else {
            Issue.record("the book does not say who accepted it")
            return
        }
        #expect(line.subject == .book && line.signature == Self.signature && line.id == 2)
    }

    @Test("a mark that is gone, damaged or another book's is said, and made anew by a named person alone")
    func markGone() throws {
        let counter = try TestCounter(TestCard())
        let mark = try counter.folder.bytes("book.mark")
        let others: [[UInt8]] = [
            [], Array(mark.dropLast()), mark + [0], try TestCounter(TestCard()).folder.bytes("book.mark"),
        ]
        for other in others {
            try counter.folder.write("book.mark", other)
            try counter.restart()
            expectBook("is damaged, or is the mark of another book") { () throws(CounterStop) in
                _ = try counter.load(1_00)
            }
        }
        for place in mark.indices {
            var altered = mark
            altered[place] ^= 0x01
            try counter.folder.write("book.mark", altered)
            try counter.restart()
            #expect(counter.book.doubt != nil, "byte \(place)")
        }
        try counter.folder.remove("book.mark")
        try counter.restart()
        expectBook("mount its medium, or name it with --mark") { () throws(CounterStop) in _ = try counter.load(1_00) }
        #expect(counter.reader.deliveries == 0)
        try counter.book.accept(.book, at: TestCard.time, by: Self.signature)
        try counter.restart()
        #expect(try counter.load(1_00))
    }

    @Test("a medium that goes while the counter works lets no command with MAC2 leave")
    func markGoesMeanwhile() throws {
        let counter = try TestCounter(TestCard())
        #expect(try counter.load(1_00))
        try counter.folder.remove("book.mark")
        expectBook("there is no mark") { () throws(CounterStop) in _ = try counter.load(1_00) }
        #expect(counter.reader.deliveries == 1 && counter.book.entries.count == 1)
    }

    @Test("a mark that cannot be written after the book leaves what was done as done")
    func markFailsAfterTheBook() throws {
        // Writes are: mark, book, mark for the entry, and the same for its end.
        let disk = FailingDisk(after: 5)
        let counter = try TestCounter(TestCard(), disk: disk)
        #expect(try counter.load(1_00))
        #expect(counter.book.entries.map(\.state) == [.done])
        expectBook("disk fails") { () throws(CounterStop) in _ = try counter.load(1_00) }
        disk.left = .max
        try counter.restart()
        #expect(counter.book.doubt == nil && counter.book.entries.map(\.state) == [.done])
    }

    @Test("the end of an entry that the book cannot take leaves it open, and the card shows it later")
    func bookFailsAtTheEnd() throws {
        let disk = FailingDisk(after: 3)
        let counter = try TestCounter(TestCard(), disk: disk)
        guard case .open = reason({ () throws(CounterStop) in _ = try counter.load(1_00) }) else {
            Issue.record("the fault is not said")
            return
        }
        disk.left = .max
        try counter.restart()
        #expect(try !counter.load(1_00))
        #expect(counter.book.entries.map(\.state) == [.done] && counter.reader.deliveries == 1)
    }

    @Test("what is no mark is not replaced by one, whoever accepts the book")
    func markIsSomethingElse() throws {
        let counter = try TestCounter(TestCard())
        let mark = try counter.folder.bytes("book.mark")
        for other in [Array("GLKS".utf8) + [UInt8](repeating: 4, count: 226), mark + [0], [1]] {
            try counter.folder.write("book.mark", other)
            try counter.restart()
            expectBook("is something else: name another file") { () throws(CounterStop) in
                try counter.book.accept(.book, at: TestCard.time, by: Self.signature)
            }
            #expect(try counter.folder.bytes("book.mark") == other)
        }
        try counter.folder.write("book.mark", [UInt8](repeating: 0, count: mark.count))
        try counter.restart()
        try counter.book.accept(.book, at: TestCard.time, by: Self.signature)
        #expect(counter.book.lines.map(\.id) == [1])
    }

    @Test("a mark that is a link is refused: the file on the other medium would stay as it is")
    func markIsALink() throws {
        let counter = try TestCounter(TestCard())
        let place = counter.folder.path("book.mark")
        try FileManager.default.moveItem(atPath: place, toPath: counter.folder.path("medium"))
        try FileManager.default.createSymbolicLink(
            atPath: place,
            withDestinationPath: counter.folder.path("medium")
        )
        try counter.restart()
        expectBook("is a link: name the file itself") { () throws(CounterStop) in _ = try counter.load(1_00) }
        expectBook("is a link: name the file itself") { () throws(CounterStop) in
            try counter.book.accept(.book, at: TestCard.time, by: Self.signature)
        }
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: place) == counter.folder.path("medium"))
    }

    @Test("a book that another process has too, because the lock was removed, forgets nothing of either")
    func twoProcesses() throws {
        let counter = try TestCounter(TestCard())
        try counter.folder.remove("book.lock")
        let other = try CounterBook(counter.path, key: TestCounter.key())
        #expect(try counter.load(1_00))
        let book = try counter.folder.bytes("book")
        expectBook("was changed by another program") { () throws(CounterStop) in
            try other.accept(.clock, at: TestCard.time, by: Self.signature)
        }
        #expect(try counter.folder.bytes("book") == book)
    }

    @Test("a book is not begun where its mark is")
    func markIsTheBook() throws {
        let folder = try TestFolder()
        expectBook("is the book itself") { () throws(CounterStop) in
            try CounterBook.begin(
                folder.path("book"),
                mark: folder.url.path + "/./book",
                counter: TestCounter.counter,
                TestCounter.reference,
                key: TestCounter.key(),
                random: SystemRandom()
            )
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["book.lock"])
    }

    // MARK: - The card

    @Test("a card that was at another counter is served when its log accounts for it, and it is said where")
    func elsewhere() throws {
        let here = try TestCounter(TestCard())
        #expect(try here.load(1_00))
        let there = try TestCounter(here.reader.card, id: TerminalID(0x3100_0000_0098))
        #expect(try there.load(2_00))
        #expect(there.findings.count == 1, "nothing is known of a card that was never there")
        #expect(try here.load(3_00))
        guard case .wasElsewhere(let records) = here.findings[1] else {
            Issue.record("\(here.findings)")
            return
        }
        #expect(records.map(\.terminal) == [TerminalID(0x3100_0000_0098)] && records.map(\.amount.fen) == [2_00])
        #expect(here.reader.card.image.balance.fen == 506_00)
    }

    @Test("a number that neither book nor log accounts for stops it, until somebody accepts it")
    func unaccounted() throws {
        let here = try TestCounter(TestCard())
        #expect(try here.load(1_00))
        let card = here.reader.card
        let there = try TestCounter(card, id: TerminalID(0x3100_0000_0098))
        #expect(try there.load(1_00))
        try card.fillLog()
        expectBook("is an older copy and has forgotten") { () throws(CounterStop) in _ = try here.load(1_00) }
        #expect(here.book.entries.count == 1)
        try here.visit().acceptCard(by: Self.signature, at: TestCard.time, pin: here.pin)
        #expect(try here.load(1_00))
        guard
            case .refused(let said) = reason({ () throws(CounterStop) in
                try here.visit().acceptCard(by: Self.signature, at: TestCard.time, pin: here.pin)
            })
        else {
            Issue.record("a card that is accounted for is accepted")
            return
        }
        #expect(said.contains("nothing to accept"))
    }

    @Test("book and mark older by an entry that the card did: the card's log says so")
    func bothOlder() throws {
        let counter = try TestCounter(TestCard())
        let older = try (counter.folder.bytes("book"), counter.folder.bytes("book.mark"))
        #expect(try counter.load(1_00))
        try counter.folder.write("book", older.0)
        try counter.folder.write("book.mark", older.1)
        try counter.restart()
        expectBook("did something at this counter") { () throws(CounterStop) in _ = try counter.load(1_00) }
        #expect(counter.reader.card.image.balance.fen == 501_00)
        try counter.visit().acceptCard(by: Self.signature, at: TestCard.time, pin: counter.pin)
        #expect(try counter.load(1_00))
    }

    @Test("a copy of a card, from before what it proved, is refused")
    func copiedCard() throws {
        let card = try TestCard()
        let before = card.memory.image
        let counter = try TestCounter(card)
        #expect(try counter.load(1_00))
        try card.memory.commit(before)
        try card.restart()
        guard case .refused(let said) = reason({ () throws(CounterStop) in _ = try counter.load(1_00) }) else {
            Issue.record("a copy is served")
            return
        }
        #expect(said.contains("copy of the card"), "\(said)")
    }

    // MARK: - What stands in the book

    @Test("what was accepted is read back as it was, and an altered line is not")
    func acceptances() throws {
        let counter = try TestCounter(TestCard())
        let card = counter.reader.card.profile.card
        #expect(try counter.load(1_00))
        for subject in [Acceptance.Subject.clock, .book, .card(card, OnlineNumber(0xFFFE))] {
            try counter.book.accept(subject, at: TestCard.laterTime, by: Self.signature)
        }
        let lines = counter.book.lines
        try counter.restart()
        #expect(counter.book.lines == lines && lines.map(\.id) == [1, 2, 3, 4])
        #expect(lines.last?.time == TestCard.laterTime && counter.book.expectedNumber(card) == 0xFFFE)
    }
}

extension TestCard {
    /// So many purchases that the log has nothing else.
    fileprivate func fillLog() throws {
        for _ in 0..<CardImage.logRecordsMax {
            try bring(to: .purchase)
            _ = try exchange(debitForPurchase())
        }
    }
}

/// Takes so many writes, and then none.
private final class FailingDisk: BookDisk {
    var left: Int

    init(after count: Int) { left = count }

    func replace(_ path: String, with bytes: [UInt8]) throws(FileFault) {
        guard left > 0 else { throw FileFault("disk fails") }
        left -= 1
        try RealDisk().replace(path, with: bytes)
    }
}
