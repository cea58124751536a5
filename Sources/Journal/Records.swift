import FuelPassbook
import ISO7816
import Metering
import Quantities
import Records

// Each value beside its columns: written, then read in the same order. What a seal is bound to stands in its own row.

extension RowValues {
    init(_ record: Record) {
        let fields = RecordFields(record)
        let standing = fields.standing
        self.init()
        set("ttc", fields.number.value)
        set("kind", fields.kind.rawValue)
        set("phase", fields.phase.rawValue)
        set("position", fields.side)
        set(hex: "terminal_id", fields.terminal)
        set(hex: "lock_time", fields.begun)
        set(hex: "end_time", fields.ended)
        set(hex: "card_asn", standing.card)
        set(standing.key)
        set("balance_before_fen", standing.balance.fen)
        set("ctc", standing.ctc.number)
        set(code: "mac3", fields.mac3)
        set(code: "lock_tac", fields.lockTAC)
        set(hex: "icc", fields.icc)
        set("nozzle", fields.delivery.nozzle)
        set("grade", fields.delivery.grade)
        set("unit_price_fen_per_litre", fields.delivery.unitPrice.fenPerLitre)
        set(fields.delivery.reading)
        set("amount_fen", fields.amount.fen)
        set("non_card_part_fen", record.nonCardPart.fen)
        set(blob: "sealed_gmac", fields.gmac?.sealed)
        set(lock: fields.gmac?.ttc, of: fields.number)
        set(fields.debits)
        set(code: "debit_tac", fields.debitTAC)
        set("mac4_is_valid", fields.mac4IsValid)
        set("mac2_is_valid", fields.mac2IsValid)
        set("totaliser_nozzle", fields.totaliser?.nozzle)
        set(list: "totaliser_counts", fields.totaliser?.counts)
        set("totaliser_base_microlitres", fields.totaliser?.base.microlitres)
        set("totaliser_volume_microlitres", fields.totaliser?.volume.microlitres)
        set("totaliser_fen", fields.totaliser?.fen)
        set("totaliser_overrun_counts", fields.totaliser?.overrunCounts)
        set("settles_ttc", fields.settles?.value)
        set("remark", fields.remark)
    }

    init(_ checkpoint: Checkpoint) {
        let gmac = checkpoint.gmac
        precondition(gmac.amount == checkpoint.amount)
        self.init()
        set("ttc", checkpoint.number.value)
        set(hex: "card_asn", gmac.card)
        set(hex: "terminal_id", gmac.terminal)
        set(gmac.key)
        set("ctc", gmac.ctc.number)
        set(checkpoint.reading)
        set("amount_fen", checkpoint.amount.fen)
        set("non_card_part_fen", checkpoint.nonCardPart.fen)
        set(blob: "sealed_gmac", gmac.sealed)
        set(lock: gmac.ttc, of: checkpoint.number)
    }

    init(_ grey: GreyRecord) {
        self.init()
        set("ttc", grey.number.value)
        set(lock: grey.gmac.ttc, of: grey.number)
        set(hex: "card_asn", grey.card)
        set(hex: "terminal_id", grey.gmac.terminal)
        set(grey.gmac.key)
        set("ctc", grey.ctc.number)
        set("balance_before_fen", grey.balance?.fen)
        set(code: "mac3", grey.mac3)
        set("amount_fen", grey.amount.fen)
        set(blob: "sealed_gmac", grey.gmac.sealed)
        set("state", grey.state.rawValue)
        set(hex: "imported", grey.imported)
        set(grey.debits)
    }

    init(_ totaliser: Totaliser) {
        self.init()
        set("nozzle", totaliser.nozzle)
        set(list: "counts", totaliser.counts)
        set("base_microlitres", totaliser.base.microlitres)
        set("volume_microlitres", totaliser.volume.microlitres)
        set("fen", totaliser.fen)
        set("overrun_counts", totaliser.overrunCounts)
    }

    init(_ lock: SideLock) {
        self.init()
        set("position", lock.side)
        set(hex: "since", lock.since)
        set("reason", lock.reason)
    }
}

extension Record {
    /// - Throws: `StorageFault` with the row also where its values do not go together.
    init(_ row: StoredRow) throws(StorageFault) {
        let fields = try RecordFields(row)
        // Follows from price and amount.
        let _: UInt32 = try row.integer("non_card_part_fen")
        do throws(FieldFault) { try self.init(fields) } catch { throw row.fault(error.field.column, error.reason) }
    }
}

