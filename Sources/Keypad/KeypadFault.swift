private import Glibc

/// Why there is no keypad. The description says what to do; each may pass by itself.
package enum KeypadFault: Error, Equatable, Sendable {
    /// - Parameter present: paths of keyboards that are there.
    case missing(String, present: [String])
    case unplugged(String)
    case notPermitted(String)
    case notInput(String)
    /// - Parameter name: what it calls itself.
    case noDigits(String, name: String)
    /// - Parameter holders: programs that have it open, as far as this user may see them.
    case held(String, holders: [String])
    case system(String, operation: String, code: Int32)
}

extension KeypadFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .missing(let path, let present):
            "no keypad \(path): plug it in"
                + (present.isEmpty
                    ? "" : ", or write the path of one that is there: \(present.joined(separator: ", "))")
        case .unplugged(let path): "the keypad \(path) was unplugged: plug it in again"
        case .notPermitted(let path):
            "this user may not read \(path): write the path into udev/62-greylock-keypad.rules and install that"
        case .notInput(let path): "\(path) is no input device: write the keypad's path, one under /dev/input/by-path"
        case .noDigits(let path, let name):
            "\(path) (\(name)) has not all digits and Enter: write the path of a keypad"
        case .held(let path, let holders):
            "another program has the keypad \(path): "
                + (holders.isEmpty
                    ? "as root, `fuser -v \(path)` names it" : "end \(holders.joined(separator: " or "))")
        case .system(let path, let operation, let code):
            "the keypad \(path): \(operation): \(unsafe String(cString: strerror(code)))"
        }
    }
}
