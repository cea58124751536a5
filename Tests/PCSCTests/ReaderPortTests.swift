import Foundation
import Synchronization
import TestFolders
import TestPrograms
import Testing

@testable import PCSC

/// Which reader is meant where a port is set; the ports are those that each test says.
struct ReaderPortTests {
    private static let first = "ACS ACR38U 00 00"
    private static let second = "ACS ACR38U 01 00"
    private static let sam = "ACS ACR38U 01 01"
    private static let other = "Gemalto PC Twin Reader 02 00"

    private static let places: [String: ReaderPort] = [
        first: .known("1-1.3"), second: .known("1-1.4"), sam: .known("1-1.4"), other: .known("2-1"),
    ]

    private static func find(
        _ choice: ReaderChoice,
        _ names: [String],
        _ places: [String: ReaderPort] = places
    ) -> ReaderChoice.Finding {
        choice.find(among: names) { places[$0] ?? .unknown("nothing is known of \($0)") }
    }

    /// What a name and a port choose among all four readers; nil for none.
    @Test(
        arguments: [
            (nil, "1-1.3", first),
            (nil, "2-1", other),
            // Of two slots the first, unless the name says another.
            (nil, "1-1.4", second),
            ("ACS ACR38U", "1-1.4", second),
            ("ACR38U", "1-1.4", second),
            ("ACS ACR38U 00 01", "1-1.4", sam),
            // Numbers follow the order of plugging, so the port decides.
            (first, "1-1.4", second),
            (second, "1-1.3", first),
            ("ACS", "1-1.3", first),
            // Both must fit.
            ("ACS", "2-1", nil),
            ("Omnikey", "1-1.3", nil),
            ("ACS", "1-1", nil),
            ("ACS", "1-1.30", nil),
        ] as [(String?, String, String?)]
    )
    func aNameAndAPortMeanOneReaderOrNone(setting: String?, port: String, expected: String?) {
        let finding = Self.find(ReaderChoice(setting, at: port), [Self.first, Self.sam, Self.second, Self.other])
        if let expected {
            #expect(finding == .reader(expected))
        } else {
            guard case .none = finding else {
                Issue.record("\(finding)")
                return
            }
        }
    }

    /// The second slot is at the port as well, and no stand-in for the first.
    @Test func aSecondSlotIsNotTakenForAFirstOneThatIsHeldOrAnothers() {
        let held: [String: ReaderPort] = [Self.second: .inUse, Self.sam: .known("1-1.4")]
        let finding = Self.find(ReaderChoice("ACS", at: "1-1.4"), [Self.sam, Self.second], held)
        guard case .held = finding else {
            Issue.record("\(finding)")
            return
        }
        let board = BoardReaders([Self.second])
        guard case .none = Self.find(ReaderChoice("ACS", at: "1-1.4", of: board), [Self.sam, Self.second]) else {
            Issue.record("a second slot was taken")
            return
        }
        let named = ReaderChoice("ACS ACR38U 00 01", at: "1-1.4", of: board)
        #expect(Self.find(named, [Self.sam, Self.second]) == .reader(Self.sam))
        #expect(Self.find(ReaderChoice("01 01", at: "1-1.4"), [Self.sam, Self.second]) == .reader(Self.sam))
    }

