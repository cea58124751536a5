import CardCryptography
import FuelPassbook
import KeyCustody
import Quantities
import Testing

/// A component on its page, and what the page says of itself.
@Suite struct SheetTests {
    @Test(arguments: [ComponentKind.aes256, .tripleDES], [true, false])
    func isRightAsItWasMade(_ kind: ComponentKind, _ forPrinter: Bool) throws {
        let component = KeyComponent(generating: kind)
        let text = try page(of: component, kind, forPrinter: forPrinter)
        #expect(text.contains("terminal:   310000000017") && text.contains("TRANSPORT 0 1") && text.contains("2 OF 3"))
        #expect(text.hasSuffix(forPrinter ? "\r\n\u{C}" : "\n"))
        let verdict = try #require(judged(text))
        #expect(verdict.isRight && verdict.kind == kind && verdict.checkValue == component.checkValue(kind))
    }

    @Test func everyWrongDigitIsFoundInItsGroup() throws {
        let text = try page(of: KeyComponent(generating: .tripleDES), .tripleDES)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let first = try #require(lines.firstIndex { $0.hasPrefix("groups ") })
        for group in 0..<8 {
            for digit in 0..<4 {
                var changed = lines.map(String.init)
                var line = Array(changed[first + group / 4])
                let place = 18 + group % 4 * 7 + digit
                line[place] = line[place] == "0" ? "1" : "0"
                changed[first + group / 4] = String(line)
                let verdict = try #require(judged(changed.joined(separator: "\n")))
                #expect(verdict.wrongGroups == [group + 1] && !verdict.isRight)
            }
        }
    }

    @Test func anotherSheetsCheckValueIsFound() throws {
        let text = try page(of: KeyComponent(generating: .aes256), .aes256)
        let other = try page(of: KeyComponent(generating: .aes256), .aes256)
        let mark = "check value of this component: "
        func line(_ text: String) -> Substring? { text.split(separator: "\n").first { $0.hasPrefix(mark) } }
        let mixed = text.replacing(try #require(line(text)), with: try #require(line(other)))
        let verdict = try #require(judged(mixed))
        #expect(verdict.wrongGroups.isEmpty && !verdict.checkValueIsRight)
    }

    /// Whatever is cut off, altered or added, it traps nowhere, and what is no sheet is told from one that is wrong.
    @Test func whatIsNoSheet() throws {
        let text = try page(of: KeyComponent(generating: .aes256), .aes256)
        let mark = try #require(text.firstRange(of: "check value of this")).lowerBound
        for count in 1...text.count where text.index(text.startIndex, offsetBy: count) <= mark {
            #expect(judged(String(text.prefix(count))) == nil)
        }
        for other in ["groups", "groups 1 to 4: ", "groups 1 to 4:    123G-5", text + text, "\u{0}\n\u{FF}"] {
            #expect(judged(other) == nil)
        }
    }

    private func judged(_ text: String) -> SheetVerdict? {
        var bytes = Array(text.utf8)
        return SheetVerdict(of: LockedBuffer(wiping: &bytes))
    }

    private func page(of component: KeyComponent, _ kind: ComponentKind, forPrinter: Bool = false) throws -> String {
        let reference = KeyReference(index: KeyIndex(0), version: KeyVersion(1))
        let key = ComponentSheet.Key(
            HeldKeyName(.transport, reference),
            kind,
            of: TerminalID(0x3100_0000_0017),
            components: 3,
            checkValue: [1, 2, 3],
            made: try TransactionTime(secondsSince1970: 1_790_000_000)
        )
        return ComponentSheet.page(of: component, 2, key, forPrinter: forPrinter)
            .withSpan { span in String(decoding: span.indices.map { span[$0] }, as: UTF8.self) }
    }
}
