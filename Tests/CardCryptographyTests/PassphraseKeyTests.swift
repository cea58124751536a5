import CardCryptography
import Testing

struct PassphraseKeyTests {
    /// RFC 7914, section 12: the third vector, of which 32 bytes of key are the first half.
    @Test func drawsThePublishedKey() {
        var passphrase = Array("pleaseletmein".utf8)
        let key = PassphraseKey.derive(
            from: LockedBuffer(wiping: &passphrase),
            salt: Array("SodiumChloride".utf8),
            costExponent: 14
        )
        let published = LockedBuffer(
            hexadecimal: "7023BDCB3AFD7348461C06CD81FD38EBFDA8FBBA904F8E3EA9B543F6545DA1F2"
        )
        let same = key.isEqual(to: published)
        #expect(same)
    }

    @Test func secretsOfTheSystemDiffer() {
        let one = SystemRandom().secret(16)
        let other = SystemRandom().secret(16)
        let same = one.isEqual(to: other)
        #expect(!same)
    }

    @Test func aSecretComesBackIntoLockedMemory() {
        var passphrase = Array("a passphrase".utf8)
        let key = SealingKey(passphrase: LockedBuffer(wiping: &passphrase), salt: [1, 2, 3])
        let secret = SystemRandom().secret(40)
        let sealed = key.seal(secret, context: [7], random: SystemRandom())
        guard let opened = key.openSecret(sealed, context: [7]) else {
            Issue.record("it does not open")
            return
        }
        let same = opened.isEqual(to: secret)
        #expect(same)
        for length in 0..<sealed.count {
            switch key.openSecret(Array(sealed.prefix(length)), context: [7]) {
            case .some: Issue.record("\(length) bytes open")
            case nil: continue
            }
        }
    }
}
