package import Codes
import Quantities
package import Threads

/// The first thing that is wrong with a configuration. Its description is one line:
/// `FILE:LINE: KEY: what is expected (found WHAT)`.
package struct ConfigurationError: Error, Equatable, Sendable {
    package let file: String
    /// From 1. For a key that is missing, the line of its table, or 1 without one.
    package let line: Int
    /// The key with its tables, as in `side.1.pump.gpio.motor`; elements of arrays count from 1, as in `card.blacklist[2]`.
    /// `file` or `syntax` when the text is not TOML at all.
    package let key: String
    package let expected: String
    package let found: String
    package var code: ServiceCode = .configurationWrong

    /// The file could not be opened or read, which says nothing about what stands in it and may pass.
    package var isUnread: Bool { code == .configurationUnread }
}

extension ConfigurationError: CustomStringConvertible {
    package var description: String {
        "\(file):\(line): \(key): \(expected) (found \(found))".printable
    }
}

extension ServiceFailure {
    /// Only what stands in a file, or what kind of file it is, is final (decision record 0024).
    package init(_ error: ConfigurationError) {
        self.init(
            exitStatus: error.isUnread ? Self.inputOutput : Self.configuration,
            reason: error.description,
            code: .service(error.code)
        )
    }
}
