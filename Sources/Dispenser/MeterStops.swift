import FuelPassbook
import ISO7816
package import Metering
import Quantities
import Records

// Why the pump closed by itself, in words, and what a sale makes of it (<doc:0023-after-a-freeze>).

extension MeterStop {
    /// Whether the meter needs a technician. After a freeze what was counted is right, and what was lost is known.
    var locksSide: Bool {
        switch self {
        case .reversed, .swapped, .deadChannel: true
        case .frozen: false
        }
    }

    /// For the sale's record.
    ///
    /// - Parameter time: when it was over; nil when the board's clock is not set.
    func remark(until time: TransactionTime?) -> String {
        switch self {
        case .reversed, .swapped, .deadChannel: "\(self): settled at the proven volume"
        case .frozen(let milliseconds):
            (time.map {
                "the service stood still from \($0.clock(before: milliseconds / 1_000)) to \($0.clock(before: 0))"
            }
                ?? "the service stood still for \(milliseconds / 1_000) s")
                + " with the valves open: settled at what was counted"
        }
    }
}

extension MeterStop: CustomStringConvertible {
    package var description: String {
        switch self {
        case .reversed(let counts): "fuel flowed back, \(counts) counts"
        case .swapped: "the pulser only turned back while fuel flowed: its channels A and B are swapped"
        case .deadChannel(let channel): "channel \(channel == .a ? "A" : "B") of the pulser is dead"
        case .frozen(let milliseconds):
            "the service stood still for \(milliseconds / 1_000) s with the valves open"
        }
    }
}

extension Flow {
    func ended(by stop: MeterStop) -> FuellingEnd {
        display.show(.suspended, .meterStopped(stop))
        return .meterStopped(stop, books.clock.localTime)
    }

    /// The pump may have closed by itself in the instant in which the sale ended otherwise.
    func endAfterClosing(_ end: FuellingEnd, _ stop: MeterStop?) -> FuellingEnd {
        switch end {
        case .pulserFaults, .meterStopped, .pumpFailed: end
        case .regular, .stopped, .emergency:
            stop.map { ended(by: $0) } ?? end
        }
    }

    /// What the kernel's queue did not hold.
    func lossRemark(_ record: Record) -> String {
        let lost = record.reading.faults.sequenceGaps.reduce(0, +)
        return lost > 0 ? "; \(lost) edges of the pulser were lost" : ""
    }

    /// A side whose pulser cannot be believed closes itself (spec/dispenser.md, section 1).
    func lock(after end: FuellingEnd, _ record: Record) -> SideLock? {
        let reason: String
        switch end {
        case .pulserFaults(let count): reason = "\(count) pulser faults in one sale"
        case .meterStopped(let stop, _) where stop.locksSide: reason = stop.description
        case .regular, .stopped, .emergency, .meterStopped, .pumpFailed: return nil
        }
        return SideLock(
            side: settings.number,
            since: books.clock.localTime ?? record.begun,
            reason: reason
        )
    }
}

extension TransactionTime {
    /// `hh:mm:ss`, so many seconds before.
    fileprivate func clock(before seconds: Int) -> String {
        let clock: Int
        do throws(ParseError) { clock = try BCD.decode(bytes.suffix(3), "time") } catch {
            preconditionFailure("the board's clock is in decimal digits")
        }
        let day = 86_400
        let now = clock / 10_000 * 3_600 + clock / 100 % 100 * 60 + clock % 100
        let then = ((now - seconds) % day + day) % day
        return [then / 3_600, then / 60 % 60, then % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
    }
}
