import CardCryptography
import FuelPassbook
import KeyCustody
import Testing

@Suite struct ComponentTests {
    /// Typed as its sheet says, a component is what it was.
    @Test(arguments: [ComponentKind.tripleDES, .aes256])
    func isTypedFromItsSheet(_ kind: ComponentKind) throws {
        let component = KeyComponent(generating: kind)
        let typed = try #require(type(sheet(component), kind))
        let isSame = typed.raw.isEqual(to: component.raw)
        #expect(isSame)
    }

    @Test func isTypedInAnyForm() throws {
        let component = KeyComponent(LockedBuffer(hexadecimal: "0123456789ABCDEF1032547698BADCFE"))
        for form in [sheet(component).lowercased(), sheet(component).replacing(" ", with: ""), "  " + sheet(component)]
        {
            let typed = try #require(type(form, .tripleDES))
            let isSame = typed.raw.isEqual(to: component.raw)
            #expect(isSame, "\(form)")
        }
        let plain = try #require(type("0123 4567-89AB cdef 1032 5476 98BA DCFE", .tripleDES, hasCheckDigits: false))
        let isSame = plain.raw.isEqual(to: component.raw)
        #expect(isSame)
    }

    /// Every wrong digit, and every two digits of a group in each other's place.
    @Test func aSlipInAGroupIsFoundWhereItIs() {
        let text = Array(sheet(KeyComponent(generating: .tripleDES)).utf8)
        let places = text.indices.filter { text[$0] != 0x20 && text[$0] != 0x2D }
        for place in places {
            for digit in "0123456789ABCDEF".utf8 where digit != text[place] {
                var wrong = text
                wrong[place] = digit
                expectWrongGroup(wrong, place / 7 + 1)
            }
            for other in places where other / 7 == place / 7 && text[other] != text[place] {
                var swapped = text
                swapped.swapAt(place, other)
                expectWrongGroup(swapped, place / 7 + 1)
            }
        }
    }

    @Test func groupsInEachOthersPlaceAreFound() {
        let text = sheet(KeyComponent(generating: .aes256)).split(separator: " ").map(String.init)
        for first in text.indices {
            for second in text.indices where second > first && text[first] != text[second] {
                var swapped = text
                swapped.swapAt(first, second)
                expectWrongGroup(Array(swapped.joined(separator: " ").utf8), first + 1, .aes256)
            }
        }
    }

    @Test func aWrongGroupIsTypedAgain() throws {
        let component = KeyComponent(generating: .tripleDES)
        let text = Array(sheet(component).utf8)
        var entry = ComponentEntry(.tripleDES, hasCheckDigits: true)
        for character in text.prefix(5) { _ = entry.take(character) }
        let wrong = entry.take(text[5] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0"))
        #expect(wrong == .wrongGroup(1))
        for character in text { _ = entry.take(character) }
        let finished = entry.component()
        let typed = try #require(finished)
        let isSame = typed.raw.isEqual(to: component.raw)
        #expect(isSame)
    }

    @Test func whatIsNoDigitIsNotTaken() {
        var entry = ComponentEntry(.tripleDES, hasCheckDigits: false)
        for character in "gG:\u{1B}\u{7F}\n\t\u{0}".utf8 {
            let outcome = entry.take(character)
            #expect(outcome == .noDigit)
        }
        for _ in 0..<32 { _ = entry.take(UInt8(ascii: "7")) }
        let outcome = entry.take(UInt8(ascii: "7"))
        #expect(outcome == .tooMany)
    }

    @Test func anUnfinishedComponentIsNone() {
        var entry = ComponentEntry(.tripleDES, hasCheckDigits: false)
        for _ in 0..<31 { _ = entry.take(UInt8(ascii: "7")) }
        let isThere = entry.component() != nil
        #expect(!isThere)
    }

    private func sheet(_ component: KeyComponent) -> String {
        component.sheetText().withSpan { span in String(decoding: span.indices.map { span[$0] }, as: UTF8.self) }
    }

    private func type(_ text: String, _ kind: ComponentKind, hasCheckDigits: Bool = true) -> KeyComponent? {
        var entry = ComponentEntry(kind, hasCheckDigits: hasCheckDigits)
        for character in text.utf8 { _ = entry.take(character) }
        return entry.component()
    }

    private func expectWrongGroup(_ text: [UInt8], _ group: Int, _ kind: ComponentKind = .tripleDES) {
        var entry = ComponentEntry(kind, hasCheckDigits: true)
        for character in text {
            switch entry.take(character) {
            case .wrongGroup(let found):
                #expect(found == group)
                return
            case .taken, .group: continue
            case .noDigit, .tooMany: break
            }
        }
        Issue.record("taken: \(String(decoding: text, as: UTF8.self))")
    }
}

@Suite struct CombinedKeyTests {
    @Test func isTheExclusiveOrOfAll() throws {
        let key = try CombinedKey(
            .tripleDES,
            of: components("EFE0853B256B583D868F251CE99EA1D9", "B2558E7E6AE8D19048D81EF9E1FF5366")
        )
        // The key of payShield 10K's published blocks, with its check value.
        let checkValue = key.checkValue()
        #expect(checkValue == [0x5C, 0x94, 0x05])
    }

