package import CardApplication
private import Glibc
private import ISO7816

/// A card's image in a file that no loss of power can tear.
///
/// **Specification.** ``commit(_:)`` returns when its image is what a restart reads. When power is lost inside it, or
/// it throws, a restart reads its image or the one before, whole.
///
/// **Definitions.** The file is two slots of ``slotBytes``. A slot is *valid* when its magic, version, length and
/// CRC-32 are right; of two valid slots the one with the higher sequence number is *newest*. The checksum guards
/// against tearing and not against forgery: who can write the file can write any card.
///
/// **Preconditions.** One owner at a time (a lock on the file); the disk keeps what it said is flushed; writing into
/// one slot does not damage the other, which therefore lies in other 4,096-byte blocks.
///
/// **Invariant.** Between two calls the newest slot is on the disk and holds ``image``.
///
/// **Proof sketch.** Opening flushes before it reads a second time, so what it took is on the disk, even when the
/// process before died between its write and its flush. A commit writes only the slot that is not newest. Until every
/// byte of it is written, the checksum refuses it and the newest slot, untouched, is read; from then on its sequence
/// number makes it newest. The flush that follows is the instant when the commit cannot be undone. When write or flush
/// fails, the same slot is written again by the next commit, and the newest one stays what it was, unless ``read()`` finds
/// the new one whole: it may stand in the system's cache alone, so it is written where it is once more and flushed before
/// anybody goes by it. The other slot is on the disk all that time.
package final class CardFile<Storage: CardStorage>: CardMemory {
    private let storage: Storage
    private var newest: CardSlot
    private var newestIndex: Int

    /// - Throws: when neither slot is valid, or the storage fails.
    package init(storage: Storage) throws(CardMemoryFailure) {
        try storage.flush()
        self.storage = storage
        (newest, newestIndex) = try Self.newest(in: storage)
    }

    package var image: [UInt8] { newest.image }

    private static func newest(in storage: Storage) throws(CardMemoryFailure) -> (CardSlot, Int) {
        var found: (slot: CardSlot, index: Int)?
        for index in 0..<CardSlot.count {
            let bytes = try storage.read(CardSlot.length, at: index * CardSlot.length)
            guard let slot = CardSlot(parsing: bytes) else { continue }
            if let best = found, best.slot.sequence >= slot.sequence { continue }
            found = (slot, index)
        }
        guard let found else {
            throw CardMemoryFailure(reason: "the file holds no card: both of its copies are damaged")
        }
        return found
    }

    package func read() throws(CardMemoryFailure) -> [UInt8] {
        let (slot, index) = try Self.newest(in: storage)
        if index != newestIndex {
            try storage.write(slot.bytes, at: index * CardSlot.length)
            try storage.flush()
        }
        (newest, newestIndex) = (slot, index)
        return slot.image
    }

    package func commit(_ image: [UInt8]) throws(CardMemoryFailure) {
        let next = CardSlot(sequence: newest.sequence + 1, image: image)
        let nextIndex = (newestIndex + 1) % CardSlot.count
        try storage.write(next.bytes, at: nextIndex * CardSlot.length)
        try storage.flush()
        newest = next
        newestIndex = nextIndex
    }
}

extension CardFile where Storage == LockedFile {
    /// Opens the card in the file at `path` and locks it for this process.
    package convenience init(path: String) throws(CardMemoryFailure) {
        try self.init(storage: LockedFile(opening: path))
    }

    /// Makes a new file at `path`, readable by its owner only. It appears whole or not at all.
    ///
    /// - Throws: also when there is a file at `path`: it may be a card with money on it.
    package convenience init(creating path: String, image: [UInt8]) throws(CardMemoryFailure) {
        let content = CardSlot(sequence: 1, image: image).bytes
        let blank = [UInt8](repeating: 0, count: CardSlot.count * CardSlot.length - content.count)
        try self.init(storage: LockedFile(creating: path, content: content + blank))
    }

    /// Opens the card at `path`, or makes it from `image` when there is no file.
    package static func opening(_ path: String, orCreating image: () -> [UInt8]) throws(CardMemoryFailure) -> CardFile {
        unsafe access(path, F_OK) == 0 ? try CardFile(path: path) : try CardFile(creating: path, image: image())
    }
}

/// What a card's file stands on: bytes at offsets, and a flush. A test's storage can lose power inside a write.
package protocol CardStorage: AnyObject {
    /// Fewer bytes than `count` when the storage ends before.
    func read(_ count: Int, at offset: Int) throws(CardMemoryFailure) -> [UInt8]
    func write(_ bytes: [UInt8], at offset: Int) throws(CardMemoryFailure)
    /// Returns when everything written is on the disk.
    func flush() throws(CardMemoryFailure)
}

