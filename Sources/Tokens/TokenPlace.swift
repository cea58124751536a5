package import KeyFiles

/// Where a PKCS#11 token is, and what opens it.
package struct TokenPlace: Equatable, Sendable {
    /// The module's file.
    package let module: String
    /// As `softhsm2-util --show-slots` shows it, without the blanks behind it.
    package let label: String
    package let pin: StorageKeyPlace

    package init(module: String, label: String, pin: StorageKeyPlace) {
        self.module = module
        self.label = label
        self.pin = pin
    }
}

/// What a token does not do.
package struct TokenFault: Error, Equatable, Sendable {
    /// "token greylock is not there"
    package let reason: String

    package init(_ reason: String) { self.reason = reason }
}
