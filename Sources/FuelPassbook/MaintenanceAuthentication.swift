package import CardCryptography
package import ISO7816

// The keys of the card's upkeep: PIN, block, authentication. Each has a purpose of its own, because one that answered
// INTERNAL AUTHENTICATE would also make the codes of short commands (decision 0008).

/// DRPK-left XOR DRPK-right, DRPK being a child of the scheme's PIN reload master.
package struct PINReloadKey: ~Copyable, Sendable {
    private let key: SingleLengthKey

    package init(master: borrowing DoubleLengthKey, card: ApplicationSerialNumber) {
        key = master.foldedChild(of: card.diversificationFactor)
    }

    package init(_ key: consuming SingleLengthKey) { self.key = key }

    /// MAC of RELOAD PIN over the new PIN's bytes.
    package borrowing func mac(pin: Span<UInt8>) -> MAC { key.mac(of: pin) }
}

/// DPUK: enciphers the new PIN of PIN UNBLOCK and secures the command.
package struct PINUnblockKey: ~Copyable, Sendable {
    private let key: DoubleLengthKey

    package init(master: borrowing DoubleLengthKey, card: ApplicationSerialNumber) {
        key = master.child(of: card.diversificationFactor)
    }

    package init(_ key: consuming DoubleLengthKey) { self.key = key }

    /// - Parameter data: the data before the MAC.
    package borrowing func mac(_ header: CommandHeader, data: [UInt8], challenge: Challenge) -> MAC {
        key.mac(of: secured(header, data), initial: challenge.block)
    }

    /// The PIN's length and bytes, padded with `80 00*` to 8 bytes, enciphered.
    package borrowing func encipher(_ pin: borrowing PIN) -> [UInt8] {
        var block = LockedBuffer(count: 8)
        pin.withBytes { bytes in
            block.withMutableSpan { block in
                block[0] = UInt8(bytes.count)
                for index in bytes.indices {
                    block[1 + index] = bytes[index]
                }
                block[1 + bytes.count] = 0x80
            }
        }
        return key.encrypted(block)
    }

    /// Calls `body` with the PIN's bytes; nil when the 8 bytes are no enciphered PIN.
    package borrowing func withDeciphered<Result, Failure: Error>(
        _ enciphered: [UInt8],
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        let block = key.decrypted(enciphered)
        return try block.withSpan { (block) throws(Failure) -> Result? in
            let count = Int(block[0])
            guard PIN.lengths.contains(count), block[1 + count] == 0x80 else { return nil }
            for index in 2 + count..<max(2 + count, block.count) where block[index] != 0 { return nil }
            let pin = block.extracting(1..<1 + count)
            return PIN.isWellFormed(pin) ? try body(pin) : nil
        }
    }
}

/// DAMK: secures APPLICATION BLOCK and APPLICATION UNBLOCK.
package struct ApplicationMaintenanceKey: ~Copyable, Sendable {
    private let key: DoubleLengthKey

    package init(master: borrowing DoubleLengthKey, card: ApplicationSerialNumber) {
        key = master.child(of: card.diversificationFactor)
    }

    package init(_ key: consuming DoubleLengthKey) { self.key = key }

    package borrowing func mac(_ header: CommandHeader, challenge: Challenge) -> MAC {
        key.mac(of: secured(header, []), initial: challenge.block)
    }
}

/// A key of EXTERNAL or INTERNAL AUTHENTICATE: it enciphers the other side's random number.
package struct AuthenticationKey: ~Copyable, Sendable {
    private let key: DoubleLengthKey

    package init(master: borrowing DoubleLengthKey, card: ApplicationSerialNumber) {
        key = master.child(of: card.diversificationFactor)
    }

    package init(_ key: consuming DoubleLengthKey) { self.key = key }

    package borrowing func answer(to challenge: Challenge) -> Cryptogram {
        Cryptogram(made: key.encrypted(challenge.block))
    }
}

/// The header and Lc of a secured command and its data before the MAC.
private func secured(_ header: CommandHeader, _ data: [UInt8]) -> [UInt8] {
    [header.cla, header.ins, header.p1, header.p2, UInt8(data.count + MAC.length)] + data
}
