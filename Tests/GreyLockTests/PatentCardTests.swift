import CardApplication
import FuelPassbook
import GreyLock
import ISO7816
import Quantities
import Records
import SecurityModule
import TestCards
import Testing

/// The patent's steps between a card and its module, over a reader that may alter an answer.
struct PatentCardTests {
    private static let amount = Amount(fen: 12_345)

    @Test func aSaleFromBeginToWhatProvesIt() throws {
        let card = try OpenCard()
        let due = try card.locked().end(amount: Self.amount)
        let answered = try #require(try card.debit(due))
        let release = try #require(try card.purse.release(fromLockOf: due, RecordNumber(2)))
        let proof = answered.paid(release)
        #expect(proof.amount == Self.amount && proof.lock == card.profile.ctc)
        #expect(card.chip.image.balance.fen == card.profile.balance.fen - Self.amount.fen)
        let said = [Instruction.initializeForPetrol, .lockForPetrol, .debitForPetrol, .initializeForPetrol]
        #expect(card.heard == said.map(\.header))
    }

    @Test func theIntentIsTheLockThatIsToCome() throws {
        let card = try OpenCard()
        let locking = try card.purse.begin(card.profile.card, RecordNumber(1)).makeMAC2(time: TestCard.time)
        let intent = locking.intent()
        let standing = intent.lock.standing
        #expect(standing.card == card.profile.card && standing.ctc == card.profile.ctc)
        #expect(standing.balance == card.profile.balance && intent.zero.amount == .zero)
        var tac: [UInt8]?
        let session = try card.purse.lock(locking, tac: &tac)
        #expect(intent.locked(session.proof) != nil)
        #expect(card.chip.image.grey?.mac3 == intent.lock.mac3)
    }

    @Test func theLockTACIsKeptBesideAWrongMAC3() throws {
        let card = try OpenCard()
        let locking = try card.purse.begin(card.profile.card, RecordNumber(1)).makeMAC2(time: TestCard.time)
        card.altersLastByte(of: .lockForPetrol)
        var tac: [UInt8]?
        do throws(CardStop) {
            _ = try card.purse.lock(locking, tac: &tac)
            Issue.record("MAC3 is wrong")
        } catch {
            #expect(error == .module(.mac3Wrong))
        }
        #expect(tac?.count == 4)
    }

    @Test(arguments: [(0xFFFD, true), (0xFFFE, false), (0xFFFF, false)])
    func aCardIsLockedOnlyWhereItCanProveItsDebit(ctc: UInt16, isLocked: Bool) throws {
        var profile = TestProfile()
        profile.ctc = CTC(ctc)
        let card = try OpenCard(profile)
        do throws(CardStop) {
            _ = try card.purse.begin(profile.card, RecordNumber(1))
            #expect(isLocked)
        } catch {
            let exhausted = CardStop.answered(.initializeForPetrol, .counterAtMaximum)
            #expect(!isLocked && error == (ctc == 0xFFFF ? exhausted : .numbersUsedUp))
        }
        #expect(card.heard == [Instruction.initializeForPetrol.header])
    }

    @Test func aWrongMAC4IsNoAnswerAndTheCardStillProvesTheDebit() throws {
        let card = try OpenCard()
        let due = try card.locked().end(amount: Self.amount)
        card.altersLastByte(of: .debitForPetrol)
        #expect(try card.debit(due) == nil)
        #expect(try card.purse.answeredDebit(under: due, [OpenCard.attempt])?.amount == Self.amount)
        #expect(try card.purse.answeredDebit(under: due, []) == nil)
    }

    @Test func aStatusWordIsSaidAndProvesNothing() throws {
        let card = try OpenCard()
        let due = try card.locked().end(amount: Self.amount)
        card.chip.memory.failure = .beforeWriting
        #expect(throws: StatusWord.memoryFailure) { _ = try card.debit(due) }
    }

