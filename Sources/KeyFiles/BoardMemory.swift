private import CardCryptography
package import Files
package import FuelPassbook
private import Glibc
private import ISO7816
package import KeyCustody
private import Threads

// 80 bytes: head 16, half of the storage key 32, and two places of 16 bytes for the number. Head: magic "GLBM" 4, format 1, zero 1,
// terminal id 6, CRC-32 of these and the half 4. A number's place: number 8, CRC-32 of it behind the head's 4, zeros 4. Numbers
// are big-endian. A new number is written over the smaller one, so that a torn write leaves the other.

/// A small memory of the board that no copy of its disk brings back: an EEPROM or FRAM, as the kernel's NVMEM file of it. It holds
/// the greatest number of the key store that was seen, and half of what opens the store. A chip that was never written
/// is all ones, or all zeros, and holds nothing.
package struct BoardMemory: Equatable, Sendable {
    package static let bytesCount = 80
    package static let offsetMax = 1 << 20
    static let halfLength = StorageKeyPlace.keyLength

    package let path: String
    /// Where in the file it begins.
    package let offset: Int

    package struct Content: Sendable {
        /// Of the store; it only rises.
        package let number: UInt64
        package let half: SecretKey
    }

    package init(_ path: String, offset: Int = 0) {
        self.path = path
        self.offset = offset
    }

    /// nil where nothing was ever written, or all was destroyed.
    package func read(of terminal: TerminalID) throws(FileFault) -> Content? {
        let image = try BoardMemoryFile(self, for: .reading).image()
        switch image.state {
        case .fresh: return nil
        case .foreign: throw foreign
        case .damaged:
            throw FileFault(
                "\(path) is damaged, and half of the storage key with it: the keys are lost; greylock keys erase --all clears it"
            )
        case .held(let other, let number, let half):
            guard other == terminal else {
                throw FileFault("\(path) belongs to the keys of terminal \(other), and this is \(terminal)")
            }
            return Content(number: number, half: half)
        }
    }

    /// Its first writing, or its destruction, was cut short: nothing opens with it.
    func isUnfinished() throws(FileFault) -> Bool {
        switch try BoardMemoryFile(self, for: .reading).image().state {
        case .damaged: true
        case .fresh, .foreign, .held: false
        }
    }

    /// Makes it hold this half, and number 0. What another program wrote there is left.
    package func create(_ half: SecretKey, of terminal: TerminalID) throws(FileFault) {
        let file = try BoardMemoryFile(self, for: .change)
        switch try file.image().state {
        case .fresh, .damaged: break
        case .foreign: throw foreign
        case .held: throw FileFault("\(path) holds half of a storage key already")
        }
        let image = BoardMemoryImage(half, of: terminal)
        try file.write(image, BoardMemoryImage.head.lowerBound..<BoardMemoryImage.half.upperBound)
        try file.write(image, BoardMemoryImage.numbers)
    }

    /// Notes that this number was seen; a smaller one changes nothing.
    package func raise(to number: UInt64) throws(FileFault) {
        let file = try BoardMemoryFile(self, for: .change)
        var image = try file.image()
        guard case .held(_, let held, _) = image.state else { throw FileFault("\(path) holds no number to be raised") }
        guard number > held else { return }
        try file.write(image, image.raise(to: number))
    }

    /// Overwrites the half first, and last what tells whose the bytes were: cut short, it is begun again.
    ///
    /// - Returns: false where there was nothing.
    package func destroy() throws(FileFault) -> Bool {
        let file = try BoardMemoryFile(self, for: .destruction)
        switch try file.image().state {
        case .fresh: return false
        case .foreign: throw foreign
        case .held, .damaged: break
        }
        let zeros = BoardMemoryImage()
        let (mark, rest) = (BoardMemoryImage.mark, BoardMemoryImage.mark.upperBound..<BoardMemoryImage.head.upperBound)
        for range in [BoardMemoryImage.half, BoardMemoryImage.numbers, rest, mark] {
            try file.write(zeros, range)
        }
        return true
    }

    private var foreign: FileFault {
        FileFault(
            "\(path) holds something else at \(offset), and is left as it is: name free bytes with nvmem_offset, or another chip"
        )
    }
}

/// An NVMEM file while it is used. The corresponding C functions are `pread` and `pwrite`.
private struct BoardMemoryFile: ~Copyable {
    private let memory: BoardMemory
    private let descriptor: Int32

    enum Use {
        case reading
        case change
        /// Waits for nobody.
        case destruction
    }

    init(_ memory: BoardMemory, for use: Use) throws(FileFault) {
        self.memory = memory
        let writes = use != .reading
        descriptor = unsafe open(memory.path, (writes ? O_RDWR | O_SYNC : O_RDONLY) | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw FileFault("cannot open the board's memory \(memory.path): \(systemError())")
        }
        while use != .destruction, flock(descriptor, writes ? LOCK_EX : LOCK_SH) != 0 {
            guard errno == EINTR else { throw FileFault("cannot lock \(memory.path): \(systemError())") }
        }
    }

    deinit { close(descriptor) }

    func image() throws(FileFault) -> BoardMemoryImage {
        var image = BoardMemoryImage()
        let count = image.raw.withMutableSpan { span in
            unsafe span.withUnsafeMutableBytes {
                unsafe pread(descriptor, $0.baseAddress, $0.count, memory.offset)
            }
        }
        guard count >= 0 else { throw FileFault("cannot read the board's memory \(memory.path): \(systemError())") }
        guard count == BoardMemory.bytesCount else {
            throw FileFault(
                "\(memory.path) is too small: \(BoardMemory.bytesCount) bytes from \(memory.offset) on are needed"
            )
        }
        return image
    }

