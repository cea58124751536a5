package import Metering
package import Quantities

// What stands beside the records: a side's faults, who opened it, its prices, and where totals were raised.

/// The pulser's faults at a side, in sales and outside any.
package struct PulserFaultCount: Equatable, Sendable {
    package let side: Int
    /// By the station's clock when they were written; nil of all since the journal was begun, those at an unknown time too.
    package let day: CalendarDate?
    package var faults: PulserFaults

    package init(side: Int, day: CalendarDate?, faults: PulserFaults) {
        self.side = side
        self.day = day
        self.faults = faults
    }

    /// The newest days with faults that are kept, a side.
    package static let daysMax = 400
}

/// Faults that no entry had before.
package struct NewPulserFaults: Equatable, Sendable {
    package let side: Int
    package let faults: PulserFaults

    /// nil where there are none.
    package init?(side: Int, _ faults: PulserFaults) {
        guard faults.total > 0 else { return nil }
        self.side = side
        self.faults = faults
    }
}

/// A technician's word that a side which closed itself may serve again.
package struct LockClearing: Equatable, Sendable {
    /// As it stood when it was ended.
    package let lock: SideLock
    /// nil when the clock was not set.
    package let time: StationTime?
    package let name: String
    package let reason: String

    package init(of lock: SideLock, at time: StationTime?, name: String, reason: String) {
        self.lock = lock
        self.time = time
        self.name = name
        self.reason = reason
    }
}

/// Whoever runs the station closed a side, for as long as he does not open it again.
package struct SideBlock: Equatable, Sendable {
    package let side: Int
    /// nil when the clock was not set.
    package let time: StationTime?
    /// The user whose process asked for it.
    package let user: String
    package let reason: String

    package init(side: Int, at time: StationTime?, user: String, reason: String) {
        self.side = side
        self.time = time
        self.user = user
        self.reason = reason
    }
}

/// A side sells at another price than before.
package struct PriceChange: Equatable, Sendable {
    package let side: Int
    /// When the side began to serve at it; nil when the clock was not set.
    package let time: StationTime?
    /// nil of the first price that is known.
    package let from: UnitPrice?
    package let to: UnitPrice
    /// By whose order; nil for the configuration.
    package let user: String?

    package init(side: Int, at time: StationTime?, from: UnitPrice?, to: UnitPrice, user: String? = nil) {
        self.side = side
        self.time = time
        self.from = from
        self.to = to
        self.user = user
    }

    /// The newest that are kept, a side.
    package static let keptMax = 100
}
