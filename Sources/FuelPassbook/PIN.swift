package import CardCryptography
package import ISO7816

/// A PIN in locked memory, as the VERIFY command that presents it: `00 20 00 00 Lc` and 2 to 6 BCD bytes, digits
/// padded with `F` on the right when their number is odd.
package struct PIN: ~Copyable, Sendable {
    package static let digitsMin = 4
    package static let digitsMax = 12
    /// How many bytes a PIN has.
    package static let lengths = 2...6

    private let command: LockedBuffer

    /// - Parameter digits: ASCII digits; the buffer is wiped.
    /// - Throws: `.wrongLength` unless 4 to 12 digits, `.invalid` for any other character.
    package init(digits: consuming LockedBuffer, count: Int) throws(ParseError) {
        guard (Self.digitsMin...Self.digitsMax).contains(count), count <= digits.count else {
            throw .wrongLength("PIN")
        }
        let length = (count + 1) / 2
        var command = LockedBuffer(count: 5 + length)
        let header = Instruction.verify.header
        try digits.withSpan { (digits) throws(ParseError) in
            try command.withMutableSpan { (command) throws(ParseError) in
                command[0] = header.cla
                command[1] = header.ins
                command[2] = header.p1
                command[3] = header.p2
                command[4] = UInt8(length)
                for index in 0..<length * 2 {
                    var nibble: UInt8 = 0x0F
                    if index < count {
                        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digits[index]) else {
                            throw .invalid("PIN")
                        }
                        nibble = digits[index] - UInt8(ascii: "0")
                    }
                    command[5 + index / 2] |= index % 2 == 0 ? nibble << 4 : nibble
                }
            }
        }
        self.command = command
    }

    /// The whole VERIFY command, to be sent from where it lies.
    package borrowing func withVerifyCommand<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try command.withSpan(body)
    }

    package var byteCount: Int { command.count - 5 }

    /// The PIN's bytes alone.
    package borrowing func withBytes<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try command.withSpan { (command) throws(Failure) in try body(command.extracting(5...)) }
    }

    /// Whether the bytes are 4 to 12 decimal digits, the last half byte `F` when their number is odd.
    package static func isWellFormed(_ bytes: Span<UInt8>) -> Bool {
        guard lengths.contains(bytes.count) else { return false }
        let isOdd = bytes[bytes.count - 1] & 0x0F == 0x0F
        let digits = 2 * bytes.count - (isOdd ? 1 : 0)
        guard (digitsMin...digitsMax).contains(digits) else { return false }
        return (0..<digits).allSatisfy { index in
            let byte = bytes[index / 2]
            return (index % 2 == 0 ? byte >> 4 : byte & 0x0F) <= 9
        }
    }
}
