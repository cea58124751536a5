import CardCryptography
private import Synchronization

/// SplitMix64: the same numbers from the same seed on every machine.
package struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    package init(state: UInt64) { self.state = state }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    package mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    /// A seed of its own for each index.
    func offset(_ index: UInt64) -> UInt64 {
        var numbers = SplitMix64(state: state ^ index &* 0xD134_2543_DE82_EF95)
        return numbers.next()
    }
}

/// The randomness of a simulated card or module.
final class SeededRandom: RandomSource, Sendable {
    private let numbers: Mutex<SplitMix64>

    init(seed: UInt64) { numbers = Mutex(SplitMix64(state: seed)) }

    func bytes(_ count: Int) -> [UInt8] {
        numbers.withLock { numbers in (0..<count).map { _ in UInt8(truncatingIfNeeded: numbers.next()) } }
    }
}
