import CardApplication
import CardCryptography
import FuelPassbook
import ISO7816
import Issuer
import Testing
import VirtualCards

struct KeyStoreTests {
    private static let passphrase = "correct horse battery"

    @Test func theKeysComeBack() throws {
        let store = demonstrationStore()
        let opened = try open(sealed(store))
        #expect(opened.index == KeyIndex(7) && opened.version == KeyVersion(9))
        for master in MasterKey.allCases {
            #expect(opened.checkValue(of: master) == DoubleLengthKey(master.demonstration).checkValue(), "\(master)")
        }
        let card = try VirtualCard(
            stored: DemonstrationCard.image(),
            memory: VolatileCardMemory(image: DemonstrationCard.image()),
            scheme: opened.keys
        )
        #expect(card.image.balance == Demonstration.balance)
    }

    /// Both sets have other values for each key, so a key in another's place is found.
    @Test func eachMasterTakesItsPlace() throws {
        let scheme = try open(sealed(demonstrationStore())).schemeKeys()
        let published = Demonstration.schemeKeys
        for master in MasterKey.allCases {
            #expect(scheme[master].checkValue() == published[master].checkValue(), "\(master)")
        }
    }

    @Test func noEightBytesOfAKeyStandInTheFile() {
        let file = sealed(demonstrationStore())
        #expect(file.count == KeyStore.fileLength && file.count == 230)
        let windows = Set((0...file.count - 8).map { Array(file[$0..<$0 + 8]) })
        for master in MasterKey.allCases {
            master.demonstration.withSpan { key in
                for start in 0...8 {
                    #expect(!windows.contains((start..<start + 8).map { key[$0] }), "\(master)")
                }
            }
        }
    }

    @Test func twoFilesOfTheSameKeysHaveNothingInCommonAfterTheHeader() {
        let (one, other) = (sealed(demonstrationStore()), sealed(demonstrationStore()))
        #expect(one[..<8] == other[..<8] && one[8..<24] != other[8..<24] && one[26..<38] != other[26..<38])
    }

    @Test(arguments: [
        "correct horse batterz", "correct horse batter", "Correct horse battery", "correct horse battery ",
    ])
    func aWrongPassphraseIsRefused(_ wrong: String) {
        #expect(refusal(sealed(demonstrationStore()), passphrase: wrong) == .passphraseWrongOrAltered)
    }

    @Test func everyAlteredByteIsRefused() {
        let file = sealed(demonstrationStore())
        // Where the salt is what it was, so is the key: drawing it again would only take time.
        let sealing = SealingKey(passphrase: locked(Self.passphrase), salt: Array(file[8..<24]))
        for index in file.indices {
            var altered = file
            altered[index] ^= 1 << (index % 8)
            let expected: KeyStoreError =
                switch index {
                case ..<4: .notAKeyStore
                case ..<8: .otherFormat
                case _: .passphraseWrongOrAltered
                }
            let found = (8..<24).contains(index) ? refusal(altered) : refusal(altered, sealing)
            #expect(found == expected, "byte \(index)")
        }
        #expect(refusal(file + [0]) == .passphraseWrongOrAltered)
    }

    @Test func everyTruncationIsRefused() {
        let file = sealed(demonstrationStore())
        for length in 0..<file.count {
            #expect(refusal(Array(file.prefix(length))) == .truncated, "\(length) bytes")
        }
    }

    @Test func newKeysAreNew() {
        let one = KeyStore(generating: KeyIndex(1), version: KeyVersion(1))
        let other = KeyStore(generating: KeyIndex(1), version: KeyVersion(1))
        var values: Set<[UInt8]> = []
        for master in MasterKey.allCases {
            values.insert(one.checkValue(of: master))
            values.insert(other.checkValue(of: master))
        }
        #expect(values.count > MasterKey.allCases.count)
    }

    @Test func aCardIsNotServedWithOtherKeys() {
        let image = DemonstrationCard.image()
        let store = KeyStore(generating: KeyIndex(1), version: KeyVersion(1))
        #expect(throws: VirtualCardRefusal.otherKeys) {
            _ = try VirtualCard(stored: image, memory: VolatileCardMemory(image: image), scheme: store.keys)
        }
    }

    private func demonstrationStore() -> KeyStore {
        let text = MasterKey.allCases.map(\.demonstrationText).joined()
        return KeyStore(index: KeyIndex(7), version: KeyVersion(9), SchemeKeys(LockedBuffer(hexadecimal: text)))
    }

    private func sealed(_ store: borrowing KeyStore) -> [UInt8] {
        store.sealed(under: locked(Self.passphrase), random: SystemRandom())
    }

    private func open(_ file: [UInt8], passphrase: String = Self.passphrase) throws(KeyStoreError) -> KeyStore {
        try KeyStore(opening: file, passphrase: locked(passphrase))
    }

    private func refusal(_ file: [UInt8], passphrase: String = Self.passphrase) -> KeyStoreError? {
        do throws(KeyStoreError) {
            _ = try open(file, passphrase: passphrase)
            return nil
        } catch {
            return error
        }
    }

    private func refusal(_ file: [UInt8], _ sealing: borrowing SealingKey) -> KeyStoreError? {
        do throws(KeyStoreError) {
            _ = try KeyStore(opening: file, sealing: sealing)
            return nil
        } catch {
            return error
        }
    }

    private func locked(_ text: String) -> LockedBuffer {
        var bytes = Array(text.utf8)
        return LockedBuffer(wiping: &bytes)
    }
}
