import CardApplication
import FuelPassbook

// The ordinary passbook's commands as spec/passbook.md describes them, and the upkeep's as decision 0007 does.

extension CommandRule {
    private static let open: Set<PurseState> = [.idle, .load, .purchase, .unload, .modify, .prePetrol]

    /// P2 of READ RECORD holds the file above three bits that say how the record is named.
    func fits(_ p1: UInt8, _ p2: UInt8) -> Bool {
        self.p1.contains(p1) && self.p2.contains(p2) && (description != "READ RECORD" || p2 & 0x07 == 0x04)
    }

    static let ordinary = [
        CommandRule(
            description: "READ RECORD",
            cla: 0x00,
            ins: 0xB2,
            p1: 0...255,
            p2: 0...255,
            lc: 0...0,
            le: .atMost(23),
            states: nil,
            home: .idle
        ),
        CommandRule(
            description: "GET CHALLENGE",
            cla: 0x00,
            ins: 0x84,
            p1: 0...0,
            p2: 0...0,
            lc: 0...0,
            le: .oneOf([4, 8]),
            states: nil,
            home: .idle
        ),
        CommandRule(
            description: "EXTERNAL AUTHENTICATE",
            cla: 0x00,
            ins: 0x82,
            p1: 0...0,
            p2: 0...0,
            lc: 8...8,
            le: .none,
            states: nil,
            home: .idle
        ),
        CommandRule(
            description: "INTERNAL AUTHENTICATE",
            cla: 0x00,
            ins: 0x88,
            p1: 0...0,
            p2: 0...0,
            lc: 8...8,
            le: .exactly(8),
            states: nil,
            home: .idle
        ),
        CommandRule(
            description: "CHANGE PIN",
            cla: 0x80,
            ins: 0x5E,
            p1: 1...1,
            p2: 0...0,
            lc: 5...13,
            le: .none,
            states: nil,
            home: .idle
        ),
        CommandRule(
            description: "RELOAD PIN",
            cla: 0x80,
            ins: 0x5E,
            p1: 0...0,
            p2: 0...0,
            lc: 6...10,
            le: .none,
            states: nil,
            home: .idle
        ),
        CommandRule(
            description: "PIN UNBLOCK",
            cla: 0x84,
            ins: 0x24,
            p1: 0...0,
            p2: 1...1,
            lc: 0x0C...0x0C,
            le: .none,
            states: nil,
            home: .idle
        ),
        CommandRule(
            description: "APPLICATION BLOCK",
            cla: 0x84,
            ins: 0x1E,
            p1: 0...0,
            p2: 0...1,
            lc: 4...4,
            le: .none,
            states: nil,
            home: .idle
        ),
        CommandRule(
            description: "APPLICATION UNBLOCK",
            cla: 0x84,
            ins: 0x18,
            p1: 0...0,
            p2: 0...0,
            lc: 4...4,
            le: .none,
            states: nil,
            home: .idle
        ),
        CommandRule(
            description: "INITIALIZE FOR LOAD",
            cla: 0x80,
            ins: 0x50,
            p1: 0...0,
            p2: 1...1,
            lc: 0x0B...0x0B,
            le: .exactly(0x10),
            states: open,
            home: .idle
        ),
        CommandRule(
            description: "CREDIT FOR LOAD",
            cla: 0x80,
            ins: 0x52,
            p1: 0...0,
            p2: 0...0,
            lc: 0x0B...0x0B,
            le: .exactly(0x04),
            states: [.load],
            home: .load
        ),
        CommandRule(
            description: "INITIALIZE FOR PURCHASE",
            cla: 0x80,
            ins: 0x50,
            p1: 1...1,
            p2: 1...1,
            lc: 0x0B...0x0B,
            le: .exactly(0x0F),
            states: open,
            home: .idle
        ),
        CommandRule(
            description: "INITIALIZE FOR CASH WITHDRAW",
            cla: 0x80,
            ins: 0x50,
            p1: 2...2,
            p2: 1...1,
            lc: 0x0B...0x0B,
            le: .exactly(0x0F),
            states: open,
            home: .idle
        ),
        CommandRule(
            description: "DEBIT FOR PURCHASE / CASH WITHDRAW",
            cla: 0x80,
            ins: 0x54,
            p1: 1...1,
            p2: 0...0,
            lc: 0x0F...0x0F,
            le: .exactly(0x08),
            states: [.purchase],
            home: .purchase
        ),
        CommandRule(
            description: "INITIALIZE FOR UNLOAD",
            cla: 0x80,
            ins: 0x50,
            p1: 5...5,
            p2: 1...1,
            lc: 0x0B...0x0B,
            le: .exactly(0x10),
            states: open,
            home: .idle
        ),
        CommandRule(
            description: "DEBIT FOR UNLOAD",
            cla: 0x80,
            ins: 0x54,
            p1: 3...3,
            p2: 0...0,
            lc: 0x0B...0x0B,
            le: .exactly(0x04),
            states: [.unload],
            home: .unload
        ),
        CommandRule(
            description: "INITIALIZE FOR UPDATE",
            cla: 0x80,
            ins: 0x50,
            p1: 4...4,
            p2: 1...1,
            lc: 0x07...0x07,
            le: .exactly(0x13),
            states: open,
            home: .idle
        ),
        CommandRule(
            description: "UPDATE OVERDRAFT LIMIT",
            cla: 0x80,
            ins: 0x58,
            p1: 0...0,
            p2: 0...0,
            lc: 0x0E...0x0E,
            le: .exactly(0x04),
            states: [.modify],
            home: .modify
        ),
    ]
}
