package import FuelPassbook

/// Text that leaves the board for whoever helps: no whole card number, no PIN, no key (<doc:0067-the-journals-own-messages>).
///
/// It is made of literals of the source, of whole numbers, which are no secret's form here, and of texts that somebody or something
/// wrote, which are masked on their way in: any number of four digits or more, and whatever looks like bytes in hexadecimal, in decimal or
/// in base64. Dates, amounts and volumes stay. What it takes away in vain can be asked for.
package struct MaskedText: Sendable, ExpressibleByStringInterpolation {
    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        package init(literalCapacity: Int, interpolationCount: Int) {}

        package mutating func appendLiteral(_ literal: String) { text += literal }
        package mutating func appendInterpolation(_ number: some BinaryInteger) { text += "\(number)" }
        package mutating func appendInterpolation(_ masked: MaskedText) { text += masked.text }
        package mutating func appendInterpolation(_ card: ApplicationSerialNumber) {
            text += MaskedText.tail("\(card)")
        }
        package mutating func appendInterpolation(_ anybodys: String) { text += MaskedText.mask(anybodys) }
    }

    package let text: String

    package init(stringLiteral literal: String) { text = literal }
    package init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

    /// - Parameter anybodys: a text of any origin.
    package init(masking anybodys: String) { text = Self.mask(anybodys) }

    package init(lines: [MaskedText]) { text = lines.map(\.text).joined(separator: "\n") + "\n" }

    /// The fingerprint of what everybody may have.
    package init(digest: [UInt8]) {
        text = digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

extension MaskedText {
    fileprivate static func tail(_ digits: some StringProtocol) -> String { "****" + digits.suffix(4) }

    private static func mask(_ text: String) -> String {
        var scanner = SecretScanner(bytes: Array(text.utf8))
        return scanner.masked()
    }
}

/// Goes through a text from word to word.
private struct SecretScanner {
    /// A PIN has no fewer (`PIN.digitsMin`).
    private static let digitsMin = 4
    /// Nor has a card's number.
    private static let cardDigitsMin = 12
    /// Of bytes in hexadecimal: eight bytes.
    private static let hexDigitsMin = 16
    /// Of bytes one by one.
    private static let bytesMin = 8
    private static let base64Min = 11

    let bytes: [UInt8]
    private var place = 0
    private var output: [UInt8] = []

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func masked() -> String {
        while place < bytes.count {
            guard isWord(place) else {
                take(place + 1)
                continue
            }
            if let end = dateEnd() {
                take(end)
            } else if let (end, words) = groups() {
                put(words, to: end)
            } else {
                maskWord()
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    private mutating func take(_ end: Int) {
        output += bytes[place..<end]
        place = end
    }

    private mutating func put(_ words: String, to end: Int) {
        output += Array(words.utf8)
        place = end
    }

    private func isWord(_ index: Int) -> Bool { index < bytes.count && (bytes[index].isLetter || bytes[index].isDigit) }

    /// "2026-11-27", and behind it "T10:46", "10:46:04" or "10:46:04.123".
    private func dateEnd() -> Int? {
        guard var end = end(of: "dddd-dd-dd", at: place),
            bytes[place] == UInt8(ascii: "1") || bytes[place] == UInt8(ascii: "2")
        else { return nil }
        for behind in ["Tdd:dd", " dd:dd"] {
            guard let minutes = self.end(of: behind, at: end) else { continue }
            end = minutes
            if let seconds = self.end(of: ":dd", at: end) { end = seconds }
            if let thousandths = self.end(of: ".ddd", at: end), !isDigit(thousandths) { end = thousandths }
        }
        return isDigit(end) ? nil : end
    }

    private func end(of form: String, at start: Int) -> Int? {
        var index = start
        for mark in form.utf8 {
            guard index < bytes.count else { return nil }
            guard mark == UInt8(ascii: "d") ? bytes[index].isDigit : bytes[index] == mark else { return nil }
            index += 1
        }
        return index
    }

    private func isDigit(_ index: Int) -> Bool { index < bytes.count && bytes[index].isDigit }

    /// Groups of hexadecimal digits with a sign between two: a card's number, a key, bytes one by one.
    private func groups() -> (end: Int, words: String)? {
        var (index, end) = (place, place)
        var (digits, count) = (0, 0)
        var isDecimal = true
        var card = ""
        while true {
            let start = afterHexadecimalMark(index)
            index = start
            while index < bytes.count, bytes[index].isHexadecimal { index += 1 }
            guard index > start, !isWord(index) else { break }
            let group = bytes[start..<index]
            isDecimal = isDecimal && group.allSatisfy(\.isDigit)
            card += String(decoding: group, as: UTF8.self)
            (digits, count, end) = (digits + group.count, count + 1, index)
            guard index < bytes.count, Self.separators.contains(bytes[index]) else { break }
            index += 1
            while index < bytes.count, bytes[index] == UInt8(ascii: " ") { index += 1 }
        }
        let isLong = isDecimal && digits >= Self.cardDigitsMin
        guard isLong || digits >= Self.hexDigitsMin || isDecimal && count >= Self.bytesMin else { return nil }
        // Bytes one by one are a command, and what stands at its end is no tail of a card's number.
        let isCard = isLong && count < Self.bytesMin && digits > 2 * count && !Self.isVerify(card)
        return (end, isCard ? MaskedText.tail(card) : "(\(digits) digits, not shown)")
    }

    /// VERIFY (ISO/IEC 7816-4), which ends with the PIN: with a PIN of 4 digits or more, its bytes are as many as a card's number has.
    private static func isVerify(_ digits: String) -> Bool { digits.hasPrefix("00200000") }

    private static let separators = Array(" -:,;_/|\\\t".utf8)

    /// Behind "0x" and "\\x".
    private func afterHexadecimalMark(_ index: Int) -> Int {
        let mark =
            end(of: "0x", at: index) ?? end(of: "0X", at: index)
            ?? (index > 0 && bytes[index - 1] == UInt8(ascii: "\\") ? end(of: "x", at: index) : nil)
        return mark.flatMap { $0 < bytes.count && bytes[$0].isHexadecimal ? $0 : nil } ?? index
    }

    private mutating func maskWord() {
        var end = place
        while end < bytes.count, isWord(end) || bytes[end] == UInt8(ascii: "+") || bytes[end] == UInt8(ascii: "/") {
            end += 1
        }
        let word = bytes[place..<end]
        let isPadded = end < bytes.count && bytes[end] == UInt8(ascii: "=") && word.count % 4 != 0
        if word.count >= Self.base64Min, isPadded && (end + 1 >= bytes.count || !isWord(end + 1)) || looksRandom(word) {
            while end < bytes.count, bytes[end] == UInt8(ascii: "=") { end += 1 }
            return put("(\(word.count) characters, not shown)", to: end)
        }
        while place < end {
            let start = place
            var stop = start
            while stop < end, bytes[stop].isDigit { stop += 1 }
            guard stop > start else {
                take(start + 1)
                continue
            }
            let count = stop - start
            let isOfAName =
                start > 0 && bytes[start - 1].isLetter && count <= Self.digitsMin + 1 && !isBehindPIN(start)
            let digits = String(decoding: bytes[start..<stop], as: UTF8.self)
            if count >= Self.cardDigitsMin, !Self.isVerify(digits) {
                put(MaskedText.tail(digits), to: stop)
            } else if count >= Self.cardDigitsMin || count >= Self.digitsMin && !isOfAName && !isAmount(stop) {
                put(String(repeating: "#", count: count), to: stop)
            } else {
                take(stop)
            }
        }
    }

    private func isBehindPIN(_ start: Int) -> Bool {
        ["PIN", "pin", "Pin"].contains { $0.utf8.count <= start && end(of: $0, at: start - $0.utf8.count) == start }
    }

    /// Whether exactly two digits stand behind a point there.
    private func isAmount(_ stop: Int) -> Bool {
        guard let end = end(of: ".dd", at: stop) else { return false }
        return !isDigit(end) && !(end < bytes.count && bytes[end] == UInt8(ascii: "."))
    }

    /// Capitals, small letters and digits change places as they do in base64, and in no name; or many hexadecimal digits stand together.
    private func looksRandom(_ word: ArraySlice<UInt8>) -> Bool {
        var (changes, last, digitsTogether) = (0, UInt8(0), 0)
        var hasDigit = false
        for byte in word where byte != UInt8(ascii: "/") {
            if last != 0, byte.kind != last.kind { changes += 1 }
            last = byte
            digitsTogether = byte.isHexadecimal ? digitsTogether + 1 : 0
            if digitsTogether >= Self.hexDigitsMin { return true }
            hasDigit = hasDigit || !byte.isLetter
        }
        return changes * (hasDigit ? 4 : 3) > word.count
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (0x30...0x39).contains(self) }
    fileprivate var isCapital: Bool { (0x41...0x5A).contains(self) }
    fileprivate var isLetter: Bool { isCapital || (0x61...0x7A).contains(self) }
    fileprivate var isHexadecimal: Bool { isDigit || (0x41...0x46).contains(self) || (0x61...0x66).contains(self) }
    fileprivate var kind: Int { isDigit ? 0 : isCapital ? 1 : isLetter ? 2 : 3 }
}
