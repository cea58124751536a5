import Records
import SQLite

extension SQLiteJournal {
    /// Until schema 6 what was learnt stood in the totals. No migration can give a row its code: the first opening takes it over.
    func keepOverruns() throws(StorageFault) {
        guard writesRows else { return }
        let belief = try believing()
        let learnt = try connection.view("read the totalisers") { db in
            try db.rows(of: .totaliser, "ORDER BY nozzle").compactMap { row in
                try belief.ifBelieved { () throws(StorageFault) in try row.believed(belief).learnt() }
            }
        }
        let kept = learnt.filter { $0.overrun.counts != 0 }
        guard !kept.isEmpty else { return }
        try commitRows("keep the overruns") { writer in
            for (totaliser, overrun) in kept {
                try writer.replace(totaliser)
                try writer.replace(overrun)
            }
        }
    }
}

extension StoredRow {
    fileprivate func learnt() throws(StorageFault) -> (totaliser: Totaliser, overrun: Overrun) {
        let totaliser = try Totaliser(self)
        let counts: Within<CountBounds> = try value(Totaliser.overrunColumn)
        return (totaliser, Overrun(nozzle: totaliser.nozzle, counts: counts.number))
    }
}
