import CardCryptography
import Foundation
import Testing

@testable import Keypad

/// Bytes of a real kernel (`Vectors/events.txt`), and what a line of digits makes of them.
struct KeypadLineTests {
    private static let records: [String: [UInt8]] = {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Vectors/events.txt")
        let text = String(decoding: FileManager.default.contents(atPath: file.path) ?? Data(), as: UTF8.self)
        let lines = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { $0.split(separator: " ") }
        return Dictionary(
            uniqueKeysWithValues: lines.map { line in
                let digits = Array(line[1].utf8)
                let bytes = stride(from: 0, to: digits.count, by: 2).compactMap {
                    UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16)
                }
                return (String(line[0]), bytes)
            }
        )
    }()

    private static func events(_ names: String...) throws -> [InputEvents.Event] {
        var parser = InputEvents()
        var events: [InputEvents.Event] = []
        for name in names {
            let bytes = try #require(records[name])
            for start in stride(from: 0, to: bytes.count, by: InputEvents.length) {
                let event = bytes[start..<start + InputEvents.length]
                if let event = parser.receive(Array(event).span) { events.append(event) }
            }
        }
        return events
    }

    private static func keys(_ digits: String) -> [InputEvents.Event] { digits.utf8.map { .key(.digit($0)) } }

    /// Plays until the line ends; what it then holds, if it was entered.
    private static func play(
        _ events: [InputEvents.Event],
        digitsMax: Int = 12
    ) -> (last: KeypadLine.Action, typed: String?, shown: [Int]) {
        var line = KeypadLine(digitsMax: digitsMax)
        var shown: [Int] = []
        for event in events {
            let action = line.receive(event)
            switch action {
            case .none: continue
            case .changed(let characters): shown.append(characters)
            case .entered:
                guard case .entered(let bytes, let count) = line.take() else { preconditionFailure("it is entered") }
                let text = bytes.withSpan { span in
                    String(decoding: (0..<count).map { span[$0] }, as: UTF8.self)
                }
                return (action, text, shown)
            case .refused, .cancelled: return (action, nil, shown)
            }
        }
        return (.none, nil, shown)
    }

    @Test("an event is 24 bytes here, as Python's struct says of llHHi") func length() {
        #expect(InputEvents.length == 24)
    }

    @Test("digits of the main row and of the keypad are the same digits, each press one")
    func digits() throws {
        #expect(try Self.events("row") == Self.keys("1234567890"))
        #expect(try Self.events("pad") == Self.keys("0123456789"))
    }

    @Test("Enter twice, Backspace, Escape, dot and minus of the keypad, Shift for nothing, a letter")
    func others() throws {
        let expected: [KeypadKey] = [.enter, .enter, .correction, .cancel, .correction, .cancel, .other]
        #expect(try Self.events("others") == expected.map { .key($0) })
    }

    @Test("a key that is held down counts once, and one that never comes up too")
    func held() throws {
        #expect(try Self.events("held") == Self.keys("7") + [.key(.enter)])
    }

    @Test("160 events where the kernel keeps 64: said once, and what stands behind the gap is whole again")
    func burst() throws {
        let events = try Self.events("burst", "after-burst")
        #expect(events.filter { $0 == .lost }.count == 1 && events.first == .lost)
        #expect(events.last == .key(.digit(UInt8(ascii: "5"))))
        // The first report behind the drop is a part of what was lost.
        #expect(try Self.events("burst").count == 1 + (36 - 2) / 4)
    }

    @Test("of a line with a gap nothing is entered, whatever is typed or taken away behind it")
    func gap() throws {
        let before = Self.keys("1234")
        let behind = try Self.events("burst-then-6")
        let corrections = [InputEvents.Event](repeating: .key(.correction), count: 40)
        for events in [behind, behind + corrections, behind + corrections + Self.keys("1234")] {
            #expect(Self.play(before + events + [.key(.enter)]).last == .refused(.keysLost))
        }
        #expect(Self.play(before + [.lost, .key(.cancel)]).last == .cancelled)
    }

    @Test("what was typed is gone with the gap") func wiped() {
        var line = KeypadLine(digitsMax: 6)
        for event in Self.keys("123456") + [.lost] + Self.keys("789") { _ = line.receive(event) }
        guard case .entered(let bytes, _) = line.take() else { preconditionFailure("a line has bytes") }
        let isBlank = bytes.withSpan { span in span.indices.allSatisfy { span[$0] == 0 } }
        #expect(isBlank)
    }

    @Test("of 1,000,000 random events keys are only presses, and none up to the report behind a gap")
    func random() {
        var generator = SystemRandomNumberGenerator()
        var parser = InputEvents()
        var isBroken = false
        for _ in 0..<1_000_000 {
            let (type, code, value) = (generator.next() & 1, generator.next() & 0xFF, generator.next() & 1)
            let fields = [type, 0, code, 0, value, 0, 0, 0].map { UInt8($0) }
            let event = parser.receive(([UInt8](repeating: 0xA5, count: 16) + fields).span)
            switch event {
            case .key: #expect(type == 1 && value == 1 && !isBroken)
            case .lost:
                #expect(isBroken ? type == 1 && value == 1 || type == 0 && code == 3 : type == 0 && code == 3)
                isBroken = true
            case nil: if type == 0, code == 0 { isBroken = false }
            }
        }
    }

    @Test("corrections take digits away, and nothing more") func corrections() {
        let keys = Self.keys("12") + [.key(.correction), .key(.correction), .key(.correction)] + Self.keys("34")
        let played = Self.play(keys + [.key(.enter)])
        #expect(played.last == .entered && played.typed == "34")
        #expect(played.shown == [1, 2, 1, 0, 0, 1, 2])
    }

    @Test("too long or with a letter is refused, until as much is taken away", arguments: [0, 1, 2])
    func refused(taken: Int) {
        let corrections = [InputEvents.Event](repeating: .key(.correction), count: taken)
        let long = Self.play(Self.keys("123456") + corrections + [.key(.enter)], digitsMax: 4)
        #expect(long.last == (taken < 2 ? .refused(.tooLong) : .entered))
        #expect(long.typed == (taken < 2 ? nil : "1234"))
        let letter = Self.play(Self.keys("12345") + [.key(.other)] + corrections + [.key(.enter)])
        #expect(letter.last == (taken == 0 ? .refused(.noDigit) : .entered))
    }

    @Test("what has each digit and Enter is a keypad, whichever of its keys these are")
    func enough() {
        func bits(_ codes: [Int]) -> [UInt8] {
            codes.reduce(into: [UInt8](repeating: 0, count: 96)) { $0[$1 / 8] |= 1 << ($1 % 8) }
        }
        let row = Array(2...11)
        let pad = [71, 72, 73, 75, 76, 77, 79, 80, 81, 82]
        #expect(KeypadKey.areEnough(bits(row + [28])) && KeypadKey.areEnough(bits(pad + [96])))
        #expect(KeypadKey.areEnough(bits(Array(0x200...0x20B))))
        #expect(!KeypadKey.areEnough(bits(row)) && !KeypadKey.areEnough(bits(row.dropLast() + [28])))
        #expect(!KeypadKey.areEnough(bits([116])) && !KeypadKey.areEnough([]))
    }

    @Test("files that are no input device are not opened, and named") func noDevice() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "keypad-\(UUID().uuidString)").path
        func fault(_ path: String) -> KeypadFault? {
            do throws(KeypadFault) {
                _ = try KeypadDevice(path)
                return nil
            } catch {
                return error
            }
        }
        guard case .missing(path, _) = fault(path) else {
            Issue.record("there is nothing")
            return
        }
        try Data().write(to: URL(filePath: path))
        #expect(fault(path) == .notInput(path))
        try FileManager.default.removeItem(atPath: path)
        #expect(unsafe mkfifo(path, 0o600) == 0)
        #expect(fault(path) == .notInput(path))
        try FileManager.default.removeItem(atPath: path)
        #expect(fault("/dev/null") == .notInput("/dev/null"))
    }
}
