private import Glibc

/// What a user is called on this board.
enum UserName {
    private static let bytesMax = 16_384

    /// The number itself, of one without a name. The corresponding C function is `getpwuid_r`.
    static func of(_ number: UInt32) -> String {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: bytesMax)
        let code = unsafe getpwuid_r(number, &entry, &buffer, buffer.count, &found)
        guard code == 0, unsafe found != nil, let name = unsafe entry.pw_name else { return "\(number)" }
        // SAFETY: a text that ends with a zero in the buffer, which is still there.
        return withExtendedLifetime(buffer) { unsafe String(cString: name) }
    }
}
