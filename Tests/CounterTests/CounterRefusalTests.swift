import CardApplication
import CardCryptography
import Counter
import Foundation
import FuelPassbook
import ISO7816
import Quantities
import TestCards
import TestCounters
import TestFolders
import Testing

/// What the counter does not do, and says why.
struct CounterRefusalTests {
    private func expectData(_ counter: TestCounter, _ basis: CounterVisit.UnlockBasis, _ words: String) {
        guard case .data(let said) = reason({ () throws(CounterStop) in _ = try counter.unlock(basis) }) else {
            Issue.record("not refused: \(words)")
            return
        }
        #expect(said.contains(words), "\(said)")
        #expect(counter.reader.deliveries == 0 && counter.reader.card.image.balance.fen == 500_00)
    }

    private func expectRefused(_ counter: TestCounter, _ words: String, _ act: () throws(CounterStop) -> Bool) {
        guard case .refused(let said) = reason({ () throws(CounterStop) in _ = try act() }) else {
            Issue.record("not refused: \(words)")
            return
        }
        #expect(said.contains(words), "\(said)")
        #expect(counter.reader.deliveries == 0 && counter.book.entries.isEmpty)
    }

    // MARK: - Records

    @Test func aChangedFileIsNoRecord() throws {
        let (_, file) = try TestCounter.greyCard()
        let changed = String(decoding: file, as: UTF8.self).replacing("amount 785", with: "amount 100")
        guard case .data = reason({ () throws(CounterStop) in _ = try TestCounter.records(Array(changed.utf8)) }) else {
            Issue.record("a changed file passes")
            return
        }
    }

    @Test func aFileOfAnotherSchemeIsNoRecord() throws {
        let (card, _) = try TestCounter.greyCard()
        let foreign = try TestCounter.file(
            of: card,
            master: LockedBuffer(hexadecimal: "00112233445566770011223344556688")
        )
        guard case .data = reason({ () throws(CounterStop) in _ = try TestCounter.records(foreign) }) else {
            Issue.record("a foreign file passes")
            return
        }
    }

    @Test func theRecordOfAnotherCardOrLockIsNot() throws {
        let (first, file) = try TestCounter.greyCard()
        var profile = TestProfile()
        profile.card = try ApplicationSerialNumber(parsing: Hex.bytes("00010000000000000077"))
        let other = try TestCard(profile)
        try other.bring(to: .grey)
        expectData(try TestCounter(other), try TestCounter.records(file), "no record in the file")

        let counter = try TestCounter(first)
        #expect(try counter.unlock(TestCounter.records(file)))
        try first.bring(to: .grey)
        guard
            case .data = reason({ () throws(CounterStop) in _ = try counter.unlock(TestCounter.records(file)) })
        else {
            Issue.record("an older lock's record pays a newer lock")
            return
        }
        #expect(counter.reader.deliveries == 1)
    }

    @Test func aRecordOfAnotherBalanceIsNotThisLocks() throws {
        let card = try TestCard()
        try card.bring(to: .grey)
        let file = try TestCounter.file(of: card, balance: Amount(fen: 1_000_00))
        expectData(try TestCounter(card), try TestCounter.records(file), "another lock's record")
    }

    @Test func moreThanTheBalanceIsNotPaid() throws {
        let card = try TestCard()
        try card.bring(to: .grey)
        let counter = try TestCounter(card)
        let basis = try TestCounter.records(TestCounter.file(of: card, amount: 500_01))
        expectRefused(counter, "does not fit") { () throws(CounterStop) in try counter.unlock(basis) }
        #expect(card.image.grey != nil)
    }

    @Test func aCardThatATerminalSettledIsNotReleasedAgain() throws {
        let (card, file) = try TestCounter.greyCard()
        let counter = try TestCounter(card)
        counter.reader.loss = .before
        _ = reason { () throws(CounterStop) in _ = try counter.unlock(TestCounter.records(file)) }
        try counter.restart()
        let debit = card.debit(Amount(fen: 7_85))
        try card.open()
        _ = try card.exchange(debit)
        guard
            case .refused(let said) = reason({ () throws(CounterStop) in
                _ = try counter.unlock(TestCounter.records(file))
            })
        else {
            Issue.record("a free card is released")
            return
        }
        #expect(said.contains("not grey"))
        try counter.visit().judge(pin: counter.pin)
        #expect(counter.book.entries.map(\.state) == [.void] && card.image.balance.fen == 500_00 - 7_85)
    }

    // MARK: - Money and PIN

    @Test func moreThanTheCardHasIsNotUnloaded() throws {
        let counter = try TestCounter(TestCard())
        expectRefused(counter, "does not have that much") { () throws(CounterStop) in try counter.unload(500_01) }
    }

    @Test func aGreyCardIsNotLoaded() throws {
        let (card, _) = try TestCounter.greyCard()
        let counter = try TestCounter(card)
        expectRefused(counter, "counter unlock") { () throws(CounterStop) in try counter.load(1_00) }
    }

