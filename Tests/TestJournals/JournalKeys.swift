package import Journal
package import Quantities
package import Records
private import SecurityModule

extension SQLiteJournal {
    /// With the keys of the demonstration.
    package convenience init(
        path: String,
        capacity: Int,
        mark: String? = nil,
        damageFound: @escaping @Sendable () -> Void = {}
    ) throws(StorageFault) {
        try self.init(path: path, capacity: capacity, key: .demonstration, mark: mark, damageFound: damageFound)
    }

    package static func accept(
        path: String,
        mark: String?,
        reason: String,
        time: TransactionTime?
    ) throws(StorageFault) -> RecordNumber {
        try accept(path: path, key: .demonstration, mark: mark, reason: reason, time: time)
    }
}
