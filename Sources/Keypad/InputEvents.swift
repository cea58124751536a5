private import CLinux

/// The events of an input device: bytes as the kernel gives them in, keys out.
///
/// A `struct input_event` is a time of the platform's width, then type (2 bytes), code (2) and value (4), in the processor's
/// order, which is little-endian on all boards (Linux, Documentation/input/input.rst, section 5).
package struct InputEvents {
    enum Event: Equatable {
        case key(KeypadKey)
        /// The kernel had no room: events are missing before this one.
        case lost
    }

    package static let length = MemoryLayout<input_event>.size

    private enum Value {
        static let pressed: UInt32 = 1
    }

    /// After SYN_DROPPED nothing counts up to the next SYN_REPORT (Documentation/input/event-codes.rst).
    private var isBroken = false

    package init() {}

    /// - Parameter event: of ``length`` bytes.
    /// - Returns: nil for what means nothing: releases, repetitions, other events.
    mutating func receive(_ event: Span<UInt8>) -> Event? {
        precondition(event.count == Self.length)
        let place = Self.length - 8
        let type = UInt16(event[place]) | UInt16(event[place + 1]) << 8
        let code = UInt16(event[place + 2]) | UInt16(event[place + 3]) << 8
        switch (Int32(type), Int32(code)) {
        case (EV_SYN, SYN_DROPPED):
            isBroken = true
            return .lost
        case (EV_SYN, SYN_REPORT):
            isBroken = false
            return nil
        case (EV_KEY, _):
            let value = (0..<4).reduce(UInt32(0)) { $0 | UInt32(event[place + 4 + $1]) << (8 * $1) }
            guard value == Value.pressed else { return nil }
            // Whoever began to ask in between is told too.
            if isBroken { return .lost }
            return KeypadKey(code: code).map { .key($0) }
        case _: return nil
        }
    }
}
