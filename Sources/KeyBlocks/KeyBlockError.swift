private import CardCryptography

/// Why a key block is not taken.
package enum KeyBlockError: Error, Equatable, Sendable {
    /// What a block consists of.
    package enum Field: String, Sendable {
        case character = "a character that is none of a block's"
        case version = "its version: A, B, C and D are known"
        case length = "its length: it was cut short, or something was added"
        case usage = "the key's usage"
        case algorithm = "the key's algorithm"
        case mode = "the key's mode of use"
        case keyVersion = "the key's version"
        case exportability = "the key's exportability"
        case optionalBlocks = "its optional blocks"
        case reserved = "the reserved field"
        case key = "the wrapped key"
    }

    /// No block, whatever its key.
    case malformed(Field)
    /// The transport key has another cipher than the block's version wants.
    case cipher(KeyBlockHeader.Version)
    /// It was altered, or it is wrapped under another key: the two cannot be told apart.
    case codeIsWrong
    /// More than a block holds.
    case tooLong
}

extension KeyBlockError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .malformed(let field): "is no key block: \(field.rawValue)"
        case .cipher(let version):
            switch version.cipher {
            case .tripleDES: "is of version \(version.rawValue), which needs a DES transport key"
            case .aes: "is of version \(version.rawValue), which needs an AES transport key"
            }
        case .codeIsWrong: "does not open: it is wrapped under another transport key, or it was altered"
        case .tooLong: "has more in it than a key block holds"
        }
    }
}
