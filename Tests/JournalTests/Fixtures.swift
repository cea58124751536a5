import CardCryptography
import Dispenser
import Foundation
import FuelPassbook
import ISO7816
import Metering
import Quantities
import Records
import SQLite
import SecurityModule
import TestFolders
import TestJournals

@testable import Journal

/// A journal's folder.
final class Scratch {
    private let folder: TestFolder

    init(in place: TestFolder.Place = .disk) throws { folder = try TestFolder(in: place) }

    var directory: URL { folder.url }
    var path: String { path("journal.db") }

    func path(_ name: String) -> String { folder.path(name) }

    func open(_ name: String = "journal.db", capacity: Int = 100) throws -> SQLiteJournal {
        try SQLiteJournal(path: path(name), capacity: capacity)
    }

    /// A change that the service did not make.
    func edit(_ sql: String) throws {
        let connection = try Connection(path)
        try connection.write { try $0.execute(sql) }
        connection.close()
    }

    /// Puts a copy of `name` in the place of `target`, with those of its files that are there.
    func copy(_ name: String, to target: String, _ suffixes: [String] = ["", "-wal"]) throws {
        for suffix in suffixes {
            let (source, place) = (path(name) + suffix, path(target) + suffix)
            if FileManager.default.fileExists(atPath: place) { try FileManager.default.removeItem(atPath: place) }
            guard FileManager.default.fileExists(atPath: source) else { continue }
            try FileManager.default.copyItem(atPath: source, toPath: place)
        }
    }

    /// The journal, which closes its connection when it ends, outlives `body`.
    func withConnection<Value>(_ body: (Connection) throws -> Value) throws -> Value {
        let journal = try open()
        return try withExtendedLifetime(journal) { try body(journal.connection) }
    }
}

/// The real thing: a locked session of the demonstration card, so that seals are what a sale's are.
struct Customer {
    var asn = Demonstration.applicationFile.asn
    let ctc = CTC(0x0123)
    /// Where it is served.
    var (side, nozzle) = (3, 5)
    let key = KeyReference(index: Demonstration.keyIndex, version: Demonstration.keyVersion)
    let module: SecurityModule

    init() {
        module = .demonstration()
    }

    func session(_ ttc: TTC) throws -> LockedSale {
        let icc = ICCRandom(0x0102_0304)
        let master = DoubleLengthKey(MasterKey.purchase.demonstration)
        let sespk = PurchaseKey(master: master, card: asn).petrolSession(icc: icc, ctc: ctc, ttc: ttc)
        let answer = InitializeForPetrol.Response(
            balance: Demonstration.balance,
            ctc: ctc,
            keyVersion: key.version,
            algorithm: .tripleDES,
            icc: icc,
            mac1: sespk.mac1(balance: Demonstration.balance, terminal: Demonstration.terminal)
        )
        let command = InitializeForPetrol(keyIndex: key.index, terminal: Demonstration.terminal, ttc: ttc)
        let sale = try module.verifyMAC1(card: asn, command: command, answer: answer)
        let locking = sale.makeMAC2(time: try time(0))
        let code = locking.greyLockCode
        return try locking.verifyMAC3(code)
    }

    func gmac(_ ttc: TTC, fen: UInt32) throws -> SealedGMAC { try session(ttc).end(amount: Amount(fen: fen)) }

    /// A record of the phase with the columns that it has by then; every value differs from its neighbours.
    func record(
        _ number: UInt32,
        _ phase: RecordPhase,
        kind: RecordKind? = nil,
        isPurchase: Bool = false,
        fen: UInt32 = 0
    ) throws -> Record {
        try Record(fields(number, phase, kind: kind ?? phase.usualKind, isPurchase: isPurchase, fen: fen))
    }

