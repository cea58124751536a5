package import CardCryptography
package import FuelPassbook
import Quantities

extension TerminalKeys {
    /// The file's bytes, with a new nonce each time.
    package func sealed(under storageKey: borrowing SealingKey, random: any RandomSource) -> [UInt8] {
        KeyStoreContent(keys, erased: erased, audit: audit)
            .sealed(KeyStoreHeader(.terminal(terminal), number), under: storageKey, random: random)
    }

    /// - Parameter bytes: a whole file.
    package init(
        opening bytes: [UInt8],
        under storageKey: borrowing SealingKey,
        of terminal: TerminalID
    ) throws(KeyStoreFault) {
        let header = try KeyStoreHeader(of: bytes)
        guard case .terminal(let named) = header.holder else { throw .isIssuers }
        guard named == terminal else { throw .otherTerminal(named, expected: terminal) }
        guard let content = try KeyStoreContent<KeyUsage>(opening: bytes, header, under: storageKey) else {
            throw .storageKeyWrongOrAltered
        }
        self.init(of: terminal)
        number = header.number
        keys = content.keys
        erased = content.erased
        audit = content.audit
        try requireRules()
    }

    /// What ``load(_:_:at:)`` holds to.
    private func requireRules() throws(KeyStoreFault) {
        func count(_ usage: KeyUsage) -> Int { keys.count { $0.name.usage == usage } }
        guard count(.purchaseMaster) <= Self.mastersMax, count(.transport) <= 1, count(.record) <= 1,
            keys.count + erased.count <= Self.namesMax,
            keys.allSatisfy({ $0.origin != .generated && ($0.secret != nil || $0.name.usage == .purchaseMaster) })
        else { throw .otherFormat }
    }
}
