import CardApplication
import CardCryptography
import FuelPassbook
import ISO7816
import Issuer
import KeyCustody
import Testing
import VirtualCards

struct KeyStoreTests {
    private static let passphrase = "correct horse battery"
    private static let now: Int64 = 1_795_680_000

    @Test func theKeysComeBack() throws {
        let store = demonstrationStore()
        let opened = try open(sealed(store))
        #expect(opened.index == KeyIndex(7) && opened.newest.reference.version == KeyVersion(9))
        for master in MasterKey.allCases {
            let published = DoubleLengthKey(master.demonstration).checkValue()
            #expect(opened.newest.checkValue(of: master) == published, "\(master)")
        }
        let card = try VirtualCard(
            stored: DemonstrationCard.image(),
            memory: VolatileCardMemory(image: DemonstrationCard.image()),
            scheme: opened.newest.schemeKeys()
        )
        #expect(card.image.balance == Demonstration.balance)
    }

    /// Both sets have other values for each key, so a key in another's place is found.
    @Test func eachMasterTakesItsPlace() throws {
        let scheme = try open(sealed(demonstrationStore())).newest.schemeKeys()
        let published = Demonstration.schemeKeys
        for master in MasterKey.allCases {
            #expect(scheme[master].checkValue() == published[master].checkValue(), "\(master)")
        }
    }

    @Test func noEightBytesOfAKeyStandInTheFile() {
        let file = sealed(demonstrationStore())
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
        #expect(one[..<8] == other[..<8] && one[8..<24] != other[8..<24] && one[32..<44] != other[32..<44])
    }

    @Test(arguments: [
        "correct horse batterz", "correct horse batter", "Correct horse battery", "correct horse battery ",
    ])
    func aWrongPassphraseIsRefused(_ wrong: String) {
        #expect(refusal(sealed(demonstrationStore()), passphrase: wrong) == .passphraseWrongOrAltered)
    }

    @Test func newKeysAreNew() {
        let (one, other) = (newStore().newest, newStore().newest)
        var values: Set<[UInt8]> = []
        for master in MasterKey.allCases {
            values.insert(one.checkValue(of: master))
            values.insert(other.checkValue(of: master))
        }
        #expect(values.count > MasterKey.allCases.count)
    }

    @Test func aCardIsNotServedWithOtherKeys() {
        let image = DemonstrationCard.image()
        let keys = newStore().newest.schemeKeys()
        #expect(throws: VirtualCardRefusal.otherKeys) {
            _ = try VirtualCard(stored: image, memory: VolatileCardMemory(image: image), scheme: keys)
        }
    }

    private func demonstrationStore() -> KeyStore {
        let text = MasterKey.allCases.map(\.demonstrationText).joined()
        return KeyStore(
            converting: SchemeKeys(LockedBuffer(hexadecimal: text)),
            KeyReference(index: KeyIndex(7), version: KeyVersion(9)),
            at: Self.now
        )
    }

    private func newStore() -> KeyStore {
        KeyStore(generating: KeyReference(index: KeyIndex(1), version: KeyVersion(1)), at: Self.now)
    }

    private func sealed(_ store: KeyStore) -> [UInt8] {
        store.sealed(under: locked(Self.passphrase), random: SystemRandom())
    }

    private func open(_ file: [UInt8], passphrase: String = Self.passphrase) throws(KeyStoreFault) -> KeyStore {
        try KeyStore(opening: file, passphrase: locked(passphrase), at: Self.now)
    }

    private func refusal(_ file: [UInt8], passphrase: String = Self.passphrase) -> KeyStoreFault? {
        do throws(KeyStoreFault) {
            _ = try open(file, passphrase: passphrase)
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
