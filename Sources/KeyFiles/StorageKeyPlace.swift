package import CardCryptography
package import Files
private import Glibc
package import KeyCustody
private import Threads

/// Where the 32 bytes lie that open a terminal's keys.
package enum StorageKeyPlace: Equatable, Sendable {
    /// A file that only its owner may read.
    case file(String)
    /// What systemd hands to the unit under this name (systemd.exec(5), LoadCredential= and LoadCredentialEncrypted=).
    case credential(String)

    package static let keyLength = 32

    /// "file /etc/greylock/storage-key"
    package var words: String {
        switch self {
        case .file(let path): "file \(path)"
        case .credential(let name): "credential \(name)"
        }
    }

    /// Blocks while it is read.
    ///
    /// - Parameter half: of the board's memory, where one is used: neither opens anything without the other.
    package func read(and half: SecretKey? = nil) throws(FileFault) -> SealingKey {
        let path = try self.path()
        var raw = LockedBuffer(count: Self.keyLength + 1)
        let count = try read("the storage key \(path)", path, into: &raw)
        guard count == Self.keyLength else {
            throw FileFault("the storage key \(path) has \(count > Self.keyLength ? "more" : "fewer") than 32 bytes")
        }
        guard !raw.part(0..<Self.keyLength).isEqual(to: LockedBuffer(count: Self.keyLength)) else {
            throw FileFault("the storage key \(path) was destroyed: make a new one, and load the keys again")
        }
        if let half { Self.add(half, to: &raw) }
        return SealingKey(raw: raw.part(0..<Self.keyLength))
    }

    /// Bit by bit: of a sum of two secrets, one of them drawn at random, neither alone tells anything.
    private static func add(_ half: SecretKey, to raw: inout LockedBuffer) {
        raw.withMutableSpan { span in
            half.raw.withSpan { half in
                for index in half.indices { span[index] ^= half[index] }
            }
        }
    }

    /// - Returns: how many bytes there were, as far as there is room.
    func read(_ name: String, _ path: String, into raw: inout LockedBuffer) throws(FileFault) -> Int {
        // A pipe would be waited for.
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard file >= 0 else {
            let remedy =
                errno == ENOENT && name.hasPrefix("the storage key")
                ? ": make one, 32 random bytes that only the service's user may read" : ""
            throw FileFault("cannot open \(name): \(systemError())\(remedy)")
        }
        defer { close(file) }
        try requireGuarded(file, path)
        return try raw.withMutableSpan { (span) throws(FileFault) in try WholeFile.read(file, name, into: &span) }
    }

    func path() throws(FileFault) -> String {
        switch self {
        case .file(let path): return path
        case .credential(let name):
            guard let folder = unsafe getenv("CREDENTIALS_DIRECTORY") else {
                throw FileFault(
                    """
                    systemd handed no credentials over: the unit needs LoadCredentialEncrypted=\(name), and what is started by \
                    hand is started by systemd-run with the same
                    """
                )
            }
            // SAFETY: the text is copied, and nothing in this program changes the environment.
            return unsafe String(cString: folder) + "/" + name
        }
    }

    /// A credential lies on a file system of its own that only the unit reads, and shows another mode.
    private func requireGuarded(_ file: Int32, _ path: String) throws(FileFault) {
        switch self {
        case .file: try WholeFile.requireGuarded(file, path)
        case .credential: break
        }
    }
}
