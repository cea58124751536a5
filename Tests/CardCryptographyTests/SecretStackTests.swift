import CInspection
import CardCryptography
import Testing

/// Each computation with a key stays on the part of the stack that is overwritten after it. What it leaves there may
/// have any form: nothing is searched for.
struct SecretStackTests {
    private static let doubleLength = DoubleLengthKey(LockedBuffer(hexadecimal: "0123456789ABCDEFFEDCBA9876543210"))
    private static let singleLength = SingleLengthKey(LockedBuffer(hexadecimal: "0123456789ABCDEF"))
    private static let sealing = SealingKey(from: doubleLength, label: "GL-TEST")
    private static let codes = CodeKey(from: doubleLength, label: "GL-TEST")
    private static let random = FixedRandom()
    private static let block = [UInt8](repeating: 0x5A, count: 8)
    private static let message = [UInt8](repeating: 0x5A, count: 37)

    /// The system's generator uses more of the stack, and knows nothing of keys.
    private final class FixedRandom: RandomSource, Sendable {
        func bytes(_ count: Int) -> [UInt8] { [UInt8](repeating: 0x5A, count: count) }
    }

    struct Computation: CustomTestStringConvertible {
        let testDescription: String
        let run: @Sendable () -> Void
    }

    static let computations = [
        Computation(testDescription: "expansion of a double-length key") {
            _ = DoubleLengthKey(LockedBuffer(hexadecimal: "0123456789ABCDEFFEDCBA9876543210"))
        },
        Computation(testDescription: "expansion of a single-length key") {
            _ = SingleLengthKey(LockedBuffer(hexadecimal: "0123456789ABCDEF"))
        },
        Computation(testDescription: "child key") { _ = doubleLength.child(of: block) },
        Computation(testDescription: "folded child key") { _ = doubleLength.foldedChild(of: block) },
        Computation(testDescription: "session key") { _ = doubleLength.sessionKey(from: block) },
        Computation(testDescription: "MAC, algorithm 3") { _ = doubleLength.mac(of: message) },
        Computation(testDescription: "MAC, algorithm 1") { _ = singleLength.mac(of: message) },
        Computation(testDescription: "check value") { _ = doubleLength.checkValue() },
        Computation(testDescription: "encryption") { _ = doubleLength.encrypted(block) },
        Computation(testDescription: "encryption of a secret") { _ = doubleLength.encrypted(LockedBuffer(count: 8)) },
        Computation(testDescription: "decryption") { _ = doubleLength.decrypted(block) },
        Computation(testDescription: "sealing key") { _ = SealingKey(from: doubleLength, label: "GL-TEST") },
        Computation(testDescription: "sealing") { _ = sealing.seal(block, context: message, random: random) },
        Computation(testDescription: "opening") { _ = sealing.open(sealed, context: message) },
        Computation(testDescription: "code key") { _ = CodeKey(from: doubleLength, label: "GL-TEST") },
        Computation(testDescription: "code") { _ = codes.code(of: message) },
        Computation(testDescription: "code key of a purpose") { _ = codes.child(of: message) },
    ]

    private static let sealed = sealing.seal(block, context: message, random: random)

    /// What the overwriting itself needs below: a call.
    private static let ownBytesMax = 128
    /// The key's owner may end after it, and use some of what was overwritten.
    private static let zeroBytesMin = SecretStack.bytesMax / 2

    @Test(arguments: computations)
    func staysWhereItIsOverwritten(computation: Computation) {
        // The first time, symbols are looked up, and libcrypto sets itself up, before they have to do with keys.
        computation.run()
        greylock_mark_stack()
        computation.run()
        let below = greylock_used_below_zeros(Self.zeroBytesMin)
        #expect((0...Self.ownBytesMax).contains(below))
    }
}
