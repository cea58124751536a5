package import CardCryptography
package import ISO7816

/// CHANGE PIN in locked memory: the old PIN, `FF`, the new PIN.
package struct ChangePIN: ~Copyable, Sendable {
    /// Two PINs of 2 to 6 bytes and the separator.
    package static let lengths = 5...13

    private static let separator: UInt8 = 0xFF
    private let command: LockedBuffer

    package init(old: borrowing PIN, new: borrowing PIN) {
        let count = old.byteCount + 1 + new.byteCount
        var command = LockedBuffer(count: 5 + count)
        command.writeHeader(Instruction.changePIN.header, dataCount: count)
        command.append(old, at: 5)
        command.withMutableSpan { $0[5 + old.byteCount] = Self.separator }
        command.append(new, at: 6 + old.byteCount)
        self.command = command
    }

    /// The whole command, to be sent from where it lies.
    package borrowing func withCommand<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try command.withSpan(body)
    }

    /// Where both PINs lie in the command's data; `FF` occurs in no PIN.
    ///
    /// - Throws: `.invalid` unless exactly one separator stands between two PINs and the new one is well formed.
    package static func ranges(in data: Span<UInt8>) throws(ParseError) -> (old: Range<Int>, new: Range<Int>) {
        guard let at = data.indices.first(where: { data[$0] == separator }) else { throw .invalid("separator") }
        let (old, new) = (0..<at, at + 1..<data.count)
        guard
            PIN.lengths.contains(old.count), PIN.lengths.contains(new.count),
            PIN.isWellFormed(data.extracting(new))
        else { throw .invalid("PIN") }
        return (old, new)
    }
}

/// RELOAD PIN in locked memory: the new PIN and its MAC under the folded DRPK.
package struct ReloadPIN: ~Copyable, Sendable {
    package static let lengths = PIN.lengths.lowerBound + MAC.length...PIN.lengths.upperBound + MAC.length

    private let command: LockedBuffer

    package init(new: borrowing PIN, key: borrowing PINReloadKey) {
        let mac = new.withBytes { key.mac(pin: $0) }
        let count = new.byteCount + MAC.length
        var command = LockedBuffer(count: 5 + count)
        command.writeHeader(Instruction.reloadPIN.header, dataCount: count)
        command.append(new, at: 5)
        let end = 5 + new.byteCount
        command.withMutableSpan { span in
            for index in mac.bytes.indices {
                span[end + index] = mac.bytes[index]
            }
        }
        self.command = command
    }

    /// The whole command, to be sent from where it lies.
    package borrowing func withCommand<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try command.withSpan(body)
    }
}

/// PIN UNBLOCK: the new PIN enciphered, and the MAC over the card's challenge. Nothing in it is secret.
package struct UnblockPIN: PassbookCommand {
    package typealias Response = NoData
    package static let instruction = Instruction.unblockPIN
    private static let encipheredLength = 8

    package let enciphered: [UInt8]
    package let mac: MAC

    package init(new: borrowing PIN, challenge: Challenge, key: borrowing PINUnblockKey) {
        enciphered = key.encipher(new)
        mac = key.mac(Instruction.unblockPIN.header, data: enciphered, challenge: challenge)
    }

    private init(enciphered: [UInt8], mac: MAC) {
        self.enciphered = enciphered
        self.mac = mac
    }

    package static let layout = MessageLayout(
        Self.init(enciphered:mac:),
        Field("enciphered PIN", count: encipheredLength, \.enciphered),
        Field("MAC", \.mac)
    )
}

extension LockedBuffer {
    fileprivate mutating func writeHeader(_ header: CommandHeader, dataCount: Int) {
        withMutableSpan { span in
            span[0] = header.cla
            span[1] = header.ins
            span[2] = header.p1
            span[3] = header.p2
            span[4] = UInt8(dataCount)
        }
    }

    fileprivate mutating func append(_ pin: borrowing PIN, at offset: Int) {
        pin.withBytes { bytes in
            withMutableSpan { span in
                for index in bytes.indices {
                    span[offset + index] = bytes[index]
                }
            }
        }
    }
}
