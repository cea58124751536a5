import Configuration
import Dispenser
import Testing

/// One to eight sides, and what no two of them share.
struct SidesConfigurationTests {
    /// Sides with virtual edges, numbered 1, 2 and so on.
    private static func virtual(_ count: Int) -> SampleConfiguration {
        var sample = SampleConfiguration(
            lines: [
                "demonstration = true", "[terminal]", "id = '001122334455'", "[journal]",
                "path = '/tmp/journal.sqlite'",
            ])
        for number in 1...count {
            sample.lines += [
                "[side.\(number).card]", "kind = 'virtual'", "[side.\(number).pin]", "kind = 'fixed'",
                "[side.\(number).pump]", "kind = 'simulated'", "nozzle = \(number)", "grade = '92'", "price = 721",
            ]
        }
        return sample
    }

    /// Two sides with readers, and pumps on one chip.
    private static var wired: SampleConfiguration {
        var sample = virtual(2)
        for (number, first) in [(1, 0), (2, 10)] {
            sample.set("side.\(number).card", "kind", "'pcsc'")
            sample.set("side.\(number).card", "reader", "'Reader \(number)'")
            sample.set("side.\(number).pump", "kind", "'gpio'")
            sample.lines += [
                "[side.\(number).pump.gpio]", "chip = '\(number == 1 ? "" : "/dev/")gpiochip0'", "a = \(first)",
                "nozzle = \(first + 1)", "motor = \(first + 2)", "main_valve = \(first + 3)",
            ]
        }
        return sample
    }

    @Test(arguments: [1, 3, 8])
    func oneToEightSidesAreReadByTheirNumbers(count: Int) throws {
        let configuration = try Self.virtual(count).load()
        #expect(configuration.sides.map(\.number) == Array(1...count))
        #expect(configuration.sides.map(\.nozzle) == Array(1...count))
        #expect(configuration.consoleSide?.number == 1)
    }