    @Test func twoOrThreeCustodiansMakeAKey() {
        #expect(throws: ComponentFault.count(1)) { _ = try CombinedKey(.aes256, of: generated(1, .aes256)) }
        #expect(throws: ComponentFault.count(4)) { _ = try CombinedKey(.aes256, of: generated(4, .aes256)) }
        #expect(throws: Never.self) {
            _ = try CombinedKey(.aes256, of: generated(2, .aes256))
            _ = try CombinedKey(.tripleDES, of: generated(3, .tripleDES))
        }
    }

    @Test func zeroAndRepeatedComponentsAreNamed() {
        let one = KeyComponent(generating: .tripleDES)
        let zero = KeyComponent(LockedBuffer(count: 16))
        let other = KeyComponent(generating: .tripleDES)
        #expect(throws: ComponentFault.zero(2)) { _ = try CombinedKey(.tripleDES, of: [one, zero]) }
        #expect(throws: ComponentFault.equal(1, 3)) { _ = try CombinedKey(.tripleDES, of: [one, other, one]) }
    }

    /// DES does not use parity: such components cancel each other out, and the third custodian has the key.
    @Test func componentsThatDifferInParityAloneAreNamed() {
        let one = "1F2E3D4C5B6A79880123456789ABCDEF"
        let other = "112233445566778899AABBCCDDEEFF00"
        let alike = exclusiveOr(one, "01000100010001000101010101010101")
        #expect(throws: ComponentFault.equal(1, 3)) {
            _ = try CombinedKey(.tripleDES, of: components(one, other, alike))
        }
        #expect(throws: ComponentFault.zero(3)) {
            _ = try CombinedKey(.tripleDES, of: components(one, other, "01010101010101010101010101010101"))
        }
        #expect(throws: Never.self) {
            _ = try CombinedKey(.aes256, of: components(one + one, one + alike))
        }
    }

    @Test func keysThatProtectNothingAreRefused() {
        let part = "1F2E3D4C5B6A79880123456789ABCDEF"
        func with(_ key: String) -> [KeyComponent] { components(part, exclusiveOr(part, key)) }
        #expect(throws: ComponentFault.weakness(.equalHalves)) {
            _ = try CombinedKey(.tripleDES, of: with("1122334455667788" + "1122334455667788"))
        }
        // The same but for parity, which DES does not use.
        #expect(throws: ComponentFault.weakness(.equalHalves)) {
            _ = try CombinedKey(.tripleDES, of: with("1022334455667788" + "1122334455667789"))
        }
        #expect(throws: ComponentFault.weakness(.weak)) {
            _ = try CombinedKey(.tripleDES, of: with("FEFEFEFEFEFEFEFE" + "1122334455667788"))
        }
        #expect(throws: ComponentFault.weakness(.weak)) {
            _ = try CombinedKey(.tripleDES, of: with("1122334455667788" + "01FE01FE01FE01FE"))
        }
        #expect(throws: ComponentFault.weakness(.published)) {
            _ = try CombinedKey(.tripleDES, of: with(MasterKey.purchase.demonstrationText))
        }
        #expect(throws: ComponentFault.weakness(.published)) {
            _ = try CombinedKey(.tripleDES, of: with("0123456789ABCDEFFEDCBA9876543210"))
        }
    }

    private func generated(_ count: Int, _ kind: ComponentKind) -> [KeyComponent] {
        (0..<count).map { _ in KeyComponent(generating: kind) }
    }

    private func components(_ texts: String...) -> [KeyComponent] {
        texts.map { KeyComponent(LockedBuffer(hexadecimal: $0)) }
    }

    private func exclusiveOr(_ left: String, _ right: String) -> String {
        zip(left, right).map { pair in
            String((pair.0.hexDigitValue ?? 0) ^ (pair.1.hexDigitValue ?? 0), radix: 16).uppercased()
        }.joined()
    }
}
