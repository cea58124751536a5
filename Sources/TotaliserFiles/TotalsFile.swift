private import Files
package import FuelPassbook
private import Glibc
package import Records
private import Synchronization
private import Threads

// Invariants:
// - Slots are written by turns, each flushed before the call returns: a cut of the mains tears one of them at most, and it is the
//   oldest that is written over.
// - What another program wrote is never written over.

/// The totals of a terminal's nozzles in a file, or in bytes of a board's memory.
package final class TotalsFile: TotaliserPlace {
    /// Where the slots lie.
    private struct Layout {
        let offset: Int
        let slotLength: Int
        let slots: Int
        let nozzlesMax: Int

        /// Two blocks of their own, so that the writing of one cannot tear the other.
        static let file = Layout(offset: 0, slotLength: 4_096, slots: 2, nozzlesMax: 99)

        /// Eight slots, so that the cells of an EEPROM wear an eighth as fast: each takes a write in eight.
        static func memory(offset: Int) -> Layout {
            let length = TotalsImage.length(nozzles: memoryNozzlesMax)
            return Layout(offset: offset, slotLength: length, slots: 8, nozzlesMax: memoryNozzlesMax)
        }

        private static let memoryNozzlesMax = 8

        var length: Int { slotLength * slots }
    }

    /// Of a board's memory: 1,408.
    package static let memoryBytesCount = Layout.memory(offset: 0).length
    package static let offsetMax = 1 << 20

    package let keeper: TotaliserKeeper
    package let path: String
    private let layout: Layout
    private let terminal: TerminalID
    private let key: RecordKey
    /// Open, and of a file locked, as long as this lives; nil before the first use, and where it cannot be had.
    private let open = Mutex<Int32?>(nil)

    /// A file of its own, which is made where there is none. No second process has it meanwhile.
    package init(path: String, of terminal: TerminalID, _ key: RecordKey) {
        (keeper, self.path, layout) = (.file, path, .file)
        (self.terminal, self.key) = (terminal, key)
    }

    /// ``memoryBytesCount`` bytes of an NVMEM file.
    package init(memory path: String, offset: Int, of terminal: TerminalID, _ key: RecordKey) {
        (keeper, self.path, layout) = (.boardMemory, path, .memory(offset: offset))
        (self.terminal, self.key) = (terminal, key)
    }

    deinit { open.withLock { if let file = $0 { _ = close(file) } } }

    package var nozzlesMax: Int { layout.nozzlesMax }

    package var name: String {
        switch keeper {
        case .journal, .file: "file \(path)"
        case .boardMemory: "board's memory \(path), from byte \(layout.offset) on"
        }
    }

    package func read() -> TotaliserReading {
        open.withLock { open in
            do throws(TotaliserPlaceFault) {
                guard let file = try present(&open, mayCreate: false) else { return .missing }
                return try locked(file, LOCK_SH) { () throws(TotaliserPlaceFault) in reading(try slots(file)) }
            } catch {
                return .failed(error.reason)
            }
        }
    }

    package func write(_ totals: [NozzleTotal]) throws(TotaliserPlaceFault) {
        precondition(totals.count <= nozzlesMax)
        try open.withLock { (open) throws(TotaliserPlaceFault) in
            guard let file = try present(&open, mayCreate: true) else {
                throw TotaliserPlaceFault("\(name) is missing")
            }
            try locked(file, LOCK_EX) { () throws(TotaliserPlaceFault) in
                let slots = try slots(file)
                if case .failed(let reason) = reading(slots) { throw TotaliserPlaceFault(reason) }
                let last = slots.compactMap(\.image?.sequence).max() ?? 0
                guard last < TotalsImage.sequenceEnd - 1 else { throw TotaliserPlaceFault("\(name) has no turn left") }
                try write(TotalsImage(sequence: last + 1, totals: totals), file, slots)
            }
        }
    }

    private func reading(_ slots: [TotalsImage.Slot]) -> TotaliserReading {
        if let newest = slots.compactMap(\.image).max(by: { $0.sequence < $1.sequence }) {
            return .totals(newest.totals)
        }
        if slots.allSatisfy({ $0 == .blank }) { return .missing }
        for case .unauthentic(let reason) in slots { return .unauthentic(reason) }
        let remedy = keeper == .file ? "name another file with totals.file" : "name free bytes with totals.nvmem_offset"
        return .failed("\(name) holds something else, and is left as it is: \(remedy)")
    }

    /// Over a blank slot, one that is not believed, or the oldest.
    private func write(
        _ image: TotalsImage,
        _ file: Int32,
        _ slots: [TotalsImage.Slot]
    ) throws(TotaliserPlaceFault) {
        let order = slots.indices.sorted { (slots[$0].image?.sequence ?? 0) < (slots[$1].image?.sequence ?? 0) }
        guard let slot = order.first else { preconditionFailure("a place has slots") }
        let bytes = image.bytes(key, terminal)
        let padding = keeper == .file ? layout.slotLength - bytes.count : 0
        try put(bytes + Array(repeating: 0, count: padding), file, at: slot)
        // So that later writes need no space.
        if keeper == .file, slots.contains(.blank), slots.allSatisfy({ $0.image == nil }) {
            try put(bytes + Array(repeating: 0, count: padding), file, at: (slot + 1) % layout.slots)
        }
        guard try self.slots(file)[slot] == .image(image) else {
            throw TotaliserPlaceFault("\(name) takes a write and keeps nothing of it")
        }
    }

    // MARK: - The file

    private func slots(_ file: Int32) throws(TotaliserPlaceFault) -> [TotalsImage.Slot] {
        var bytes = [UInt8](repeating: 0, count: layout.length)
        let count = unsafe pread(file, &bytes, bytes.count, layout.offset)
        guard count >= 0 else { throw fault("read") }
        guard count == layout.length || keeper == .file else {
            throw TotaliserPlaceFault("\(name) is too small: \(layout.length) bytes are needed")
        }
        return (0..<layout.slots).map { slot in
            let part = bytes[(slot * layout.slotLength)...].prefix(layout.slotLength)
            return TotalsImage.slot(Array(part), key, terminal)
        }
    }

    /// Flushed when this returns.
    private func put(_ bytes: [UInt8], _ file: Int32, at slot: Int) throws(TotaliserPlaceFault) {
        let count = unsafe pwrite(file, bytes, bytes.count, layout.offset + slot * layout.slotLength)
        guard count == bytes.count else { throw fault("write") }
        // A driver of an NVMEM file has none to flush: it is opened so that a write waits for the chip.
        guard fsync(file) == 0 || keeper == .boardMemory && errno == EINVAL else { throw fault("flush") }
    }

    /// The open file; nil where there is none, and none may be made.
    private func present(_ open: inout Int32?, mayCreate: Bool) throws(TotaliserPlaceFault) -> Int32? {
        if let file = open {
            var (here, there) = (stat(), stat())
            let isSame =
                unsafe fstat(file, &here) == 0 && stat(path, &there) == 0
                && here.st_ino == there.st_ino && here.st_dev == there.st_dev
            guard isSame else {
                throw TotaliserPlaceFault("\(name) has gone since the service began: is its medium mounted?")
            }
            return file
        }
        let isFile = keeper == .file
        let creates = mayCreate && isFile ? O_CREAT : 0
        let file = unsafe Glibc.open(
            path,
            O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | creates | (isFile ? O_NOFOLLOW : O_SYNC),
            S_IRUSR | S_IWUSR
        )
        if file < 0, errno == ENOENT, isFile, !mayCreate { return nil }
        if file < 0, errno == ELOOP { throw TotaliserPlaceFault("\(name) is a link: name the file itself") }
        guard file >= 0 else { throw fault("open") }
        do throws(TotaliserPlaceFault) {
            var status = stat()
            guard unsafe fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                throw TotaliserPlaceFault("\(name) is no regular file")
            }
            if isFile { try keep(file, creates != 0) }
        } catch {
            _ = close(file)
            throw error
        }
        open = file
        return file
    }

    /// No other process has it from now on.
    private func keep(_ file: Int32, _ creates: Bool) throws(TotaliserPlaceFault) {
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            throw TotaliserPlaceFault(
                errno == EWOULDBLOCK
                    ? "\(name) is in use by another process"
                    : "cannot lock the \(name): \(systemError())"
            )
        }
        guard creates else { return }
        do throws(FileFault) { try WholeFile.flushFolder(of: path) } catch {
            throw TotaliserPlaceFault(error.reason)
        }
    }

    /// A board's memory is shared with what else lies in it, and locked for each use.
    private func locked<Value>(
        _ file: Int32,
        _ operation: Int32,
        _ body: () throws(TotaliserPlaceFault) -> Value
    ) throws(TotaliserPlaceFault) -> Value {
        guard keeper == .boardMemory else { return try body() }
        while flock(file, operation) != 0 {
            guard errno == EINTR else { throw fault("lock") }
        }
        defer { _ = flock(file, LOCK_UN) }
        return try body()
    }

    private func fault(_ operation: String) -> TotaliserPlaceFault {
        TotaliserPlaceFault("cannot \(operation) the \(name): \(systemError())")
    }
}

extension TotalsImage.Slot {
    fileprivate var image: TotalsImage? {
        switch self {
        case .image(let image): image
        case .blank, .unauthentic, .foreign: nil
        }
    }
}
