import FuelPassbook
import Metering
import Quantities
import Records
import SQLite

// The columns of each table that holds records. What a seal is bound to stands in the columns of its own row.

extension Record: TableRow {
    static let columns = TableColumns<Record>(
        .sale,
        Columns(
            { (fields: RecordFields) throws(ColumnFault) in
                let record: Record
                do throws(FieldFault) { record = try Record(fields) } catch {
                    throw ColumnFault(error.field.column, error.reason)
                }
                try fields.requireWhole(record)
                return record
            },
            RecordFields.columns.of { RecordFields($0) }
        )
    )
}

extension RecordFields {
    static let columns = Columns<RecordFields, RecordFields>(
        RecordFields.ofColumns,
        RecordHead.columns.of { $0.head },
        column("kind") { $0.kind },
        column("phase") { $0.phase },
        CardStanding.columns.of { $0.standing },
        column("mac3") { Code.ifThere($0.mac3) },
        column("lock_tac") { Code.ifThere($0.lockTAC) },
        column("icc") { $0.icc },
        Delivery.columns.of { $0.delivery },
        column("amount_fen") { $0.amount },
        column("non_card_part_fen") { $0.nonCardPart },
        column("sealed_gmac") { $0.gmac.map { SealedBytes($0.sealed) } },
        column("lock_ttc") { TTC?(ofLock: $0.gmac, $0.head.number) },
        Debits.columns.of { $0.debits },
        column("debit_tac") { Code.ifThere($0.debitTAC) },
        column("mac4_is_valid") { $0.mac4IsValid },
        column("mac2_is_valid") { $0.mac2IsValid },
        column("settles_ttc") { $0.settles }
    )

    /// As the columns stand; what no card pays follows from price and amount.
    private static func ofColumns(
        head: RecordHead,
        kind: RecordKind,
        phase: RecordPhase,
        standing: CardStanding,
        mac3: Code?,
        lockTAC: Code?,
        icc: ICCRandom?,
        delivery: Delivery,
        amount: Amount,
        _: Amount,
        sealed: SealedBytes?,
        lock: TTC?,
        debits: Debits,
        debitTAC: Code?,
        mac4IsValid: Bool?,
        mac2IsValid: Bool?,
        settles: RecordNumber?
    ) throws(ColumnFault) -> RecordFields {
        guard sealed != nil || lock == nil else { throw ColumnFault("lock_ttc", "is there without a sealed GMAC") }
        let seal = sealed.map {
            Seal(
                card: standing.card,
                terminal: head.terminal,
                key: standing.key,
                ctc: standing.ctc,
                sealed: $0,
                lock: lock
            )
        }
        var fields = RecordFields(
            head,
            kind,
            phase,
            standing,
            mac3: mac3?.bytes,
            delivery: delivery,
            amount: amount,
            gmac: try seal?.gmac(of: head.number, amount)
        )
        (fields.lockTAC, fields.icc) = (lockTAC?.bytes, icc)
        (fields.debits, fields.debitTAC) = (debits, debitTAC?.bytes)
        (fields.mac4IsValid, fields.mac2IsValid, fields.settles) = (mac4IsValid, mac2IsValid, settles)
        return fields
    }
}

extension RecordFields {
    /// - Throws: ``ColumnFault`` for a value that the record's kind and phase have not: writing the record would leave it out.
    fileprivate func requireWhole(_ record: Record) throws(ColumnFault) {
        var written = RecordFields(record)
        written.takeEarlierForms(of: self)
        guard written != self else { return }
        var (cells, others): ([ColumnValue], [ColumnValue]) = ([], [])
        Self.columns.write(self, &cells)
        Self.columns.write(written, &others)
        let column = Self.columns.definitions.indices.first { cells[$0] != others[$0] }
        throw ColumnFault(
            column.map { Self.columns.definitions[$0].name } ?? "phase",
            "is none of a record of kind \(kind.rawValue) in phase \(phase.rawValue)"
        )
    }

    /// What versions until schema 3 wrote otherwise: of a claim a reading of zeros for each calibration point, of fuel outside any
    /// sale the index of the key that cards had.
    private mutating func takeEarlierForms(of stored: RecordFields) {
        let reading = stored.delivery.reading
        switch kind {
        case .localUnlock, .onlineUnlock, .refund:
            if reading == .none(points: reading.counts.count) { delivery.reading = reading }
        case .noCard:
            if stored.standing == .none(index: stored.standing.key.index) { standing = stored.standing }
        case .sale, .escape, .cardFault, .prepaid, .test: break
        }
    }
}

extension RecordHead {
    static let columns = Columns<RecordHead, RecordHead>(
        RecordHead.init,
        column("ttc") { $0.number },
        column("position") { $0.side },
        column("terminal_id") { $0.terminal },
        column("lock_time") { $0.begun },
        column("end_time") { $0.ended },
        Totaliser.prefixed("totaliser_").ifThere { $0.totaliser },
        column("remark") { $0.remark },
        SoftwareIdentification.columns.ifThere { $0.identification }
    )
}

extension SoftwareIdentification {
    static let columns = Columns<SoftwareIdentification, SoftwareIdentification>(
        { SoftwareIdentification(version: $0, program: $1.bytes, parametersVersion: $2, parameters: $3.bytes) },
        column("program_version") { $0.version },
        column("program_sha256") { Digest($0.program) },
        column("parameters_version") { $0.parametersVersion },
        column("parameters_hash") { Digest($0.parameters) }
    )
}

