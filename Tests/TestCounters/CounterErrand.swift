package import Counter
import FuelPassbook
import Quantities
import TestCards
package import TestFolders

/// What a customer wants of the counter, with a card of 500.00 yuan.
package enum CounterErrand: CaseIterable, Sendable {
    case load, unload, unlock, forcedUnlock

    /// - Returns: the counter, and the clerk's command.
    package func begin(
        in place: TestFolder.Place = .disk,
        disk: any BookDisk = RealDisk()
    ) throws -> (TestCounter, () throws(CounterStop) -> Bool) {
        switch self {
        case .load:
            let counter = try TestCounter(TestCard(), in: place, disk: disk)
            return (counter, { () throws(CounterStop) in try counter.load(100_00) })
        case .unload:
            let counter = try TestCounter(TestCard(), in: place, disk: disk)
            return (counter, { () throws(CounterStop) in try counter.unload(100_00) })
        case .unlock:
            let (card, file) = try TestCounter.greyCard()
            let counter = try TestCounter(card, in: place, disk: disk)
            let basis = try TestCounter.records(file)
            return (counter, { () throws(CounterStop) in try counter.unlock(basis) })
        case .forcedUnlock:
            let (card, _) = try TestCounter.greyCard()
            let counter = try TestCounter(card, in: place, disk: disk)
            let signature = try Signature(name: "Wang Li", reason: "station burnt down")
            return (counter, { () throws(CounterStop) in try counter.unlock(.forced(signature)) })
        }
    }

    /// In fen.
    package var balanceDone: UInt32 {
        switch self {
        case .load: 600_00
        case .unload: 400_00
        case .unlock: 500_00 - 7_85
        case .forcedUnlock: 500_00
        }
    }
}
