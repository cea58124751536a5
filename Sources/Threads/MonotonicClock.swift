private import Glibc

/// The clock that only goes forward, the one that the kernel stamps GPIO edges with. The corresponding C function is
/// `clock_gettime`.
package enum MonotonicClock {
    package static var nanoseconds: UInt64 { read(CLOCK_MONOTONIC) }

    /// The same with the time in which the machine was suspended.
    package static var nanosecondsWithSuspension: UInt64 { read(CLOCK_BOOTTIME) }

    private static func read(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        let result = unsafe clock_gettime(clock, &time)
        precondition(result == 0, "no monotonic clock")
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
