import Dispenser
import FuelPassbook
import GRDB
import Metering
import SecurityModule

// Each value beside its columns: written, then read in the same order. What is checked before a write is what its
// reader relies on: a seal belongs to the card, TTC, CTC, amount and key of its own row.

extension Database {
    func replace(_ record: SaleRecord) throws {
        precondition(record.gmac?.isSeal(of: record.card, record.ttc, record.ctc, record.amount, record.key) ?? true)
        var row = RowValues()
        row.set("ttc", record.ttc.number)
        row.set("kind", record.kind.rawValue)
        row.set("phase", record.phase.rawValue)
        row.set("position", record.position)
        row.set(hex: "terminal_id", record.terminal)
        row.set(hex: "lock_time", record.lockTime)
        row.set(hex: "end_time", record.endTime)
        row.set(hex: "card_asn", record.card)
        row.set(record.key)
        row.set("balance_before_fen", record.balanceBefore.fen)
        row.set("ctc", record.ctc.number)
        row.set(code: "mac3", record.mac3)
        row.set(code: "lock_tac", record.lockTAC)
        row.set(hex: "icc", record.icc)
        row.set("nozzle", record.nozzle)
        row.set("grade", record.grade)
        row.set("unit_price_fen_per_litre", record.unitPrice.fenPerLitre)
        row.set(record.reading)
        row.set("amount_fen", record.amount.fen)
        row.set("non_card_part_fen", record.nonCardPart.fen)
        row.set(blob: "sealed_gmac", record.gmac?.sealed)
        row.set(record.debit)
        row.set(code: "debit_tac", record.debitTAC)
        row.set("mac4_is_valid", record.mac4IsValid)
        row.set("mac2_is_valid", record.mac2IsValid)
        row.set("totaliser_nozzle", record.totaliser?.nozzle)
        row.set(list: "totaliser_counts", record.totaliser?.counts)
        row.set("totaliser_base_microlitres", record.totaliser?.base.microlitres)
        row.set("totaliser_volume_microlitres", record.totaliser?.volume.microlitres)
        row.set("totaliser_fen", record.totaliser?.fen)
        row.set("totaliser_overrun_counts", record.totaliser?.overrunCounts)
        row.set("settles_ttc", record.settles?.number)
        row.set("remark", record.remark)
        try replace(row, in: .sale)
    }

    func replace(_ checkpoint: Checkpoint) throws {
        let gmac = checkpoint.gmac
        precondition(gmac.ttc == checkpoint.ttc && gmac.amount == checkpoint.amount)
        var row = RowValues()
        row.set("ttc", checkpoint.ttc.number)
        row.set(hex: "card_asn", gmac.card)
        row.set(gmac.key)
        row.set("ctc", gmac.ctc.number)
        row.set(checkpoint.reading)
        row.set("amount_fen", checkpoint.amount.fen)
        row.set("non_card_part_fen", checkpoint.nonCardPart.fen)
        row.set(blob: "sealed_gmac", gmac.sealed)
        try replace(row, in: .checkpoint)
    }

    func replace(_ grey: GreyRecord) throws {
        let key = grey.gmac.key
        precondition(grey.gmac.isSeal(of: grey.card, grey.ttc, grey.ctc, grey.amount, key))
        var row = RowValues()
        row.set("ttc", grey.ttc.number)
        row.set(hex: "card_asn", grey.card)
        row.set(key)
        row.set("ctc", grey.ctc.number)
        row.set(code: "mac3", grey.mac3)
        row.set("amount_fen", grey.amount.fen)
        row.set(blob: "sealed_gmac", grey.gmac.sealed)
        row.set("state", grey.state.rawValue)
        row.set(grey.debit)
        try replace(row, in: .greyRecord)
    }

    func replace(_ totaliser: Totaliser) throws {
        var row = RowValues()
        row.set("nozzle", totaliser.nozzle)
        row.set(list: "counts", totaliser.counts)
        row.set("base_microlitres", totaliser.base.microlitres)
        row.set("volume_microlitres", totaliser.volume.microlitres)
        row.set("fen", totaliser.fen)
        row.set("overrun_counts", totaliser.overrunCounts)
        try replace(row, in: .totaliser)
    }

    func replace(_ lock: PositionLock) throws {
        var row = RowValues()
        row.set("position", lock.position)
        row.set(hex: "since", lock.since)
        row.set("reason", lock.reason)
        try replace(row, in: .positionLock)
    }
}

