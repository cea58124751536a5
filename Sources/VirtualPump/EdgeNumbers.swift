package import Metering

/// The kernel's numbers of one request's lines: each begins with 1.
package struct EdgeNumbers: Sendable {
    private var last: (a: UInt32, b: UInt32, nozzle: UInt32, emergency: UInt32) = (0, 0, 0, 0)

    package init() {}

    package mutating func next(_ input: PumpInput) -> UInt32 {
        func up(_ number: inout UInt32) -> UInt32 {
            number += 1
            return number
        }
        return switch input {
        case .pulser(.a): up(&last.a)
        case .pulser(.b): up(&last.b)
        case .nozzle: up(&last.nozzle)
        case .emergency: up(&last.emergency)
        }
    }
}
