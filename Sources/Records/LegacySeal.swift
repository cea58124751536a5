import CardCryptography

/// The seal of versions of this program before terminals had one each: one for all of them, and it opens only. A journal may
/// still have open grey records under it.
final class LegacySeal: Sendable {
    private let key: SealingKey

    init(_ root: borrowing DoubleLengthKey) { key = SealingKey(from: root, label: "GL-GMAC") }

    func open(_ gmac: SealedGMAC) -> [UInt8]? { key.open(gmac.sealed, context: gmac.contextWithoutTerminal) }
}
