import Dispenser
import FuelPassbook
import Metering
import Quantities
import Records
import SecurityModule

// What a count is worth, in the totaliser and in each record.

/// What the records of one entry have that was not on disk.
struct Flowed {
    private(set) var volume = Volume.zero
    private(set) var fen = 0
    /// Of each record with fuel, its new counts per calibration point.
    private(set) var counts: [(number: RecordNumber, counts: [Int])] = []

    /// - Parameter old: which the totaliser has already.
    mutating func add(_ record: Record, after old: Record?) {
        volume = volume + record.reading.volume - (old?.reading.volume ?? .zero)
        fen += Int(record.price.fen) - (old.map { Int($0.price.fen) } ?? 0)
        let before = old?.reading.counts ?? record.reading.counts.map { _ in 0 }
        let gained = zip(record.reading.counts, before).map(-)
        if gained.contains(where: { $0 != 0 }) { counts.append((record.number, gained)) }
    }
}

extension StationLedger {
    /// The totals go on from what is on disk: by the counts of the entry's records, or, without any, by new factors, for which counts
    /// begin anew and the volume stays. Counts over factor are the volume exactly, and a count is valued by the factor of its record.
    func check(_ next: Totaliser, after last: Totaliser?, _ flowed: Flowed) {
        guard !totalsMayDiffer else { return }
        let side = sides[next.nozzle - 1]
        let last = last ?? .new(nozzle: next.nozzle, points: next.counts.count)
        if flowed.counts.isEmpty {
            // Money alone.
            if next.base == last.base, next.counts == last.counts { return }
            guard next.base == last.volume, next.counts == side.calibration.points.map({ _ in 0 }) else {
                return fail("the totaliser takes new factors, and is not what it was")
            }
            side.totalsCalibration = side.calibration
            return
        }
        var counts = last.counts
        for (number, gained) in flowed.counts {
            guard let calibration = books.calibrations[number], gained.count == counts.count else {
                return fail("the counts of record \(number.value) are not those of the totaliser's calibration points")
            }
            if calibration != side.totalsCalibration {
                // Factors that give the same volume to a microlitre begin no counts anew.
                guard last.base + calibration.volume(of: last.counts) == last.volume else {
                    return fail("the totaliser has counts of record \(number.value) under other factors than its own")
                }
                side.totalsCalibration = calibration
            }
            counts = zip(counts, gained).map(+)
        }
        guard next.counts == counts, next.base == last.base else {
            return fail("the totaliser's counts are not those of its records")
        }
        if next.base + side.totalsCalibration.volume(of: next.counts) != next.volume {
            fail("the totaliser is not its counts over factor")
        }
    }
}

extension SideLedger {
    /// A service takes up a set. Neither counter ever falls, and the one of calibrations rises with other factors, by no more than there
    /// are new sets. A terminal's sets have counters of their own.
    func isUnder(_ calibration: Calibration, _ inForce: ParameterSeal.InForce?) {
        self.calibration = calibration
        guard let inForce, inForce != self.inForce else { return }
        self.inForce = inForce
        let place = ParameterSeal.Place(terminal: ledger.module.terminal, side: number)
        let last = ledger.lastSets.updateValue(inForce, forKey: place)
        guard let last else { return }
        let versions = inForce.identification.parametersVersion - last.identification.parametersVersion
        let calibrations = inForce.calibrationCounter - last.calibrationCounter
        if versions < 0 || calibrations < 0 || inForce.configurationCounter < last.configurationCounter {
            ledger.fail("an older set of parameters, or a lower counter, is in force at side \(number)")
        }
        if calibrations == 0, last.meter.calibration != inForce.meter.calibration {
            ledger.fail("other factors are in force at side \(number), and the counter of calibrations did not rise")
        }
        if calibrations > versions { ledger.fail("the counter of calibrations of side \(number) rose without a set") }
    }

    /// The record is about to be on disk. What a refund pays back is of its sale's volume.
    func checkParameters(_ record: Record, _ old: Record?, of sale: Record?) {
        guard let inForce else { return }
        if let old {
            if record.head.identification == old.head.identification { return }
            return ledger.fail("record \(record.number.value) names other parameters than before")
        }
        let right = record.kind == .refund ? sale?.head.identification : inForce.identification
        if record.head.identification != right {
            ledger.fail("record \(record.number.value) names other parameters than are in force")
        }
    }
}