    /// Reads it back: a worn cell, or a chip whose write protection is on, takes a write and keeps nothing of it.
    func write(_ image: borrowing BoardMemoryImage, _ range: Range<Int>) throws(FileFault) {
        let count = image.raw.withSpan { span in
            unsafe span.withUnsafeBytes {
                let part = unsafe UnsafeRawBufferPointer(rebasing: $0[range])
                return unsafe pwrite(descriptor, part.baseAddress, part.count, memory.offset + range.lowerBound)
            }
        }
        guard count == range.count else {
            throw FileFault("cannot write the board's memory \(memory.path): \(systemError())")
        }
        guard try self.image().raw.part(range).isEqual(to: image.raw.part(range)) else {
            throw FileFault("\(memory.path) does not keep what is written: it is write-protected or worn out")
        }
    }
}

private struct BoardMemoryImage: ~Copyable {
    enum State {
        case fresh
        case foreign
        case damaged
        case held(TerminalID, number: UInt64, half: SecretKey)
    }

    static let head = 0..<16
    /// Where the magic is.
    static let mark = 0..<4
    static let half = 16..<48
    static let numbers = 48..<80
    private static let places = [48..<64, 64..<80]
    private static let named = 0..<12
    private static let magic = Array("GLBM".utf8)
    private static let format: UInt8 = 1

    var raw = LockedBuffer(count: BoardMemory.bytesCount)

    /// All zeros.
    init() {}

    init(_ half: SecretKey, of terminal: TerminalID) {
        let named = Self.magic + [Self.format, 0] + terminal.bytes
        set(named, at: 0)
        raw.withMutableSpan { span in
            half.raw.withSpan { half in
                for index in half.indices { span[Self.half.lowerBound + index] = half[index] }
            }
        }
        set(Self.bytes(UInt64(headCode), 4), at: Self.named.upperBound)
        for place in Self.places { setNumber(0, at: place) }
    }

    var state: State {
        if isBlank(but: 0..<0) { return .fresh }
        let named = bytes(Self.named)
        guard named.starts(with: Self.magic) else { return isBlank(but: Self.mark) ? .damaged : .foreign }
        let terminal: TerminalID
        do throws(ParseError) { terminal = try TerminalID(bytes: named.suffix(TerminalID.length)) } catch {
            return .damaged
        }
        guard named[Self.magic.count] == Self.format, value(Self.named.upperBound..<16) == UInt64(headCode),
            let number = Self.places.compactMap({ self.number(at: $0) }).max()
        else { return .damaged }
        return .held(terminal, number: number, half: SecretKey(raw.part(Self.half)))
    }

    /// All ones or all zeros.
    ///
    /// - Parameter mark: bytes that may be the magic's, as where the first writing, or a destruction, was cut short within it.
    private func isBlank(but mark: Range<Int>) -> Bool {
        [UInt8.min, .max].contains { blank in
            raw.withSpan { span in
                span.indices.allSatisfy { index in
                    span[index] == blank || mark.contains(index) && span[index] == Self.magic[index]
                }
            }
        }
    }

    /// - Returns: what is to be written.
    mutating func raise(to number: UInt64) -> Range<Int> {
        let (first, second) = (Self.places[0], Self.places[1])
        let place = (self.number(at: first) ?? 0) < (self.number(at: second) ?? 0) ? first : second
        setNumber(number, at: place)
        return place
    }

    private func number(at place: Range<Int>) -> UInt64? {
        let number = value(place.lowerBound..<place.lowerBound + 8)
        return value(place.lowerBound + 8..<place.lowerBound + 12) == UInt64(code(of: number)) ? number : nil
    }

    private mutating func setNumber(_ number: UInt64, at place: Range<Int>) {
        set(Self.bytes(number, 8) + Self.bytes(UInt64(code(of: number)), 4) + [0, 0, 0, 0], at: place.lowerBound)
    }

    /// A head's numbers are no other's.
    private func code(of number: UInt64) -> UInt32 {
        Checksum.crc32(bytes(Self.named.upperBound..<16) + Self.bytes(number, 8))
    }

    private var headCode: UInt32 {
        raw.withSpan { span in
            var sum = Checksum()
            for index in [Self.named, Self.half].joined() { sum.add(span[index]) }
            return sum.value
        }
    }

    private func bytes(_ range: Range<Int>) -> [UInt8] { raw.withSpan { span in range.map { span[$0] } } }

    private func value(_ range: Range<Int>) -> UInt64 { bytes(range).reduce(0) { $0 << 8 | UInt64($1) } }

    private mutating func set(_ bytes: [UInt8], at place: Int) {
        raw.withMutableSpan { span in
            for (index, byte) in bytes.enumerated() { span[place + index] = byte }
        }
    }

    private static func bytes(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
}

/// CRC-32 of IEEE 802.3.
private struct Checksum {
    private var register = UInt32.max

    var value: UInt32 { ~register }

    mutating func add(_ byte: UInt8) {
        register ^= UInt32(byte)
        for _ in 0..<8 { register = register >> 1 ^ (register & 1 == 0 ? 0 : 0xEDB8_8320) }
    }

    static func crc32(_ bytes: [UInt8]) -> UInt32 {
        var sum = Checksum()
        for byte in bytes { sum.add(byte) }
        return sum.value
    }
}
