import FuelPassbook
import Quantities
package import Records
import SQLite

// What was ordered, and stands after a restart.

extension SideBlock: TableRow {
    static let columns = TableColumns<SideBlock>(
        .sideBlock,
        Columns(
            { SideBlock(side: $0, at: $1, user: $2, reason: $3) },
            column("position") { $0.side },
            StationTime.named("blocked").ifThere { $0.time },
            column("user") { $0.user },
            column("reason") { $0.reason }
        )
    )
}

extension DoneOrder: HistoryValue {
    static let rows = TableColumns<HistoryRow<DoneOrder>>(
        .stationOrder,
        HistoryRow.made(
            Columns(
                { DoneOrder(user: $0, key: $1, digest: $2.bytes, answer: $3, at: $4) },
                column("user_number") { $0.user },
                column("order_key") { $0.key },
                column("digest") { Digest($0.digest) },
                column("answer") { $0.answer },
                StationTime.named("done").ifThere { $0.time }
            )
        )
    )
    static let rowsMax: Int? = keptMax

    /// Of the station.
    var position: Int { 0 }
}

extension PriceOrder: HistoryValue {
    static let rows = TableColumns<HistoryRow<PriceOrder>>(
        .priceOrder,
        HistoryRow.made(
            Columns(
                { PriceOrder(side: $0, at: $1, effectiveUTC: $2, price: $3, configured: $4, user: $5) },
                column("position") { $0.side },
                StationTime.named("given").ifThere { $0.time },
                column("effective_utc") { $0.effectiveUTC },
                column("fen_per_litre") { $0.price },
                column("configured_fen_per_litre") { $0.configured },
                column("user") { $0.user }
            )
        )
    )
    static let rowsMax: Int? = keptMax

    /// Not what waits for its time, unless the configuration has spoken since: however often a price is ordered until then.
    static var whichGoes: (([PriceOrder]) -> Int)? {
        { orders in
            guard let newest = orders.last, !orders.dropFirst().contains(where: { $0.user == nil }) else { return 0 }
            let gone = orders.dropLast().firstIndex { order in
                order.effectiveUTC.map { effective in newest.time.map { effective <= $0.utcSeconds } ?? false } ?? true
            }
            return gone ?? 0
        }
    }

    var position: Int { side }
}

extension SQLiteJournal {
    package func commit(_ entry: StationEntry) throws(StorageFault) {
        try commitRows("keep an order") { writer in
            if let block = entry.block { try writer.replace(block) }
            if let side = entry.unblocked { try writer.delete(Int64(side), from: .sideBlock) }
            if let price = entry.price { try writer.append(price) }
            if let done = entry.done { try writer.append(done) }
        }
        // So that a copy of the journal from before is known for one.
        markEnd()
    }

    /// The newest that are kept, the oldest first; those that are believed.
    package func doneOrders() throws(StorageFault) -> [DoneOrder] { try ordered(0) }

    /// In the order in which they were given; those that are believed.
    package func priceOrders(of side: Int) throws(StorageFault) -> [PriceOrder] { try ordered(side) }

    /// Those that are believed.
    package func blocks() throws(StorageFault) -> [SideBlock] {
        let belief = try believing()
        return try connection.view("read which sides are blocked") { db in
            try db.believed(belief, "ORDER BY position")
        }
    }

    private func ordered<Value: HistoryValue>(_ position: Int) throws(StorageFault) -> [Value] {
        let range = HistoryRow<Value>.numbers(of: position)
        let belief = try believing()
        return try connection.view("read the orders") { db in
            let rows: [HistoryRow<Value>] = try db.believed(belief, range)
            return rows.map(\.value)
        }
    }
}

extension JournalReader {
    /// Which sides are closed by order.
    package func blocks() throws(StorageFault) -> [SideBlock] { try values("ORDER BY position") }
}