    @Test func aGreyCardShowsNoRelease() throws {
        let card = try OpenCard()
        let due = try card.locked().end(amount: Self.amount)
        #expect(try card.purse.release(fromLockOf: due, RecordNumber(2)) == nil)
    }

    @Test func selectionGivesTheCardByItsAnswer() throws {
        let card = try OpenCard()
        guard case .free(let purse) = try card.select() else {
            Issue.record("a new card is free")
            return
        }
        #expect(try purse.status() == nil)
        _ = try card.locked()
        guard case .grey(let purse, let status) = try card.select() else {
            Issue.record("a locked card is grey")
            return
        }
        #expect(try purse.status()?.mac3.bytes == status.mac3.bytes)
        #expect(status.mac3.bytes == card.chip.image.grey?.mac3)
        card.answers(.getGreyStatus, with: ResponseAPDU(status: .classNotSupported))
        guard case .ordinary(.classNotSupported) = try card.select() else {
            Issue.record("a card without petrol commands is an ordinary one")
            return
        }
    }

    @Test func whatStopsACardIsSaidInItsWords() throws {
        let card = try OpenCard()
        card.answers(.getGreyStatus, with: ResponseAPDU(status: .applicationLockedForGood))
        #expect(throws: CardStop.answered(.getGreyStatus, .applicationLockedForGood)) { _ = try card.select() }
        card.answers(.initializeForPetrol, with: ResponseAPDU(data: [1], status: .success))
        do throws(CardStop) {
            _ = try card.purse.authenticate(card.profile.card, RecordNumber(1), for: .sale)
            Issue.record("one byte is no answer")
        } catch {
            guard case .malformed(.initializeForPetrol, _) = error else { throw error }
        }
        card.isGone = true
        #expect(throws: CardStop.card(.removed)) { _ = try card.select() }
    }
}

/// A selected card with its PIN verified, in a reader.
private final class OpenCard: CardReader {
    static let attempt = DebitAttempt(
        ttc: TTC(1),
        type: .refuel,
        terminal: Demonstration.terminal,
        time: TestCard.laterTime
    )

    let chip: TestCard
    var profile: TestProfile { chip.profile }
    private(set) var heard: [CommandHeader] = []
    var isGone = false
    private var altered: [CommandHeader: (ResponseAPDU) -> ResponseAPDU] = [:]

    init(_ profile: TestProfile = TestProfile()) throws {
        chip = try TestCard(profile)
        try chip.open()
    }

    var purse: PatentCard {
        PatentCard(CardDialogue(self), module: .demonstration(), keyIndex: Demonstration.keyIndex)
    }

    func select() throws(CardStop) -> SelectedCard {
        try Selection.card(over: CardDialogue(self), module: .demonstration(), keyIndex: Demonstration.keyIndex)
    }

    func locked() throws(CardStop) -> LockedSale {
        var tac: [UInt8]?
        return try purse.lock(
            purse.begin(profile.card, RecordNumber(1)).makeMAC2(time: TestCard.time),
            tac: &tac
        )
    }

    func debit(_ due: SealedGMAC) throws -> AnsweredDebit? {
        switch try purse.debit(due, ctc: chip.image.ctc, Self.attempt, among: [Self.attempt]) {
        case .success(let answered): return answered
        case .status(let status): throw status
        }
    }

    func altersLastByte(of instruction: Instruction) {
        altered[instruction.header] = { answer in
            var data = answer.data
            data[data.count - 1] ^= 1
            return ResponseAPDU(data: data, status: answer.status)
        }
    }

    func answers(_ instruction: Instruction, with answer: ResponseAPDU) {
        altered[instruction.header] = { _ in answer }
    }

    func connect() {}

    func transmit(_ command: Span<UInt8>) throws(CardFault) -> ResponseAPDU {
        guard !isGone else { throw .removed }
        let header = CommandHeader(command[0], command[1], command[2], command[3])
        heard.append(header)
        let answer = chip.send([UInt8](copying: command))
        return altered[header].map { $0(answer) } ?? answer
    }

    func disconnect() {}
}