    @Test func aCardOfAnotherSchemeIsRefused() throws {
        var profile = TestProfile()
        profile.masters.greyUnlock = "00112233445566770011223344556688"
        let card = try TestCard(profile)
        try card.bring(to: .grey)
        let counter = try TestCounter(card)
        let signature = try Signature(name: "Wang Li", reason: "none")
        expectRefused(counter, "not a card of this scheme") { () throws(CounterStop) in
            try counter.unlock(.forced(signature))
        }
    }

    @Test func wrongPINsAreCountedAloud() throws {
        let counter = try TestCounter(TestCard())
        var left: [UInt8] = []
        let visit = try counter.visit()
        visit.wrongPIN = { left.append($0) }
        let stop = reason { () throws(CounterStop) in
            _ = try visit.load(Amount(fen: 1_00), at: TestCard.time) { () throws(CounterStop) in TestCard.pin("111111")
            }
        }
        guard case .refused(let said) = stop else {
            Issue.record("three wrong PINs pass")
            return
        }
        #expect(left == [2, 1] && said.contains("counter pin --unblock"))
        #expect(counter.book.entries.isEmpty && counter.reader.deliveries == 0)
        try counter.visit().unblockPIN(TestCard.pin("654321"))
        counter.pin = { () throws(CounterStop) in TestCard.pin("654321") }
        #expect(try counter.load(1_00))
    }

    @Test func aPINIsChangedAndReloaded() throws {
        let counter = try TestCounter(TestCard())
        let stop = reason { () throws(CounterStop) in
            try counter.visit().changePIN(old: TestCard.pin("111111"), new: TestCard.pin("654321"))
        }
        #expect(stop == .refused("the old PIN is wrong, 2 tries left; nothing was changed"))
        try counter.visit().changePIN(old: Demonstration.pin, new: TestCard.pin("654321"))
        counter.pin = { () throws(CounterStop) in TestCard.pin("654321") }
        #expect(try counter.load(1_00))
        try counter.visit().reloadPIN(Demonstration.pin)
        counter.pin = { () throws(CounterStop) in Demonstration.pin }
        #expect(try counter.load(1_00))
    }

    // MARK: - The book

    @Test func anyAlteredByteOfTheBookIsNoticed() throws {
        let counter = try TestCounter(TestCard())
        #expect(try counter.load(1_00))
        #expect(try counter.unload(50))
        let whole = try #require(FileManager.default.contents(atPath: counter.path))
        let copy = counter.folder.path("copy")
        var taken = 0
        for place in whole.indices {
            var altered = whole
            altered[place] ^= 0x01
            try TestFolder.write(altered, copy)
            if reason({ () throws(CounterStop) in _ = try CounterBook(copy, key: TestCounter.key()) }) == nil {
                taken += 1
            }
        }
        for count in 0..<whole.count {
            try TestFolder.write(whole.prefix(count), copy)
            if reason({ () throws(CounterStop) in _ = try CounterBook(copy, key: TestCounter.key()) }) == nil {
                taken += 1
            }
        }
        #expect(taken == 0)
        try TestFolder.write(whole, copy)
        #expect(try CounterBook(copy, key: TestCounter.key()).entries == counter.book.entries)
    }

    @Test func oneProcessHasTheBook() throws {
        let counter = try TestCounter(TestCard())
        guard
            case .book(let said) = reason({ () throws(CounterStop) in
                _ = try CounterBook(counter.path, key: TestCounter.key())
            })
        else {
            Issue.record("two have the book")
            return
        }
        #expect(said.contains("another program uses"))
        withExtendedLifetime(counter) {}
    }

    @Test func aBookIsNotBegunOverAnother() throws {
        let counter = try TestCounter(TestCard())
        let other = counter.folder.path("more")
        try TestFolder.write(Data([1]), other)
        guard
            case .book(let said) = reason({ () throws(CounterStop) in
                try CounterBook.begin(
                    other,
                    counter: TestCounter.counter,
                    TestCounter.reference,
                    key: TestCounter.key(),
                    random: SystemRandom()
                )
            })
        else {
            Issue.record("a file is replaced")
            return
        }
        #expect(said.contains("choose another name"))
    }

    @Test func aBookForOthersEyesIsRefused() throws {
        let counter = try TestCounter(TestCard())
        let copy = counter.folder.path("copy")
        try FileManager.default.copyItem(atPath: counter.path, toPath: copy)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: copy)
        guard
            case .book(let said) = reason({ () throws(CounterStop) in
                _ = try CounterBook(copy, key: TestCounter.key())
            })
        else {
            Issue.record("everybody reads it")
            return
        }
        #expect(said.contains("chmod 600"))
    }
}

extension TestFolder {
    fileprivate static func write(_ bytes: Data, _ path: String) throws {
        if FileManager.default.fileExists(atPath: path) { try FileManager.default.removeItem(atPath: path) }
        let isMade = FileManager.default.createFile(
            atPath: path,
            contents: bytes,
            attributes: [.posixPermissions: 0o600]
        )
        #expect(isMade)
    }

    /// A folder where the book's draft is made: nothing can be written over it.
    func breakBook() throws {
        try FileManager.default.createDirectory(
            atPath: path("book.greylock-draft/full"),
            withIntermediateDirectories: true
        )
    }
}
