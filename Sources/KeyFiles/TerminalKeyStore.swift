package import CardCryptography
package import Files
package import FuelPassbook
private import Glibc
package import KeyCustody
private import Threads

/// A terminal's keys in their file.
package struct TerminalKeyStore: Sendable {
    package let path: String
    package let terminal: TerminalID
    private let storageKey: StorageKeyPlace

    package init(_ path: String, of terminal: TerminalID, storageKey: StorageKeyPlace) {
        self.path = path
        self.terminal = terminal
        self.storageKey = storageKey
    }

    /// nil where there is no file yet.
    package func read() throws(FileFault) -> TerminalKeys? { try read(with: storageKey.read()) }

    /// The keys, to be changed by this process alone; a new store's are none.
    ///
    /// - Throws: ``FileFault`` also while another process changes them.
    package func beginChange() throws(FileFault) -> KeyChange {
        let lock = try FileLock(
            path + ".lock",
            whenHeld: "the keys are being changed by another program: try again when it ended"
        )
        let opening = try storageKey.read()
        let keys = try read(with: opening) ?? TerminalKeys(of: terminal)
        return KeyChange(keys, path, opening, lock)
    }

    private func read(with storageKey: borrowing SealingKey) throws(FileFault) -> TerminalKeys? {
        guard let bytes = try WholeFile.contents(path, bytesMax: TerminalKeys.fileBytesMax, isSecret: true) else {
            return nil
        }
        do throws(TerminalKeysFault) {
            return try TerminalKeys(opening: bytes, under: storageKey, of: terminal)
        } catch {
            throw FileFault("\(path) \(error.words(terminal))")
        }
    }
}

/// Keys while they are changed: nothing of it is in the file until it is stored, whole.
package struct KeyChange: ~Copyable {
    package var keys: TerminalKeys
    private let path: String
    private let storageKey: SealingKey
    private let lock: FileLock

    fileprivate init(
        _ keys: TerminalKeys,
        _ path: String,
        _ storageKey: consuming SealingKey,
        _ lock: consuming FileLock
    ) {
        self.keys = keys
        self.path = path
        self.storageKey = storageKey
        self.lock = lock
    }

    /// On disk when this returns.
    package consuming func store(random: any RandomSource = SystemRandom()) throws(FileFault) {
        try WholeFile.replace(path, with: keys.sealed(under: storageKey, random: random))
    }
}

extension TerminalKeysFault {
    fileprivate func words(_ terminal: TerminalID) -> String {
        switch self {
        case .noKeyStore: "is no key store: name another file"
        case .otherFormat: "is a key store of another format: this program writes another version"
        case .truncated: "is cut short: use its copy, or load the keys again"
        case .otherTerminal(let other): "holds the keys of terminal \(other), and this is \(terminal)"
        case .doesNotOpen:
            "does not open: the storage key is another than the one that sealed it, or the file was altered"
        }
    }
}
