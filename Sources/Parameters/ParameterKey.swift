package import CardCryptography
package import FuelPassbook

/// Makes and judges the codes of parameter sets: drawn from the record key of one terminal.
package final class ParameterKey: Sendable {
    package let reference: KeyReference
    private let key: CodeKey

    /// - Parameter key: drawn from the record key that `reference` names.
    package init(_ key: consuming CodeKey, as reference: KeyReference) {
        self.reference = reference
        self.key = key
    }

    func code(_ hash: [UInt8]) -> ParameterSet.Code {
        ParameterSet.Code(reference: reference, bytes: key.code(of: hash).bytes)
    }

    /// nil of a set that was coded under another key.
    package func isAuthentic(_ set: ParameterSet) -> Bool? {
        guard set.code.reference == reference else { return nil }
        return key.code(of: set.hash).isValid(set.code.bytes)
    }
}
