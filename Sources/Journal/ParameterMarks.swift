package import Parameters
package import Records

extension ParameterMark: TableRow {
    static let columns = TableColumns<ParameterMark>(
        .parameterMark,
        Columns(
            { side, version, hash, calibration, configuration in
                ParameterMark(
                    side: side,
                    version: version.number,
                    hash: hash.bytes,
                    counters: ParameterSet.Counters(
                        calibration: calibration.number,
                        configuration: configuration.number
                    )
                )
            },
            column("position") { $0.side },
            column("version") { Within<SealBounds>($0.version) },
            column("hash") { Digest($0.hash) },
            column("calibration_counter") { Within<SealBounds>($0.counters.calibration) },
            column("configuration_counter") { Within<SealBounds>($0.counters.configuration) }
        )
    )
}

private enum SealBounds: Bounds { static let range = 1...1 << 31 }

extension SQLiteJournal {
    /// How far the parameters of a side had come; nil where none was ever in force.
    ///
    /// - Throws: `StorageFault` also for a row that is not believed.
    package func parameterMark(of side: Int) throws(StorageFault) -> ParameterMark? {
        try row(Int64(side), "read the version of parameters")
    }

    /// On disk when this returns. Whoever calls has judged that it goes on from the one that is there.
    package func note(_ mark: ParameterMark) throws(StorageFault) {
        guard try parameterMark(of: mark.side) != mark else { return }
        try commitRows("note the version of parameters") { try $0.replace(mark) }
        // So that a copy of the journal from before, with an older book, is known for one.
        markEnd()
    }
}

extension JournalReader {
    /// By side; without those that are not believed.
    package func parameterMarks() throws(StorageFault) -> [ParameterMark] { try values("ORDER BY position") }
}
