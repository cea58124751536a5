import CLinux
import Files
import Glibc
import Quantities
import Station

/// The board's clocks.
struct DoctorClock {
    private static let rtcFolder = "/sys/class/rtc"
    /// So far the board's own clock may be from the system's.
    private static let rtcSecondsMax: Int64 = 60

    /// The latest moment of any record; nil where none is known.
    let latest: StationTime?

    func examine(_ diagnosis: inout Diagnosis) {
        let now = SystemClock().now
        if let now {
            if let latest, now.utcSeconds < latest.utcSeconds {
                diagnosis.find(
                    .clockBehind,
                    "it is \(now.local.words) here, and the latest record is of \(latest.local.words)"
                )
            } else {
                diagnosis.see(.clock, "\(now.local.words), and no record is later")
            }
        } else {
            diagnosis.find(.clockUnset, "it shows a year before \(SystemClock.firstYear)")
        }
        let clock = Folder.names(in: Self.rtcFolder).first
        let isKept = greylock_clock_is_kept() != 0
        guard let clock else {
            if isKept {
                diagnosis.find(
                    .rtcMissing,
                    "\(Self.rtcFolder) is empty; a time server keeps the clock while it answers"
                )
            } else {
                diagnosis.find(
                    .clockUnsynchronised,
                    "the kernel calls it unsynchronised, and \(Self.rtcFolder) is empty"
                )
            }
            return
        }
        let own = kernelText("\(Self.rtcFolder)/\(clock)/since_epoch").flatMap { Int64($0) }
        guard let own else {
            return diagnosis.find(
                .rtcOff,
                "\(clock) shows no time",
                mend: "its battery may be empty: hwclock --systohc, and look again after a power cut"
            )
        }
        let difference = own - Int64(time(nil))
        guard now == nil || abs(difference) <= Self.rtcSecondsMax else {
            return diagnosis.find(
                .rtcOff,
                "\(clock) is \(abs(difference)) s \(difference < 0 ? "behind" : "ahead"), by UTC"
            )
        }
        diagnosis.see(
            .clock,
            "\(clock) agrees\(isKept ? ", and a time server keeps the clock" : "; no time server keeps the clock")"
        )
    }
}
