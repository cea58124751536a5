package import CardCryptography
package import FuelPassbook
private import ISO7816
package import Quantities

/// The page of one component, which goes into an envelope.
package struct ComponentSheet {
    /// What stands at the head of all pages of a key.
    package struct Key {
        package let name: HeldKeyName
        package let kind: ComponentKind
        package let terminal: TerminalID
        package let components: Int
        package let checkValue: [UInt8]
        package let made: TransactionTime

        package init(
            _ name: HeldKeyName,
            _ kind: ComponentKind,
            of terminal: TerminalID,
            components: Int,
            checkValue: [UInt8],
            made: TransactionTime
        ) {
            self.name = name
            self.kind = kind
            self.terminal = terminal
            self.components = components
            self.checkValue = checkValue
            self.made = made
        }
    }

    /// Of a page, which a pipe takes at once.
    package static let bytesMax = 4_096
    static let groupsMark = "groups "
    static let checkValueMark = "check value of this component: "
    static let groupsOfLine = 4

    /// A page, ASCII in locked memory.
    ///
    /// - Parameters:
    ///   - place: the component's, from 1.
    ///   - forPrinter: with carriage returns, and a form feed at the end.
    package static func page(
        of component: KeyComponent,
        _ place: Int,
        _ key: Key,
        forPrinter: Bool = false
    ) -> LockedBuffer {
        var text = SecretText(bytesMax: bytesMax, endsLine: forPrinter ? "\r\n" : "\n")
        text.line("GREYLOCK   COMPONENT \(place) OF \(key.components)   for one custodian alone")
        text.line("")
        text.line("terminal:   \(key.terminal)")
        text.line("key:        \(key.name.words), \(key.kind == .aes256 ? "AES-256" : "triple DES")")
        text.line("made:       \(key.made) UTC")
        text.line("")
        let sheet = component.sheetText()
        for first in stride(from: 0, to: key.kind.groups, by: groupsOfLine) {
            let numbers = "\(first + 1) to \(first + groupsOfLine)"
            text.append(groupsMark + numbers + ":" + String(repeating: " ", count: 10 - numbers.count))
            let start = first * KeyComponent.sheetGroup
            text.append(sheet, start..<start + groupsOfLine * KeyComponent.sheetGroup - 1)
            text.line("")
        }
        text.line("")
        text.line(checkValueMark + Hex.pairs(component.checkValue(key.kind)))
        text.line("check value of the key:        " + Hex.pairs(key.checkValue))
        text.line("")
        text.line("envelope number: ____________________   sealed by: ____________________")
        if forPrinter { text.append("\u{0C}") }
        return text.take()
    }
}

/// What a page's own digits say of it.
package struct SheetVerdict: Equatable, Sendable {
    package let kind: ComponentKind
    /// From 1: their check digit is another one.
    package let wrongGroups: [Int]
    /// Of the component as it stands there.
    package let checkValue: [UInt8]
    package let checkValueIsRight: Bool

    package var isRight: Bool { wrongGroups.isEmpty && checkValueIsRight }

    /// - Parameter page: of one component; nil for what is none.
    package init?(of page: borrowing LockedBuffer) {
        var reading = PageReading()
        page.withSpan { page in
            var start = 0
            for index in 0...page.count where index == page.count || page[index] == UInt8(ascii: "\n") {
                reading.take(page.extracting(start..<index))
                start = index + 1
            }
        }
        guard let kind = reading.kind, let stated = reading.checkValue else { return nil }
        self.kind = kind
        wrongGroups = reading.wrongGroups
        checkValue = reading.component(kind).checkValue(kind)
        checkValueIsRight = checkValue == stated
    }
}

private struct PageReading: ~Copyable {
    private var raw = LockedBuffer(count: 32)
    private var groups = 0
    private(set) var wrongGroups: [Int] = []
    private(set) var checkValue: [UInt8]?
    private var isMalformed = false

    var kind: ComponentKind? {
        isMalformed ? nil : [ComponentKind.tripleDES, .aes256].first { $0.groups == groups }
    }

    func component(_ kind: ComponentKind) -> KeyComponent { KeyComponent(raw.part(0..<kind.length)) }

    mutating func take(_ line: Span<UInt8>) {
        if Self.begins(line, ComponentSheet.groupsMark) {
            takeGroups(line)
        } else if Self.begins(line, ComponentSheet.checkValueMark) {
            let text = String(decoding: (0..<line.count).map { line[$0] }, as: UTF8.self)
            let digits = text.dropFirst(ComponentSheet.checkValueMark.count).filter { !$0.isWhitespace }
            do throws(ParseError) { checkValue = try Hex.bytes(digits) } catch { isMalformed = true }
        }
    }

    private mutating func takeGroups(_ line: Span<UInt8>) {
        guard let colon = line.indices.first(where: { line[$0] == UInt8(ascii: ":") }) else {
            isMalformed = true
            return
        }
        var digits: InlineArray<5, UInt8> = .init(repeating: 0)
        var count = 0
        for index in colon + 1..<line.count {
            switch line[index] {
            case UInt8(ascii: " "), UInt8(ascii: "-"), UInt8(ascii: "\r"): continue
            case let character:
                guard let value = ComponentEntry.value(character), groups < raw.count / 2 else {
                    isMalformed = true
                    return
                }
                digits[count] = value
                count += 1
                if count == digits.count {
                    takeGroup(digits)
                    count = 0
                }
            }
        }
        if count != 0 { isMalformed = true }
    }

    private mutating func takeGroup(_ digits: InlineArray<5, UInt8>) {
        raw.withMutableSpan { [groups] raw in
            (raw[2 * groups], raw[2 * groups + 1]) = (digits[0] << 4 | digits[1], digits[2] << 4 | digits[3])
        }
        groups += 1
        let expected = CheckDigit.of([digits[0], digits[1], digits[2], digits[3]], group: groups)
        if digits[4] != expected { wrongGroups.append(groups) }
    }

    private static func begins(_ line: Span<UInt8>, _ mark: String) -> Bool {
        let mark = Array(mark.utf8)
        return line.count >= mark.count && mark.indices.allSatisfy { line[$0] == mark[$0] }
    }
}

/// Text that grows in locked memory.
private struct SecretText: ~Copyable {
    private var bytes: LockedBuffer
    private var count = 0

    private let endsLine: String

    init(bytesMax: Int, endsLine: String) {
        bytes = LockedBuffer(count: bytesMax)
        self.endsLine = endsLine
    }

    mutating func line(_ text: String) { append(text + endsLine) }

    mutating func append(_ text: String) {
        bytes.withMutableSpan { bytes in
            for byte in text.utf8 {
                bytes[count] = byte
                count += 1
            }
        }
    }

    mutating func append(_ text: borrowing LockedBuffer, _ range: Range<Int>) {
        text.withSpan { text in
            bytes.withMutableSpan { bytes in
                for index in range {
                    bytes[count] = text[index]
                    count += 1
                }
            }
        }
    }

    consuming func take() -> LockedBuffer { bytes.part(0..<count) }
}
