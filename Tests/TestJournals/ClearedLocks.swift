private import Quantities
package import Records

extension SaleJournal {
    /// As a technician does; also where nothing is closed.
    package func clearLock(of side: Int) throws(StorageFault) {
        let lock = try lock(of: side) ?? SideLock(side: side, since: .unknown, reason: "nothing")
        try clear(LockClearing(of: lock, at: nil, name: "T. Nician", reason: "mended"))
    }
}