extension RecordFields {
    init(_ row: StoredRow) throws(StorageFault) {
        self.init(
            number: RecordNumber(try row.integer("ttc")),
            kind: try row.choice("kind"),
            phase: try row.choice("phase"),
            side: try row.integer("position"),
            terminal: try row.element("terminal_id"),
            begun: try row.time("lock_time"),
            standing: CardStanding(
                card: try row.element("card_asn"),
                key: try row.key(),
                balance: Amount(fen: try row.integer("balance_before_fen")),
                ctc: CTC(try row.integer("ctc"))
            ),
            mac3: try row.optional("mac3", row.code),
            delivery: Delivery(
                nozzle: try row.integer("nozzle"),
                grade: try row.text("grade"),
                unitPrice: try row.unitPrice(),
                reading: try row.reading()
            ),
            amount: Amount(fen: try row.integer("amount_fen")),
            gmac: try row.gmacIfThere()
        )
        ended = try row.optional("end_time", row.time)
        lockTAC = try row.optional("lock_tac", row.code)
        icc = try row.optional("icc", row.element)
        debits = try row.debits()
        debitTAC = try row.optional("debit_tac", row.code)
        mac4IsValid = try row.optional("mac4_is_valid", row.flag)
        mac2IsValid = try row.optional("mac2_is_valid", row.flag)
        totaliser = try row.totaliserAfter()
        settles = try row.optional("settles_ttc", row.integer).map { RecordNumber($0) }
        remark = try row.optional("remark", row.text)
    }
}

extension FieldFault.Field {
    fileprivate var column: String {
        switch self {
        case .phase: "phase"
        case .mac3: "mac3"
        case .gmac: "sealed_gmac"
        case .icc: "icc"
        case .debits: "debit_ttc"
        case .debitTAC: "debit_tac"
        case .answer: "mac4_is_valid"
        case .settles: "settles_ttc"
        }
    }
}

extension SideLock {
    init(_ row: StoredRow) throws(StorageFault) {
        self.init(
            side: try row.integer("position"),
            since: try row.time("since"),
            reason: try row.text("reason")
        )
    }
}

extension Checkpoint {
    init(_ row: StoredRow) throws(StorageFault) {
        self.init(
            number: RecordNumber(try row.integer("ttc")),
            reading: try row.reading(),
            amount: Amount(fen: try row.integer("amount_fen")),
            nonCardPart: Amount(fen: try row.integer("non_card_part_fen")),
            gmac: try row.gmac()
        )
    }
}

extension GreyRecord {
    init(_ row: StoredRow) throws(StorageFault) {
        self.init(
            number: RecordNumber(try row.integer("ttc")),
            card: try row.element("card_asn"),
            ctc: CTC(try row.integer("ctc")),
            mac3: try row.code("mac3"),
            amount: Amount(fen: try row.integer("amount_fen")),
            gmac: try row.gmac(),
            balance: try row.optional("balance_before_fen", row.integer).map { Amount(fen: $0) },
            imported: try row.optional("imported", row.time),
            state: try row.choice("state"),
            debits: try row.debits()
        )
    }
}

extension Totaliser {
    init(_ row: StoredRow) throws(StorageFault) {
        self.init(
            nozzle: try row.integer("nozzle"),
            counts: try row.list("counts", count: StoredRow.points),
            base: Volume(microlitres: try row.integer("base_microlitres", in: StoredRow.totalRange)),
            volume: Volume(microlitres: try row.integer("volume_microlitres", in: StoredRow.totalRange)),
            fen: try row.integer("fen", in: StoredRow.totalRange),
            overrunCounts: try row.integer("overrun_counts", in: StoredRow.countRange)
        )
    }
}

extension RowValues {
    fileprivate mutating func set(_ key: KeyReference) {
        set("key_index", key.index.number)
        set("key_version", key.version.number)
    }

    /// The module's number of the lock, where it is not the row's.
    fileprivate mutating func set(lock ttc: TTC?, of number: RecordNumber) {
        set("lock_ttc", ttc.flatMap { $0.number == number.value ? nil : $0.number })
    }

    fileprivate mutating func set(_ reading: MeterReading) {
        set(list: "counts", reading.counts)
        set("volume_microlitres", reading.volume.microlitres)
        set(list: "missed_edges", reading.faults.missedEdges)
        set(list: "dead_legs", reading.faults.deadLegs)
        set(list: "sequence_gaps", reading.faults.sequenceGaps)
        set("both_together", reading.faults.bothTogether)
        set(list: "further_faults", reading.faults.further)
    }

    /// The latest in columns of its own, those before it in one.
    fileprivate mutating func set(_ debits: [DebitAttempt]) {
        precondition(debits.count <= [DebitAttempt].attemptsMax)
        let debit = debits.last
        set("debit_ttc", debit?.ttc.number)
        set(hex: "debit_type", debit?.type)
        set(hex: "debit_time", debit?.time)
        set(hex: "debit_terminal_id", debit?.terminal)
        let earlier = debits.dropLast().map { Hex.string($0.columnBytes) }
        set("earlier_debits", earlier.isEmpty ? nil : earlier.joined(separator: ","))
    }
}

extension StoredRow {
    fileprivate static let points = 1...Calibration.pointsMax
    private static let channels = PulserChannel.allCases.count...PulserChannel.allCases.count

    fileprivate func key() throws(StorageFault) -> KeyReference {
        KeyReference(index: KeyIndex(try integer("key_index")), version: KeyVersion(try integer("key_version")))
    }

