package import Quantities

// The totals of nozzles outside the journal: in places that fail apart from it (decision record 0054).

/// What a nozzle has delivered, in all. Neither falls.
package struct NozzleTotal: Equatable, Sendable {
    package let nozzle: Int
    package let volume: Volume
    package let fen: Int

    package init(nozzle: Int, volume: Volume, fen: Int) {
        self.nozzle = nozzle
        self.volume = volume
        self.fen = fen
    }

    package init(_ totaliser: Totaliser) {
        self.init(nozzle: totaliser.nozzle, volume: totaliser.volume, fen: totaliser.fen)
    }

    /// The larger of each.
    package func raised(to other: NozzleTotal) -> NozzleTotal {
        precondition(other.nozzle == nozzle)
        return NozzleTotal(nozzle: nozzle, volume: max(volume, other.volume), fen: max(fen, other.fen))
    }
}

extension Totaliser {
    /// What lies above it flowed before the present calibration, as far as anybody knows: the counts stay.
    package func raised(to total: NozzleTotal) -> Totaliser {
        var raised = self
        raised.base = base + max(.zero, total.volume - volume)
        raised.volume = max(volume, total.volume)
        raised.fen = max(fen, total.fen)
        return raised
    }
}

/// What keeps totals.
package enum TotaliserKeeper: String, CaseIterable, Sendable {
    case journal
    case file
    /// A memory of the board, as its NVMEM file.
    case boardMemory = "board-memory"
}

/// A keeper of totals was behind the highest authentic ones, and the journal's records do not explain it.
package struct TotaliserDifference: Equatable, Sendable {
    /// nil when the clock was not set.
    package let time: StationTime?
    package let keeper: TotaliserKeeper
    /// What it had.
    package let from: NozzleTotal
    /// What holds.
    package let to: NozzleTotal

    package init(at time: StationTime?, _ keeper: TotaliserKeeper, from: NozzleTotal, to: NozzleTotal) {
        self.time = time
        self.keeper = keeper
        self.from = from
        self.to = to
    }

    package var nozzle: Int { to.nozzle }

    /// The newest that are kept, a nozzle.
    package static let keptMax = 100
}

/// What a place says of its totals.
package enum TotaliserReading: Equatable, Sendable {
    /// With codes that are right.
    case totals([NozzleTotal])
    /// Nothing was ever written there.
    case missing
    /// Something stands there that this terminal did not write so; why. It may be written over.
    case unauthentic(String)
    /// It cannot be read, or is another program's; why.
    case failed(String)
}

package struct TotaliserPlaceFault: Error, Equatable, Sendable {
    package let reason: String

    package init(_ reason: String) { self.reason = reason }
}

/// A keeper of totals beside the journal.
package protocol TotaliserPlace: AnyObject, Sendable {
    var keeper: TotaliserKeeper { get }
    /// "file /var/lib/greylock/journal-totals"
    var name: String { get }
    /// How many nozzles it has room for.
    var nozzlesMax: Int { get }

    func read() -> TotaliserReading

    /// Takes the place of all that stood there. On the medium when this returns.
    ///
    /// - Parameter totals: at most ``nozzlesMax``, of which none is below what is there.
    func write(_ totals: [NozzleTotal]) throws(TotaliserPlaceFault)
}
