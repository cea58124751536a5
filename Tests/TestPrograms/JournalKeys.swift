package import Journal
package import Records
private import SecurityModule

extension SQLiteJournal {
    /// With the keys of the demonstration.
    package convenience init(
        path: String,
        capacity: Int,
        damageFound: @escaping @Sendable () -> Void = {}
    ) throws(StorageFault) {
        try self.init(path: path, capacity: capacity, key: .demonstration, damageFound: damageFound)
    }
}
