package import CardCryptography
package import FuelPassbook
private import ISO7816
package import KeyBlocks
package import Quantities

// What a key block says of a key of ours:
//
// | | usage | algorithm | mode | length | exportable |
// |---|---|---|---|---|---|
// | TRANSPORT, of AES | K1 | A | B | 32 | N |
// | TRANSPORT, of triple DES | K1 | T | B | 16 | N |
// | RECORD | B3, derives others | T | X | 16 | N |
// | MPK | E6, a chip issuer's master | T | X | 16 | N |
//
// The key's version is ours, in two hexadecimal digits. Block LB is "NAME INDEX VERSION TERMINAL", TC the time at which the
// block was made, KC the key's check value and KP the transport key's, each behind the two digits of its method.

/// A key that was made for one terminal, out of its block.
package struct KeyDelivery: ~Copyable, Sendable {
    package let name: HeldKeyName
    package let cipher: BlockCipherKey.Cipher
    package let made: TransactionTime
    /// Its block was of version A or C.
    package let isByOldMethod: Bool
    package let key: LockedBuffer

    package init(
        _ name: HeldKeyName,
        _ cipher: BlockCipherKey.Cipher,
        made: TransactionTime,
        isByOldMethod: Bool = false,
        _ key: consuming LockedBuffer
    ) {
        self.name = name
        self.cipher = cipher
        self.made = made
        self.isByOldMethod = isByOldMethod
        self.key = key
    }

    package borrowing func checkValue() -> [UInt8] { BlockCipherKey(cipher, key).checkValue() }

    consuming func take() -> LockedBuffer { key }
}

/// Why what a block holds is no key for this terminal.
package enum DeliveryFault: Error, Equatable, Sendable {
    case block(KeyBlockError)
    /// A master key of the issuer's alone.
    case issuersOwn(MasterKey)
    case otherTerminal(String)
    /// It does not open, and names another terminal: nothing vouches for that name.
    case seemsOtherTerminals(String)
    /// An AES key under one of triple DES, which is less than it protects.
    case strongerThanTransport
    /// What stands in this field is not what the label's key has.
    case field(KeyBlockError.Field)
    /// The label is none of ours, or missing.
    case label
    /// Optional blocks that nobody here knows.
    case unknown([String])
    /// A check value in the block is not that of the key.
    case checkValue
    case weak
    case published
}

// MARK: - The table

extension HeldKeyName {
    fileprivate func header(
        _ cipher: BlockCipherKey.Cipher,
        _ version: KeyBlockHeader.Version,
        _ blocks: [OptionalBlock]
    ) -> KeyBlockHeader {
        let usage =
            switch self.usage {
            case .transport: "K1"
            case .record: "B3"
            case .purchaseMaster: "E6"
            }
        return KeyBlockHeader(
            version: version,
            usage: usage,
            algorithm: cipher == .aes ? "A" : "T",
            mode: self.usage == .transport ? "B" : "X",
            keyVersion: Hex.string(reference.version.bytes),
            exportability: "N",
            blocks: blocks
        )
    }

    fileprivate func length(_ cipher: BlockCipherKey.Cipher) -> Int { cipher == .aes ? 32 : 16 }

    fileprivate func label(_ terminal: TerminalID) -> String {
        [
            usage.name, Hex.string(reference.index.bytes), Hex.string(reference.version.bytes),
            Hex.string(terminal.bytes),
        ]
        .joined(separator: " ")
    }
}

extension TransportKey {
    /// The block of a key for the terminal: version D under an AES key, B under one of triple DES.
    package borrowing func block(
        of delivery: borrowing KeyDelivery,
        for terminal: TerminalID,
        random: any RandomSource
    ) throws(KeyBlockError) -> String {
        let key = BlockCipherKey(delivery.cipher, delivery.key)
        let blocks = [
            OptionalBlock("LB", delivery.name.label(terminal)),
            OptionalBlock("TC", Hex.string(delivery.made.bytes) + "Z"),
            OptionalBlock("KC", Self.text(key.checkValue(), delivery.cipher)),
            OptionalBlock("KP", Self.text(checkValue(), cipher)),
        ]
        let header = delivery.name.header(delivery.cipher, cipher == .aes ? .d : .b, blocks)
        return try wrap(delivery.key, header, random: random)
    }

