import Dispenser
import Journal
import SecurityModule

extension SQLiteJournal {
    /// With the keys of the demonstration.
    convenience init(
        path: String,
        capacity: Int,
        damageFound: @escaping @Sendable () -> Void = {}
    ) throws(StorageFault) {
        try self.init(path: path, capacity: capacity, keys: .demonstration, damageFound: damageFound)
    }
}
