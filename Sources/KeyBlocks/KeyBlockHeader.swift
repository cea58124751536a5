/// What stands in clear before a wrapped key (ANSI X9.143:2021, 6.1; TR-31:2018, A.2).
package struct KeyBlockHeader: Equatable, Sendable {
    /// Of a whole block, in characters.
    package static let blockLengthMax = 9_999

    /// How key and header are protected (6.2).
    package enum Version: Character, Sendable {
        /// Variants of a triple-DES key; deprecated.
        case a = "A"
        /// Keys derived from a triple-DES key.
        case b = "B"
        /// As ``a``.
        case c = "C"
        /// Keys derived from an AES key.
        case d = "D"

        /// Nobody should wrap in it any more; what comes in it is read with a warning.
        package var isDeprecated: Bool {
            switch self {
            case .a, .c: true
            case .b, .d: false
            }
        }
    }

    package let version: Version
    /// Two characters, 6.3.1.
    package let usage: String
    /// 6.3.2.
    package let algorithm: Character
    /// 6.3.3.
    package let mode: Character
    /// Two characters, `00` where versions are not used, 6.3.4.
    package let keyVersion: String
    /// 6.3.5.
    package let exportability: Character
    /// Without padding, in their order.
    package let blocks: [OptionalBlock]

    package init(
        version: Version,
        usage: String,
        algorithm: Character,
        mode: Character,
        keyVersion: String = "00",
        exportability: Character,
        blocks: [OptionalBlock] = []
    ) {
        self.version = version
        self.usage = usage
        self.algorithm = algorithm
        self.mode = mode
        self.keyVersion = keyVersion
        self.exportability = exportability
        self.blocks = blocks
    }

    /// What a block says of itself, its code unseen: to tell a person what it claims to be. nil for no block.
    package static func stated(in block: String) -> KeyBlockHeader? {
        do throws(KeyBlockError) { return try parsing(Array(block.utf8)).0 } catch { return nil }
    }

    package subscript(id: String) -> String? { blocks.first { $0.id == id }?.data }

    /// A decimal digit or an upper-case letter.
    static func isAlphanumeric(_ character: UInt8) -> Bool {
        (0x30...0x39).contains(character) || (0x41...0x5A).contains(character)
    }

    static let length = 16
    static let padding = "PB"
}

/// A field that not every block has (6.3.6).
package struct OptionalBlock: Equatable, Sendable {
    /// Two characters.
    package let id: String
    /// Printable ASCII.
    package let data: String

    package init(_ id: String, _ data: String) {
        self.id = id
        self.data = data
    }
}

// MARK: - Text

extension KeyBlockHeader {
    /// The header of a block of so many characters behind it.
    ///
    /// - Throws: `.tooLong` beyond the 9,999 characters that a block may have.
    func text(followedBy count: Int) throws(KeyBlockError) -> [UInt8] {
        var optional: [UInt8] = []
        for block in blocks { optional += block.text }
        var blocksCount = blocks.count
        let unit = version.blockLength
        if !optional.count.isMultiple(of: unit) {
            // An empty padding block has 4 characters, so what lacks less gets a whole unit more.
            let lack = unit - optional.count % unit
            let data = String(repeating: "0", count: (lack < 4 ? lack + unit : lack) - 4)
            optional += OptionalBlock(Self.padding, data).text
            blocksCount += 1
        }
        let length = Self.length + optional.count + count
        guard length <= Self.blockLengthMax, blocksCount <= 99 else { throw .tooLong }
        let fields = [
            String(version.rawValue), Self.digits(length, 4), usage, String(algorithm), String(mode), keyVersion,
            String(exportability), Self.digits(blocksCount, 2), "00",
        ]
        return fields.flatMap(\.utf8) + optional
    }

    private static func digits(_ number: Int, _ count: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: count - digits.count) + digits
    }
}

extension OptionalBlock {
    /// Its length stands in 2 hexadecimal digits, a longer one in 4 behind `0004`.
    fileprivate var text: [UInt8] {
        let short = data.utf8.count + 4
        let length = short <= 0xFF ? Self.hex(short, 2) : "0004" + Self.hex(data.utf8.count + 10, 4)
        return Array((id + length + data).utf8)
    }

    private static func hex(_ number: Int, _ count: Int) -> String {
        let digits = String(number, radix: 16, uppercase: true)
        return String(repeating: "0", count: count - digits.count) + digits
    }
}

