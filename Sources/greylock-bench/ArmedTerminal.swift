import CardCryptography
import FuelPassbook
import Glibc
import KeyCustody
import KeyFiles
import Quantities

/// A terminal that has keys of its own in a file.
struct ArmedTerminal {
    static let id = "310000000017"

    /// Of the configuration.
    let settings: String

    /// - Parameter count: of all keys, the record key among them.
    init(in folder: String, keys count: Int) throws {
        let (storageKey, path) = ("\(folder)/storage-key", "\(folder)/keys")
        let descriptor = unsafe open(storageKey, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        let bytes = SystemRandom().bytes(StorageKeyPlace.keyLength)
        guard descriptor >= 0, unsafe write(descriptor, bytes, bytes.count) == bytes.count else {
            throw PeerFault("\(storageKey) cannot be written")
        }
        close(descriptor)
        let store = TerminalKeyStore(path, of: TerminalID(0x3100_0000_0017), storageKey: .file(storageKey))
        let now: Int64 = 1_790_000_000
        let made = try TransactionTime(secondsSince1970: Int(now))
        var change = try store.beginChange()
        for number in 0..<count {
            let name = HeldKeyName(
                number == 0 ? .record : .purchaseMaster,
                KeyReference(index: KeyIndex(1), version: KeyVersion(UInt8(number)))
            )
            let delivery = KeyDelivery(name, .tripleDES, made: made, SystemRandom().secret(DoubleLengthKey.length))
            try change.keys.load(delivery, .block, at: now)
            if number > 0 { try change.keys.activate(name, from: now, at: now) }
        }
        try change.store()
        settings = """
            demonstration = false
            card = { aid = "F0 50 45 54 52 4F 4C 02" }
            keys = { store = "\(path)", storage_key = "\(storageKey)" }
            """
    }
}
