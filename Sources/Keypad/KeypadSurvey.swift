private import CLinux
private import Glibc

/// What the system says of a keypad, which is not taken.
package struct KeypadSurvey: Sendable {
    /// What it calls itself; nil where this user may not ask it.
    package let name: String?
    /// Programs that have it open, as far as this user may see them.
    package let holders: [String]

    /// - Parameter path: of the device file.
    /// - Throws: why there is none. Whether somebody holds it is no fault here; that this user may not read it, neither.
    package init(_ path: String) throws(KeypadFault) {
        let device = try KeypadDevice.number(of: path)
        holders = InputFolder.holders(of: device, but: -1)
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else {
            name = nil
            guard errno == EACCES || errno == EPERM else { throw .missing(path, present: InputFolder.keyboards()) }
            return
        }
        defer { close(descriptor) }
        name = try KeypadDevice.name(of: descriptor, path)
    }
}