    @Test func theSideWithTheTypedPINHasTheConsole() throws {
        var sample = Self.virtual(3)
        sample.set("side.2.pin", "kind", "'terminal'")
        #expect(try sample.load().consoleSide?.number == 2)
        let line = sample.set("side.3.pin", "kind", "'terminal'")
        #expect(
            sample.verdict
                == "\(line): side.3.pin.kind: another kind than side 2's, which has the console (found \"terminal\")"
        )
    }

    @Test func noneAndNineAreRefused() {
        let expected = "side: 1 to 8 tables, [side.1] to [side.99]"
        #expect(Self.virtual(9).verdict == "6: \(expected) (found 9)")
        var none = Self.virtual(1)
        none.lines.removeSubrange(5...)
        #expect(none.verdict == "1: \(expected) (found nothing)")
        none.lines.append("[side]")
        #expect(none.verdict == "6: \(expected) (found nothing)")
    }

    @Test(arguments: ["0", "100", "01", "left", "-1"])
    func aSideIsANumber(name: String) {
        var sample = Self.virtual(1)
        sample.lines.append("[side.\(name)]")
        #expect(
            sample.verdict
                == "\(sample.lines.count): side.\(name): 1 to 8 tables, [side.1] to [side.99] (found unknown key \"\(name)\")"
        )
    }

    @Test func nozzlesAndCardFilesAreUnique() {
        var sample = Self.virtual(3)
        var line = sample.set("side.3.pump", "nozzle", "1")
        #expect(sample.verdict == "\(line): side.3.pump.nozzle: another nozzle than side 1's (found 1)")
        sample = Self.virtual(3)
        sample.set("side.1.card", "state", "'/tmp/card'")
        line = sample.set("side.3.card", "state", "'/tmp/../tmp/card'")
        #expect(
            sample.verdict == "\(line): side.3.card.state: another file than side 1's (found \"/tmp/../tmp/card\")"
        )
    }

    @Test func linesOfOneChipAreUnique() {
        var sample = Self.wired
        #expect(sample.verdict == "accepted")
        let line = sample.set("side.2.pump.gpio", "motor", "3")
        #expect(sample.verdict == "\(line): side.2.pump.gpio.motor: another line than side 1's main_valve (found 3)")
        sample.set("side.2.pump.gpio", "chip", "'gpiochip1'")
        #expect(sample.verdict == "accepted")
    }

    @Test func eachOfSeveralReadersIsNamed() {
        var sample = Self.wired
        sample.remove("reader = 'Reader 1'")
        #expect(
            sample.verdict
                == "6: side.1.card.reader: the reader's name, or its port, because more sides than one have a reader"
                + " (found nothing)"
        )
        sample = Self.wired
        let line = sample.set("side.2.card", "reader", "'Reader 10'")
        #expect(
            sample.verdict
                == "\(line): side.2.card.reader: a name that cannot mean side 1's reader, \"Reader 1\", too, or a port for each"
                + " (found \"Reader 10\")"
        )
    }

    /// Readers of one name are told apart by their ports.
    @Test func readersOfOneNameHaveAPortEach() throws {
        var sample = Self.wired
        sample.set("side.1.card", "port", "'1-1.3'")
        var line = sample.set("side.2.card", "reader", "'Reader 1'")
        let refusal =
            "side.2.card.reader: a name that cannot mean side 1's reader, \"Reader 1\", too, or a port for each (found \"Reader 1\")"
        #expect(sample.verdict == "\(line): \(refusal)")
        line = sample.set("side.2.card", "port", "'1-1.3'")
        #expect(sample.verdict == "\(line): side.2.card.port: another port than side 1's (found \"1-1.3\")")
        sample.set("side.2.card", "port", "'1-1.4'")
        #expect(sample.verdict == "accepted")
        let names = sample.lines.indices.filter { sample.lines[$0] == "reader = 'Reader 1'" }
        sample.lines.remove(at: names[0])
        let cards = try sample.load().sides.map(\.card)
        #expect(cards == [.pcsc(reader: nil, port: "1-1.3"), .pcsc(reader: "Reader 1", port: "1-1.4")])
    }

    @Test(arguments: ["1-1", "2-1.4", "10-31.255.1.1.1.1"])
    func aPortIsReadAsTheKernelNamesIt(port: String) throws {
        var sample = Self.wired
        sample.set("side.1.card", "port", "'\(port)'")
        #expect(try sample.load().sides[0].card == .pcsc(reader: "Reader 1", port: port))
    }

    /// What a file of one side said stood at the board's.
    @Test func aFileOfOneSideIsRefusedWithWhatMendsIt() {
        var sample = SampleConfiguration(
            lines: [
                "[terminal]", "id = '310000000017'", "position = 3", "[journal]", "path = '/var/lib/j'", "[card]",
                "kind = 'pcsc'", "reader = 'R'", "aid = 'A000000333'", "[pin]", "kind = 'terminal'", "[pump]",
                "kind = 'gpio'", "[pump.gpio]", "chip = 'c'",
            ])
        let mended = [
            (
                "position = 3",
                "3: terminal.position: nothing: the side is a table of its number now, [side.3] (found 3)"
            ),
            ("kind = 'pcsc'", "6: card.kind: nothing: write it under [side.1.card] (found \"pcsc\")"),
            ("reader = 'R'", "6: card.reader: nothing: write it under [side.1.card] (found \"R\")"),
            ("[pin]", "7: pin: [side.1.pin] instead of [pin] (found a table)"),
            ("[pump]", "7: pump: [side.1.pump] instead of [pump], and so for what is in it (found a table)"),
            ("[pump.gpio]", "7: pump: [side.1.pump] instead of [pump], and so for what is in it (found a table)"),
        ]
        for (line, expected) in mended {
            #expect(sample.verdict == expected)
            sample.remove(line)
            if line == "[pin]" { sample.remove("kind = 'terminal'") }
            if line == "[pump]" { sample.remove("kind = 'gpio'") }
        }
    }
}
