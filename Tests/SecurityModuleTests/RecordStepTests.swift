import CardApplication
import CardCryptography
import FuelPassbook
import ISO7816
import Quantities
import Records
import SecurityModule
import TestCards
import Testing

/// A record takes the steps of its phase (spec/dispenser.md, section 3), and no other.
struct RecordStepTests {
    enum Kind: CaseIterable {
        case greyLock, prepaid, purchase, nobodys, test, release, notice, refund
    }

    /// From each phase to each that follows it: the first is where the record begins.
    private static let table: [Kind: [(RecordPhase, [RecordPhase])]] = [
        .greyLock: [
            (.intent, [.intent, .locked, .escaped]), (.locked, [.ended, .escaped]), (.ended, [.debitSent, .escaped]),
            (.debitSent, [.debitSent, .settled, .escaped]), (.escaped, [.settled]), (.settled, []),
        ],
        .prepaid: [
            (.intent, [.intent, .locked, .escaped]), (.locked, [.ended, .escaped]), (.ended, [.debitSent, .escaped]),
            (.debitSent, [.debitSent, .paid, .escaped]), (.escaped, [.settled]), (.paid, [.settled]), (.settled, []),
        ],
        .purchase: [
            (.intent, [.torn, .paid]), (.torn, [.torn, .paid, .void]), (.paid, [.settled]), (.void, []), (.settled, []),
        ],
        .nobodys: [(.flowing, [.settled]), (.settled, [])],
        .test: [(.flowing, [.settled]), (.settled, [])],
        .release: [(.debitSent, [.debitSent, .settled, .void]), (.settled, []), (.void, [])],
        .notice: [(.settled, [])],
        .refund: [(.settled, [])],
    ]

    private let evidence: Evidence

    init() throws { evidence = try Evidence() }

    /// A record of each phase that steps lead to; those of a purse that escaped have sent their debit.
    private func records(_ kind: Kind) throws -> [RecordPhase: Record] {
        var reached: [RecordPhase: Record] = [:]
        let lock: [RecordStep] = [
            .locked(try evidence.lock()), .ended(due: evidence.due), .sending(evidence.attempt),
        ]
        let paths: [[RecordStep]] =
            switch kind {
            case .greyLock: [lock + [.paid(try evidence.paid())], lock + [.escaped(.left)]]
            case .prepaid: [lock + [.paid(try evidence.paid()), .delivered], lock + [.escaped(.fault)]]
            case .purchase:
                [
                    [.bought(try evidence.bought()), .delivered],
                    [.torn(tac: nil), .neverBought(.lock(try evidence.lock()))],
                ]
            case .nobodys, .test: [[.rested]]
            case .release:
                [
                    [.sending(evidence.attempt), .paid(try evidence.paid())],
                    [.sending(evidence.attempt), .overtaken(by: try evidence.grey(.void))],
                ]
            case .notice, .refund: [[]]
            }
        for path in paths {
            var record = try evidence.record(kind)
            reached[record.phase] = record
            for step in path {
                try record.take(step)
                reached[record.phase] = record
            }
        }
        return reached
    }

    @Test(arguments: Kind.allCases)
    func everyPairOfPhases(kind: Kind) throws {
        let rows = try #require(Self.table[kind])
        let records = try records(kind)
        #expect(Set(records.keys) == Set(rows.map(\.0)))
        for (from, next) in rows {
            let record = try #require(records[from])
            let reached = Set(try evidence.steps().compactMap { record.after($0)?.phase })
            for to in RecordPhase.allCases {
                #expect(reached.contains(to) == next.contains(to), "\(kind): from \(from) to \(to)")
            }
        }
    }

    @Test(arguments: Kind.allCases)
    func aRefusedStepIsSaidAndChangesNothing(kind: Kind) throws {
        for (phase, record) in try records(kind) {
            for step in try evidence.steps() where record.after(step) == nil {
                var same = record
                let fault = #expect(throws: StorageFault.self, "\(kind), \(phase)") { try same.take(step) }
                #expect(fault?.refusesStep == true && same == record)
            }
        }
    }

    @Test(arguments: Kind.allCases, Evidence.others)
    func noStepOfAnotherLockOrPurchase(kind: Kind, other: Evidence.Other) throws {
        let stranger = try Evidence(other)
        for (phase, record) in try records(kind) {
            for step in try stranger.identified(by: other) {
                #expect(record.after(step) == nil, "\(kind), \(phase): \(step)")
            }
        }
    }

