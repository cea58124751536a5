private import Glibc

/// The clock that only goes forward, the one that the kernel stamps GPIO edges with. The corresponding C function is
/// `clock_gettime`.
package enum MonotonicClock {
    package static var nanoseconds: UInt64 {
        var time = timespec()
        let result = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        precondition(result == 0, "no monotonic clock")
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
