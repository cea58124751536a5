import ISO7816
import TestFolders
import TestPrograms
import Testing
import VirtualCards

@testable import PCSC

extension WithPCSCD {
    /// Ports as the real pcscd hands them on; the driver that says them, and the kernel's folder, are simulated.
    @Suite(.timeLimit(.minutes(10)))
    final class ReaderPortOnPCSCDTests {
        private static let silent = "Virtual PCD 00 00"
        private static let left = "Alike PCD 00 00"
        private static let right = "Alike PCD 01 00"
        /// Bus 1, address 7.
        private static let third: [UInt8] = [0x07, 0x01, 0x20, 0x00]
        private static let fourth: [UInt8] = [0x09, 0x01, 0x20, 0x00]

        private let folder: TestFolder
        private let devices: USBDevices
        private let daemon: CardDaemon

        init() throws {
            folder = try TestFolder()
            devices = try USBDevices.made(in: folder)
            daemon = try CardDaemon(port: CardDaemon.freePorts(), third: "Alike PCD", hasTwin: true)
            try daemon.setThirdReaderChannel(Self.third)
            try daemon.setThirdReaderChannel(Self.fourth, ofTwin: true)
        }

        deinit { daemon.stop() }

        private func choice(_ port: String, _ reader: String? = "Alike PCD") -> ReaderChoice {
            ReaderChoice(reader, at: port, among: devices)
        }

        @Test func theReaderAtThePortIsWatchedAndItsCardRead() throws {
            let choice = choice("1-1.4")
            let events = EventLog()
            let monitor = ReaderMonitor(choice, post: events.post)
            let card = try ServedCard(port: daemon.port + 4, .t1)
            #expect(events.next() == .cardInserted)
            let reader = PCSCReader(choice)
            try reader.connect()
            try reader.open()
            reader.disconnect()
            #expect(try choice.find(PCSCContext()) == .reader(Self.right))
            try card.pull()
            #expect(events.next() == .cardRemoved)
            monitor.stop()
            // The number in a name says nothing.
            #expect(try self.choice("1-1.3", Self.right).find(PCSCContext()) == .reader(Self.left))
            #expect(try self.choice("1-1.3", nil).find(PCSCContext()) == .reader(Self.left))
        }

        @Test func aReaderInUseIsNotAskedAndWaitedForAsForAHeldCard() throws {
            let card = try ServedCard(port: daemon.port + 4, .t1)
            let other = try SecondClient()
            try other.take(Self.right, .exclusive)
            let choice = choice("1-1.4")
            let held = try choice.find(PCSCContext())
            guard case .held(let advice) = held else {
                Issue.record("\(held)")
                return
            }
            #expect(
                advice.contains(
                    "\"\(Self.right)\", whose port cannot be asked while another program uses it: end that program"
                )
            )
            #expect(advice.contains("\"\(Self.left)\" at 1-1.3"))
            let error = #expect(throws: CardFault.self) { try PCSCReader(choice).connect() }
            guard case .inUse = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            other.release()
            let reader = PCSCReader(choice)
            try reader.connect()
            try reader.open()
            try card.pull()
        }

        /// No event of a card, and neither power nor reset: pcscd itself powers one down that nobody uses, once.
        @Test func aQuestionLeavesTheCardAsItIs() throws {
            let card = try ServedCard(port: daemon.port + 4, .t1)
            let events = EventLog()
            let monitor = ReaderMonitor(ReaderChoice(Self.right), post: events.post)
            #expect(events.next() == .cardInserted)
            let context = try PCSCContext()
            let before = try daemon.thirdReaderPowerActions()
            #expect(before > 0)
            for _ in 0..<5 { #expect(context.port(of: Self.right, among: devices) == .known("1-1.4")) }
            #expect(try daemon.thirdReaderPowerActions() <= before + 1)
            #expect(events.isEmpty)
            monitor.stop()
            try card.pull()
        }

        @Test func whatIsNoPortIsSaidWithWhatToDo() throws {
            for (channel, words) in [
                ([0x01, 0x00, 0x01, 0x00], "it is at no USB port: choose it by [card] reader alone"),
                ([0x01], "its driver says it in no known form"),
                (
                    [0x63, 0x01, 0x20, 0x00],
                    "the kernel shows no device 99 on USB bus 1: look into /sys/bus/usb/devices"
                ),
                (Self.third, "\"\(Self.left)\", \"\(Self.right)\" at 1-1.3"),
            ] as [([UInt8], String)] {
                try daemon.setThirdReaderChannel(channel, ofTwin: true)
                let finding = try choice("1-1.4", nil).find(PCSCContext())
                guard case .none(let advice) = finding else {
                    Issue.record("\(finding)")
                    return
                }
                #expect(advice.contains(words), "\(advice)")
                #expect(
                    advice.contains(
                        "\"\(Self.silent)\", whose port cannot be asked: its driver does"
                    )
                )
            }
        }

        @Test func theSurveySaysWhereAlikeReadersAre() throws {
            let open = ReaderSurvey.Setting(reader: "Alike PCD", port: nil)
            let survey = try ReaderSurvey(for: [open], among: devices)
            guard case .alike(let readers) = survey.choice(of: open, besides: []) else {
                Issue.record("\(survey.choice(of: open, besides: []))")
                return
            }
            #expect(Set(readers.map(\.words)) == ["\"\(Self.left)\" at 1-1.3", "\"\(Self.right)\" at 1-1.4"])
            #expect(survey.readers.filter { $0.port != nil }.count == 2)
            let set = ReaderSurvey.Setting(reader: nil, port: "1-1.4")
            let asked = try ReaderSurvey(for: [set], among: devices)
            guard case .one(let reader) = asked.choice(of: set, besides: []) else {
                Issue.record("\(asked.choice(of: set, besides: []))")
                return
            }
            #expect(reader.name == Self.right)
            #expect(asked.choice(of: ReaderSurvey.Setting(reader: nil, port: "2-1"), besides: []) == .none)
            // Another side's by its whole name, so that it is not asked.
            let named = ReaderSurvey.Setting(reader: Self.right, port: nil)
            let beside = try ReaderSurvey(for: [set, named], among: devices)
            #expect(beside.readers.first { $0.name == Self.right }?.port == nil)
            #expect(beside.readers.first { $0.name == Self.left }?.port == .known("1-1.3"))
        }
    }
}