    @Test(arguments: Kind.allCases)
    func aReadingIsOfFuelThatMayFlow(kind: Kind) throws {
        let may: [RecordPhase] =
            switch kind {
            case .greyLock: [.intent, .locked]
            case .prepaid: [.intent, .locked, .paid]
            case .purchase: [.paid]
            case .nobodys, .test: [.flowing]
            case .release, .notice, .refund: []
            }
        for (phase, record) in try records(kind) {
            let measured = record.measured(Evidence.reading)
            #expect((measured != nil) == may.contains(phase), "\(kind), \(phase)")
            #expect(measured == nil || measured?.reading == Evidence.reading)
        }
    }

    @Test(arguments: [(GreyRecord.State.open, true), (.settled, false), (.void, false), (.elsewhere, false)])
    func aGreyRecordEndsOnce(state: GreyRecord.State, isOpen: Bool) throws {
        let grey = try evidence.grey(state)
        let steps: [(inout GreyRecord) throws -> Void] = [
            { try $0.send(evidence.attempt) }, { try $0.settle(by: evidence.paid()) },
            { try $0.release(by: evidence.release()) },
        ]
        for step in steps {
            var next = grey
            if isOpen { try step(&next) } else { #expect(throws: StorageFault.self) { try step(&next) } }
            #expect(isOpen || next == grey)
        }
        for other in Evidence.others {
            var next = grey
            let stranger = try Evidence(other)
            #expect(throws: StorageFault.self) { try next.settle(by: stranger.paid()) }
            guard other != .amount else { continue }
            #expect(throws: StorageFault.self) { try next.release(by: stranger.release()) }
            #expect(try next == grey && next.void(by: stranger.lock()) == nil)
        }
    }
}

/// What one card and the terminal made of one lock, and of one purchase at the same number.
struct Evidence {
    enum Other { case card, number, amount }

    static let others = [Other.card, .number, .amount]
    static let reading = MeterReading.none(points: 7)

    private static let key = KeyReference(index: Demonstration.keyIndex, version: Demonstration.keyVersion)
    private static let icc = ICCRandom(0x0102_0304)
    private static let tac = MAC(bytes: [1, 2, 3, 4])

    private let card: ApplicationSerialNumber
    private let ctc: CTC
    private let amount: Amount
    private let balance = Amount(fen: 50_000)
    let attempt: DebitAttempt

    init(_ other: Other? = nil) throws {
        card =
            other == .card
            ? try ApplicationSerialNumber(parsing: [0, 1, 0, 0, 0, 0, 0, 0, 0, 0x43])
            : Demonstration.applicationFile.asn
        ctc = CTC(other == .number ? 8 : 7)
        amount = Amount(fen: other == .amount ? 786 : 785)
        attempt = DebitAttempt(
            ttc: TestCard.ttc,
            type: .refuel,
            terminal: TestCard.terminal,
            time: TestCard.laterTime
        )
    }

    private var dpk: PurchaseKey { PurchaseKey(master: DoubleLengthKey(MasterKey.purchase.demonstration), card: card) }

    private var standing: CardStanding { CardStanding(card: card, key: Self.key, balance: balance, ctc: ctc) }

    private func gmac(_ amount: Amount) -> SealedGMAC {
        SealedGMAC(
            card: card,
            terminal: TestCard.terminal,
            ttc: TestCard.ttc,
            ctc: ctc,
            amount: amount,
            key: Self.key,
            sealed: Array(repeating: 7, count: SealedGMAC.sealedLength)
        )
    }

    var due: SealedGMAC { gmac(amount) }

    private func standing(at ctc: CTC) throws -> ProvenStanding {
        let key = dpk.petrolSession(icc: Self.icc, ctc: ctc, ttc: TestCard.ttc)
        let mac1 = key.mac1(balance: balance, terminal: TestCard.terminal)
        let proof = key.proveStanding(mac1: mac1, card: card, ctc: ctc, balance: balance, terminal: TestCard.terminal)
        return try #require(proof)
    }

    func lock() throws -> ProvenLock {
        let key = dpk.petrolSession(icc: Self.icc, ctc: ctc, ttc: TestCard.ttc)
        let mac3 = key.mac3(balance: balance, ctc: ctc, terminal: TestCard.terminal, time: TestCard.time)
        let proof = key.proveLock(
            mac3: mac3,
            of: try standing(at: ctc),
            ttc: TestCard.ttc,
            terminal: TestCard.terminal,
            time: TestCard.time
        )
        return try #require(proof)
    }

