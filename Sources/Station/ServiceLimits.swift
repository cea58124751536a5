import CardCryptography
import Pump

/// What a service asks of the system that its unit may keep from it.
package enum ServiceLimits {
    /// Of the threads that close valves (`LimitRTPRIO=`).
    package static let realTimePriority = max(Int(PumpThread.realTimePriority), Int(TamperWatch.realTimePriority))
    /// Keys lie in so much locked memory (`LimitMEMLOCK=`).
    package static let lockedBytes = LockedBuffer.arenaBytesMax
}