    /// The key in a block that was made for the terminal.
    ///
    /// - Throws: ``DeliveryFault``. Of a block that does not open nothing is told but that it seems to be another terminal's.
    package borrowing func delivery(in block: String, for terminal: TerminalID) throws(DeliveryFault) -> KeyDelivery {
        let unwrapped: UnwrappedKey
        do throws(KeyBlockError) { unwrapped = try unwrap(block) } catch {
            if error == .codeIsWrong { try Self.refuseOtherTerminal(block, terminal) }
            throw .block(error)
        }
        let header = unwrapped.header
        let label = try Label(header["LB"])
        guard label.terminal == Hex.string(terminal.bytes) else { throw .otherTerminal(label.terminal) }
        let name = label.name
        let foreign = header.blocks.map(\.id).filter { !["LB", "TC", "KC", "KP"].contains($0) }
        guard foreign.isEmpty else { throw .unknown(foreign) }
        let cipher: BlockCipherKey.Cipher = header.algorithm == "A" ? .aes : .tripleDES
        let expected = name.header(cipher, header.version, header.blocks)
        guard header.usage == expected.usage else { throw .field(.usage) }
        guard header.algorithm == expected.algorithm, cipher == .tripleDES || name.usage == .transport else {
            throw .field(.algorithm)
        }
        guard header.mode == expected.mode else { throw .field(.mode) }
        guard header.keyVersion == expected.keyVersion else { throw .field(.keyVersion) }
        guard header.exportability == expected.exportability else { throw .field(.exportability) }
        guard unwrapped.key.count == name.length(cipher) else { throw .field(.key) }
        guard cipher == .tripleDES || self.cipher == .aes else { throw .strongerThanTransport }
        let made = try Self.time(header["TC"])
        let checkValue = BlockCipherKey(cipher, unwrapped.key).checkValue()
        guard header["KC"].map({ $0 == Self.text(checkValue, cipher) }) ?? true,
            header["KP"].map({ $0 == Self.text(self.checkValue(), self.cipher) }) ?? true
        else { throw .checkValue }
        let isByOldMethod = header.version.isDeprecated
        return try Self.judged(KeyDelivery(name, cipher, made: made, isByOldMethod: isByOldMethod, unwrapped.take()))
    }

    /// A key that protects nothing is refused however it comes.
    private static func judged(_ delivery: consuming KeyDelivery) throws(DeliveryFault) -> KeyDelivery {
        switch KeyWeakness(of: delivery.key, delivery.cipher) {
        case .equalHalves, .weak: throw .weak
        case .published: throw .published
        case nil: return delivery
        }
    }

    /// Of triple DES by encrypting zeros, of AES by CMAC.
    private static func text(_ checkValue: [UInt8], _ cipher: BlockCipherKey.Cipher) -> String {
        (cipher == .aes ? "01" : "00") + Hex.string(checkValue)
    }

    private static func time(_ text: String?) throws(DeliveryFault) -> TransactionTime {
        guard let text, text.hasSuffix("Z") else { throw .field(.optionalBlocks) }
        do throws(ParseError) { return try TransactionTime(digits: Hex.bytes(text.dropLast())) } catch {
            throw .field(.optionalBlocks)
        }
    }

    /// The header is not believed: it only tells why the block does not open.
    private static func refuseOtherTerminal(_ block: String, _ terminal: TerminalID) throws(DeliveryFault) {
        guard let stated = KeyBlockHeader.stated(in: block)?["LB"] else { return }
        guard let other = Label.terminal(in: stated), other != Hex.string(terminal.bytes) else { return }
        throw .seemsOtherTerminals(other)
    }
}

private struct Label {
    let name: HeldKeyName
    let terminal: String

    init(_ text: String?) throws(DeliveryFault) {
        guard let text else { throw .label }
        let words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard words.count == 4, let index = Self.number(words[1]), let version = Self.number(words[2]),
            Self.terminal(in: text) != nil
        else { throw .label }
        guard let usage = KeyUsage.allCases.first(where: { $0.name == words[0] }) else {
            guard let master = MasterKey.allCases.first(where: { $0.name == words[0] }) else { throw .label }
            throw .issuersOwn(master)
        }
        name = HeldKeyName(usage, KeyReference(index: KeyIndex(index), version: KeyVersion(version)))
        terminal = words[3]
    }

    /// The last word, where it is a terminal's id.
    static func terminal(in label: String) -> String? {
        guard let last = label.split(separator: " ", omittingEmptySubsequences: false).last else { return nil }
        return last.utf8.count == 2 * TerminalID.length && last.utf8.allSatisfy(isDigit) ? String(last) : nil
    }

    /// Of two digits.
    private static func number(_ text: String) -> UInt8? {
        text.utf8.count == 2 && text.utf8.allSatisfy(isDigit) ? UInt8(text, radix: 16) : nil
    }

    /// A hexadecimal one, of upper case.
    private static func isDigit(_ character: UInt8) -> Bool {
        (0x30...0x39).contains(character) || (0x41...0x46).contains(character)
    }
}
