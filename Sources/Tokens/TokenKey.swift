package import KeyCustody

/// A purchase master in a token: what it is called there, and what it makes of zeros.
package struct TokenKey: Hashable, Sendable {
    /// "MPK 1 1 310000000017": terminals may share a token.
    let label: String
    /// nil of a key of which nothing is known but its name.
    let mark: TokenMark?

    package init(_ name: HeldKeyName, of terminal: String, _ mark: TokenMark? = nil) {
        label = "\(name.words) \(terminal)"
        self.mark = mark
    }

    static func isLabel(_ label: String, of terminal: String) -> Bool {
        label.hasPrefix(KeyUsage.purchaseMaster.name + " ") && label.hasSuffix(" " + terminal)
    }
}
