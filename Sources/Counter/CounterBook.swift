package import CardCryptography
private import Files
package import FuelPassbook
private import ISO7816

/// What the counter authorised, on its disk. One process has it at a time.
///
/// The file: magic "GLCB" 4, format 1, key index and version 1 each, the counter's terminal id 6, random identity 8; for each entry
/// its length 2, its bytes, and their code 16; at the end a code over everything before it 16. The key of the codes is drawn from the
/// issuer's store of that index and version, and the book's identity. Each change replaces the file whole, flushed with its folder.
package final class CounterBook {
    package static let bytesMax = 32 << 20
    private static let magic = Array("GLCB".utf8)
    private static let format: UInt8 = 1
    private static let identityLength = 8
    private static let headerLength = magic.count + 3 + TerminalID.length + identityLength

    /// The counter's terminal id, which the cards' codes cover.
    package let counter: TerminalID
    package private(set) var entries: [CounterEntry]
    private let path: String
    private let header: [UInt8]
    private let key: CodeKey
    private let lock: FileLock

    /// Begins a book.
    ///
    /// - Parameter key: the issuer's, of that reference.
    /// - Throws: ``CounterStop`` also when there is a file at `path`.
    package static func begin(
        _ path: String,
        counter: TerminalID,
        _ reference: KeyReference,
        key: borrowing CodeKey,
        random: any RandomSource
    ) throws(CounterStop) {
        try stored { () throws(FileFault) in
            let lock = try lock(path)
            guard try WholeFile.contents(path, bytesMax: bytesMax, isSecret: true) == nil else {
                throw FileFault("\(path) exists and may have open entries: choose another name")
            }
            let header =
                magic + [format] + reference.index.bytes + reference.version.bytes + counter.bytes
                + random.bytes(identityLength)
            let key = key.child(of: header)
            try WholeFile.replace(path, with: header + key.code(of: header).bytes)
            _ = consume lock
        }
    }

    /// Which store's key the codes of the book at `path` are made with.
    package static func keyReference(_ path: String) throws(CounterStop) -> KeyReference {
        let header = try read(path)[..<headerLength]
        return KeyReference(index: KeyIndex(header[magic.count + 1]), version: KeyVersion(header[magic.count + 2]))
    }

    /// - Throws: ``CounterStop`` for a book that another process has, that another store codes, or that was altered.
    package init(_ path: String, key issuer: borrowing CodeKey) throws(CounterStop) {
        let lock = try Self.stored { () throws(FileFault) in try Self.lock(path) }
        let bytes = try Self.read(path)
        header = Array(bytes[..<Self.headerLength])
        let key = issuer.child(of: header)
        do throws(ParseError) {
            counter = try TerminalID(bytes: header.dropFirst(Self.magic.count + 3).prefix(TerminalID.length))
        } catch {
            throw .altered(path, "\(error)")
        }
        entries = try Self.entries(bytes, path, key)
        self.key = key
        self.path = path
        self.lock = lock
    }

    /// Those of a card that nothing has proved yet, oldest first.
    package func open(_ card: ApplicationSerialNumber) -> [CounterEntry] {
        entries.filter { $0.card == card && $0.state == .open }
    }

    /// The entry that settled a lock, if one did.
    package func settling(_ lock: LockedSaleName, of card: ApplicationSerialNumber) -> CounterEntry? {
        entries.first { entry in
            guard entry.card == card, case .unlock(lock, _) = entry.task else { return false }
            return switch entry.state {
            case .done, .closedByHand(isDone: true, _): true
            case .open, .void, .closedByHand: false
            }
        }
    }

    /// The number of the next entry.
    package var nextID: UInt32 { (entries.last?.id ?? 0) + 1 }

    /// Durable when this returns.
    ///
    /// - Throws: ``CounterStop``; the book is what it was.
    package func authorise(_ entry: CounterEntry) throws(CounterStop) {
        precondition(entry.id == nextID && entry.state == .open)
        try write(entries + [entry])
    }

    /// Durable when this returns.
    package func close(_ id: UInt32, as state: CounterEntry.State) throws(CounterStop) {
        guard let place = entries.firstIndex(where: { $0.id == id }) else {
            throw .data("the book has no entry \(id): greylock counter list shows them")
        }
        guard entries[place].state == .open else { throw .data("entry \(id) is closed: it stays as it is") }
        var changed = entries
        changed[place].state = state
        try write(changed)
    }

    private func write(_ changed: [CounterEntry]) throws(CounterStop) {
        var bytes = header
        for entry in changed {
            let content = entry.bytes
            bytes += UInt16(content.count).bytes + content + key.code(of: content).bytes
        }
        bytes += key.code(of: bytes).bytes
        guard bytes.count <= Self.bytesMax else {
            throw .book("\(path) is full: keep it, and begin another book with greylock counter new")
        }
        try Self.stored { () throws(FileFault) in try WholeFile.replace(path, with: bytes) }
        entries = changed
    }

    // MARK: - Reading

    private static func entries(
        _ bytes: [UInt8],
        _ path: String,
        _ key: borrowing CodeKey
    ) throws(CounterStop) -> [CounterEntry] {
        let end = bytes.count - StoredCode.length
        var entries: [CounterEntry] = []
        do throws(ParseError) {
            var reader = FieldReader(Array(bytes[headerLength..<end]))
            var place = headerLength
            while place < end {
                let count: UInt16 = try reader.read("length of an entry")
                let content = Array(try reader.read("entry", count: Int(count)))
                let code = Array(try reader.read("code", count: StoredCode.length))
                guard key.code(of: content).isValid(code) else { throw .invalid("code of entry \(entries.count + 1)") }
                let entry = try CounterEntry(parsing: content)
                guard entry.id == (entries.last?.id ?? 0) + 1 else { throw .invalid("order of entries") }
                entries.append(entry)
                place += UInt16.length + content.count + code.count
            }
        } catch {
            throw .altered(path, "\(error)")
        }
        guard key.code(of: Array(bytes[..<end])).isValid(Array(bytes[end...])) else {
            throw .altered(path, "its code is wrong")
        }
        return entries
    }

    private static func read(_ path: String) throws(CounterStop) -> [UInt8] {
        let bytes = try stored { () throws(FileFault) in
            try WholeFile.contents(path, bytesMax: bytesMax, isSecret: true)
        }
        guard let bytes else {
            throw .book("there is no book at \(path): check the name, or begin one with greylock counter new")
        }
        guard bytes.starts(with: magic), bytes.count > magic.count, bytes[magic.count] == format else {
            throw .book("\(path) is no counter's book of this program: check the name")
        }
        guard bytes.count >= headerLength + StoredCode.length else { throw .altered(path, "it is cut short") }
        return bytes
    }

    private static func lock(_ path: String) throws(FileFault) -> FileLock {
        try FileLock(path + ".lock", whenHeld: "another program uses \(path): wait until it has ended")
    }

    private static func stored<Value: ~Copyable>(
        _ body: () throws(FileFault) -> Value
    ) throws(CounterStop) -> Value {
        do throws(FileFault) { return try body() } catch { throw .book(error.reason) }
    }
}
