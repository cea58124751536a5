import FuelPassbook

extension MasterKeys {
    /// For the demonstration and tests only (spec/grey-lock.md, section 7).
    package static var demonstration: MasterKeys {
        var keys = MasterKeys()
        keys.load(
            Demonstration.MasterKey.purchase.raw,
            as: KeyReference(index: Demonstration.keyIndex, version: Demonstration.keyVersion)
        )
        return keys
    }
}
