private import CardApplication
private import CardCryptography
import Codes
private import Configuration
import Console
import Files
package import FuelPassbook
package import Issuer
private import KeyCustody
private import KeyFiles
private import Logging
private import Quantities
import Station
package import Threads
private import VirtualCards

/// The issuer's key store in a file that only its owner may read.
package enum KeyStoreFile {
    /// Makes new keys, seals them under a passphrase that is asked for, and writes a new file: it appears whole, flushed
    /// with its folder, or not at all.
    ///
    /// - Parameter now: seconds of UTC since 1970.
    /// - Throws: also when there is a file at `path`: cards may depend on the keys in it.
    package static func create(
        _ path: String,
        _ reference: KeyReference,
        at now: Int64
    ) throws(ServiceFailure) -> KeyStore {
        try requireNew(path, "cards may depend on the keys in it")
        try harden()
        let store = KeyStore(generating: reference, at: now)
        let sealed = store.sealed(under: try PassphrasePrompt().askNew(), random: SystemRandom())
        try writeNew(path, sealed)
        return store
    }

    /// Before anything is asked for: the file's own creation refuses it too, when everything was typed.
    ///
    /// - Parameter words: of a file that is there.
    package static func requireNew(_ path: String, _ words: String) throws(ServiceFailure) {
        guard FileStamp(path) == nil else { throw failure("\(path) exists, and \(words): choose another name") }
        let folder = FilePath.folder(of: path)
        guard FileStamp(folder) != nil else { throw failure("\(path) cannot be made: there is no folder \(folder)") }
    }

    /// A file that only its owner may read and that was not there: it appears whole, flushed with its folder, or not at all.
    package static func writeNew(_ path: String, _ bytes: [UInt8]) throws(ServiceFailure) {
        do throws(CardMemoryFailure) {
            _ = try LockedFile(creating: path, content: bytes)
        } catch {
            throw failure(error.reason)
        }
    }

    /// Reads the file and asks for its passphrase. A file of the format before this is converted, where it can be written, and a line
    /// on standard error says so.
    package static func open(_ path: String) throws(ServiceFailure) -> KeyStore {
        let file = StoreFile(path)
        let bytes = try contents(of: file)
        let opened = try opened(bytes, path)
        if try isFormer(bytes, path) { standardError("\(path) \(convert(file, bytes, opened))") }
        return opened.store
    }

    /// Asks for the passphrase and changes the keys, as the only one who does; the file has the keys as they were, or as they are now.
    package static func change(
        _ path: String,
        _ body: (inout KeyStore) throws(ServiceFailure) -> Void
    ) throws(ServiceFailure) -> KeyStore {
        let file = StoreFile(path)
        // No lock is left beside what is no store.
        try check(contents(of: file), path)
        let lock = try filed { () throws(FileFault) in try file.lock() }
        let stamp = file.stamp
        let bytes = try contents(of: file)
        let opened = try opened(bytes, path)
        var store = opened.store
        try body(&store)
        guard file.stamp == stamp else {
            throw failure("\(path) was replaced meanwhile: look who did that, and begin again")
        }
        let sealed = store.sealed(under: opened.passphrase, random: SystemRandom())
        try filed { () throws(FileFault) in try file.replace(with: sealed) }
        _ = consume lock
        if try isFormer(bytes, path) { standardError("\(path) \(converted)") }
        return store
    }

    private static let converted =
        "was of the format for one version, and is converted: its keys and the passphrase are the same"

    /// - Returns: what became of the file, in words.
    private static func convert(
        _ file: StoreFile,
        _ bytes: [UInt8],
        _ opened: borrowing OpenedStore
    ) -> String {
        do throws(FileFault) {
            let lock = try file.lock()
            guard try file.contents() == bytes else { throw FileFault("it was changed meanwhile") }
            try file.replace(with: opened.store.sealed(under: opened.passphrase, random: SystemRandom()))
            _ = consume lock
            return converted
        } catch {
            return "is of the format for one version, serves as it is, and is not converted: \(error.reason)"
        }
    }

    private static func contents(of file: StoreFile) throws(ServiceFailure) -> [UInt8] {
        try filed { () throws(FileFault) in
            guard let bytes = try file.contents() else {
                throw FileFault("there is no key store \(file.path): greylock keys new makes one")
            }
            return bytes
        }
    }

    private struct OpenedStore: ~Copyable {
        let store: KeyStore
        let passphrase: LockedBuffer
    }

    private static func opened(_ bytes: [UInt8], _ path: String) throws(ServiceFailure) -> OpenedStore {
        try check(bytes, path)
        try harden()
        let passphrase = try PassphrasePrompt().ask("passphrase of \(path)")
        let now = SystemClock().now?.utcSeconds ?? 1
        let store = try judged(path) { () throws(KeyStoreFault) in
            try KeyStore(opening: bytes, passphrase: passphrase, at: now)
        }
        return OpenedStore(store: store, passphrase: passphrase)
    }

    private static func isFormer(_ bytes: [UInt8], _ path: String) throws(ServiceFailure) -> Bool {
        try judged(path) { () throws(KeyStoreFault) in try FormerKeyStore.isOne(bytes) }
    }

    /// Before a passphrase is asked for.
    private static func check(_ bytes: [UInt8], _ path: String) throws(ServiceFailure) {
        _ = try judged(path) { () throws(KeyStoreFault) in try KeyStore.salt(of: bytes) }
    }

    private static func judged<Value>(
        _ path: String,
        _ body: () throws(KeyStoreFault) -> Value
    ) throws(ServiceFailure) -> Value {
        do throws(KeyStoreFault) { return try body() } catch {
            throw failure("\(path) \(error) [\(error.code.rawValue)]")
        }
    }

    private static func filed<Value: ~Copyable>(
        _ body: () throws(FileFault) -> Value
    ) throws(ServiceFailure) -> Value {
        do throws(FileFault) { return try body() } catch { throw failure(error.reason) }
    }

    private static func failure(_ reason: String) -> ServiceFailure {
        ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: reason)
    }

    private static func harden() throws(ServiceFailure) {
        try ProcessHardening.apply(log: Logger(label: "greylock") { _ in LineLogHandler() })
    }
}
