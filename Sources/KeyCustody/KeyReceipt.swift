package import CardCryptography
package import FuelPassbook
package import ISO7816
import Quantities

/// What a terminal holds, in lines for its issuer, with a code under the record key, which the issuer draws from its store.
///
/// The lines: `GREYLOCK KEYS`, `terminal ID`, `change NUMBER`, `made TIME`, a line of each key and each that was erased, `code` with
/// 32 digits over all lines before it. Times are `YYYYMMDDhhmmss`, by UTC; none is `-`.
package struct KeyReceipt: Sendable {
    package static let bytesMax = 1 << 18

    private static let title = "GREYLOCK KEYS"
    private static let codeMark = "code "

    package let terminal: TerminalID
    package let recordKey: KeyReference
    /// Without the code.
    package let lines: [String]
    /// Upper-case hexadecimal digits.
    package let code: String

    /// nil for a terminal without a record key.
    ///
    /// - Parameter now: seconds of UTC since 1970.
    package init?(of keys: TerminalKeys, at now: Int64) {
        guard let record = keys.only(.record), let secret = record.secret else { return nil }
        terminal = keys.terminal
        recordKey = record.name.reference
        var lines = [
            Self.title, "terminal \(keys.terminal)", "change \(keys.number.change)", "made \(Self.time(now))",
        ]
        for key in keys.keys { lines.append(Self.line(of: key, at: now)) }
        for key in keys.erased {
            lines.append("erased \(key.name.words) made \(Hex.string(key.made.bytes)) on \(Self.time(key.erased))")
        }
        self.lines = lines
        code = Self.code(of: lines, under: secret.raw)
    }

    /// What a terminal wrote; nothing of it is believed before ``isAuthentic(under:)``.
    package init(parsing text: String) throws(ParseError) {
        var lines = text.split(whereSeparator: \.isNewline).map(String.init)
        guard lines.first == Self.title, let last = lines.popLast(), last.hasPrefix(Self.codeMark) else {
            throw .invalid("receipt")
        }
        guard lines.count > 1, lines[1].hasPrefix("terminal ") else { throw .invalid("receipt") }
        terminal = try TerminalID(parsing: Hex.bytes(lines[1].dropFirst("terminal ".count)))
        let words = lines.lazy.map { $0.split(separator: " ") }.first { $0.starts(with: ["key", "RECORD"]) }
        guard let words, words.count > 3, let index = UInt8(words[2]), let version = UInt8(words[3]) else {
            throw .invalid("receipt")
        }
        recordKey = KeyReference(index: KeyIndex(index), version: KeyVersion(version))
        self.lines = lines
        code = String(last.dropFirst(Self.codeMark.count))
    }

    package var text: String { (lines + [Self.codeMark + code]).joined(separator: "\n") }

    /// - Parameter recordKey: the 16 bytes of the terminal's.
    package func isAuthentic(under recordKey: borrowing LockedBuffer) -> Bool {
        ConstantTime.isEqual(Array(Self.code(of: lines, under: recordKey).utf8), Array(code.utf8))
    }

    private static func code(of lines: [String], under recordKey: borrowing LockedBuffer) -> String {
        let root = DoubleLengthKey(recordKey.part(0..<DoubleLengthKey.length))
        let text = lines.map { $0 + "\n" }.joined()
        return Hex.string(CodeKey(from: root, label: "GL-RCPT").code(of: Array(text.utf8)).bytes)
    }

    private static func line(of key: HeldKey, at now: Int64) -> String {
        let sells = key.name.usage == .purchaseMaster ? key.dates.activeFrom : nil
        let state = key.name.usage == .purchaseMaster ? key.dates.state(at: now).name : "active"
        return [
            "key \(key.name.words) \(key.cipher == .aes ? "AES" : "TDES") \(Hex.string(key.checkValue()))",
            "\(state) from \(key.origin.name) made \(Hex.string(key.made.bytes))",
            "loaded \(time(key.dates.loaded)) sells \(time(sells))",
            "retired \(time(key.dates.retired))",
        ]
        .joined(separator: " ")
    }

    private static func time(_ seconds: Int64?) -> String {
        guard let seconds else { return "-" }
        return Hex.string(TransactionTime(utc: seconds).bytes)
    }
}
