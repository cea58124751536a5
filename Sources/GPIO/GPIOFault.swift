private import Glibc

/// Why lines cannot be had. The description says what to do.
package enum GPIOFault: Error, Equatable, Sendable {
    /// - Parameter present: names and labels of the chips there are.
    case noSuchChip(String, present: [String])
    /// Several chips have this label.
    case ambiguousChip(String, named: [String])
    case notPermitted(chip: String)
    case noSuchLine(GPIORole, offset: Int, chip: String, lineCount: Int)
    case wiredTwice(GPIORole, GPIORole, offset: Int)
    /// - Parameter consumer: nil when its holder gave no name.
    case lineBusy(GPIORole, offset: Int, chip: String, consumer: String?)
    /// A line of no pump, or an output that is to be switched off, and another program's.
    case offsetBusy(offset: Int, chip: String, consumer: String?)
    case noSuchOffset(offset: Int, chip: String, lineCount: Int)
    /// A call of libgpiod or the system failed.
    case system(operation: String, code: Int32)
}

extension GPIOFault {
    /// Whether only another setting can help. All else can pass by itself: a driver that loads late, device files that
    /// get their group late, a program that ends.
    package var isInSettings: Bool {
        switch self {
        case .noSuchLine, .wiredTwice, .ambiguousChip, .noSuchOffset: true
        case .noSuchChip, .notPermitted, .lineBusy, .offsetBusy, .system: false
        }
    }

    /// The calling thread's last failed call.
    static func last(_ operation: String) -> GPIOFault { .system(operation: operation, code: errno) }
}

extension GPIOFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noSuchChip(let chip, let present):
            "no GPIO chip \(chip): "
                + (present.isEmpty
                    ? "the kernel shows none, load the driver of the board's GPIO lines"
                    : "name one of \(present.joined(separator: ", "))")
        case .ambiguousChip(let label, let names):
            "several GPIO chips have the label \(label): name one of \(names.joined(separator: ", "))"
        case .notPermitted(let chip):
            "this user may not open \(chip): install the project's udev rules and add the user to the device's group"
        case .noSuchLine(let role, let offset, let chip, let count):
            "the \(role.rawValue) is wired to line \(offset), and \(chip) has lines 0 to \(count - 1)"
        case .wiredTwice(let one, let other, let offset):
            "line \(offset) is wired twice, as \(one.rawValue) and as \(other.rawValue)"
        case .lineBusy(let role, let offset, let chip, let consumer):
            "line \(offset) of \(chip) (\(role.rawValue)) is held by \(consumer.map { "\"\($0)\"" } ?? "another program"):"
                + " end that program, or wire the pump to another line"
        case .offsetBusy(let offset, let chip, let consumer):
            "line \(offset) of \(chip) is held by \(consumer.map { "\"\($0)\"" } ?? "another program")"
        case .noSuchOffset(let offset, let chip, let count):
            "\(chip) has no line \(offset): it has lines 0 to \(count - 1)"
        case .system(let operation, let code):
            "\(operation): \(unsafe String(cString: strerror(code)))"
        }
    }
}