// MARK: - Parsed

extension KeyBlockHeader {
    /// - Parameter block: a whole block.
    /// - Returns: the header, and how many characters it has with its optional blocks.
    static func parsing(_ block: [UInt8]) throws(KeyBlockError) -> (KeyBlockHeader, length: Int) {
        guard block.allSatisfy({ (0x20...0x7E).contains($0) }) else { throw .malformed(.character) }
        var text = TextReader(block)
        guard let version = try Version(rawValue: text.character(.version)) else { throw .malformed(.version) }
        guard try text.decimal(4, .length) == block.count else { throw .malformed(.length) }
        let usage = try text.alphanumeric(2, .usage)
        let algorithm = try text.alphanumericCharacter(.algorithm)
        let mode = try text.alphanumericCharacter(.mode)
        let keyVersion = try text.alphanumeric(2, .keyVersion)
        let exportability = try text.character(.exportability)
        guard "ENS".contains(exportability) else { throw .malformed(.exportability) }
        let count = try text.decimal(2, .optionalBlocks)
        guard try text.string(2, .reserved) == "00" else { throw .malformed(.reserved) }
        var blocks: [OptionalBlock] = []
        for number in 0..<count {
            let optional = try OptionalBlock(&text)
            if optional.id == padding {
                guard number == count - 1 else { throw .malformed(.optionalBlocks) }
            } else {
                guard !blocks.contains(where: { $0.id == optional.id }) else { throw .malformed(.optionalBlocks) }
                blocks.append(optional)
            }
        }
        guard text.offset.isMultiple(of: version.blockLength) else { throw .malformed(.optionalBlocks) }
        let header = KeyBlockHeader(
            version: version,
            usage: usage,
            algorithm: algorithm,
            mode: mode,
            keyVersion: keyVersion,
            exportability: exportability,
            blocks: blocks
        )
        return (header, text.offset)
    }
}

extension OptionalBlock {
    fileprivate init(_ text: inout TextReader) throws(KeyBlockError) {
        id = try text.alphanumeric(2, .optionalBlocks)
        let short = try text.hexadecimal(2, .optionalBlocks)
        var count = short - 4
        if short == 0 {
            let digits = try text.hexadecimal(2, .optionalBlocks)
            guard (1...4).contains(digits) else { throw .malformed(.optionalBlocks) }
            count = try text.hexadecimal(digits, .optionalBlocks) - 6 - digits
        }
        guard count >= 0 else { throw .malformed(.optionalBlocks) }
        data = try text.string(count, .optionalBlocks)
    }
}

/// Reads printable ASCII from its beginning.
private struct TextReader {
    private let text: [UInt8]
    private(set) var offset = 0

    init(_ text: [UInt8]) { self.text = text }

    mutating func string(_ count: Int, _ field: KeyBlockError.Field) throws(KeyBlockError) -> String {
        guard count <= text.count - offset else { throw .malformed(field) }
        defer { offset += count }
        return String(decoding: text[offset..<offset + count], as: UTF8.self)
    }

    mutating func character(_ field: KeyBlockError.Field) throws(KeyBlockError) -> Character {
        Character(try string(1, field))
    }

    mutating func alphanumeric(_ count: Int, _ field: KeyBlockError.Field) throws(KeyBlockError) -> String {
        let string = try string(count, field)
        guard string.utf8.allSatisfy(KeyBlockHeader.isAlphanumeric) else { throw .malformed(field) }
        return string
    }

    mutating func alphanumericCharacter(_ field: KeyBlockError.Field) throws(KeyBlockError) -> Character {
        Character(try alphanumeric(1, field))
    }

    mutating func decimal(_ count: Int, _ field: KeyBlockError.Field) throws(KeyBlockError) -> Int {
        try number(count, radix: 10, field)
    }

    mutating func hexadecimal(_ count: Int, _ field: KeyBlockError.Field) throws(KeyBlockError) -> Int {
        try number(count, radix: 16, field)
    }

    private mutating func number(_ count: Int, radix: Int, _ field: KeyBlockError.Field) throws(KeyBlockError) -> Int {
        let string = try alphanumeric(count, field)
        guard let number = Int(string, radix: radix) else { throw .malformed(field) }
        return number
    }
}