extension CardStanding {
    static let columns = Columns<CardStanding, CardStanding>(
        CardStanding.init,
        column("card_asn") { $0.card },
        KeyReference.columns.of { $0.key },
        column("balance_before_fen") { $0.balance },
        column("ctc") { $0.ctc }
    )
}

extension KeyReference {
    static let columns = Columns<KeyReference, KeyReference>(
        KeyReference.init,
        column("key_index") { $0.index },
        column("key_version") { $0.version }
    )
}

extension Delivery {
    static let columns = Columns<Delivery, Delivery>(
        Delivery.init,
        column("nozzle") { $0.nozzle },
        column("grade") { $0.grade },
        column("unit_price_fen_per_litre") { $0.unitPrice },
        MeterReading.columns.of { $0.reading }
    )
}

extension MeterReading {
    static let columns = Columns<MeterReading, MeterReading>(
        { MeterReading(counts: $0.numbers, volume: Volume(microlitres: $1.number), faults: $2) },
        column("counts") { Counts<PointBounds>($0.counts) },
        column("volume_microlitres") { Within<VolumeBounds>($0.volume.microlitres) },
        PulserFaults.columns.of { $0.faults }
    )
}

extension PulserFaults {
    static let columns = Columns<PulserFaults, PulserFaults>(
        { (missed, dead, gaps, together, further) throws(ColumnFault) in
            var faults = PulserFaults()
            faults.missedEdges = missed.numbers
            faults.deadLegs = dead.numbers
            faults.sequenceGaps = gaps.numbers
            faults.bothTogether = together.number
            faults.further = further?.numbers
            // Each reading has one form: what is not there is not written as zeros.
            guard faults.further == further?.numbers else {
                throw ColumnFault("further_faults", "is not as it is written")
            }
            return faults
        },
        column("missed_edges") { Counts<ChannelBounds>($0.missedEdges) },
        column("dead_legs") { Counts<ChannelBounds>($0.deadLegs) },
        column("sequence_gaps") { Counts<ChannelBounds>($0.sequenceGaps) },
        column("both_together") { Within<CountBounds>($0.bothTogether) },
        column("further_faults") { $0.further.map { Counts<FurtherFaultBounds>($0) } }
    )

    /// In the order of the column; nil without any. A reading without noise has seven numbers, as all had before noise was told
    /// from ``tooFast``.
    private var further: [Int]? {
        get {
            let counts = silentEdges + [flowGaps] + tooFast + [reversed, switchGaps]
            if noise != [0, 0] { return counts + noise }
            return counts.contains { $0 != 0 } ? counts : nil
        }
        set {
            guard let counts = newValue else { return }
            silentEdges = Array(counts[0...1])
            flowGaps = counts[2]
            tooFast = Array(counts[3...4])
            reversed = counts[5]
            switchGaps = counts[6]
            if counts.count == 9 { noise = Array(counts[7...8]) }
        }
    }
}

extension Debits {
    /// The latest in columns of its own, those before it in one.
    static let columns = Columns<Debits, Debits>(
        { (latest, earlier) throws(ColumnFault) in
            guard let latest else {
                if earlier != nil { throw ColumnFault("earlier_debits", "is there without a latest") }
                return []
            }
            return (earlier?.debits ?? []) + [latest]
        },
        DebitAttempt.columns.ifThere(\.last),
        column("earlier_debits") { $0.count > 1 ? EarlierDebits($0.dropLast()) : nil }
    )
}

extension DebitAttempt {
    static let columns = Columns<DebitAttempt, DebitAttempt>(
        DebitAttempt.init,
        column("debit_ttc") { $0.ttc },
        column("debit_type") { $0.type },
        column("debit_terminal_id") { $0.terminal },
        column("debit_time") { $0.time }
    )
}

/// A GMAC in the columns of a row that has its number and amount.
struct Seal {
    let card: ApplicationSerialNumber
    let terminal: TerminalID
    let key: KeyReference
    let ctc: CTC
    let sealed: SealedBytes
    let lock: TTC?

    static let columns = Columns<Seal, Seal>(
        Seal.init(card:terminal:key:ctc:sealed:lock:),
        column("card_asn") { $0.card },
        column("terminal_id", isAdded: true) { $0.terminal },
        KeyReference.columns.of { $0.key },
        column("ctc") { $0.ctc },
        column("sealed_gmac") { $0.sealed },
        column("lock_ttc") { $0.lock }
    )

    func gmac(of number: RecordNumber, _ amount: Amount) throws(ColumnFault) -> SealedGMAC {
        SealedGMAC(
            card: card,
            terminal: terminal,
            ttc: try lock.ofLock(number),
            ctc: ctc,
            amount: amount,
            key: key,
            sealed: sealed.bytes
        )
    }
}

extension Seal {
    init(_ gmac: SealedGMAC, of number: RecordNumber) {
        self.init(
            card: gmac.card,
            terminal: gmac.terminal,
            key: gmac.key,
            ctc: gmac.ctc,
            sealed: SealedBytes(gmac.sealed),
            lock: TTC?(ofLock: gmac, number)
        )
    }
}

extension TTC? {
    /// The module's number of the lock that a GMAC is bound to, where it is not the row's.
    fileprivate init(ofLock gmac: SealedGMAC?, _ number: RecordNumber) {
        self = gmac.flatMap { $0.ttc.number == number.value ? nil : $0.ttc }
    }

    fileprivate func ofLock(_ number: RecordNumber) throws(ColumnFault) -> TTC {
        guard self?.number != number.value else { throw ColumnFault("lock_ttc", "is the row's own number") }
        return self ?? TTC(number.value)
    }
}

extension FieldFault.Field {
    var column: String {
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