    /// One device with two readers in it.
    @Test func twoReadersAtOnePortAreRefusedWithTheList() {
        let places: [String: ReaderPort] = ["Left 00 00": .known("1-1"), "Right 01 00": .known("1-1")]
        let finding = Self.find(ReaderChoice(nil, at: "1-1"), ["Left 00 00", "Right 01 00"], places)
        #expect(
            finding == .none("which card reader is meant is open: set [card] reader to one of: Left 00 00, Right 01 00")
        )
        #expect(
            Self.find(ReaderChoice("Right", at: "1-1"), ["Left 00 00", "Right 01 00"], places) == .reader("Right 01 00")
        )
    }

    @Test func alikeReadersWithoutAPortAreRefusedWithTheKey() {
        let finding = ReaderChoice("ACS ACR38U").find(among: [Self.first, Self.second]) { _ in .inUse }
        guard case .none(let advice) = finding else {
            Issue.record("\(finding)")
            return
        }
        #expect(
            advice.contains("\(Self.first), \(Self.second), and [card] port to the USB port of the one that is meant")
        )
    }

    @Test func aReaderThatCannotBeAskedIsNotOurs() {
        let choice = ReaderChoice("ACS", at: "1-1.3")
        let unsaid: [String: ReaderPort] = [
            Self.first: .unknown("its driver does not say it"), Self.second: .known("1-1.4"),
        ]
        #expect(
            Self.find(choice, [Self.first, Self.second], unsaid)
                == .none(
                    "no card reader named \"ACS\" at USB port 1-1.3: plug it in there, or set [card] port; there are"
                        + " \"ACS ACR38U 00 00\", whose port cannot be asked: its driver does not say it;"
                        + " \"ACS ACR38U 01 00\" at 1-1.4"
                )
        )
        let held = Self.find(choice, [Self.first], [Self.first: .inUse])
        guard case .held(let advice) = held else {
            Issue.record("\(held)")
            return
        }
        #expect(
            advice.hasSuffix(
                "\"\(Self.first)\", whose port cannot be asked while another program uses it: end that program"
            )
        )
        #expect(Self.find(choice, [Self.first]) == .reader(Self.first))
        #expect(
            Self.find(ReaderChoice(nil, at: "1-1"), []) == .none("no card reader at USB port 1-1: plug it in there")
        )
    }

    /// Ours is not asked once it is chosen, nor what the name cannot mean, nor what another side has or names.
    @Test func onlyWhatMayBeMeantAndIsFreeIsAsked() {
        let asked = Mutex<[String]>([])
        let board = BoardReaders([Self.other])
        func find(_ choice: ReaderChoice) -> ReaderChoice.Finding {
            choice.find(among: [Self.first, Self.second, Self.other]) { name in
                asked.withLock { $0.append(name) }
                return Self.places[name] ?? .inUse
            }
        }
        let one = ReaderChoice(nil, at: "1-1.3", of: board)
        #expect(find(one) == .reader(Self.first))
        #expect(asked.withLock { $0 } == [Self.first, Self.second])
        #expect(find(one) == .reader(Self.first))
        #expect(asked.withLock { $0.count } == 2)
        let two = ReaderChoice("ACS", at: "1-1.4", of: board)
        #expect(find(two) == .reader(Self.second))
        #expect(asked.withLock { $0.dropFirst(2) } == [Self.second])
        #expect(find(ReaderChoice("Gemalto", at: "2-1")) == .reader(Self.other))
        #expect(asked.withLock { $0.dropFirst(3) } == [Self.other])
    }

    /// Both unplugged and put back in the other order: each side finds its own.
    @Test func readersThatComeBackUnderEachOthersNumbersAreFoundByTheirPorts() {
        let board = BoardReaders()
        let announced = Mutex<[String]>([])
        let left = ReaderChoice("ACS ACR38U", at: "1-1.3", of: board) { name in announced.withLock { $0.append(name) } }
        let right = ReaderChoice("ACS ACR38U", at: "1-1.4", of: board)
        #expect(Self.find(left, [Self.first, Self.second]) == .reader(Self.first))
        #expect(Self.find(right, [Self.first, Self.second]) == .reader(Self.second))
        let gone = "the card reader \"\(Self.first)\" is gone: plug it in"
        #expect(Self.find(left, []) == .none(gone))
        #expect(Self.find(right, []) == .none("the card reader \"\(Self.second)\" is gone: plug it in"))
        let swapped: [String: ReaderPort] = [Self.first: .known("1-1.4"), Self.second: .known("1-1.3")]
        // The right one comes first, and has the left one's name.
        #expect(
            Self.find(left, [Self.first], swapped)
                == .none(
                    "no card reader named \"ACS ACR38U\" at USB port 1-1.3: plug it in there, or set [card] port; there are"
                        + " \"ACS ACR38U 00 00\" at 1-1.4"
                )
        )
        #expect(Self.find(right, [Self.first], swapped) == .reader(Self.first))
        #expect(Self.find(left, [Self.first, Self.second], swapped) == .reader(Self.second))
        #expect(announced.withLock { $0 } == [Self.first, Self.second])
    }

    /// After pcscd began anew, names stand in the list that were never seen to leave it.
    @Test func aDoubtedReaderIsAskedAnewAndKeepsItFromNoOtherSide() {
        let board = BoardReaders()
        let left = ReaderChoice(nil, at: "1-1.3", of: board)
        let right = ReaderChoice(nil, at: "1-1.4", of: board)
        let names = [Self.first, Self.second]
        #expect(Self.find(left, names) == .reader(Self.first))
        #expect(Self.find(right, names) == .reader(Self.second))
        let swapped: [String: ReaderPort] = [Self.first: .known("1-1.4"), Self.second: .known("1-1.3")]
        #expect(Self.find(left, names, swapped) == .reader(Self.first))
        left.doubt()
        guard case .none = Self.find(left, names, swapped) else {
            Issue.record("a reader at another port was taken")
            return
        }
        right.doubt()
        #expect(Self.find(right, names, swapped) == .reader(Self.first))
        #expect(Self.find(left, names, swapped) == .reader(Self.second))
    }

    /// As SCARDGETATTRIB.md of libccid has it: 0x0020 for USB, then bus and address.
    @Test(
        arguments: [
            ([0x09, 0x01, 0x20, 0x00], .usb(bus: 1, device: 9)),
            ([0x7F, 0x0A, 0x20, 0x00, 0, 0, 0, 0], .usb(bus: 10, device: 127)),
            ([0x01, 0x00, 0x01, 0x00], .other(type: 1)),
            ([0x09, 0x01, 0x21, 0x00], .other(type: 0x21)),
            ([0x09, 0x01, 0x20, 0x00, 0, 0, 0, 1], nil),
            ([0x09, 0x01, 0x20], nil),
            ([0x09, 0x01, 0x20, 0x00, 0x00], nil),
            ([], nil),
        ] as [([UInt8], ReaderChannel?)]
    )
    func aChannelIsReadWhole(attribute: [UInt8], expected: ReaderChannel?) {
        #expect(ReaderChannel(attribute) == expected)
    }

    @Test func aPortIsTheFolderOfBusAndAddress() throws {
        let folder = try TestFolder()
        let devices = try USBDevices.made(in: folder)
        #expect(devices.port(bus: 1, device: 7) == "1-1.3")
        #expect(devices.port(bus: 1, device: 9) == "1-1.4")
        #expect(devices.port(bus: 2, device: 9) == "2-1")
        #expect(devices.port(bus: 1, device: 8) == nil)
        #expect(devices.port(bus: 9, device: 1) == nil)
        #expect(USBDevices(folder.path("none")).port(bus: 1, device: 9) == nil)
    }
}

extension USBDevices {
    /// As the kernel's: two root hubs, a hub, devices behind it with an interface each, one of another bus with the same address, and
    /// what leaves in the middle.
    static func made(in folder: TestFolder) throws -> USBDevices {
        let devices: [(name: String, bus: String, device: String)] = [
            ("usb1", "1", "1"), ("usb2", "2", "1"), ("1-1", "1", "2"), ("1-1.3", "1", "7"), ("1-1.4", "1", "9"),
            ("2-1", "2", "9"),
        ]
        for (name, bus, device) in devices {
            try FileManager.default.createDirectory(atPath: folder.path(name), withIntermediateDirectories: true)
            _ = try folder.file("\(name)/busnum", "\(bus)\n")
            _ = try folder.file("\(name)/devnum", "\(device)\n")
        }
        for name in ["1-1.3:1.0", "1-1.4:1.0", "1-1.5"] {
            try FileManager.default.createDirectory(atPath: folder.path(name), withIntermediateDirectories: true)
        }
        _ = try folder.file("1-1.5/devnum", "8\n")
        return USBDevices(folder.url.path)
    }
}
