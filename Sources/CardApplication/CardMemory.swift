/// The card's non-volatile memory: it holds one image, and replaces it whole or not at all.
package protocol CardMemory {
    /// Returns when `image` is what a restart would read. When it throws, a restart reads `image` or the one before.
    mutating func commit(_ image: [UInt8]) throws(CardMemoryFailure)

    /// The image that a restart finds, after a ``commit(_:)`` that threw.
    mutating func read() throws(CardMemoryFailure) -> [UInt8]
}

/// The image could not be written; the command is answered `6581`.
package struct CardMemoryFailure: Error {
    package let reason: String

    package init(reason: String) { self.reason = reason }
}

/// Memory that lasts as long as the process.
package struct VolatileCardMemory: CardMemory {
    package private(set) var image: [UInt8]

    package init(image: [UInt8] = []) { self.image = image }

    package mutating func commit(_ image: [UInt8]) throws(CardMemoryFailure) { self.image = image }

    package func read() throws(CardMemoryFailure) -> [UInt8] { image }
}