    fileprivate func unitPrice() throws(StorageFault) -> UnitPrice {
        let fen: Int = try integer("unit_price_fen_per_litre")
        guard (1...UnitPrice.fenMax).contains(fen) else {
            throw fault("unit_price_fen_per_litre", "is out of range: \(fen)")
        }
        return UnitPrice(fenPerLitre: fen)
    }

    fileprivate func reading() throws(StorageFault) -> MeterReading {
        var faults = PulserFaults()
        faults.missedEdges = try list("missed_edges", count: Self.channels)
        faults.deadLegs = try list("dead_legs", count: Self.channels)
        faults.sequenceGaps = try list("sequence_gaps", count: Self.channels)
        faults.bothTogether = try integer("both_together", in: Self.countRange)
        let count = PulserFaults.furtherCount
        faults.further = try optional("further_faults") { (column) throws(StorageFault) in
            try list(column, count: count...count)
        }
        return MeterReading(
            counts: try list("counts", count: Self.points),
            volume: Volume(microlitres: try integer("volume_microlitres", in: Self.volumeRange)),
            faults: faults
        )
    }

    fileprivate func gmacIfThere() throws(StorageFault) -> SealedGMAC? {
        guard try isNull("sealed_gmac") else { return try gmac() }
        guard try isNull("lock_ttc") else { throw fault("lock_ttc", "is there without a sealed GMAC") }
        return nil
    }

    fileprivate func gmac() throws(StorageFault) -> SealedGMAC {
        let number: UInt32 = try integer("ttc")
        return SealedGMAC(
            card: try element("card_asn"),
            terminal: try element("terminal_id"),
            ttc: TTC(try optional("lock_ttc", integer) ?? number),
            ctc: CTC(try integer("ctc")),
            amount: Amount(fen: try integer("amount_fen")),
            key: try key(),
            sealed: try blob("sealed_gmac", count: SealedGMAC.sealedLength)
        )
    }

    fileprivate func debits() throws(StorageFault) -> [DebitAttempt] {
        guard try isPresent("debit_ttc", "debit_type", "debit_time", "debit_terminal_id") else {
            guard try isNull("earlier_debits") else { throw fault("earlier_debits", "is there without a latest") }
            return []
        }
        let latest = DebitAttempt(
            ttc: TTC(try integer("debit_ttc")),
            type: try element("debit_type"),
            terminal: try element("debit_terminal_id"),
            time: try time("debit_time")
        )
        return try (optional("earlier_debits", earlierDebits) ?? []) + [latest]
    }

    private func earlierDebits(_ column: String) throws(StorageFault) -> [DebitAttempt] {
        let parts = try text(column).split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count < [DebitAttempt].attemptsMax else { throw fault(column, "has too many debits") }
        var debits: [DebitAttempt] = []
        for part in parts {
            do throws(ParseError) {
                let bytes = try Hex.bytes(String(part))
                guard Hex.string(bytes) == part else { throw .invalid("debit") }
                debits.append(try DebitAttempt(columnBytes: bytes))
            } catch {
                throw fault(column, "is no list of debits: \(error)")
            }
        }
        return debits
    }

    fileprivate func totaliserAfter() throws(StorageFault) -> Totaliser? {
        let isPresent = try isPresent(
            "totaliser_nozzle",
            "totaliser_counts",
            "totaliser_base_microlitres",
            "totaliser_volume_microlitres",
            "totaliser_fen",
            "totaliser_overrun_counts"
        )
        guard isPresent else { return nil }
        return Totaliser(
            nozzle: try integer("totaliser_nozzle"),
            counts: try list("totaliser_counts", count: Self.points),
            base: Volume(microlitres: try integer("totaliser_base_microlitres", in: Self.totalRange)),
            volume: Volume(microlitres: try integer("totaliser_volume_microlitres", in: Self.totalRange)),
            fen: try integer("totaliser_fen", in: Self.totalRange),
            overrunCounts: try integer("totaliser_overrun_counts", in: Self.countRange)
        )
    }
}

extension PulserFaults {
    fileprivate static let furtherCount = 7

    /// In the order of the column; nil without any.
    fileprivate var further: [Int]? {
        get {
            let counts = silentEdges + [flowGaps] + tooFast + [reversed, switchGaps]
            return counts.contains { $0 != 0 } ? counts : nil
        }
        set {
            let counts = newValue ?? Array(repeating: 0, count: Self.furtherCount)
            silentEdges = Array(counts[0...1])
            flowGaps = counts[2]
            tooFast = Array(counts[3...4])
            reversed = counts[5]
            switchGaps = counts[6]
        }
    }
}

extension DebitAttempt {
    /// Number, type, terminal, time.
    fileprivate var columnBytes: [UInt8] { ttc.bytes + type.bytes + terminal.bytes + time.bytes }

    fileprivate init(columnBytes bytes: [UInt8]) throws(ParseError) {
        var reader = FieldReader(bytes)
        self.init(
            ttc: try reader.read("TTC"),
            type: try reader.read("type"),
            terminal: try reader.read("TID"),
            time: try reader.read("date and time")
        )
        try reader.finish("debit")
    }
}
