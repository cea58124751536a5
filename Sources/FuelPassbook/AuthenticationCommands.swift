import CardCryptography
package import ISO7816

/// The random number of GET CHALLENGE: 4 or 8 bytes.
package struct Challenge: Equatable, Sendable {
    package static let lengths = [4, 8]

    package let bytes: [UInt8]

    /// - Throws: `.wrongLength` unless 4 or 8 bytes.
    package init(bytes: [UInt8]) throws(ParseError) {
        guard Self.lengths.contains(bytes.count) else { throw .wrongLength("challenge") }
        self.bytes = bytes
    }

    /// Followed by zeros to one block of the cipher.
    package var block: [UInt8] { bytes + [UInt8](repeating: 0, count: 8 - bytes.count) }
}

/// Eight bytes that prove a key: the enciphered challenge. Judged in constant time, never by `==`.
package struct Cryptogram: Sendable {
    private let halves: (MAC, MAC)

    init(made bytes: [UInt8]) { halves = (MAC(bytes: Array(bytes.prefix(4))), MAC(bytes: Array(bytes.suffix(4)))) }

    package func isValid(_ received: Cryptogram) -> Bool {
        let first = halves.0.isValid(received.halves.0)
        let second = halves.1.isValid(received.halves.1)
        return first && second
    }
}

extension Cryptogram: DataElement {
    package static var length: Int { 8 }

    package init(bytes: ArraySlice<UInt8>) throws(ParseError) {
        guard bytes.count == Self.length else { throw .wrongLength("cryptogram") }
        self.init(made: Array(bytes))
    }

    package func append(to bytes: inout [UInt8]) { bytes += halves.0.bytes + halves.1.bytes }
}

/// GET CHALLENGE. The number serves one command.
package struct GetChallenge: Sendable {
    package let count: Int

    /// - Parameter count: 4 or 8.
    package init(count: Int) {
        precondition(Challenge.lengths.contains(count))
        self.count = count
    }

    package var apdu: CommandAPDU { CommandAPDU(Instruction.getChallenge.header, expectedLength: count) }
}

/// EXTERNAL AUTHENTICATE: the other side enciphers the card's challenge.
package struct ExternalAuthenticate: PassbookCommand {
    package typealias Response = NoData
    package static let instruction = Instruction.externalAuthenticate

    package let cryptogram: Cryptogram

    package init(cryptogram: Cryptogram) { self.cryptogram = cryptogram }

    package static let layout = MessageLayout(Self.init, Field("cryptogram", \.cryptogram))
}

/// INTERNAL AUTHENTICATE: the card enciphers the other side's challenge.
package struct InternalAuthenticate: PassbookCommand {
    package static let instruction = Instruction.internalAuthenticate

    package let challenge: Challenge

    /// - Parameter challenge: 8 bytes.
    package init(challenge: Challenge) {
        precondition(challenge.bytes.count == Self.count)
        self.challenge = challenge
    }

    private static let count = 8

    package static let layout = MessageLayout(
        { (bytes) throws(ParseError) in Self(challenge: try Challenge(bytes: bytes)) },
        Field("challenge", count: count, \.challenge.bytes)
    )

    package struct Response: PassbookMessage {
        package let cryptogram: Cryptogram

        package init(cryptogram: Cryptogram) { self.cryptogram = cryptogram }

        package static let layout = MessageLayout(Self.init, Field("cryptogram", \.cryptogram))
    }
}
