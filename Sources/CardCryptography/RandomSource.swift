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
}
