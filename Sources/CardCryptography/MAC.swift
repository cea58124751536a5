/// Four bytes of a message authentication code: MAC1 to MAC4, GMAC or TAC.
///
/// There is no `==`: a received code is judged by `isValid(_:)`, in constant time.
package struct MAC: Sendable {
    package static let length = 4

    package let bytes: [UInt8]

    package init(bytes: some Collection<UInt8>) {
        precondition(bytes.count == Self.length)
        self.bytes = Array(bytes)
    }

    init(leftOf block: DESBlock) {
        bytes = [block[0], block[1], block[2], block[3]]
    }

    /// Whether `received` is this code.
    package func isValid(_ received: MAC) -> Bool { ConstantTime.isEqual(bytes, received.bytes) }
}
