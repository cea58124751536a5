package import CardCryptography

/// One custodian's part of a key, as long as the key: the key is the exclusive or of all parts, and fewer say nothing of it.
package final class KeyComponent: Sendable {
    package let raw: LockedBuffer

    package init(_ raw: consuming LockedBuffer) { self.raw = raw }

    /// A new one from the system's generator.
    ///
    /// Of DES with odd parity, as other security modules want it typed.
    package convenience init(generating kind: ComponentKind) {
        var raw = SystemRandom().secret(kind.length)
        if kind == .tripleDES { raw.setOddParity() }
        self.init(raw)
    }
}

/// What components make.
package enum ComponentKind: Sendable {
    /// Two-key triple DES: a purchase master, or a transport key.
    case tripleDES
    /// AES-256: a transport key.
    case aes256

    package var length: Int {
        switch self {
        case .tripleDES: 16
        case .aes256: 32
        }
    }

    package var cipher: BlockCipherKey.Cipher {
        switch self {
        case .tripleDES: .tripleDES
        case .aes256: .aes
        }
    }

    package var groups: Int { length / 2 }
}

/// Why components make no key that may be used.
package enum ComponentFault: Error, Equatable, Sendable {
    /// Fewer than two, or more than three.
    case count(Int)
    case zero(Int)
    case equal(Int, Int)
    /// The key protects nothing.
    case weakness(KeyWeakness)
}

/// The key that all custodians made together, before they have confirmed it.
package struct CombinedKey: ~Copyable, Sendable {
    package let kind: ComponentKind
    private let raw: LockedBuffer

    package static let components = 2...3

    /// - Throws: `ComponentFault`, which names components by their place from 1.
    package init(_ kind: ComponentKind, of components: [KeyComponent]) throws(ComponentFault) {
        guard Self.components.contains(components.count) else { throw .count(components.count) }
        let judged = components.map { $0.judged(as: kind) }
        let zero = KeyComponent(LockedBuffer(count: kind.length)).judged(as: kind)
        for (place, component) in judged.enumerated() {
            precondition(component.raw.count == kind.length)
            if component.raw.isEqual(to: zero.raw) { throw .zero(place + 1) }
            for (other, earlier) in judged[..<place].enumerated() where earlier.raw.isEqual(to: component.raw) {
                throw .equal(other + 1, place + 1)
            }
        }
        var sum = LockedBuffer(count: kind.length)
        sum.withMutableSpan { sum in
            for component in components {
                component.raw.withSpan { part in for index in part.indices { sum[index] ^= part[index] } }
            }
        }
        try self.init(kind, checking: sum)
    }

    private init(_ kind: ComponentKind, checking raw: consuming LockedBuffer) throws(ComponentFault) {
        self.kind = kind
        if kind == .tripleDES { raw.setOddParity() }
        if let weakness = KeyWeakness(of: raw, kind.cipher) { throw .weakness(weakness) }
        self.raw = raw
    }

    /// DES keys have odd parity.
    package borrowing func checkValue() -> [UInt8] { BlockCipherKey(kind.cipher, raw).checkValue() }

    package consuming func key() -> LockedBuffer { raw }
}

extension KeyComponent {
    /// DES does not use parity: components that differ in it alone cancel each other out.
    fileprivate func judged(as kind: ComponentKind) -> KeyComponent {
        var raw = raw.part(0..<raw.count)
        if kind == .tripleDES { raw.setOddParity() }
        return KeyComponent(raw)
    }

    /// By which its custodian knows it: of the component as it stands on paper.
    package func checkValue(_ kind: ComponentKind) -> [UInt8] { BlockCipherKey(kind.cipher, raw).checkValue() }
}
