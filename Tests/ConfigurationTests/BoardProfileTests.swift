import Configuration
import Foundation
import GPIO
import Testing

struct BoardProfileTests {
    static let root: URL = {
        var folder = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { folder.deleteLastPathComponent() }
        return folder
    }()
    private static let names = ["pocketbeagle-2", "raspberry-pi-4", "raspberry-pi-5"]

    private static func text(_ name: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent("board/profiles/\(name).toml"), encoding: .utf8)
    }

    private static func profile(_ name: String) throws -> BoardProfile {
        try BoardProfile(toml: Array(text(name).utf8), file: name)
    }

    private func verdict(_ text: String) -> String {
        do throws(ConfigurationError) {
            _ = try BoardProfile(toml: Array(text.utf8), file: "profile")
            return "accepted"
        } catch {
            return "\(error)"
        }
    }

    @Test func theseAreAll() throws {
        let folder = Self.root.appendingPathComponent("board/profiles")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(files.sorted() == Self.names.map { "\($0).toml" })
    }

    /// Each side is whole, no two share a line, every output has its resistor, and no two lines a pin.
    @Test(arguments: names)
    func aProfileWiresTwoSides(name: String) throws {
        let profile = try Self.profile(name)
        #expect(profile.sides.count == 2 && profile.chips.count == 1)
        let places = profile.sides.flatMap { $0.places.map(\.place) }
        #expect(places.count == 14 && Set(places).count == 14)
        #expect(Set(profile.resistors) == [.motor, .mainValve, .slowValve])
        #expect(Set(profile.pins.values).count == profile.pins.count)
        for side in profile.sides {
            // A cut wire is a nozzle that hangs, and an emergency.
            #expect(side.nozzle.isActiveLow && side.emergency?.isActiveLow == false)
            #expect(side.outputs.allSatisfy { !$0.line.isActiveLow })
        }
        let overlay = Self.root.appendingPathComponent("board/overlays/\(try #require(profile.overlay)).dtso")
        #expect(FileManager.default.fileExists(atPath: overlay.path))
    }

    /// Lines 0 to 8 of these chips are pulled up at power-on (BCM2711 ARM Peripherals, 5.3): a valve on one would see it.
    @Test(arguments: ["raspberry-pi-4", "raspberry-pi-5"])
    func noOutputIsPulledUpAtPowerOn(name: String) throws {
        for side in try Self.profile(name).sides {
            for (_, output) in side.outputs {
                let offset =
                    switch output.place {
                    case .offset(let offset): offset
                    case .name(let name): try #require(Int(name.dropFirst("GPIO".count)))
                    }
                #expect((9...27).contains(offset))
            }
        }
    }

    @Test(arguments: [
        (
            "chip = \"pinctrl-bcm2711\"\na = \"GPIO17\"", "chip = \"pinctrl-bcm2711\"\na = \"GPIO7\"",
            "side.1.a: a line of [pins]"
        ),
        ("motor = \"GPIO20\"", "motor = \"GPIO24\"", "side.2.motor: another line than side 1's motor"),
        ("[side.2]", "[side.3]", "side.3.chip: sides from 1 on without a gap"),
        ("GPIO5 = \"J8 pin 29\"", "GPIO5 = 29", "pins.GPIO5: a text of 1 to 20 characters"),
        ("\"slow_valve\"]", "\"valve\"]", "resistors[3]: \"a\" or"),
        ("overlay = ", "ovrelay = ", "ovrelay: a known key, perhaps overlay"),
    ])
    func aWrongProfileIsRefusedByName(of: String, with: String, reason: String) throws {
        let text = try Self.text("raspberry-pi-4")
        let range = try #require(text.range(of: of))
        let verdict = verdict(text.replacingCharacters(in: range, with: with))
        #expect(verdict.contains(reason), "\(verdict)")
        #expect(self.verdict(text) == "accepted")
    }

    /// The documentation's tables, row by row.
    @Test func theWiringTablesAreTheProfiles() throws {
        let document = Self.root.appendingPathComponent("Sources/GPIO/Documentation.docc/Wiring-a-board.md")
        let rows = try String(contentsOf: document, encoding: .utf8).split(separator: "\n").filter {
            $0.hasPrefix("| 1 |") || $0.hasPrefix("| 2 |")
        }
        var expected: [String] = []
        for name in ["raspberry-pi-4", "raspberry-pi-5", "pocketbeagle-2"] {
            let profile = try Self.profile(name)
            for (index, side) in profile.sides.enumerated() {
                func row(_ role: GPIORole, _ place: LinePlace, _ words: String) throws {
                    let line = "\(place)".replacingOccurrences(of: "\"", with: "")
                    let pin = try #require(profile.pins[place])
                    expected.append("| \(index + 1) | \(role.rawValue) | \(line) | \(pin) | \(words) |")
                }
                for (role, input) in side.inputs {
                    try row(role, input.place, "in, active \(input.isActiveLow ? "low" : "high")")
                }
                for (role, output) in side.outputs {
                    try row(role, output.place, "out, active high, 10 kilohm to ground")
                }
            }
        }
        #expect(rows.map(String.init) == expected)
    }
}
