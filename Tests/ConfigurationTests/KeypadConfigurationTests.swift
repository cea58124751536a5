import Configuration
import Foundation
import TestFolders
import Testing

/// Sides whose PINs are typed at input devices.
struct KeypadConfigurationTests {
    private static let first = "/dev/input/by-path/platform-usb-0:1.1:1.0-event-kbd"
    private static let second = "/dev/input/by-path/platform-usb-0:1.2:1.0-event-kbd"
    private static let expected = "a path that stays the same, under /dev/input/by-path"

    private static func sides(_ devices: String...) -> SampleConfiguration {
        var sample = SampleConfiguration(
            lines: [
                "demonstration = true", "[terminal]", "id = '001122334455'", "[journal]",
                "path = '/tmp/journal.sqlite'",
            ])
        for (index, device) in devices.enumerated() {
            sample.lines += [
                "[side.\(index + 1).card]", "kind = 'virtual'", "[side.\(index + 1).pin]", "kind = 'keypad'",
                "device = '\(device)'", "[side.\(index + 1).pump]", "kind = 'simulated'", "nozzle = \(index + 1)",
                "grade = '92'", "price = 721",
            ]
        }
        return sample
    }

    @Test func eachSideHasItsKeypadAndTheFirstTheConsole() throws {
        let configuration = try Self.sides(Self.first, Self.second).load()
        #expect(configuration.sides.map(\.pin) == [.keypad(device: Self.first), .keypad(device: Self.second)])
        #expect(configuration.consoleSide?.number == 1)
        var sample = SampleConfiguration.service
        sample.set("side.3.pin", "kind", "'keypad'")
        sample.set("side.3.pin", "device", "'/dev/greylock-keypad'")
        #expect(try sample.load().sides[0].pin == .keypad(device: "/dev/greylock-keypad"))
    }

    @Test func twoSidesWithOneKeypadAreRefused() {
        #expect(
            Self.sides(Self.first, Self.second, Self.first).verdict
                == "30: side.3.pin.device: another keypad than side 1's (found \"\(Self.first)\")"
        )
    }

    /// One device has a link by its port and one by its name.
    @Test func twoLinksToOneKeypadAreRefused() throws {
        let folder = try TestFolder(in: .memory)
        let links = ["one", "other"].map(folder.path)
        for link in links { try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "/dev/null") }
        #expect(
            Self.sides(links[0], links[1]).verdict.hasSuffix("another keypad than side 1's (found \"\(links[1])\")")
        )
    }

    /// Event numbers are given anew at each start.
    @Test(arguments: ["/dev/input/event3", "/dev/input/by-path", "/tmp/keypad", "keypad", ""])
    func aDeviceWhosePathMayChangeIsRefused(path: String) {
        #expect(Self.sides(path).verdict == "10: side.1.pin.device: \(Self.expected) (found \"\(path)\")")
    }

    @Test func aKeypadNeedsItsDeviceAndNobodyElseHasOne() {
        var sample = Self.sides(Self.first)
        sample.remove("device = '\(Self.first)'")
        #expect(sample.verdict == "8: side.1.pin.device: \(Self.expected) (found nothing)")
        sample = Self.sides(Self.first)
        sample.set("side.1.pin", "kind", "'fixed'")
        #expect(
            sample.verdict
                == "10: side.1.pin.device: nothing unless pin.kind is \"keypad\" (found \"\(Self.first)\")"
        )
        sample.set("side.1.pin", "kind", "'pad'")
        #expect(
            sample.verdict
                == "9: side.1.pin.kind: \"terminal\" or \"keypad\" or \"fixed\" (found \"pad\")"
        )
    }
}
