package import CardCryptography
private import Files
package import FuelPassbook
private import ISO7816
package import Quantities

/// What the counter authorised, on a disk. One process has it at a time.
///
/// The file: magic "GLCB" 4, format 2, key index and version 1 each, the counter's terminal id 6, random identity 8; for each line
/// its length 2, its bytes, and their code 16; at the end a code over everything before it 16. The key of the codes is drawn from
/// these first bytes and the books' key in the issuer's store, which that index and version name. Each change replaces the file whole,
/// flushed with its folder.
package final class CounterBook {
    package static let bytesMax = 32 << 20
    private static let magic = Array("GLCB".utf8)
    private static let format: UInt8 = 2
    private static let identityLength = 8
    private static let headerLength = magic.count + 3 + TerminalID.length + identityLength

    /// The counter's terminal id, which the cards' codes cover.
    package let counter: TerminalID
    package private(set) var lines: [BookLine]
    /// Why nothing may be written, when the mark does not show this book as the newest one.
    package private(set) var doubt: CounterStop?
    private var point: CounterMark.Point
    private let path: String
    private let mark: String
    private let header: [UInt8]
    private let key: CodeKey
    private let lock: FileLock
    private let disk: any BookDisk

    /// Where a mark is that nobody put elsewhere.
    package static func mark(of path: String) -> String { path + ".mark" }

    /// Begins a book.
    ///
    /// - Parameter key: the issuer's, of that reference.
    /// - Throws: ``CounterStop`` also when there is a file at `path`, or at the mark's.
    package static func begin(
        _ path: String,
        mark: String? = nil,
        counter: TerminalID,
        _ reference: KeyReference,
        key: borrowing CodeKey,
        random: any RandomSource
    ) throws(CounterStop) {
        try stored { () throws(FileFault) in
            let lock = try lock(path)
            let mark = mark ?? Self.mark(of: path)
            for path in [path, mark] where FileStamp(path) != nil {
                throw FileFault("\(path) exists, and there may be open entries: choose another name")
            }
            let header =
                magic + [format] + reference.index.bytes + reference.version.bytes + counter.bytes
                + random.bytes(identityLength)
            let key = key.child(of: header)
            let code = key.code(of: header).bytes
            let point = CounterMark.Point(changes: 0, code: code)
            try WholeFile.replace(mark, with: CounterMark(at: point).bytes(key))
            guard FileStamp(path) == nil else {
                _ = try WipedFile.destroy(mark)
                throw FileFault("\(mark) is the book itself: give its mark another name")
            }
            try WholeFile.replace(path, with: header + code)
            _ = consume lock
        }
    }

    /// Which store's key the codes of the book at `path` are made with.
    package static func keyReference(_ path: String) throws(CounterStop) -> KeyReference {
        let header = try read(path)[..<headerLength]
        return KeyReference(index: KeyIndex(header[magic.count + 1]), version: KeyVersion(header[magic.count + 2]))
    }

    /// - Throws: ``CounterStop`` for a book that another process has, that another store codes, or that was altered. An older copy is
    ///   read; ``doubt`` says so.
    package init(
        _ path: String,
        mark: String? = nil,
        key issuer: borrowing CodeKey,
        disk: any BookDisk = RealDisk()
    ) throws(CounterStop) {
        let lock = try Self.stored { () throws(FileFault) in try Self.lock(path) }
        let bytes = try Self.read(path)
        header = Array(bytes[..<Self.headerLength])
        let key = issuer.child(of: header)
        do throws(ParseError) {
            counter = try TerminalID(bytes: header.dropFirst(Self.magic.count + 3).prefix(TerminalID.length))
        } catch {
            throw .altered(path, "\(error)")
        }
        lines = try Self.lines(bytes, path, key)
        point = CounterMark.Point(changes: Self.changes(lines), code: Array(bytes.suffix(StoredCode.length)))
        self.key = key
        self.path = path
        self.mark = mark ?? Self.mark(of: path)
        self.lock = lock
        self.disk = disk
        do throws(CounterStop) { try compareMark() } catch { doubt = error }
    }

    package var entries: [CounterEntry] {
        lines.compactMap { line in
            switch line {
            case .entry(let entry): entry
            case .acceptance: nil
            }
        }
    }

    /// Those of a card that nothing has proved or closed yet, oldest first.
    package func open(_ card: ApplicationSerialNumber) -> [CounterEntry] { waiting(card).filter { $0.state == .open } }

    /// Those of a card that it has still to show, oldest first: what is open, and what was closed by hand.
    package func waiting(_ card: ApplicationSerialNumber) -> [CounterEntry] {
        entries.filter { $0.card == card && $0.awaitsCard }
    }

    /// The entry that settled a lock, if one did.
    package func settling(_ lock: LockedSaleName, of card: ApplicationSerialNumber) -> CounterEntry? {
        entries.first { entry in
            guard entry.card == card, case .unlock(lock, _) = entry.task else { return false }
            return entry.outcome == .done
        }
    }

    /// The online number that a card has next, as far as the book knows; nil for a card that was never here.
    package func expectedNumber(_ card: ApplicationSerialNumber) -> UInt32? {
        lines.compactMap { line -> UInt32? in
            switch line {
            case .entry(let entry):
                guard entry.card == card else { return nil }
                return UInt32(entry.online.number) + (entry.outcome == .done ? 1 : 0)
            case .acceptance(let acceptance):
                guard case .card(card, let online) = acceptance.subject else { return nil }
                return UInt32(online.number)
            }
        }.max()
    }

    /// The number of the next line.
    package var nextID: UInt32 { (lines.last?.id ?? 0) + 1 }

    // MARK: - Changes, durable when they return

    /// - Throws: ``CounterStop``; the book is what it was, or has the open entry.
    package func authorise(_ entry: CounterEntry) throws(CounterStop) {
        precondition(entry.id == nextID && entry.state == .open)
        try write(lines + [.entry(entry)])
        // The mark may have gone since.
        try requireNewest()
    }

    /// What the card showed of an entry that waits for it.
    package func judge(_ entry: CounterEntry, as outcome: CounterEntry.Outcome) throws(CounterStop) -> CounterEntry {
        let judged = entry.shown(outcome)
        try change(entry, to: judged)
        return judged
    }

    /// - Throws: ``CounterStop``, also for an entry that is closed.
    package func close(
        _ id: UInt32,
        as outcome: CounterEntry.Outcome,
        by signature: Signature
    ) throws(CounterStop) {
        guard let entry = entries.first(where: { $0.id == id }) else {
            throw .data("the book has no entry \(id): greylock counter list shows them")
        }
        guard entry.state == .open else { throw .data("entry \(id) is closed: it stays as it is") }
        var closed = entry
        closed.state = .closedByHand(as: outcome, signature, shown: nil)
        try change(entry, to: closed)
    }

    /// Goes on from what stopped the counter.
    package func accept(
        _ subject: Acceptance.Subject,
        at time: TransactionTime,
        by signature: Signature
    ) throws(CounterStop) {
        let acceptance = Acceptance(id: nextID, subject: subject, time: time, signature: signature)
        let acceptsBook = subject == .book
        if acceptsBook { doubt = nil }
        try write(lines + [.acceptance(acceptance)], needsMark: !acceptsBook)
        try requireNewest()
    }

    /// - Throws: ``doubt``.
    package func requireNewest() throws(CounterStop) { if let doubt { throw doubt } }

    private func change(_ entry: CounterEntry, to changed: CounterEntry) throws(CounterStop) {
        try write(lines.map { $0 == .entry(entry) ? .entry(changed) : $0 })
    }

    private func write(_ changed: [BookLine], needsMark: Bool = true) throws(CounterStop) {
        try requireNewest()
        var bytes = header
        for line in changed {
            let content = line.bytes
            bytes += UInt16(content.count).bytes + content + key.code(of: content).bytes
        }
        let next = CounterMark.Point(changes: Self.changes(changed), code: key.code(of: bytes).bytes)
        bytes += next.code
        guard bytes.count <= Self.bytesMax else {
            throw .book("\(path) is full: keep it, and begin another book with greylock counter new")
        }
        if needsMark { try requireMark(CounterMark(at: point)) } else { try requireReplaceableMark() }
        try writeMark(CounterMark(from: point, to: next))
        try Self.stored { () throws(FileFault) in try disk.replace(path, with: bytes) }
        let written = CounterMark(from: point, to: next)
        lines = changed
        point = next
        // What was to be written is; the mark allows it, and settles when the book is opened next.
        do throws(CounterStop) {
            try requireMark(written)
            try writeMark(CounterMark(at: point))
        } catch {
            doubt = error
        }
    }

    private static func changes(_ lines: [BookLine]) -> UInt32 { lines.reduce(0) { $0 + $1.changes } }

    // MARK: - The mark

    private func writeMark(_ content: CounterMark) throws(CounterStop) {
        try Self.stored { () throws(FileFault) in try disk.replace(mark, with: content.bytes(key)) }
    }

    /// nil where there is none.
    private func markBytes() throws(CounterStop) -> [UInt8]? {
        try Self.stored { () throws(FileFault) in
            try WholeFile.contents(mark, bytesMax: Self.bytesMax, isReplaced: true)
        }
    }

    /// Another process had the book too when it is another one: the lock's file was removed.
    private func requireMark(_ content: CounterMark) throws(CounterStop) {
        guard let bytes = try markBytes() else { throw noMark }
        guard bytes == content.bytes(key) else {
            throw .book(
                """
                \(mark) was changed by another program, which has the book too: let no other be at work, and give the command again; \
                nothing was done
                """
            )
        }
    }

    /// Where somebody accepted the book, a mark is made anew, and nothing else is lost by it.
    private func requireReplaceableMark() throws(CounterStop) {
        guard let bytes = try markBytes(), !CounterMark.mayReplace(bytes) else { return }
        throw .book("\(mark) is something else: name another file with --mark, or remove it; nothing was done")
    }

    private func compareMark() throws(CounterStop) {
        guard let bytes = try markBytes() else { throw noMark }
        guard let marked = CounterMark(parsing: bytes, key: key) else {
            throw doubted("\(mark) is damaged, or is the mark of another book: put back the right one")
        }
        guard [marked.from, marked.to].contains(point) else {
            throw doubted(
                """
                \(path) is an older copy, or \(mark) is: the book was changed \(point.changes) times, when the mark was written \
                \(marked.to.changes) times: put the newest book in its place
                """
            )
        }
        guard marked.from != marked.to else { return }
        try writeMark(CounterMark(at: point))
    }

    private var noMark: CounterStop {
        doubted("there is no mark at \(mark): mount its medium, or name it with --mark")
    }

    private func doubted(_ words: String) -> CounterStop {
        .book(
            """
            \(words); nothing was done. Only where that cannot be: greylock counter accept book, and what the book does not know can be \
            given twice
            """
        )
    }

    // MARK: - Reading

    private static func lines(
        _ bytes: [UInt8],
        _ path: String,
        _ key: borrowing CodeKey
    ) throws(CounterStop) -> [BookLine] {
        let end = bytes.count - StoredCode.length
        var lines: [BookLine] = []
        do throws(ParseError) {
            var reader = FieldReader(Array(bytes[headerLength..<end]))
            var place = headerLength
            while place < end {
                let count: UInt16 = try reader.read("length of a line")
                let content = Array(try reader.read("line", count: Int(count)))
                let code = Array(try reader.read("code", count: StoredCode.length))
                guard key.code(of: content).isValid(code) else { throw .invalid("code of line \(lines.count + 1)") }
                let line = try BookLine(parsing: content)
                guard line.id == (lines.last?.id ?? 0) + 1 else { throw .invalid("order of lines") }
                lines.append(line)
                place += UInt16.length + content.count + code.count
            }
        } catch {
            throw .altered(path, "\(error)")
        }
        guard key.code(of: Array(bytes[..<end])).isValid(Array(bytes[end...])) else {
            throw .altered(path, "its code is wrong")
        }
        return lines
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