extension SaleRecord {
    init(_ row: StoredRow) throws(StorageFault) {
        self.init(
            ttc: TTC(try row.integer("ttc")),
            kind: try row.choice("kind"),
            phase: try row.choice("phase"),
            position: try row.integer("position"),
            terminal: try row.element("terminal_id"),
            lockTime: try row.time("lock_time"),
            card: try row.element("card_asn"),
            key: try row.key(),
            balanceBefore: Amount(fen: try row.integer("balance_before_fen")),
            ctc: CTC(try row.integer("ctc")),
            mac3: try row.optional("mac3", row.code),
            nozzle: try row.integer("nozzle"),
            grade: try row.text("grade"),
            unitPrice: try row.unitPrice(),
            reading: try row.reading(),
            amount: Amount(fen: try row.integer("amount_fen")),
            gmac: try row.isNull("sealed_gmac") ? nil : try row.gmac()
        )
        endTime = try row.optional("end_time", row.time)
        lockTAC = try row.optional("lock_tac", row.code)
        icc = try row.optional("icc", row.element)
        nonCardPart = Amount(fen: try row.integer("non_card_part_fen"))
        debit = try row.debit()
        debitTAC = try row.optional("debit_tac", row.code)
        mac4IsValid = try row.optional("mac4_is_valid", row.flag)
        mac2IsValid = try row.optional("mac2_is_valid", row.flag)
        totaliser = try row.totaliserAfter()
        settles = try row.optional("settles_ttc", row.integer).map { TTC($0) }
        remark = try row.optional("remark", row.text)
    }
}

extension PositionLock {
    init(_ row: StoredRow) throws(StorageFault) {
        self.init(
            position: try row.integer("position"),
            since: try row.time("since"),
            reason: try row.text("reason")
        )
    }
}

extension Checkpoint {
    init(_ row: StoredRow) throws(StorageFault) {
        self.init(
            ttc: TTC(try row.integer("ttc")),
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
            ttc: TTC(try row.integer("ttc")),
            card: try row.element("card_asn"),
            ctc: CTC(try row.integer("ctc")),
            mac3: try row.code("mac3"),
            amount: Amount(fen: try row.integer("amount_fen")),
            gmac: try row.gmac(),
            state: try row.choice("state"),
            debit: try row.debit()
        )
    }
}

extension Totaliser {
    init(_ row: StoredRow) throws(StorageFault) {
        self.init(
            nozzle: try row.integer("nozzle"),
            counts: try row.list("counts", count: StoredRow.points),
            base: Volume(microlitres: try row.integer("base_microlitres")),
            volume: Volume(microlitres: try row.integer("volume_microlitres")),
            fen: try row.integer("fen"),
            overrunCounts: try row.integer("overrun_counts")
        )
    }
}

extension RowValues {
    fileprivate mutating func set(_ key: KeyReference) {
        set("key_index", key.index.number)
        set("key_version", key.version.number)
    }

    fileprivate mutating func set(_ reading: MeterReading) {
        set(list: "counts", reading.counts)
        set("volume_microlitres", reading.volume.microlitres)
        set(list: "missed_edges", reading.faults.missedEdges)
        set(list: "dead_legs", reading.faults.deadLegs)
        set(list: "sequence_gaps", reading.faults.sequenceGaps)
        set("both_together", reading.faults.bothTogether)
    }

    fileprivate mutating func set(_ debit: DebitAttempt?) {
        set("debit_ttc", debit?.ttc.number)
        set(hex: "debit_type", debit?.type)
        set(hex: "debit_time", debit?.time)
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
        faults.bothTogether = try integer("both_together")
        return MeterReading(
            counts: try list("counts", count: Self.points),
            volume: Volume(microlitres: try integer("volume_microlitres")),
            faults: faults
        )
    }

    fileprivate func gmac() throws(StorageFault) -> SealedGMAC {
        SealedGMAC(
            card: try element("card_asn"),
            ttc: TTC(try integer("ttc")),
            ctc: CTC(try integer("ctc")),
            amount: Amount(fen: try integer("amount_fen")),
            key: try key(),
            sealed: try blob("sealed_gmac", count: SealedGMAC.sealedLength)
        )
    }

    fileprivate func debit() throws(StorageFault) -> DebitAttempt? {
        guard try isPresent("debit_ttc", "debit_type", "debit_time") else { return nil }
        return DebitAttempt(
            ttc: TTC(try integer("debit_ttc")),
            type: try element("debit_type"),
            time: try time("debit_time")
        )
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
            base: Volume(microlitres: try integer("totaliser_base_microlitres")),
            volume: Volume(microlitres: try integer("totaliser_volume_microlitres")),
            fen: try integer("totaliser_fen"),
            overrunCounts: try integer("totaliser_overrun_counts")
        )
    }
}

extension SealedGMAC {
    fileprivate func isSeal(
        of card: ApplicationSerialNumber,
        _ ttc: TTC,
        _ ctc: CTC,
        _ amount: Amount,
        _ key: KeyReference
    ) -> Bool {
        self.card == card && self.ttc == ttc && self.ctc == ctc && self.amount == amount && self.key == key
            && sealed.count == Self.sealedLength
    }
}
