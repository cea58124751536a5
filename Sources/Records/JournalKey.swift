package import CardCryptography
package import FuelPassbook

/// The keys of one journal: for the codes of its rows, and to seal what it knows of all of them together.
///
/// Drawn from the record key and the journal's own identity, so that a row of another journal is told, and bound to
/// nothing that a setting can change.
package final class JournalKey: Sendable {
    /// What journals are told apart by; random.
    package static let identityLength = 16

    /// Of the record key.
    package let reference: KeyReference
    package let identity: [UInt8]
    private let rows: CodeKey
    private let state: SealingKey
    private let random: any RandomSource & Sendable

    init(
        _ key: borrowing CodeKey,
        reference: KeyReference,
        identity: [UInt8],
        random: any RandomSource & Sendable
    ) {
        precondition(identity.count == Self.identityLength)
        self.reference = reference
        self.identity = identity
        self.random = random
        rows = key.child(of: Array("rows".utf8) + identity)
        state = key.sealingKey(of: Array("state".utf8) + identity)
    }

    package func code(of row: [UInt8]) -> StoredCode { rows.code(of: row) }

    package func seal(_ plain: [UInt8], context: [UInt8]) -> [UInt8] {
        state.seal(plain, context: context, random: random)
    }

    /// nil when the sealed value or its context was altered, or another key sealed it.
    package func open(_ sealed: [UInt8], context: [UInt8]) -> [UInt8]? { state.open(sealed, context: context) }
}
