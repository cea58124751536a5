private import Glibc

/// Why lines cannot be had. The description says what to do.
package enum GPIOFault: Error, Equatable, Sendable {
    /// - Parameter present: names and labels of the chips there are.
    case noSuchChip(String, present: [String])
    /// Several chips have this label.
    case ambiguousChip(String, named: [String])
    case notPermitted(chip: String)
    case noSuchLine(GPIORole, offset: Int, chip: String, lineCount: Int)
    /// - Parameters:
    ///   - near: the names that were probably meant.
    ///   - isNamed: whether the chip's lines have names at all.
    case noLineOfName(String, chip: String, near: [String], isNamed: Bool)
    case ambiguousLine(String, chip: String, offsets: [Int])
    case wiredTwice(GPIORole, GPIORole, line: ChipLine)
    /// - Parameter consumer: nil when its holder gave no name.
    case lineBusy(GPIORole, line: ChipLine, chip: String, consumer: String?)
    /// A line of no pump, or an output that is to be switched off, and another program's.
    case otherLineBusy(line: ChipLine, chip: String, consumer: String?)
    case noSuchOffset(offset: Int, chip: String, lineCount: Int)
    /// A call of libgpiod or the system failed.
    case system(operation: String, code: Int32)
}

extension GPIOFault {
    /// Whether only another setting can help. All else can pass by itself: a driver that loads late, device files that
    /// get their group late, a program that ends.
    package var isInSettings: Bool {
        switch self {
        case .noSuchLine, .noLineOfName, .ambiguousLine, .wiredTwice, .ambiguousChip, .noSuchOffset: true
        case .noSuchChip, .notPermitted, .lineBusy, .otherLineBusy, .system: false
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
        case .noLineOfName(let name, let chip, let near, let isNamed):
            "\(chip) has no line \"\(name)\": "
                + (!isNamed
                    ? "none of its lines has a name, give the offset, or load a device tree that names them"
                    : near.isEmpty
                        ? "gpioinfo and greylock lines list the names"
                        : "perhaps \(near.joined(separator: ", "))")
        case .ambiguousLine(let name, let chip, let offsets):
            "several lines of \(chip) have the name \"\(name)\": give one of the offsets "
                + offsets.map(String.init).joined(separator: ", ")
        case .wiredTwice(let one, let other, let line):
            "line \(line) is wired twice, as \(one.rawValue) and as \(other.rawValue)"
        case .lineBusy(let role, let line, let chip, let consumer):
            "line \(line) of \(chip), the \(role.rawValue), is held by \(Self.holder(consumer)):"
                + " end that program, or wire the pump to another line"
        case .otherLineBusy(let line, let chip, let consumer):
            "line \(line) of \(chip) is held by \(Self.holder(consumer))"
        case .noSuchOffset(let offset, let chip, let count):
            "\(chip) has no line \(offset): it has lines 0 to \(count - 1)"
        case .system(let operation, let code):
            "\(operation): \(unsafe String(cString: strerror(code)))"
        }
    }
    private static func holder(_ consumer: String?) -> String { consumer.map { "\"\($0)\"" } ?? "another program" }
}
