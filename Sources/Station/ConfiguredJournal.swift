package import Configuration
import Files
package import Journal
package import Records

extension SQLiteJournal {
    /// The journal that a configuration names, to be written.
    package convenience init(
        _ settings: Configuration.JournalFile,
        key: RecordKey,
        damageFound: @escaping @Sendable () -> Void = {},
        goesOn: () -> Void = {}
    ) throws(StorageFault) {
        try self.init(
            path: settings.path,
            capacity: settings.capacity,
            key: key,
            mark: settings.mark,
            damageFound: damageFound,
            goesOn: goesOn
        )
    }
}

extension Configuration.JournalFile {
    /// There, and open in no service: a tool may tell it something.
    var isFree: Bool { FileStamp(path) != nil && !SQLiteJournal.isInUse(path) }
}
