import Metering
import Quantities
package import Records
import Synchronization

/// The totals of a board's nozzles outside its journal: compared with it at the start, written behind its commits (decision
/// record 0054).
package final class KeptTotals: Sendable {
    private struct State {
        /// As they were last written, or are to be.
        var totals: [Int: NozzleTotal] = [:]
        /// By the place's name, why it cannot be written.
        var faults: [String: String] = [:]
        /// Until then nothing is written: recovery would hide what the places say.
        var isCompared = false
    }

    private let places: [any TotaliserPlace]
    private let state = Mutex(State())

    /// - Parameter places: none where the journal alone keeps totals, as in a simulation.
    package init(_ places: [any TotaliserPlace] = []) { self.places = places }

    /// Fewer deliveries of a nozzle than these are open at a power cut: a sale, and fuel outside any.
    static let explainedMax = 2

    /// The highest authentic totals hold; what was behind without being explained by the journal is named and kept there.
    ///
    /// - Parameter nozzles: each with what writes its side's records.
    func compare(_ nozzles: [Books]) throws(StorageFault) {
        guard !places.isEmpty else { return }
        let readings = places.map { ($0, $0.read()) }
        var totals: [NozzleTotal] = []
        for books in nozzles { totals.append(try compare(books, readings)) }
        state.withLock { state in
            for total in readings.flatMap({ $0.1.totals }) + totals {
                state.totals[total.nozzle] = state.totals[total.nozzle]?.raised(to: total) ?? total
            }
            state.isCompared = true
        }
        let known = Set(nozzles.map(\.settings.nozzle))
        write(
            known,
            only: { place in
                readings.first { $0.0 === place }.map { $0.1.totals.sorted { $0.nozzle < $1.nozzle } }
            }
        ).forEach(nozzles[0].tell)
        let isAnyKept = totals.contains { $0.volume > .zero || $0.fen > 0 }
        let failing = state.withLock { Set($0.faults.keys) }
        for (place, reading) in readings where !failing.contains(place.name) {
            switch reading {
            case .missing where isAnyKept: nozzles[0].tell(.totalsMadeAnew(place: place.name, reason: nil))
            case .unauthentic(let reason): nozzles[0].tell(.totalsMadeAnew(place: place.name, reason: reason))
            case .missing, .totals, .failed: break
            }
        }
    }

    private func compare(
        _ books: Books,
        _ readings: [(any TotaliserPlace, TotaliserReading)]
    ) throws(StorageFault) -> NozzleTotal {
        let nozzle = books.settings.nozzle
        let stored = try books.storedTotaliser(of: nozzle, at: books.settings.number)
        let totaliser = stored ?? .new(nozzle: nozzle, points: books.settings.calibration.points.count)
        let journal = NozzleTotal(totaliser)
        let said = readings.compactMap { place, reading -> (TotaliserKeeper, NozzleTotal)? in
            guard case .totals(let totals) = reading else { return nil }
            let none = NozzleTotal(nozzle: nozzle, volume: .zero, fen: 0)
            return (place.keeper, totals.first { $0.nozzle == nozzle } ?? none)
        }
        let highest = said.reduce(journal) { $0.raised(to: $1.1) }
        let isBehind = highest == journal && said.contains { $0.1 != highest }
        let explained = try isBehind ? books.totals(before: journal, deliveries: Self.explainedMax) : []
        var differences: [TotaliserDifference] = []
        for (keeper, total) in [(.journal, journal)] + said where total != highest && !explained.contains(total) {
            differences.append(TotaliserDifference(at: books.clock.now, keeper, from: total, to: highest))
        }
        guard !differences.isEmpty else { return highest }
        var entry = JournalEntry(totaliser: highest == journal ? nil : totaliser.raised(to: highest))
        entry.differences = differences
        try books.write(entry)
        for difference in differences { books.tell(.totalsDiffer(difference)) }
        return highest
    }

    /// The journal has these totals on disk.
    ///
    /// - Returns: what is to be said: a place that fails since then.
    func keep(_ totaliser: Totaliser, of nozzles: Set<Int>) -> [Notice] {
        let isCompared = state.withLock { state in
            state.totals[totaliser.nozzle] = NozzleTotal(totaliser)
            return state.isCompared
        }
        return isCompared ? write(nozzles) : []
    }

    /// Why no further sale may begin: the journal alone keeps totals. A place that failed is tried again.
    ///
    /// - Parameter nozzles: the board's.
    func obstacle(_ nozzles: Set<Int>) -> String? {
        guard !places.isEmpty, state.withLock({ $0.isCompared && $0.faults.count == places.count }) else { return nil }
        _ = write(nozzles)
        return state.withLock { state in
            guard state.faults.count == places.count else { return nil }
            return places.compactMap { state.faults[$0.name] }.joined(separator: "; ")
        }
    }

    /// - Parameters:
    ///   - nozzles: of the board: a small place keeps no others.
    ///   - held: what a place is known to have; nil where that is not known.
    /// - Returns: what is to be said.
    private func write(
        _ nozzles: Set<Int>,
        only held: (any TotaliserPlace) -> [NozzleTotal]? = { _ in nil }
    ) -> [Notice] {
        state.withLock { state in
            places.compactMap { place in
                let all = state.totals.values.sorted { $0.nozzle < $1.nozzle }
                let own = all.filter { nozzles.contains($0.nozzle) }
                let totals = all.count <= place.nozzlesMax ? all : Array(own.prefix(place.nozzlesMax))
                if let held = held(place), held == totals, !totals.isEmpty { return nil }
                do throws(TotaliserPlaceFault) {
                    try place.write(totals)
                    return state.faults.removeValue(forKey: place.name) == nil ? nil : .totalsKeptAgain(place.name)
                } catch {
                    let isNew = state.faults.updateValue(error.reason, forKey: place.name) == nil
                    return isNew ? .totalsNotWritten(error.reason) : nil
                }
            }
        }
    }
}

extension TotaliserReading {
    fileprivate var totals: [NozzleTotal] {
        switch self {
        case .totals(let totals): totals
        case .missing, .unauthentic, .failed: []
        }
    }
}

extension Books {
    func tell(_ notice: Notice) { display.show(.closed, notice) }

    /// The nozzle's totals before the last delivery, and before the one before that, as far as their records are believed.
    fileprivate func totals(before total: NozzleTotal, deliveries: Int) throws(StorageFault) -> [NozzleTotal] {
        var (before, found) = (total, [NozzleTotal]())
        for record in try journal.deliveries(of: total.nozzle, last: deliveries) {
            before = NozzleTotal(
                nozzle: total.nozzle,
                volume: before.volume - record.reading.volume,
                fen: before.fen - Int(record.price.fen)
            )
            found.append(before)
        }
        return found
    }
}
