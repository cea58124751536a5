private import COpenSSL

/// The one owner of secret bytes: a buffer in libcrypto's secure heap, wiped when its owner ends.
///
/// The arena has guard pages, is locked into memory and left out of core dumps. It is shared by the process, and its
/// size bounds how many keys may live at once. Any thread may own a buffer; one thread uses it at a time.
///
/// The corresponding C functions are `CRYPTO_secure_zalloc` and `CRYPTO_secure_clear_free`.
@safe
package struct LockedBuffer: ~Copyable, @unchecked Sendable {
    package static let arenaBytesMax = 1 << 20

    private let base: UnsafeMutableRawPointer
    package let count: Int

    /// `CRYPTO_secure_malloc_init` answers 0 for failure, 1 for a locked arena, 2 for one that could not be locked.
    private static let arena: Int32 = CRYPTO_secure_malloc_init(arenaBytesMax, 16)

    /// Whether the arena is locked into memory: false when the process may not lock that much (RLIMIT_MEMLOCK).
    package static var arenaIsLocked: Bool { arena == 1 }

    /// How much of the arena is in use. The corresponding C function is `CRYPTO_secure_used`.
    package static var arenaBytesUsed: Int { Int(CRYPTO_secure_used()) }

    /// Where in this process's memory the buffer lies.
    package borrowing func address() -> UInt { unsafe UInt(bitPattern: base) }

    /// A buffer of `count` zero bytes.
    package init(count: Int) {
        precondition(count > 0 && Self.arena != 0, "no secure heap")
        guard let base = unsafe CRYPTO_secure_zalloc(count, #file, #line) else {
            preconditionFailure("the secure heap of \(Self.arenaBytesMax) bytes is used up")
        }
        unsafe self.base = base
        self.count = count
    }

    deinit {
        unsafe CRYPTO_secure_clear_free(base, count, #file, #line)
    }

    package borrowing func withSpan<Result: ~Copyable, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // SAFETY: `base` points to `count` initialised bytes that live as long as `self`; a span cannot escape.
        let bytes = unsafe UnsafeBufferPointer(start: base.assumingMemoryBound(to: UInt8.self), count: count)
        return try unsafe body(bytes.span)
    }

    package mutating func withMutableSpan<Result: ~Copyable, Failure: Error>(
        _ body: (inout MutableSpan<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // SAFETY: as in `withSpan`; `mutating` makes the access exclusive.
        let bytes = unsafe UnsafeMutableBufferPointer(start: base.assumingMemoryBound(to: UInt8.self), count: count)
        var span = unsafe bytes.mutableSpan
        return try body(&span)
    }

    /// Overwrites all bytes with zeros. The corresponding C function is `OPENSSL_cleanse`.
    package mutating func wipe() { unsafe OPENSSL_cleanse(base, count) }

    /// - SAFETY: the pointer is valid for `count` bytes and only inside `body`.
    @unsafe
    borrowing func withUnsafeBase<Result>(_ body: (UnsafeMutableRawPointer) -> Result) -> Result {
        unsafe body(base)
    }
}

extension LockedBuffer {
    /// A buffer that takes over `bytes`, which are overwritten with zeros.
    package init(wiping bytes: inout [UInt8]) {
        self.init(count: bytes.count)
        withMutableSpan { span in
            for index in span.indices {
                span[index] = bytes[index]
            }
        }
        unsafe bytes.withUnsafeMutableBytes { unsafe OPENSSL_cleanse($0.baseAddress, $0.count) }
    }

    /// A copy of the bytes in `range`.
    package borrowing func part(_ range: Range<Int>) -> LockedBuffer {
        var part = LockedBuffer(count: range.count)
        withSpan { bytes in
            part.withMutableSpan { span in
                for index in span.indices {
                    span[index] = bytes[range.lowerBound + index]
                }
            }
        }
        return part
    }

    /// The bytes that a published constant spells.
    package init(hexadecimal text: String) {
        self.init(count: text.utf8.count / 2)
        withMutableSpan { span in
            for (index, digit) in text.utf8.enumerated() {
                span[index / 2] = span[index / 2] << 4 | (digit >= UInt8(ascii: "A") ? digit - 55 : digit - 48)
            }
        }
    }

    /// Whether both hold the same bytes, in constant time. The corresponding C function is `CRYPTO_memcmp`.
    package borrowing func isEqual(to other: borrowing LockedBuffer) -> Bool {
        unsafe count == other.count && CRYPTO_memcmp(base, other.base, count) == 0
    }
}
