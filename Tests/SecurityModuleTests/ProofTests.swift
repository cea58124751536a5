import CardCryptography
import FuelPassbook
import ISO7816
import Quantities
import Records
import SecurityModule
import TestCards
import Testing

/// Proofs are made by the module alone, for what was sent.
struct ProofTests {
    private static let key = KeyReference(index: Demonstration.keyIndex, version: Demonstration.keyVersion)
    private static let terminals = [TerminalID(0x0011_2233_4455), TerminalID(1)]

    private static func module(_ terminal: TerminalID = terminals[0]) -> SecurityModule {
        .demonstration(at: terminal)
    }

    /// The answer of a card that hears a debit with the attempt's data.
    private static func mac4(_ amount: Amount, _ attempt: DebitAttempt) -> MAC {
        let master = DoubleLengthKey(MasterKey.purchase.demonstration)
        return PurchaseKey(master: master, card: Demonstration.applicationFile.asn)
            .mac4(amount: amount, type: attempt.type, terminal: attempt.terminal, time: attempt.time)
    }

    private static func proven(_ mac4: MAC, _ amount: Amount, _ attempts: [DebitAttempt]) throws -> DebitAttempt? {
        let proof = try module().verifyMAC4(
            mac4,
            tac: MAC(bytes: [1, 2, 3, 4]),
            card: Demonstration.applicationFile.asn,
            key: key,
            amount: amount,
            attempts: attempts
        )
        return proof?.attempt
    }

    @Test func aDebitIsProvenByTheAttemptThatTheCardExecuted() throws {
        let amount = Amount(fen: 2_504)
        let attempts = Self.terminals.flatMap { terminal in
            [TransactionType.refuel, .localUnlock].map { type in
                DebitAttempt(ttc: TTC(1), type: type, terminal: terminal, time: TestCard.time)
            }
        }
        for attempt in attempts {
            #expect(try Self.proven(Self.mac4(amount, attempt), amount, attempts) == attempt)
            #expect(try Self.proven(Self.mac4(Amount(fen: 2_505), attempt), amount, attempts) == nil)
        }
        let elsewhere = DebitAttempt(ttc: TTC(1), type: .refuel, terminal: TerminalID(9), time: TestCard.time)
        #expect(try Self.proven(Self.mac4(amount, elsewhere), amount, attempts) == nil)
        let later = DebitAttempt(ttc: TTC(1), type: .refuel, terminal: TerminalID(1), time: TestCard.laterTime)
        #expect(try Self.proven(Self.mac4(amount, later), amount, attempts) == nil)
        // The card says which type it was.
        #expect(try Self.proven(Self.mac4(amount, attempts[1]), amount, [attempts[0]])?.type == .localUnlock)
    }

    @Test(arguments: [(UInt16(0), false), (0x0040, false), (0x0041, true), (0x00FF, true), (0x0100, true)])
    func aReleaseIsProvenByANumberAboveTheLocks(present: UInt16, isAbove: Bool) throws {
        var profile = TestProfile()
        profile.ctc = CTC(present)
        let card = try TestCard(profile)
        try card.open()
        let answer = try card.beginPetrol()
        let sale = try Self.module(TestCard.terminal).verifyMAC1(
            card: profile.card,
            command: TestCard.initializeForPetrol,
            answer: answer
        )
        #expect((sale.release(fromLockAt: CTC(0x0040)) != nil) == isAbove)
        #expect(sale.release(fromLockAt: CTC(0xFFFF)) == nil)
    }

    @Test func twoTerminalsSealUnderTwoKeysAndEachOpensTheOthers() throws {
        var sealed: [SealedGMAC] = []
        for terminal in Self.terminals {
            let card = try TestCard()
            try card.open()
            let command = InitializeForPetrol(keyIndex: Demonstration.keyIndex, terminal: terminal, ttc: TestCard.ttc)
            let answer = try card.exchange(command)
            let locking = try Self.module(terminal)
                .verifyMAC1(card: card.profile.card, command: command, answer: answer)
                .makeMAC2(time: TestCard.time)
            let locked = try card.exchange(LockForPetrol(time: locking.time, mac2: locking.mac2))
            sealed.append(try locking.verifyMAC3(locked.mac3).end(amount: Amount(fen: 5)))
        }
        for (gmac, other) in [(sealed[0], Self.terminals[1]), (sealed[1], Self.terminals[0])] {
            _ = try Self.module(other).open(gmac)
            let moved = SealedGMAC(
                card: gmac.card,
                terminal: other,
                ttc: gmac.ttc,
                ctc: gmac.ctc,
                amount: gmac.amount,
                key: gmac.key,
                sealed: gmac.sealed
            )
            #expect(throws: SecurityModuleError.sealBroken) { _ = try Self.module(other).open(moved) }
        }
    }

    /// Sealed by the program before terminals had keys of their own: AES-256-GCM under the master's key of label "GL-GMAC",
    /// over card, TTC, CTC, amount and key.
    @Test func aSealOfBeforeStillOpens() throws {
        let key = SealingKey(from: DoubleLengthKey(MasterKey.purchase.demonstration), label: "GL-GMAC")
        let card = Demonstration.applicationFile.asn
        let context = card.bytes + TTC(3).bytes + CTC(4).bytes + Amount(fen: 5).bytes + [1, 1]
        let sealed = key.seal([0xA, 0xB, 0xC, 0xD], context: context, random: SystemRandom())
        let gmac = SealedGMAC(
            card: card,
            terminal: TerminalID(1),
            ttc: TTC(3),
            ctc: CTC(4),
            amount: Amount(fen: 5),
            key: Self.key,
            sealed: sealed
        )
        #expect(try Self.module().open(gmac).bytes == [0xA, 0xB, 0xC, 0xD])
    }

    @Test func twoNumbersAreOneCardWhenTheirRightEightBytesAre() throws {
        let bytes: [UInt8] = [0x00, 0x01, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88]
        let number = try ApplicationSerialNumber(parsing: bytes)
        for index in bytes.indices {
            var other = bytes
            other[index] ^= 0x10
            let altered = try ApplicationSerialNumber(parsing: other)
            #expect((altered == number) == (index < 2))
            #expect(Set([number]).contains(altered) == (index < 2))
            #expect(altered.bytes == other)
        }
    }
}
