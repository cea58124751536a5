import Dispenser
import FuelPassbook
import Metering
import Quantities
import Records
import SecurityModule

// Parameters under seal: who makes new ones, and when they take effect.

extension SimulatedStation {
    /// Which a side finds at its start.
    func parameters(of side: StationSide) -> ParameterSeal.InForce? {
        guard let seal else { return nil }
        let place = ParameterSeal.Place(terminal: module.terminal, side: side.number + 1)
        do {
            if let inForce = try seal.inForce(place) { return inForce }
            _ = try seal.add(meter(settings.calibration.points), place, seconds)
            return try seal.inForce(place)
        } catch {
            ledger.fail("side \(side.number + 1) has no parameters: \(error)")
            return nil
        }
    }

    /// Somebody puts these factors under seal.
    func seals(_ points: [CalibrationPoint], of meant: [StationSide]) {
        guard let seal else { return }
        tape.note { "new parameters: factors \(points.map(\.factorMillionths))" }
        for side in meant {
            do {
                let place = ParameterSeal.Place(terminal: module.terminal, side: side.number + 1)
                if try seal.add(meter(points), place, seconds) { side.parametersAreReplaced = true }
            } catch {
                ledger.fail("side \(side.number + 1) takes no parameters: \(error)")
            }
        }
    }

    /// Somebody changes the book, and the service sees it.
    func parametersCome(_ change: Int) {
        if mode == .testing { tape.met(.parametersInTest) }
        seals(Self.points(ofChange: change), of: sides)
        for side in sides {
            side.site.post(.parametersChanged)
            wake(side)
        }
    }

    /// Another number is another set, of one point or two.
    private static func points(ofChange change: Int) -> [CalibrationPoint] {
        let factor = 990_000 + change * 137 % 20_000
        let low = CalibrationPoint(litresPerMinute: 10, factorMillionths: factor)
        let high = CalibrationPoint(litresPerMinute: 40, factorMillionths: factor + 1_731)
        return change.isMultiple(of: 2) ? [high] : [low, high]
    }

    private func meter(_ points: [CalibrationPoint]) -> MeterParameters {
        MeterParameters(
            meterSerial: "meter",
            pulserSerial: "pulser",
            pulser: .quadrature(.alarm),
            pulsesPerLitre: settings.calibration.countsPerLitre / PulserKind.quadrature(.alarm).countsPerPulse,
            points: points,
            litresPerMinute: 5...200,
            minimumQuantity: settings.minimumQuantity,
            reverseCentilitresMax: 20,
            pulserFaultsMax: settings.pulserFaultsMax,
            slowFlow: settings.slowFlow
        )
    }

    /// Of a board whose clock was never set, those of its first day.
    private var seconds: Int64 { site.now?.utcSeconds ?? 0 }
}

// MARK: - Calibration

/// What a technician delivers with the service stopped, and gives back to the tank.
struct TechnicianTest {
    let counts: Int
    /// By how many millionths the meter's true factor has moved, which he then finds; nil where he measures nothing.
    let wearMillionths: Int?
}

extension SimulatedStation {
    private static let wornMillionths = 990_000...1_010_000

    /// With the service stopped; the mains may go at any write.
    func deliver(_ test: TechnicianTest) {
        mode = .testing
        for side in sides { side.takeParameters() }
        ledger.serviceBegins()
        let side = sides[0]
        if let wear = test.wearMillionths { wears(by: wear) }
        let wasDisturbed = side.books.isDisturbed(trueCounts: side.site.trueCounts)
        let before = side.site.trueCounts
        do throws(SideFailure) {
            let board = try recovered(sides.map { Board.Member(settings: $0.settings, display: $0) })
            let bench = try TestBench(
                side.settings,
                pump: side.site,
                terminal: module.terminal,
                journal: journal.edge,
                clock: site,
                display: side,
                after: board
            )
            _ = try bench.begin()
            side.site.leak(counts: test.counts)
            while side.site.isFlowing {
                side.site.pass(2)
                _ = try bench.measure()
            }
            let record = try bench.finish()
            tape.testEnds()
            if test.wearMillionths != nil {
                let trueCounts = side.site.trueCounts
                let isDisturbed = wasDisturbed || side.books.isDisturbed(trueCounts: trueCounts)
                calibrates(side, by: record, trueCounts: trueCounts - before, isDisturbed: isDisturbed)
            }
        } catch {
            fails(error)
        }
        while side.site.isFlowing { side.site.pass(1) }
    }

    private func wears(by millionths: Int) {
        let range = Self.wornMillionths
        trueMillionths = min(max(trueMillionths + millionths, range.lowerBound), range.upperBound)
    }

    /// The prover shows what truly flowed, to a microlitre, and the record what the meter counted: f = counts over (counts per litre x
    /// true litres). A delivery with a pulser's fault does not count.
    private func calibrates(_ side: StationSide, by record: Record, trueCounts: Int, isDisturbed: Bool) {
        let countsPerLitre = settings.calibration.countsPerLitre
        guard !isDisturbed, record.reading.faults.total == 0, trueCounts >= countsPerLitre else { return }
        let parts = 1_000_000_000_000
        let microlitres = Self.rounded(trueCounts * parts, over: countsPerLitre * trueMillionths)
        let factor = Self.rounded(record.reading.totalCounts * parts, over: countsPerLitre * microlitres)
        // Half a microlitre in a litre, and half a millionth.
        if abs(factor - trueMillionths) > 1 {
            ledger.fail("the meter's factor is \(trueMillionths), and a calibration finds \(factor)")
        }
        tape.met(.calibrated)
        seals([CalibrationPoint(litresPerMinute: 40, factorMillionths: factor)], of: [side])
    }

    private static func rounded(_ number: Int, over divisor: Int) -> Int { (2 * number + divisor) / (2 * divisor) }
}
