package import CardCryptography

/// Why a key protects nothing, however it comes.
package enum KeyWeakness: Equatable, Sendable {
    /// Both halves are the same: single DES.
    case equalHalves
    /// One half is one of DES's weak or semi-weak keys; of AES, all zeros.
    case weak
    /// Whoever reads the project's sources or a standard has it.
    case published

    /// nil of a key that may be used.
    ///
    /// - Parameter raw: of triple DES two keys, with whatever parity.
    package init?(of raw: borrowing LockedBuffer, _ cipher: BlockCipherKey.Cipher) {
        var key = raw.part(0..<raw.count)
        switch cipher {
        case .tripleDES:
            key.setOddParity()
            let left = key.part(0..<8)
            let right = key.part(8..<16)
            if left.isEqual(to: right) {
                self = .equalHalves
                return
            }
            if left.isWeakDESKey || right.isWeakDESKey {
                self = .weak
                return
            }
        case .aes:
            if key.isEqual(to: LockedBuffer(count: key.count)) {
                self = .weak
                return
            }
        }
        guard PublishedKeys.contain(key) else { return nil }
        self = .published
    }
}