    func release() throws -> ProvenRelease {
        let present = try standing(at: CTC(ctc.number + 1))
        return try #require(present.release(fromLockAt: ctc))
    }

    private func answered() throws -> AnsweredDebit {
        let key = dpk
        let mac4 = key.mac4(amount: amount, type: attempt.type, terminal: attempt.terminal, time: attempt.time)
        let answer = key.verifyMAC4(mac4, tac: Self.tac, card: card, amount: amount, attempts: [attempt])
        return try #require(answer)
    }

    func paid() throws -> ProvenDebit { try answered().paid(release()) }

    private func purchase(_ ttc: TTC = TestCard.ttc) -> Purchase {
        let debit = DebitAttempt(ttc: ttc, type: .purchase, terminal: TestCard.terminal, time: TestCard.time)
        return Purchase(standing, amount: amount, icc: Self.icc, debit: debit)
    }

    func bought(_ ttc: TTC = TestCard.ttc) throws -> ProvenPurchase {
        let data = purchase(ttc).session
        let session = dpk.purchaseSession(icc: data.icc, ctc: data.ctc, ttc: data.ttc)
        let mac2 = session.mac2(amount: amount)
        let proof = session.provePurchase(mac2: mac2, tac: Self.tac, card: card, session: data, amount: amount)
        return try #require(proof)
    }

    func grey(_ state: GreyRecord.State) throws -> GreyRecord {
        try GreyRecord(GreyRecordFields(RecordNumber(1), mac3: [1, 2, 3, 4], gmac: due, state, [attempt]))
    }

    func record(_ kind: RecordStepTests.Kind) throws -> Record {
        let delivery = Delivery(
            nozzle: 1,
            grade: "92",
            unitPrice: UnitPrice(fenPerLitre: 785),
            reading: .none(points: 1)
        )
        let origin = SaleOrigin(nozzle: 1, grade: "92", unitPrice: UnitPrice(fenPerLitre: 785))
        let intent = LockTender.Intent(lock: Lock(standing, mac3: [1, 2, 3, 4], tac: nil), zero: gmac(.zero))
        let beginning: RecordBeginning =
            switch kind {
            case .greyLock: .sale(delivery, .greyLock(intent))
            case .prepaid: .sale(delivery, .prepaid(intent))
            case .purchase: .sale(delivery, .purchase(purchase()))
            case .nobodys: .sale(delivery, .nobodys)
            case .test: .test(delivery)
            case .release: .release(of: try grey(.open), origin, balance: balance, tac: [1, 2, 3, 4])
            case .notice: .notice(ReleaseNotice(of: try grey(.elsewhere), origin, try release()))
            case .refund: .refund(try #require(Refund(of: try boughtSale())))
            }
        let head = RecordHead(number: RecordNumber(2), side: 1, terminal: TestCard.terminal, begun: TestCard.time)
        return Record(head, beginning)
    }

    private func boughtSale() throws -> Record {
        var sale = try record(.purchase)
        try sale.take(.bought(bought()))
        try sale.take(.delivered)
        return sale
    }

    /// Those that are bound to what differs: no MAC4 is to the card's number, and no lock to an amount.
    func identified(by other: Other) throws -> [RecordStep] {
        let debits: [RecordStep] = [.paid(try paid()), .bought(try bought())]
        let locks: [RecordStep] = [
            .locked(try lock()), .ended(due: due), .interrupted(checkpoint: due), .neverBought(.lock(try lock())),
            .neverBought(.purchase(try bought(TTC(9)))),
        ]
        return switch other {
        case .card: debits + locks + [.answered(try answered())]
        case .number: debits + locks
        case .amount: debits + [.answered(try answered())]
        }
    }

    func steps() throws -> [RecordStep] {
        try identified(by: .card) + [
            .lockAnswered(tac: [5, 6, 7, 8]), .sending(attempt), .escaped(.left), .escaped(.fault),
            .interrupted(checkpoint: nil), .torn(tac: nil), .torn(tac: Self.tac), .delivered, .rested,
            .overtaken(by: try grey(.open)), .overtaken(by: try grey(.void)),
        ]
    }
}
