import CardCryptography
import Testing

struct SealingKeyTests {
    private let plain: [UInt8] = [0xDE, 0xAD, 0xBE, 0xEF]
    private let context: [UInt8] = [1, 2, 3]

    @Test func opensWhatItSealed() {
        let sealed = key().seal(plain, context: context, random: SystemRandom())
        #expect(sealed.count == SealingKey.nonceLength + plain.count + SealingKey.tagLength)
        #expect(key().open(sealed, context: context) == plain)
    }

    @Test func refusesEverySingleBitFlipAndEveryPrefix() {
        let key = key()
        let sealed = key.seal(plain, context: context, random: SystemRandom())
        for bit in 0..<sealed.count * 8 {
            var altered = sealed
            altered[bit / 8] ^= 1 << (bit % 8)
            #expect(key.open(altered, context: context) == nil, "bit \(bit)")
        }
        for length in 0..<sealed.count {
            #expect(key.open(Array(sealed.prefix(length)), context: context) == nil, "\(length) bytes")
        }
        #expect(key.open(sealed + [0], context: context) == nil)
    }

    @Test func refusesAnotherContextAnotherLabelAndAnotherMaster() {
        let sealed = key().seal(plain, context: context, random: SystemRandom())
        #expect(key().open(sealed, context: [1, 2]) == nil)
        #expect(key().open(sealed, context: [1, 2, 4]) == nil)
        #expect(SealingKey(from: master(0), label: "GL-TWO.").open(sealed, context: context) == nil)
        #expect(SealingKey(from: master(1), label: "GL-ONE.").open(sealed, context: context) == nil)
    }

    @Test func aSecretIsComparedWithoutBeingOpened() {
        var bytes = plain
        let sealed = key().seal(LockedBuffer(wiping: &bytes), context: context, random: SystemRandom())
        #expect(opens(sealed, context, plain))
        #expect(!opens(sealed, [], plain))
        #expect(!opens(Array(sealed.dropLast()), context, plain))
        for bit in 0..<32 {
            var altered = plain
            altered[bit / 8] ^= 1 << (bit % 8)
            #expect(!opens(sealed, context, altered), "bit \(bit)")
        }
    }

    private func opens(_ sealed: [UInt8], _ context: [UInt8], _ secret: [UInt8]) -> Bool {
        var bytes = secret
        return key().opens(sealed, context: context, to: LockedBuffer(wiping: &bytes))
    }

    private func key() -> SealingKey { SealingKey(from: master(0), label: "GL-ONE.") }

    private func master(_ first: UInt8) -> DoubleLengthKey {
        doubleLengthKey(Array(first..<first + 16).map { $0 << 1 })
    }
}
