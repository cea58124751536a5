private import COpenSSL

/// Where challenges, the card's ICC and nonces come from: the system, or a seeded generator in a simulation.
package protocol RandomSource: AnyObject {
    func bytes(_ count: Int) -> [UInt8]
}

/// The operating system's generator through libcrypto. The corresponding C function is `RAND_bytes`.
package final class SystemRandom: RandomSource, Sendable {
    package init() {}

    package func bytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let result = unsafe RAND_bytes(&bytes, Int32(count))
        precondition(result == 1, "the system has no randomness")
        return bytes
    }

    /// Secret bytes, drawn where they stay. The corresponding C function is `RAND_priv_bytes`.
    package func secret(_ count: Int) -> LockedBuffer {
        let secret = LockedBuffer(count: count)
        // SAFETY: the pointer covers the buffer's bytes and is used inside the closure only.
        let result = unsafe secret.withUnsafeBase { base in
            unsafe RAND_priv_bytes(base.assumingMemoryBound(to: UInt8.self), Int32(count))
        }
        precondition(result == 1, "the system has no randomness")
        return secret
    }
}
