private import COpenSSL

// Single and two-key triple DES (NIST SP 800-67, FIPS 46-3) over libcrypto's primitives.
//
// DES is what the cards of this scheme compute; its 56-bit single-length keys resist nobody for long, which is why
// they live for one session and authenticate 4 bytes each.

/// One 8-byte block, in the byte order of libcrypto's DES functions.
struct DESBlock: Equatable {
    private var low: DES_LONG = 0
    private var high: DES_LONG = 0

    static let length = 8

    init() {}

    init(_ bytes: some Sequence<UInt8>) {
        var index = 0
        for byte in bytes {
            self[index] = byte
            index += 1
        }
        precondition(index == Self.length)
    }

    subscript(index: Int) -> UInt8 {
        get { UInt8(truncatingIfNeeded: (index < 4 ? low : high) >> (8 * DES_LONG(index & 3))) }
        set {
            let shift = 8 * DES_LONG(index & 3)
            if index < 4 {
                low = low & ~(0xFF << shift) | DES_LONG(newValue) << shift
            } else {
                high = high & ~(0xFF << shift) | DES_LONG(newValue) << shift
            }
        }
    }

    var bytes: [UInt8] { (0..<Self.length).map { self[$0] } }

    static prefix func ~ (block: DESBlock) -> DESBlock {
        var result = DESBlock()
        result.low = ~block.low
        result.high = ~block.high
        return result
    }

    static func ^= (left: inout DESBlock, right: DESBlock) {
        left.low ^= right.low
        left.high ^= right.high
    }
}

/// An expanded DES key: the sixteen round keys, in locked memory. The key's own bytes are not kept.
struct DESKeySchedule: ~Copyable {
    private let schedule = LockedBuffer(count: MemoryLayout<DES_key_schedule>.size)

    /// Parity bits are ignored.
    init(key: Span<UInt8>) {
        precondition(key.count == DESBlock.length)
        unsafe schedule.withUnsafeBase { base in
            // SAFETY: `key` has the eight bytes of a DES_cblock; `base` has room for one schedule, aligned by the heap.
            unsafe key.withUnsafeBufferPointer { bytes in
                unsafe bytes.baseAddress?.withMemoryRebound(to: const_DES_cblock.self, capacity: 1) { block in
                    unsafe DES_set_key_unchecked(
                        UnsafeMutablePointer(mutating: block),
                        base.assumingMemoryBound(to: DES_key_schedule.self)
                    )
                }
            }
        }
    }

    borrowing func encrypt(_ block: inout DESBlock) { apply(DES_ENCRYPT, to: &block) }

    borrowing func decrypt(_ block: inout DESBlock) { apply(DES_DECRYPT, to: &block) }

    private borrowing func apply(_ direction: Int32, to block: inout DESBlock) {
        unsafe schedule.withUnsafeBase { base in
            // SAFETY: a DESBlock is two adjacent DES_LONG, which is what DES_encrypt1 reads and writes.
            unsafe withUnsafeMutablePointer(to: &block) { pointer in
                unsafe pointer.withMemoryRebound(to: DES_LONG.self, capacity: 2) { words in
                    unsafe DES_encrypt1(words, base.assumingMemoryBound(to: DES_key_schedule.self), direction)
                }
            }
        }
    }
}
