private import COpenSSL

extension LockedBuffer {
    /// Each byte gets the parity bit that DES gives its keys: an odd number of ones.
    package mutating func setOddParity() {
        withMutableSpan { bytes in
            for index in bytes.indices {
                let key = bytes[index] & 0xFE
                bytes[index] = key | UInt8(truncatingIfNeeded: key.nonzeroBitCount + 1) & 1
            }
        }
    }

    /// Whether 8 bytes with odd parity are one of the 4 weak or 12 semi-weak keys of DES (NIST SP 800-67, 3.3.2).
    /// The corresponding C function is `DES_is_weak_key`.
    package var isWeakDESKey: Bool {
        get {
            precondition(count == DESBlock.length)
            // SAFETY: the buffer has the eight bytes of a DES_cblock, which are read inside this call.
            return unsafe withUnsafeBase {
                unsafe DES_is_weak_key($0.assumingMemoryBound(to: const_DES_cblock.self)) != 0
            }
        }
    }
}
