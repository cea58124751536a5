package import CardCryptography
package import FuelPassbook
import Quantities
package import Records

// For the demonstration and tests only (spec/grey-lock.md, section 7).

extension KeyReference {
    fileprivate static var demonstration: KeyReference {
        KeyReference(index: Demonstration.keyIndex, version: Demonstration.keyVersion)
    }
}

extension KeyHolder {
    package static var demonstration: KeyHolder {
        var keys = MasterKeys()
        keys.load(MasterKey.purchase.demonstration, as: .demonstration)
        return .lockedMemory(keys)
    }
}

extension RecordKey {
    /// The demonstration's journals were made when records were coded under MPK: its record key is the same bytes.
    package static var demonstration: RecordKey { RecordKey(MasterKey.purchase.demonstration, as: .demonstration) }
}

extension SecurityModule {
    package static func demonstration(
        at terminal: TerminalID = Demonstration.terminal,
        random: any RandomSource & Sendable = SystemRandom(),
        numbers: @escaping @Sendable (RecordNumber) -> TTC = SecurityModule.recordNumber
    ) -> SecurityModule {
        SecurityModule(
            terminal: terminal,
            keys: .demonstration,
            recordKey: .demonstration,
            random: random,
            numbers: numbers
        )
    }
}
