import CPCSCLite
import Dispenser
import ISO7816
import Synchronization
import Testing

@testable import PCSC

extension ReaderChoice {
    /// Where no port is set, none is asked.
    fileprivate func find(among names: [String]) -> Finding {
        find(among: names) { name in
            Issue.record("\(name) was asked for its port")
            return .inUse
        }
    }
}

struct ReaderChoiceTests {
    private static let ours = "ACS ACR38U-CCID 00 00"
    private static let twin = "ACS ACR38U-CCID 01 00"
    private static let plus = "ACS ACR38U-CCID Plus 00 00"
    private static let sam = "ACS ACR38U-CCID 00 01"
    private static let numbered = "Gemalto PC Twin (4D2A7C) 00 00"

    /// What a setting chooses among readers; nil for none.
    @Test(
        arguments: [
            (nil, [ours], ours),
            (nil, [ours, sam], nil),
            (nil, [ours, numbered], nil),
            (ours, [twin, ours], ours),
            // Numbers follow the order of plugging.
            (ours, [twin], twin),
            (sam, [ours], nil),
            (numbered, [ours, "Gemalto PC Twin (4D2A7C) 01 00"], "Gemalto PC Twin (4D2A7C) 01 00"),
            (numbered, ["Gemalto PC Twin (99999F) 00 00"], nil),
            // A device's name means its first slot, and not another device whose name begins so.
            ("ACS ACR38U-CCID", [plus, ours, sam], ours),
            ("ACS ACR38U-CCID", [ours, twin], nil),
            ("ACS ACR38U-CCID Plus", [plus, ours], plus),
            ("Twin", [ours, numbered], numbered),
            ("CCID", [ours, plus], nil),
            ("Omnikey", [ours], nil),
        ] as [(String?, [String], String?)]
    )
    func aSettingMeansOneReaderOrNone(setting: String?, names: [String], expected: String?) {
        let finding = ReaderChoice(setting).find(among: names)
        if let expected {
            #expect(finding == .reader(expected))
        } else {
            guard case .none = finding else {
                Issue.record("\(finding)")
                return
            }
        }
    }

    @Test func twoCandidatesAreRefusedWithTheList() {
        guard case .none(let advice) = ReaderChoice(nil).find(among: [Self.ours, Self.numbered]) else {
            Issue.record("one of two was taken")
            return
        }
        #expect(advice.contains("\(Self.ours), \(Self.numbered)") && advice.contains("[card] reader"))
    }

    @Test func theChoiceIsMadeOnceAndAnnouncedByItsWholeName() {
        let announced = Announced()
        let choice = ReaderChoice(nil) { name in announced.names.withLock { $0.append(name) } }
        #expect(choice.find(among: [Self.ours]) == .reader(Self.ours))
        #expect(choice.find(among: [Self.numbered, Self.ours]) == .reader(Self.ours))
        // Unplugged: the other reader is not ours.
        #expect(choice.find(among: [Self.numbered]) == .none("the card reader \"\(Self.ours)\" is gone: plug it in"))
        #expect(choice.find(among: []) == .none("the card reader \"\(Self.ours)\" is gone: plug it in"))
        #expect(choice.find(among: [Self.numbered, Self.ours]) == .reader(Self.ours))
        #expect(announced.names.withLock { $0 } == [Self.ours])
    }

    @Test func aReaderThatComesBackUnderAnotherNumberIsOurs() {
        let announced = Announced()
        let choice = ReaderChoice(nil) { name in announced.names.withLock { $0.append(name) } }
        #expect(choice.find(among: [Self.ours]) == .reader(Self.ours))
        #expect(choice.find(among: [Self.numbered, Self.twin]) == .reader(Self.twin))
        #expect(choice.find(among: [Self.numbered, Self.twin]) == .reader(Self.twin))
        #expect(announced.names.withLock { $0 } == [Self.ours, Self.twin])
    }

    @Test func aTwinThatWasThereBesideOursIsNotOursWhenOursLeaves() {
        let choice = ReaderChoice(Self.ours)
        #expect(choice.find(among: [Self.ours, Self.twin]) == .reader(Self.ours))
        #expect(choice.find(among: [Self.twin]) == .none("the card reader \"\(Self.ours)\" is gone: plug it in"))
        #expect(choice.find(among: [Self.ours, Self.twin]) == .reader(Self.ours))
    }

    /// Of two readers of one name, one is not there, or goes.
    @Test func noReaderIsTwoSides() {
        let board = BoardReaders([Self.ours, Self.twin])
        let second = ReaderChoice(Self.twin, of: board)
        #expect(second.find(among: [Self.ours]) == .none("no card reader: plug it in"))
        let first = ReaderChoice(Self.ours, of: board)
        #expect(first.find(among: [Self.ours]) == .reader(Self.ours))
        #expect(second.find(among: [Self.ours, Self.twin]) == .reader(Self.twin))
        #expect(first.find(among: [Self.twin]) == .none("the card reader \"\(Self.ours)\" is gone: plug it in"))
        #expect(second.find(among: [Self.twin]) == .reader(Self.twin))
    }

    /// Both settings fit it, and neither is a part of the other.
    @Test func aReaderThatTwoSettingsMeanIsTheFirstSides() {
        let board = BoardReaders(["ACS", "CCID"])
        var first: ReaderChoice? = ReaderChoice("ACS", of: board)
        let second = ReaderChoice("CCID", of: board)
        #expect(first?.find(among: [Self.ours]) == .reader(Self.ours))
        #expect(second.find(among: [Self.ours]) == .none("no card reader: plug it in"))
        // That side begins anew.
        first = nil
        #expect(second.find(among: [Self.ours]) == .reader(Self.ours))
    }

    private final class Announced: Sendable {
        let names = Mutex<[String]>([])
    }
}

struct PCSCWordsTests {
    /// Codes after pcsclite.h.
    @Test(
        arguments: [
            (0x8010_001D, "card reader: the card service does not run: start pcscd ("),
            (0x8010_001E, "card reader: the card service stopped: "),
            (0x8010_0013, "card reader: the card service stopped: "),
            (
                0x8010_006A,
                "card reader: this user may not use card readers: install greylock-pcscd.rules in /etc/polkit-1/rules.d, or the package anew"
            ),
            (0x8010_002E, "card reader: no card reader: plug it in ("),
            (0x8010_0009, "card reader: the card reader is gone"),
            (0x8010_0017, "card reader: the card reader is gone or does not work"),
            (0x8010_000B, "another program uses the card: end it (SCardConnect: "),
            (0x8010_0068, "card reader: another program reset the card ("),
            (0x8010_0067, "the card does not answer: it has no power: take it out"),
            (0x8010_0066, "the card does not answer: no chip is heard: turn it over"),
            (0x8010_000F, "the card does not answer: it is of a kind"),
            (0x8010_0069, "the card was removed"),
            (0x8010_000C, "the card was removed"),
            (0x8010_0016, "card reader: the exchange with the card broke off"),
        ] as [(UInt32, String)]
    )
    func eachCodeNamesItsCause(code: UInt32, words: String) {
        let fault = "\(CardFault(PCSCError(operation: "SCardConnect", code: code)))"
        #expect(fault.hasPrefix(words), "\(fault)")
        if !words.contains("removed") {
            #expect(fault.contains("0x\(String(code, radix: 16, uppercase: true))"))
            #expect(!fault.contains("removed: ") && !fault.contains("card was removed"))
        }
    }
}
