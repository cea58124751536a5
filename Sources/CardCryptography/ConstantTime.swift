private import COpenSSL

package enum ConstantTime {
    /// Whether both hold the same bytes. The corresponding C function is `CRYPTO_memcmp`.
    package static func isEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        unsafe left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
    }
}
