/// The number of a record: the journal's own, given once. A TTC belongs to the module that gives it, and two modules may give
/// the same.
package struct RecordNumber: Hashable, Comparable, Sendable {
    package let value: UInt32

    package init(_ value: UInt32) { self.value = value }

    package static func < (left: RecordNumber, right: RecordNumber) -> Bool { left.value < right.value }
}
