package import CardCryptography
package import Quantities

/// A key that a terminal holds, and what its custodians know of it.
package typealias HeldKey = StoredKey<KeyUsage>

/// A key in a store, and what its custodians know of it.
package struct StoredKey<Usage: StoreUsage>: Sendable {
    /// How it came.
    package enum Origin: UInt8, Sendable {
        case components = 1
        case block = 2
        /// Made where it is: the issuer's own.
        case generated = 3
    }

    package enum State: Equatable, Sendable {
        /// It waits for its day.
        case loaded
        /// Cards of it are sold to.
        case active
        /// It sells no more, and still settles what it sold.
        case retired
    }

    package let name: StoredKeyName<Usage>
    package let cipher: BlockCipherKey.Cipher
    package let origin: Origin
    /// By UTC: when its block was made, its components were combined, or it was generated.
    package let made: TransactionTime
    package internal(set) var dates: Dates
    package internal(set) var place: Place

    package init(
        name: StoredKeyName<Usage>,
        cipher: BlockCipherKey.Cipher,
        origin: Origin,
        made: TransactionTime,
        dates: Dates,
        place: Place
    ) {
        self.name = name
        self.cipher = cipher
        self.origin = origin
        self.made = made
        self.dates = dates
        self.place = place
    }

    /// Where the key itself is.
    package enum Place: Sendable {
        /// In the store.
        case store(SecretKey)
        /// In the terminal's token, which does not hand it out.
        case token(TokenMark)
    }

    /// nil of a key in a token.
    package var secret: SecretKey? {
        switch place {
        case .store(let secret): secret
        case .token: nil
        }
    }

    /// By which it is told from a key that has its name later.
    package var coming: Coming { Coming(name: name, made: made) }

    /// 3 bytes of triple DES, 5 of AES.
    package func checkValue() -> [UInt8] {
        switch place {
        case .store(let secret): BlockCipherKey(cipher, secret.raw).checkValue()
        case .token(let mark): Array(mark.bytes.prefix(3))
        }
    }

    func isEqual(to raw: borrowing LockedBuffer) -> Bool {
        switch place {
        case .store(let secret): secret.raw.isEqual(to: raw)
        case .token(let mark): raw.count == DoubleLengthKey.length && mark == TokenMark(of: raw)
        }
    }
}

extension StoredKey {
    package struct Coming: Equatable, Sendable {
        private let name: StoredKeyName<Usage>
        private let made: TransactionTime

        fileprivate init(name: StoredKeyName<Usage>, made: TransactionTime) {
            self.name = name
            self.made = made
        }
    }

    /// By the holder's clock, in seconds of UTC since 1970.
    package struct Dates: Equatable, Sendable {
        package let loaded: Int64
        package internal(set) var activeFrom: Int64?
        package internal(set) var retired: Int64?

        package init(loaded: Int64, activeFrom: Int64?, retired: Int64? = nil) {
            self.loaded = loaded
            self.activeFrom = activeFrom
            self.retired = retired
        }

        /// - Parameter utcSeconds: nil where the clock was never set: nothing sells then.
        package func state(at utcSeconds: Int64?) -> State {
            if retired != nil { return .retired }
            guard let activeFrom, let utcSeconds, activeFrom <= utcSeconds else { return .loaded }
            return .active
        }
    }
}

/// The bytes of a key that several values share, wiped with the last of them.
package final class SecretKey: Sendable {
    package let raw: LockedBuffer

    package init(_ raw: consuming LockedBuffer) { self.raw = raw }
}

/// A key that was held: it does not come back.
package struct ErasedKey<Usage: StoreUsage>: Equatable, Sendable {
    package let name: StoredKeyName<Usage>
    package let made: TransactionTime
    /// Seconds of UTC since 1970.
    package let erased: Int64
}

extension StoredKey.State {
    package var name: String {
        switch self {
        case .loaded: "loaded"
        case .active: "active"
        case .retired: "retired"
        }
    }
}

extension StoredKey.Origin {
    package var name: String {
        switch self {
        case .components: "components"
        case .block: "block"
        case .generated: "generated"
        }
    }
}
