import FuelPassbook
import Quantities
import Records

// The columns of what stands beside the records.

extension Checkpoint: TableRow {
    static let columns = TableColumns<Checkpoint>(
        .checkpoint,
        Columns(
            { (number, reading, nonCardPart, seal, amount) throws(ColumnFault) in
                Checkpoint(
                    number: number,
                    reading: reading,
                    amount: amount,
                    nonCardPart: nonCardPart,
                    gmac: try seal.gmac(of: number, amount)
                )
            },
            column("ttc") { $0.number },
            MeterReading.columns.of { $0.reading },
            column("non_card_part_fen") { $0.nonCardPart },
            Seal.columns.of { Seal($0.gmac, of: $0.number) },
            column("amount_fen") { $0.amount }
        )
    )
}

extension GreyRecord: TableRow {
    static let columns = TableColumns<GreyRecord>(
        .greyRecord,
        Columns(
            { (number, seal, balance, mac3, amount, state, imported, debits) throws(ColumnFault) in
                let gmac = try seal.gmac(of: number, amount)
                let fields = GreyRecordFields(
                    number,
                    mac3: mac3.bytes,
                    gmac: gmac,
                    balance: balance,
                    imported: imported,
                    state,
                    debits
                )
                do throws(FieldFault) { return try GreyRecord(fields) } catch {
                    throw ColumnFault(error.field.column, error.reason)
                }
            },
            column("ttc") { $0.number },
            Seal.columns.of { Seal($0.gmac, of: $0.number) },
            column("balance_before_fen") { $0.balance },
            column("mac3") { Code($0.mac3) },
            column("amount_fen") { $0.amount },
            column("state") { $0.state },
            column("imported") { $0.imported },
            Debits.columns.of { $0.debits }
        )
    )
}

extension Totaliser: TableRow {
    static let columns = TableColumns<Totaliser>(.totaliser, prefixed(""))

    /// - Parameter prefix: of the columns' names.
    static func prefixed(_ prefix: String) -> Columns<Totaliser, Totaliser> {
        Columns(
            { nozzle, counts, base, volume, fen, _ in
                Totaliser(
                    nozzle: nozzle,
                    counts: counts.numbers,
                    base: Volume(microlitres: base.number),
                    volume: Volume(microlitres: volume.number),
                    fen: fen.number
                )
            },
            column(prefix + "nozzle") { $0.nozzle },
            column(prefix + "counts") { Counts<PointBounds>($0.counts) },
            column(prefix + "base_microlitres") { Within<TotalBounds>($0.base.microlitres) },
            column(prefix + "volume_microlitres") { Within<TotalBounds>($0.volume.microlitres) },
            column(prefix + "fen") { Within<TotalBounds>($0.fen) },
            // Until schema 6 the overrun stood here.
            column(prefix + overrunColumn) { _ in Within<CountBounds>(0) }
        )
    }

    static let overrunColumn = "overrun_counts"
}

extension Overrun: TableRow {
    static let columns = TableColumns<Overrun>(
        .overrun,
        Columns(
            { nozzle, counts, main, slow, changeOver in
                Overrun(
                    nozzle: nozzle,
                    counts: counts.number,
                    main: main.times,
                    slow: slow.times,
                    changeOver: changeOver.times
                )
            },
            column("nozzle") { $0.nozzle },
            column("counts") { Within<CountBounds>($0.counts) },
            column("main_microseconds") { StoredTimes($0.main) },
            column("slow_microseconds") { StoredTimes($0.slow) },
            column("change_over_microseconds") { StoredTimes($0.changeOver) }
        )
    )
}

extension SideLock: TableRow {
    static let columns = TableColumns<SideLock>(
        .sideLock,
        Columns(
            { SideLock(side: $0, since: $1, reason: $2) },
            column("position") { $0.side },
            column("since") { $0.since },
            column("reason") { $0.reason }
        )
    )
}

extension ClockAcceptance: TableRow {
    static let columns = TableColumns<ClockAcceptance>(
        .clockAcceptance,
        Columns(
            ClockAcceptance.init,
            column("after_ttc") { $0.after },
            column("accepted") { $0.accepted },
            column("behind") { $0.behind },
            column("accepted_utc") { $0.acceptedUTC },
            column("behind_utc") { $0.behindUTC }
        )
    )
}

extension StationTime: TableRow {
    static let columns = TableColumns<StationTime>(
        .clockFloor,
        Columns(
            { StationTime(utcSeconds: $1, local: $2) },
            column("id") { _ in Within<OneRowBounds>(1) },
            column("utc") { $0.utcSeconds },
            column("local") { $0.local }
        )
    )
}

extension Numbering: TableRow {
    static let columns = TableColumns<Numbering>(
        .numbering,
        Columns(
            { (_, identity, reserved, isMarked) throws(ColumnFault) in
                guard isIdentity(identity) else {
                    throw ColumnFault("identity", "is not 32 upper-case hexadecimal digits")
                }
                return Numbering(identity: identity, reserved: reserved, isMarked: isMarked)
            },
            column("journal") { _ in Within<OneRowBounds>(1) },
            column("identity") { $0.identity },
            column("reserved") { $0.reserved },
            column("is_marked") { $0.isMarked }
        )
    )
}

extension JournalAcceptance: TableRow {
    static let columns = TableColumns<JournalAcceptance>(
        .acceptance,
        Columns(
            JournalAcceptance.init,
            column("number") { $0.number },
            column("accepted") { $0.time },
            column("reason") { $0.reason },
            column("standing") { $0.standing },
            column("reserved") { $0.reserved },
            column("after_ttc") { $0.after }
        )
    )
}

extension ServiceRun: TableRow {
    static let columns = TableColumns<ServiceRun>(
        .serviceRun,
        Columns(
            ServiceRun.init,
            column("run") { $0.number },
            column("begun") { $0.begun },
            column("uncounted_since") { $0.uncountedSince },
            column("follows_unclean_end") { $0.followsUncleanEnd },
            column("ended") { $0.lastCounted },
            column("has_ended") { $0.hasEnded }
        )
    )
}
