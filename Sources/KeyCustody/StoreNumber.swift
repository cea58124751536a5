/// Which change of which store of a terminal: it only rises, also when a lost store is begun anew, as long as the clock does.
package struct StoreNumber: Comparable, Sendable {
    /// When the store was begun, seconds of UTC since 1970; 0 before its first change.
    package let begun: UInt32
    package let change: UInt32

    /// Of a store without any key yet.
    package static let none = StoreNumber(raw: 0)

    /// In one number that rises likewise.
    package var raw: UInt64 { UInt64(begun) << 32 | UInt64(change) }

    package init(raw: UInt64) {
        begun = UInt32(raw >> 32)
        change = UInt32(truncatingIfNeeded: raw)
    }

    /// - Parameter now: seconds of UTC since 1970, for the first change of a store.
    package func next(at now: Int64) -> StoreNumber {
        self == .none ? StoreNumber(raw: UInt64(UInt32(clamping: now)) << 32 | 1) : StoreNumber(raw: raw &+ 1)
    }

    package static func < (left: StoreNumber, right: StoreNumber) -> Bool { left.raw < right.raw }
}
