import CardCryptography
import FuelPassbook

/// Keys that are no secrets: the demonstration's, and those that standards and manuals print.
enum PublishedKeys {
    /// Of DES with odd parity.
    private static let printed = [
        "0123456789ABCDEFFEDCBA9876543210",
        "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
        "603DEB1015CA71BE2B73AEF0857D77811F352C073B6108D72D9810A30914DFF4",
        "88E1AB2A2E3DD38C1FA039A536500CC8A87AB9D62DC92C01058FA79F44657DE6",
    ]

    static func contain(_ key: borrowing LockedBuffer) -> Bool {
        for text in printed where key.isEqual(to: LockedBuffer(hexadecimal: text)) { return true }
        for master in MasterKey.allCases {
            var known = master.demonstration
            known.setOddParity()
            if key.isEqual(to: known) { return true }
        }
        return false
    }
}
