import CardApplication
import FuelPassbook
import ISO7816
import Quantities
import TestCards
import Testing

/// A memory that fails: `6581`, and only before or after is read back.
struct AtomicityTests {
    @Test(arguments: Write.allCases)
    func aFailedCommitIsAnswered6581AndItsCommandIsUndone(write: Write) throws {
        for commits in 0..<write.commits {
            let (card, command) = try write.prepare()
            let before = card.image
            let expected = commits == 0 ? before : write.counted(before)
            card.memory.failure = .beforeWriting
            card.memory.commitsBeforeFailure = commits
            let response = card.send(command)
            #expect(response.status == .memoryFailure && response.data.isEmpty)
            #expect(card.image == expected && card.memory.image == expected.bytes)
            #expect(card.state == (before.grey == nil ? .idle : .grey))
            try card.restart()
            #expect(card.image == expected)
        }
    }

    /// Nobody knows what a memory holds that failed to write: the card takes nothing until it has read it again.
    @Test(arguments: [TestMemory.Failure.beforeWriting, .afterWriting])
    func afterAFailureTheCardIsDeadUntilPowerComesBack(failure: TestMemory.Failure) throws {
        let (card, command) = try Write.lock.prepare()
        let before = card.image
        card.memory.failure = failure
        #expect(card.send(command).status == .memoryFailure)
        card.memory.restorePower()
        for command in [command, TestCard.select.bytes, TestCard.verify, GetBalance().apdu.bytes, []] {
            #expect(card.send(command).status == .memoryFailure)
        }
        card.reset()
        #expect(card.image.bytes == card.memory.image)
        #expect((card.image == before) == (failure == .beforeWriting))
        try card.open()
        #expect(try card.exchange(GetBalance()).balance == before.balance)
    }

    @Test(arguments: Write.allCases)
    func afterAFailureTheCommandSucceedsLikeTheFirstTime(write: Write) throws {
        let (untouched, first) = try write.prepare()
        let status = untouched.send(first).status
        let (card, command) = try write.prepare()
        card.memory.failure = .beforeWriting
        #expect(card.send(command).status == .memoryFailure)
        card.memory.restorePower()
        card.reset()
        let again = try write.prepare(on: card)
        #expect(card.send(again).status == status)
        #expect(card.image.balance == untouched.image.balance && card.image.ctc == untouched.image.ctc)
        #expect(card.image.online == untouched.image.online)
        #expect(card.image.gmacTriesLeft == untouched.image.gmacTriesLeft)
        #expect(card.image.pinTriesLeft == untouched.image.pinTriesLeft)
        #expect(card.image.upkeepTriesLeft == untouched.image.upkeepTriesLeft)
        #expect(card.image.block == untouched.image.block)
        #expect(card.image.overdraftLimit == untouched.image.overdraftLimit)
        #expect((card.image.grey == nil) == (untouched.image.grey == nil))
    }

    /// The memory wrote and failed to say so: a restart reads what success would have left, and nothing else.
    @Test(arguments: Write.allCases)
    func afterAFailureThatHadWrittenTheRestartReadsTheWholeCommand(write: Write) throws {
        let (untouched, first) = try write.prepare()
        _ = untouched.send(first)
        let (card, command) = try write.prepare()
        card.memory.failure = .afterWriting
        card.memory.commitsBeforeFailure = write.commits - 1
        #expect(card.send(command).status == .memoryFailure)
        try card.restart()
        var expected = untouched.image
        // Each card sealed its PIN with a nonce of its own.
        expected.sealedPIN = card.image.sealedPIN
        #expect(card.image == expected)
    }

    /// The money is taken once, whether the first debit was written or not.
    @Test(arguments: [TestMemory.Failure.beforeWriting, .afterWriting], [0, 1])
    func aDebitThatIsRepeatedAfterAFailureTakesTheMoneyOnce(failure: TestMemory.Failure, commits: Int) throws {
        let (card, command) = try Write.debit.prepare()
        card.memory.failure = failure
        card.memory.commitsBeforeFailure = commits
        #expect(card.send(command).status == .memoryFailure)
        card.memory.restorePower()
        card.reset()
        try card.open()
        let isTaken = failure == .afterWriting && commits == 1
        #expect(card.send(command).status == (isTaken ? .commandNotAccepted : .success))
        try card.open()
        #expect(card.send(command).status == .commandNotAccepted)
        try card.restart()
        #expect(card.image.balance.fen == card.profile.balance.fen - Write.amount.fen && card.image.grey == nil)
        #expect(card.image.gmacTriesLeft == card.image.gmacTriesLimit)
    }

    @Test(arguments: Write.allCases)
    func eachCommandCommitsOnceAndOnceBeforeForItsCounter(write: Write) throws {
        let (card, command) = try write.prepare()
        let before = card.memory.commits
        _ = card.send(command)
        #expect(card.memory.commits == before + write.commits)
    }

    @Test func commandsThatOnlyReadDoNotCommit() throws {
        let card = try TestCard()
        try card.bring(to: .grey)
        let before = card.memory.commits
        try card.beginUnlock()
        try card.answer(TestCard.select.bytes, "SELECT")
        _ = try card.exchange(GetGreyStatus())
        _ = try card.exchange(GetBalance())
        #expect(card.send(ReadBinary(file: 0x15, count: 30).apdu.bytes).status == .success)
        #expect(card.send(GetTransactionProve(type: .refuel, number: 9).apdu.bytes).status == .proofNotAvailable)
        try card.drawChallenge()
        #expect(card.memory.commits == before)
    }

    /// An image is read back as it was written, in every state; no prefix of it and no longer one is an image.
    @Test func theImageIsReadBackWholeOrNotAtAll() throws {
        let card = try TestCard()
        for round in 0..<CardImage.logRecordsMax + 2 {
            try card.bring(to: .grey)
            #expect(try CardImage(parsing: card.memory.image) == card.image)
            _ = try card.exchange(card.debit(Amount(fen: UInt32(round))))
        }
        try card.bring(to: .grey)
        let bytes = card.memory.image
        let image = try CardImage(parsing: bytes)
        #expect(image.log.count == CardImage.logRecordsMax)
        #expect(image.log.map(\.amount.fen) == (2..<12).reversed())
        for length in 0..<bytes.count {
            #expect(throws: ParseError.self) { try CardImage(parsing: Array(bytes.prefix(length))) }
        }
        #expect(throws: ParseError.wrongLength("card image")) { try CardImage(parsing: bytes + [0]) }
        #expect(throws: ParseError.invalid("card format")) { try CardImage(parsing: [1] + bytes.dropFirst()) }
    }
}
