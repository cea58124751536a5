import Foundation
import Glibc
import TestFolders
import TestPrograms
import Testing

@testable import Keypad

extension OnGPIO {
    /// The keypad through the kernel's evdev, its keys pressed by uinput (`board/vm`).
    @Suite(.timeLimit(.minutes(5)))
    struct KeypadOnGPIOTests {
        private func keypad(_ path: String, _ words: KeypadWords) -> Keypad { Keypad(path) { words.add($0) } }

        private func ask(_ keypad: Keypad, _ words: KeypadWords) -> Bool {
            keypad.askForDigits(max: 12) {
                words.add("\($0)")
            } answer: {
                words.add($0)
            }
        }

        @Test("digits of both rows, corrected; what was typed before the question is none, nor what comes behind")
        func typed() throws {
            let pad = try SimulatedKeypad("typed")
            try pad.tell("plug")
            let words = KeypadWords()
            let keypad = keypad(pad.path, words)
            defer { keypad.stop() }
            #expect(try words.wait(for: "taken") == ["taken: Test Keypad"])
            try pad.tell("type 99")
            #expect(ask(keypad, words))
            try pad.tell("type 12bBszx")
            try pad.tell("type bCDEr")
            #expect(try words.wait(for: "1234") == ["0", "1", "2", "1", "2", "1", "2", "1", "2", "3", "4", "1234"])
            try pad.tell("type 777n")
            #expect(ask(keypad, words))
            // A key that is held, and one that never comes up.
            try pad.tell("down 4")
            try pad.tell("repeat 444")
            try pad.tell("type CDIn")
            #expect(try words.wait(for: "4238").suffix(5) == ["1", "2", "3", "4", "4238"])
            #expect(ask(keypad, words))
            try pad.tell("type 5e")
            #expect(try words.wait(for: "cancelled") == ["0", "1", "cancelled"])
        }

        @Test("nobody else reads a key while it is held, and one who has it is named until he lets it go")
        func held() throws {
            let pad = try SimulatedKeypad("held")
            try pad.tell("plug")
            try pad.tell("grab")
            let words = KeypadWords()
            let keypad = keypad(pad.path, words)
            defer { keypad.stop() }
            let lost = try #require(try words.wait(for: "lost").last)
            #expect(lost.hasPrefix("lost: another program has the keypad \(pad.path): end python3 ("))
            #expect(keypad.loss != nil && !ask(keypad, words))
            try pad.tell("release")
            _ = try words.wait(for: "taken")
            try pad.tell("listen")
            #expect(ask(keypad, words))
            try pad.tell("type 123456n")
            _ = try words.wait(for: "123456")
            #expect(try pad.tell("read") == "nothing")
            try pad.tell("release")

            let other = KeypadWords()
            let second = Keypad(pad.path) { other.add($0) }
            second.stop()
            #expect(
                try other.wait(for: "lost").last
                    == "lost: another program has the keypad \(pad.path): end the other side of this service that has it"
            )
        }

        @Test("unplugged between two digits there is no answer; plugged in again it is asked anew")
        func unplugged() throws {
            let pad = try SimulatedKeypad("unplugged")
            let words = KeypadWords()
            let keypad = keypad(pad.path, words)
            defer { keypad.stop() }
            #expect(try words.wait(for: "lost").last?.hasPrefix("lost: no keypad \(pad.path): plug it in") == true)
            for _ in 0..<3 {
                try pad.tell("plug")
                _ = try words.wait(for: "taken")
                #expect(ask(keypad, words))
                try pad.tell("type 12")
                try pad.tell("unplug")
                #expect(
                    try words.wait(for: "lost") == [
                        "0", "1", "2", "lost: the keypad \(pad.path) was unplugged: plug it in again",
                    ]
                )
                #expect(!ask(keypad, words))
            }
            try pad.tell("plug")
            _ = try words.wait(for: "taken")
            #expect(ask(keypad, words))
            try pad.tell("type 3456n")
            _ = try words.wait(for: "3456")
        }

        @Test("10,000 events at once are more than the kernel keeps: the line is refused, and the next one is whole")
        func burst() throws {
            let pad = try SimulatedKeypad("burst")
            try pad.tell("plug")
            let words = KeypadWords()
            let keypad = keypad(pad.path, words)
            defer { keypad.stop() }
            #expect(ask(keypad, words))
            try pad.tell("burst 2500 1")
            try pad.tell("type n")
            let answer = try words.wait(for: "refused").last
            #expect(answer == "refused: keysLost" || answer == "refused: tooLong")
            #expect(ask(keypad, words))
            try pad.tell("type 1234n")
            _ = try words.wait(for: "1234")
        }

        @Test("two keypads of one kind are two")
        func alike() throws {
            let pads = [try SimulatedKeypad("alike-1"), try SimulatedKeypad("alike-2")]
            let words = [KeypadWords(), KeypadWords()]
            for pad in pads { try pad.tell("plug") }
            let keypads = zip(pads, words).map { keypad($0.path, $1) }
            defer { for keypad in keypads { keypad.stop() } }
            for (keypad, words) in zip(keypads, words) { #expect(ask(keypad, words)) }
            try pads[1].tell("type 22")
            try pads[0].tell("type 1111n")
            try pads[1].tell("type 22n")
            _ = try words[0].wait(for: "1111")
            _ = try words[1].wait(for: "2222")
        }

        @Test("an input device without all digits is named, and left to whoever has it")
        func noDigits() throws {
            let pad = try SimulatedKeypad("few", called: "Nine Keys")
            try pad.tell("plug 123456789n")
            let words = KeypadWords()
            keypad(pad.path, words).stop()
            #expect(
                try words.wait(for: "lost").last
                    == "lost: \(pad.path) (Nine Keys) has not all digits and Enter: write the path of a keypad"
            )
            try pad.tell("grab")
        }
    }
}