    /// - Parameter isPurchase: of a prepaid sale; a torn or void one is.
    func fields(
        _ number: UInt32,
        _ phase: RecordPhase,
        kind: RecordKind,
        isPurchase: Bool = false,
        fen: UInt32
    ) throws -> RecordFields {
        let ttc = TTC(number)
        let fen = phase == .intent || phase == .locked || kind == .noCard || kind == .test ? 0 : fen
        let isPurchase = kind == .prepaid && (isPurchase || phase == .torn || phase == .void)
        let isOnLock = !isPurchase && kind != .noCard && kind != .refund && kind != .test
        let isUnpaid = isOnLock && (phase.isOpen || phase == .escaped)
        var fields = RecordFields(
            number: RecordNumber(number),
            kind: kind,
            phase: phase,
            side: side,
            terminal: Demonstration.terminal,
            begun: try time(Int(number)),
            standing: standing(kind),
            mac3: isOnLock ? [0xA1, 0xB2, 0xC3, 0xD4] : nil,
            delivery: Delivery(
                nozzle: nozzle,
                grade: "92# \"E10\", 油",
                unitPrice: UnitPrice(fenPerLitre: 789),
                reading: phase == .intent || phase == .locked ? .none(points: 3) : reading(Int(fen))
            ),
            amount: Amount(fen: fen),
            gmac: isUnpaid ? try gmac(ttc, fen: fen) : nil
        )
        if isOnLock, phase != .intent { fields.lockTAC = [0, 1, 2, 0xFF] }
        let lastDebit = DebitAttempt(
            ttc: ttc,
            type: .localUnlock,
            terminal: Demonstration.terminal,
            time: try time(Int(number) + 62)
        )
        if isPurchase { (fields.icc, fields.debits) = (ICCRandom(0x0102_0304), [lastDebit]) }
        guard phase != .intent, phase != .locked else { return fields }
        fields.head.ended = try time(Int(number) + 60)
        fields.head.totaliser = totaliser(fen: Int(fen))
        fields.head.remark = "it's \"done\"; -- \n\u{1F600}"
        switch kind {
        case .localUnlock, .onlineUnlock, .refund: fields.settles = RecordNumber(number - 1)
        case .sale, .escape, .cardFault, .prepaid, .noCard, .test: break
        }
        if isPurchase, phase == .paid || phase == .settled {
            (fields.debitTAC, fields.mac2IsValid) = ([0xDE, 0xB1, 0x7A, 0xC0], true)
        }
        guard phase != .ended, isOnLock, kind != .onlineUnlock else { return fields }
        fields.debits = [
            DebitAttempt(
                ttc: ttc,
                type: .refuel,
                terminal: TerminalID(0xA0B1_C2D3_E4F5),
                time: try time(Int(number) + 61)
            ),
            lastDebit,
        ]
        guard phase == .settled || phase == .paid else { return fields }
        fields.debits.removeLast()
        (fields.debitTAC, fields.mac4IsValid) = ([0xDE, 0xB1, 0x7A, 0xC0], true)
        return fields
    }

    private func standing(_ kind: RecordKind) -> CardStanding {
        kind == .noCard || kind == .test
            ? CardStanding(
                card: .none,
                key: KeyReference(index: KeyIndex(0), version: KeyVersion(0)),
                balance: .zero,
                ctc: CTC(0)
            )
            : CardStanding(card: asn, key: key, balance: Demonstration.balance, ctc: ctc)
    }

    func checkpoint(_ number: UInt32, fen: UInt32) throws -> Checkpoint {
        Checkpoint(
            number: RecordNumber(number),
            reading: reading(Int(fen)),
            amount: Amount(fen: fen),
            nonCardPart: Amount(fen: fen / 2),
            gmac: try gmac(TTC(number), fen: fen)
        )
    }

    func grey(_ number: UInt32, fen: UInt32, _ state: GreyRecord.State = .open) throws -> GreyRecord {
        let debits = [
            DebitAttempt(ttc: TTC(number), type: .refuel, terminal: TerminalID(7), time: try time(70)),
            DebitAttempt(ttc: TTC(number + 1), type: .localUnlock, terminal: TerminalID(8), time: try time(90)),
        ]
        return try GreyRecord(
            GreyRecordFields(
                RecordNumber(number),
                mac3: [9, 8, 7, 6],
                gmac: try gmac(TTC(number), fen: fen),
                state,
                state == .settled ? [debits[1]] : debits
            )
        )
    }

    func totaliser(nozzle: Int? = nil, fen: Int) -> Totaliser {
        Totaliser(
            nozzle: nozzle ?? self.nozzle,
            counts: [fen, 2, 3],
            base: Volume(microlitres: 1 << 52),
            volume: Volume(microlitres: 1 << 53 + fen),
            fen: 1 << 40 + fen
        )
    }

    private func reading(_ counts: Int) -> MeterReading {
        var faults = PulserFaults()
        faults.missedEdges = [1, 2]
        faults.deadLegs = [3, 4]
        faults.sequenceGaps = [5, 6]
        faults.bothTogether = 7
        faults.silentEdges = [8, 9]
        faults.flowGaps = 10
        faults.tooFast = [11, 12]
        faults.reversed = 13
        faults.switchGaps = 14
        if counts % 2 == 1 { faults.noise = [15, 16] }
        return MeterReading(counts: [counts, 0, 8], volume: Volume(microlitres: counts * 1_234), faults: faults)
    }
}

extension RecordPhase {
    /// Of a record of which nothing else is said.
    fileprivate var usualKind: RecordKind {
        switch self {
        case .intent, .locked, .ended, .debitSent, .settled: .sale
        case .escaped: .escape
        case .paid, .torn, .void: .prepaid
        case .flowing: .noCard
        }
    }
}

/// Seconds after 23:58 on the last day of a leap year's February.
func time(_ seconds: Int) throws -> TransactionTime {
    let total = 23 * 3_600 + 58 * 60 + seconds
    return try TransactionTime(
        date: CalendarDate(year: 2028, month: 2, day: 29 - (total >= 86_400 ? 0 : 1)),
        hour: total / 3_600 % 24,
        minute: total / 60 % 60,
        second: total % 60
    )
}

/// The fault of a call; nil when it succeeds.
func fault<Result>(of body: () throws -> Result) throws -> StorageFault? {
    do {
        _ = try body()
        return nil
    } catch let fault as StorageFault {
        return fault
    }
}
