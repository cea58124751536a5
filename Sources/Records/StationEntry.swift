package import Quantities

// What whoever runs the station has ordered, as far as it outlives the service.

/// An order that was done, by its caller's key: the same again does nothing.
package struct DoneOrder: Equatable, Sendable {
    /// Whose key it is, by the kernel's number.
    package let user: UInt32
    package let key: String
    /// SHA-256 of what was ordered.
    package let digest: [UInt8]
    /// As it was given, in JSON.
    package let answer: String
    /// nil when the clock was not set.
    package let time: StationTime?

    package init(user: UInt32, key: String, digest: [UInt8], answer: String, at time: StationTime?) {
        self.user = user
        self.key = key
        self.digest = digest
        self.answer = answer
        self.time = time
    }

    /// The newest that are kept.
    package static let keptMax = 1_000
}

/// At which price a side is to sell.
package struct PriceOrder: Equatable, Sendable {
    package let side: Int
    /// When it was given; nil when the clock was not set.
    package let time: StationTime?
    /// In seconds since 1970 by UTC; nil for at once.
    package let effectiveUTC: Int64?
    package let price: UnitPrice
    /// What the configuration said then.
    package let configured: UnitPrice
    /// nil for the configuration itself, which said another price than before: no earlier order counts.
    package let user: String?

    package init(
        side: Int,
        at time: StationTime?,
        effectiveUTC: Int64?,
        price: UnitPrice,
        configured: UnitPrice,
        user: String?
    ) {
        self.side = side
        self.time = time
        self.effectiveUTC = effectiveUTC
        self.price = price
        self.configured = configured
        self.user = user
    }

    /// The newest that are kept, a side; what waits for its time is among them, however many came after it.
    package static let keptMax = 200
}

/// One durable step of the station's orders: all of it is on disk, or none.
package struct StationEntry: Equatable, Sendable {
    package var done: DoneOrder?
    package var block: SideBlock?
    /// A side that is blocked no more.
    package var unblocked: Int?
    package var price: PriceOrder?

    package init(done: DoneOrder? = nil, price: PriceOrder? = nil) {
        self.done = done
        self.price = price
    }
}
