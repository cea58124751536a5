private import CardApplication
private import CardCryptography
private import Configuration
import Console
private import Files
package import FuelPassbook
private import Glibc
package import Issuer
private import Logging
import Station
package import Threads
private import VirtualCards

/// A key store in a file that only its owner may read.
package enum KeyStoreFile {
    /// Makes new keys, seals them under a passphrase that is asked for, and writes a new file: it appears whole, flushed
    /// with its folder, or not at all.
    ///
    /// - Throws: also when there is a file at `path`: cards may depend on the keys in it.
    package static func create(
        _ path: String,
        index: KeyIndex,
        version: KeyVersion
    ) throws(ServiceFailure) -> KeyStore {
        // Before the passphrase is asked for; the file's own creation refuses it too.
        guard unsafe access(path, F_OK) != 0 else {
            throw ServiceFailure(
                exitStatus: ServiceFailure.inputOutput,
                reason: "\(path) exists and may hold keys that cards depend on: choose another name"
            )
        }
        try harden()
        let store = KeyStore(generating: index, version: version)
        let sealed = store.sealed(under: try PassphrasePrompt().askNew(), random: SystemRandom())
        try writeNew(path, sealed)
        return store
    }

    /// A file that only its owner may read and that was not there: it appears whole, flushed with its folder, or not at all.
    package static func writeNew(_ path: String, _ bytes: [UInt8]) throws(ServiceFailure) {
        do throws(CardMemoryFailure) {
            _ = try LockedFile(creating: path, content: bytes)
        } catch {
            throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: error.reason)
        }
    }

    /// Reads the file and asks for its passphrase.
    package static func open(_ path: String) throws(ServiceFailure) -> KeyStore {
        if let refusal = FileGuard.refusal(ofFolder: path) {
            throw ServiceFailure(
                exitStatus: ServiceFailure.inputOutput,
                reason: "\(path): \(refusal.expected) (found \(refusal.found))"
            )
        }
        let bytes: [UInt8]
        do throws(ConfigurationError) { bytes = try ConfigurationDocument.contents(of: path, secret: true) } catch {
            throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: error.description)
        }
        do throws(KeyStoreError) {
            try KeyStore.check(bytes)
        } catch {
            throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: "\(path) \(error)")
        }
        try harden()
        let passphrase = try PassphrasePrompt().ask("passphrase of \(path)")
        do throws(KeyStoreError) {
            return try KeyStore(opening: bytes, passphrase: passphrase)
        } catch {
            throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: "\(path) \(error)")
        }
    }

    private static func harden() throws(ServiceFailure) {
        try ProcessHardening.apply(log: Logger(label: "greylock") { _ in LineLogHandler() })
    }
}