/// One copy of an image: magic 4, version 2, image length 2, sequence 8, image, CRC-32 of all before it 4.
package struct CardSlot: Equatable, Sendable {
    package static let count = 2
    package static let length = 4_096
    package static let imageBytesMax = length - headerLength - UInt32.length

    private static let magic = Array("GLCF".utf8)
    private static let version: UInt16 = 1
    private static let headerLength = 16

    package let sequence: UInt64
    package let image: [UInt8]

    package init(sequence: UInt64, image: [UInt8]) {
        precondition(image.count <= Self.imageBytesMax)
        self.sequence = sequence
        self.image = image
    }

    package var bytes: [UInt8] {
        var bytes = Self.magic + Self.version.bytes + UInt16(image.count).bytes
        bytes += UInt32(sequence >> 32).bytes + UInt32(truncatingIfNeeded: sequence).bytes + image
        return bytes + CRC32.checksum(bytes).bytes
    }

    /// nil for any bytes that do not begin with a whole slot.
    package init?(parsing bytes: [UInt8]) {
        var reader = FieldReader(bytes)
        do throws(ParseError) {
            let magic = try reader.read("magic", count: Self.magic.count)
            guard Array(magic) == Self.magic, try reader.read("version", as: UInt16.self) == Self.version else {
                return nil
            }
            let length = try Int(reader.read("length", as: UInt16.self))
            let sequence = try reader.read("sequence", count: 8).reduce(0) { $0 << 8 | UInt64($1) }
            let image = try Array(reader.read("image", count: length))
            let checksum = try reader.read("checksum", as: UInt32.self)
            guard checksum == CRC32.checksum(bytes.prefix(Self.headerLength + length)) else { return nil }
            self.init(sequence: sequence, image: image)
        } catch {
            return nil
        }
    }
}

/// CRC-32 of IEEE 802.3, reflected; its check value for "123456789" is CBF43926.
package enum CRC32 {
    package static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
        var remainder = UInt32.max
        for byte in bytes {
            remainder ^= UInt32(byte)
            for _ in 0..<8 {
                remainder = remainder & 1 == 0 ? remainder >> 1 : remainder >> 1 ^ 0xEDB8_8320
            }
        }
        return ~remainder
    }
}

/// A file that this process alone may open, by `flock`; the lock ends with the object.
package final class LockedFile: CardStorage {
    private let descriptor: Int32
    private let path: String

    fileprivate init(opening path: String) throws(CardMemoryFailure) {
        self.path = path
        descriptor = try Self.call("open", path) { unsafe open(path, O_RDWR | O_CLOEXEC) }
        try lock()
    }

    /// Writes a file of another name, flushes it, gives it its name and flushes the folder. A second name and the removal
    /// of the first take the place of a rename, which would replace a card that is already there.
    package init(creating path: String, content: [UInt8]) throws(CardMemoryFailure) {
        self.path = path
        let draft = "\(path).new.\(getpid())"
        // Of a process of the same number that was killed; usually there is none.
        _ = unsafe unlink(draft)
        descriptor = try Self.call("create", draft) {
            unsafe open(draft, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR)
        }
        do throws(CardMemoryFailure) {
            try lock()
            try write(content, at: 0)
            _ = try Self.call("flush", draft) { fsync(descriptor) }
            _ = try Self.call("create", path) { unsafe link(draft, path) }
        } catch {
            _ = unsafe unlink(draft)
            throw error
        }
        _ = try Self.call("remove", draft) { unsafe unlink(draft) }
        try flushFolder()
    }

    deinit {
        close(descriptor)
    }

    package func read(_ count: Int, at offset: Int) throws(CardMemoryFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            var part = [UInt8](repeating: 0, count: count - bytes.count)
            let length = try Self.call("read", path) {
                unsafe pread(descriptor, &part, part.count, off_t(offset + bytes.count))
            }
            guard length > 0 else { break }
            bytes += part.prefix(length)
        }
        return bytes
    }

    package func write(_ bytes: [UInt8], at offset: Int) throws(CardMemoryFailure) {
        var written = 0
        while written < bytes.count {
            let rest = Array(bytes[written...])
            written += try Self.call("write", path) {
                unsafe pwrite(descriptor, rest, rest.count, off_t(offset + written))
            }
        }
    }

    package func flush() throws(CardMemoryFailure) {
        _ = try Self.call("flush", path) { fdatasync(descriptor) }
    }

    private func lock() throws(CardMemoryFailure) {
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            switch errno {
            case EINTR: continue
            case EWOULDBLOCK: throw CardMemoryFailure(reason: "\(path) is in use: another process serves this card")
            case _: throw Self.failure("lock", path)
            }
        }
    }

    private func flushFolder() throws(CardMemoryFailure) {
        let folder =
            switch path.lastIndex(of: "/") {
            case .some(path.startIndex): "/"
            case .some(let end): String(path[..<end])
            case nil: "."
            }
        let descriptor = try Self.call("open", folder) { unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        defer { close(descriptor) }
        _ = try Self.call("flush", folder) { fsync(descriptor) }
    }

    /// Calls again after a signal.
    private static func call<Result: FixedWidthInteger>(
        _ operation: String,
        _ path: String,
        _ body: () -> Result
    ) throws(CardMemoryFailure) -> Result {
        while true {
            let result = body()
            if result >= 0 { return result }
            if errno != EINTR { throw failure(operation, path) }
        }
    }

    private static func failure(_ operation: String, _ path: String) -> CardMemoryFailure {
        // SAFETY: the text is copied before this thread's next call.
        unsafe CardMemoryFailure(reason: "cannot \(operation) \(path): \(String(cString: strerror(errno)))")
    }
}
