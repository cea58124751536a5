/// Where the keys of a TOML text stand. TOMLKit gives the line of a syntax error only.
///
/// It reads no more of the text than it takes to tell keys from values, strings and comments (TOML 1.0). What it says
/// holds for a text that TOMLKit accepts; any other gives some lines and no trap.
struct ConfigurationLines {
    /// What must not come to TOMLKit 0.6.0, because it ends the process: a header without a key and an array's element
    /// that is no value (assertions), and tables nested too deep (the stack).
    private(set) var refusal: TOMLFault?
    /// The first line with a string that has an escaped NUL in it.
    private(set) var lineOfNUL: Int?
    private var lines: [ConfigurationPath: Int] = [:]
    /// How many elements each array of tables has so far.
    private var elementCounts: [ConfigurationPath: Int] = [:]

    private let bytes: [UInt8]
    private var offset = 0
    private var line = 1

    init(scanning text: String) {
        bytes = Array(text.utf8)
        // A byte order mark.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { offset = 3 }
        scan()
    }

    /// The line of the key or element, or of the innermost table around it that stands in the text; else 1.
    subscript(path: ConfigurationPath) -> Int {
        var path = path
        while !path.steps.isEmpty {
            if let line = lines[path] { return line }
            path = path.parent
        }
        return 1
    }

    static func isBareKeyCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"): true
        case _: false
        }
    }

    private mutating func scan() {
        var table = ConfigurationPath.root
        skipBlanks()
        while let byte = next {
            if byte == UInt8(ascii: "[") { table = header() } else { pair(in: table) }
            while let byte = next, byte != UInt8(ascii: "\n") { advance() }
            skipBlanks()
        }
    }

    /// `[table]` or `[[array of tables]]`.
    private mutating func header() -> ConfigurationPath {
        let line = line
        advance()
        let isElement = take("[")
        skipSpaces()
        if let byte = next, !Self.isBareKeyCharacter(byte), !"\"']".utf8.contains(byte) {
            refuse(line, "a table header without a key")
        }
        let keys = keys()
        guard var path = note(keys.dropLast(), in: .root, line), let last = keys.last else { return .root }
        path = path.appending(.key(last))
        if isElement {
            if lines[path] == nil { lines[path] = line }
            let index = elementCounts[path, default: 0]
            elementCounts[path] = index + 1
            path = path.appending(.element(index))
        }
        lines[path] = line
        return path
    }

    private mutating func refuse(_ line: Int, _ reason: String) {
        if refusal == nil { refusal = TOMLFault(line: line, reason: reason) }
    }

    private mutating func pair(in table: ConfigurationPath) {
        let line = line
        guard let path = note(keys()[...], in: table, line) else { return }
        skipSpaces()
        guard take("=") else { return }
        skipSpaces()
        value(at: path)
    }

    private mutating func value(at path: ConfigurationPath) {
        guard path.steps.count <= ConfigurationPath.depthMax else {
            refuse(line, "more than \(ConfigurationPath.depthMax) levels")
            return
        }
        switch next {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): _ = string()
        case UInt8(ascii: "["): array(at: path)
        case UInt8(ascii: "{"): inlineTable(at: path)
        case _: while let byte = next, !",]}#\n".utf8.contains(byte) { advance() }
        }
    }

    private mutating func array(at path: ConfigurationPath) {
        advance()
        var index = 0
        skipBlanks()
        while next != nil, !take("]") {
            let start = offset
            let element = path.appending(.element(index))
            lines[element] = line
            if let byte = next, byte == UInt8(ascii: "}") || byte >= 0x80 { refuse(line, "an array of no values") }
            value(at: element)
            skipBlanks()
            if !take(","), offset == start { advance() }
            skipBlanks()
            index += 1
        }
    }

    private mutating func inlineTable(at path: ConfigurationPath) {
        advance()
        skipBlanks()
        while next != nil, !take("}") {
            let start = offset
            pair(in: path)
            skipBlanks()
            if !take(","), offset == start { advance() }
            skipBlanks()
        }
    }

    /// Notes the line of each key in turn that has none yet; a key of an array of tables stands for its last element.
    ///
    /// - Returns: nil when the last key lies too deep.
    private mutating func note(
        _ keys: ArraySlice<String>,
        in table: ConfigurationPath,
        _ line: Int
    ) -> ConfigurationPath? {
        var path = table
        guard table.steps.count + keys.count <= ConfigurationPath.depthMax else {
            refuse(line, "more than \(ConfigurationPath.depthMax) levels")
            return nil
        }
        for key in keys {
            path = path.appending(.key(key))
            if lines[path] == nil { lines[path] = line }
            if let count = elementCounts[path] { path = path.appending(.element(count - 1)) }
        }
        return path
    }
}

// Tokens.
extension ConfigurationLines {
    private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func advance() {
        if next == UInt8(ascii: "\n") { line += 1 }
        offset += 1
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        advance()
        return true
    }

    private mutating func skipSpaces() {
        while next == UInt8(ascii: " ") || next == UInt8(ascii: "\t") { advance() }
    }

    /// Spaces, line ends and comments.
    private mutating func skipBlanks() {
        while let byte = next {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): advance()
            case UInt8(ascii: "#"): while let byte = next, byte != UInt8(ascii: "\n") { advance() }
            case _: return
            }
        }
    }

    /// A dotted key.
    private mutating func keys() -> [String] {
        var keys: [String] = []
        repeat {
            skipSpaces()
            let start = offset
            if next == UInt8(ascii: "\"") || next == UInt8(ascii: "'") {
                keys.append(string())
            } else {
                while let byte = next, Self.isBareKeyCharacter(byte) { advance() }
                keys.append(String(decoding: bytes[start..<offset], as: UTF8.self))
            }
            skipSpaces()
        } while take(".")
        return keys
    }

    /// A string of any of the four kinds. Of a multi-line one only NUL matters, so it is not trimmed.
    private mutating func string() -> String {
        let start = line
        let quote: Unicode.Scalar = next == UInt8(ascii: "\"") ? "\"" : "'"
        let mark = UInt8(ascii: quote)
        let isMultiline = bytes[offset...].starts(with: [mark, mark, mark])
        offset += isMultiline ? 3 : 1
        var text: [UInt8] = []
        while let byte = next {
            if byte == mark, !isMultiline || bytes[offset...].starts(with: [mark, mark, mark]) { break }
            advance()
            if byte == UInt8(ascii: "\\"), quote == "\"" { escape(into: &text) } else { text.append(byte) }
        }
        // A multi-line string may end with two quotation marks of its own before the three that close it.
        if isMultiline { while take(quote) {} } else { _ = take(quote) }
        if text.contains(0), lineOfNUL == nil { lineOfNUL = start }
        return String(decoding: text, as: UTF8.self)
    }

    /// What follows a backslash.
    private mutating func escape(into text: inout [UInt8]) {
        guard let byte = next else { return }
        advance()
        switch byte {
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "u"): scalar(digits: 4, into: &text)
        case UInt8(ascii: "U"): scalar(digits: 8, into: &text)
        case _: text.append(byte)
        }
    }

    private mutating func scalar(digits: Int, into text: inout [UInt8]) {
        let digits = String(decoding: bytes[offset...].prefix(digits), as: UTF8.self)
        guard let number = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(number) else { return }
        offset += digits.utf8.count
        text += Array(String(scalar).utf8)
    }
}
