import CardCryptography
import Dispenser
import FuelPassbook
import Glibc
import ISO7816
import Journal
import Metering
import Quantities
import Records
import SecurityModule

/// A journal of many records as a power cut leaves it: the last sale locked, its checkpoint in the `-wal` file.
struct BenchJournal {
    static let random = SystemRandom()
    /// Every so many sales one card escaped, and has not come back.
    private static let salesPerEscape = 50

    let folder: String
    let name: String
    let records: Int

    /// All settled sales in one transaction; an escape is one transaction each.
    func build() throws {
        let growing = "\(folder)/\(name)-growing"
        var settled = JournalEntry()
        var escaped: [JournalEntry] = []
        for number in 1..<UInt32(records) {
            let hasEscaped = Int(number) % Self.salesPerEscape == 0
            let record = try record(number, hasEscaped ? .escaped : .settled)
            if hasEscaped {
                escaped.append(JournalEntry(record, grey: try grey(record)))
            } else {
                settled.records.append(record)
            }
        }
        do {
            let journal = try SQLiteJournal(path: growing, capacity: records, key: .demonstration)
            try journal.commit(settled)
            for entry in escaped { try journal.commit(entry) }
        }
        let journal = try SQLiteJournal(path: growing, capacity: records, key: .demonstration)
        let open = try record(UInt32(records), .locked)
        try journal.commit(JournalEntry(open))
        try journal.checkpoint(
            Checkpoint(
                number: open.number,
                reading: open.reading,
                amount: open.amount,
                nonCardPart: .zero,
                gmac: gmac(TTC(UInt32(records)), open.card, open.amount)
            )
        )
        try copy(growing, to: "\(folder)/\(name)")
        try copy(growing + "-wal", to: "\(folder)/\(name)-wal")
        try copy(growing + "-mark", to: "\(folder)/\(name)-mark")
        withExtendedLifetime(journal) {}
    }

    /// A new copy of the files, for one start.
    func afterThePowerCut() throws -> String {
        let path = "\(folder)/\(name)-start"
        for suffix in ["", "-wal", "-mark"] { unsafe _ = unlink(path + suffix) }
        for suffix in ["", "-wal", "-mark"] { try copy("\(folder)/\(name)\(suffix)", to: path + suffix) }
        return path
    }

    /// - Returns: whether the file system let the files' pages go.
    func dropFromCache(_ path: String) throws -> Bool {
        for file in [path, path + "-wal"] {
            let descriptor = try opened(file, O_RDONLY)
            defer { close(descriptor) }
            guard posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED) == 0 else { return false }
            guard try cachedPages(descriptor, file) == 0 else { return false }
        }
        return true
    }

    private func cachedPages(_ descriptor: Int32, _ file: String) throws -> Int {
        let bytes = lseek(descriptor, 0, SEEK_END)
        guard let map = unsafe mmap(nil, bytes, PROT_READ, MAP_SHARED, descriptor, 0), unsafe map != MAP_FAILED else {
            throw CopyError(description: "\(file) cannot be mapped")
        }
        defer { unsafe munmap(map, bytes) }
        var pages = [UInt8](repeating: 0, count: (bytes + 4_095) / 4_096)
        guard unsafe mincore(map, bytes, &pages) == 0 else { throw CopyError(description: "\(file): no mincore") }
        return pages.count { $0 & 1 == 1 }
    }

    private func record(_ number: UInt32, _ phase: RecordPhase) throws -> Record {
        let ttc = TTC(number)
        let card = try Self.card(number)
        let time = try Self.time(number)
        let amount = Amount(fen: 7_850)
        var fields = RecordFields(
            number: RecordNumber(number),
            kind: phase == .escaped ? .escape : .sale,
            phase: phase,
            side: 1,
            terminal: Demonstration.terminal,
            begun: time,
            standing: CardStanding(
                card: card,
                key: KeyReference(index: Demonstration.keyIndex, version: Demonstration.keyVersion),
                balance: Demonstration.balance,
                ctc: CTC(1)
            ),
            mac3: Self.random.bytes(MAC.length),
            delivery: Delivery(
                nozzle: 1,
                grade: "92",
                unitPrice: SideSettings.demonstration.unitPrice,
                reading: MeterReading(counts: [4_000], volume: Volume(centilitres: 1_000), faults: PulserFaults())
            ),
            amount: amount,
            gmac: phase == .settled ? nil : gmac(ttc, card, amount)
        )
        fields.lockTAC = Self.random.bytes(MAC.length)
        if phase == .settled {
            fields.head.ended = time
            fields.debits = [DebitAttempt(ttc: ttc, type: .refuel, terminal: Demonstration.terminal, time: time)]
            (fields.debitTAC, fields.mac4IsValid) = (Self.random.bytes(MAC.length), true)
        }
        return try Record(fields)
    }

    private func grey(_ record: Record) throws -> GreyRecord {
        try GreyRecord(
            GreyRecordFields(
                record.number,
                mac3: Self.random.bytes(MAC.length),
                gmac: gmac(TTC(record.number.value), record.card, record.amount),
                .open
            )
        )
    }

    private func gmac(_ ttc: TTC, _ card: ApplicationSerialNumber, _ amount: Amount) -> SealedGMAC {
        SealedGMAC(
            card: card,
            terminal: Demonstration.terminal,
            ttc: ttc,
            ctc: CTC(1),
            amount: amount,
            key: KeyReference(index: Demonstration.keyIndex, version: Demonstration.keyVersion),
            sealed: Self.random.bytes(SealedGMAC.sealedLength)
        )
    }

    /// A card for each sale, of ten decimal bytes.
    private static func card(_ number: UInt32) throws -> ApplicationSerialNumber {
        let digits = BCD.encode(UInt64(number), count: 8)
        return try ApplicationSerialNumber(
            parsing: [0, 1, 0, 0, 0, 0] + (0..<4).map { UInt8(truncatingIfNeeded: digits >> (24 - 8 * $0)) }
        )
    }

    private static func time(_ number: UInt32) throws -> TransactionTime {
        let minutes = Int(number)
        return try TransactionTime(
            date: CalendarDate(year: 2024, month: 1 + minutes / 40_320, day: 1 + minutes / 1_440 % 28),
            hour: minutes / 60 % 24,
            minute: minutes % 60,
            second: 0
        )
    }
}

private struct CopyError: Error, CustomStringConvertible {
    let description: String
}

private func opened(_ path: String, _ flags: Int32) throws -> Int32 {
    let descriptor = unsafe open(path, flags | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw CopyError(description: "\(path) cannot be opened") }
    return descriptor
}

/// On disk when it returns.
private func copy(_ source: String, to target: String) throws {
    let from = try opened(source, O_RDONLY)
    defer { close(from) }
    let to = try opened(target, O_WRONLY | O_CREAT | O_TRUNC)
    defer { close(to) }
    var count = 0
    repeat {
        count = sendfile(to, from, nil, 1 << 24)
    } while count > 0
    guard count == 0, fsync(to) == 0 else { throw CopyError(description: "\(source) cannot be copied") }
}
