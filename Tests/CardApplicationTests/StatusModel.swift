import CardApplication
import FuelPassbook
import ISO7816
import TestCards

/// One command as spec/grey-lock.md, section 3, and spec/passbook.md describe it, typed here a second time and without
/// the project's own tables.
struct CommandRule: Sendable, CustomStringConvertible {
    enum Le: Sendable, Equatable {
        case none
        case exactly(UInt8)
        /// SELECT: the exact length, `00`, or none at all.
        case exactlyOrAll(UInt8)
        /// GET CHALLENGE: one of these.
        case oneOf([UInt8])
        /// READ BINARY and READ RECORD: checked after the file.
        case atMost(UInt8)
    }

    let description: String
    let cla: UInt8
    let ins: UInt8
    let p1: ClosedRange<UInt8>
    let p2: ClosedRange<UInt8>
    let lc: ClosedRange<UInt8>
    let le: Le
    /// The states in which Table 1 accepts it; nil for a command that Table 1 does not list.
    let states: Set<PurseState>?
    /// The state in which the bad input is tried.
    let home: PurseState

    static let select = CommandRule(
        description: "SELECT",
        cla: 0x00,
        ins: 0xA4,
        p1: 4...4,
        p2: 0...0,
        lc: 5...16,
        le: .exactlyOrAll(25),
        states: nil,
        home: .idle
    )
    static let readBinary = CommandRule(
        description: "READ BINARY",
        cla: 0x00,
        ins: 0xB0,
        p1: 0x80...0x9F,
        p2: 0...255,
        lc: 0...0,
        le: .atMost(30),
        states: nil,
        home: .idle
    )
    static let verify = CommandRule(
        description: "VERIFY",
        cla: 0x00,
        ins: 0x20,
        p1: 0...0,
        p2: 0...0,
        lc: 2...6,
        le: .none,
        states: nil,
        home: .idle
    )
    static let getBalance = CommandRule(
        description: "GET BALANCE",
        cla: 0x80,
        ins: 0x5C,
        p1: 0...0,
        p2: 1...1,
        lc: 0...0,
        le: .exactly(0x04),
        states: nil,
        home: .idle
    )
    static let getTransactionProve = CommandRule(
        description: "GET TRANSACTION PROVE",
        cla: 0x80,
        ins: 0x5A,
        p1: 0...0,
        p2: 0...255,
        lc: 2...2,
        le: .exactly(0x08),
        states: nil,
        home: .idle
    )
    static let initializeForPetrol = CommandRule(
        description: "INITIALIZE FOR PETROL",
        cla: 0xE0,
        ins: 0x50,
        p1: 1...1,
        p2: 1...1,
        lc: 0x0B...0x0B,
        le: .exactly(0x10),
        states: [.idle, .load, .purchase, .unload, .modify, .prePetrol],
        home: .idle
    )
    static let lockForPetrol = CommandRule(
        description: "LOCK FOR PETROL",
        cla: 0xE0,
        ins: 0x50,
        p1: 2...2,
        p2: 1...1,
        lc: 0x0B...0x0B,
        le: .exactly(0x08),
        states: [.prePetrol],
        home: .prePetrol
    )
    static let debitForPetrol = CommandRule(
        description: "DEBIT FOR PETROL",
        cla: 0xE0,
        ins: 0x54,
        p1: 1...1,
        p2: 0...0,
        lc: 0x1B...0x1B,
        le: .exactly(0x08),
        states: [.grey],
        home: .grey
    )
    static let initializeForUnlock = CommandRule(
        description: "INITIALIZE FOR UNLOCK",
        cla: 0xE0,
        ins: 0x50,
        p1: 3...3,
        p2: 1...1,
        lc: 0x07...0x07,
        le: .exactly(0x10),
        states: [.grey, .unlocking],
        home: .grey
    )
    static let debitForUnlock = CommandRule(
        description: "DEBIT FOR UNLOCK",
        cla: 0xE0,
        ins: 0x54,
        p1: 1...1,
        p2: 1...1,
        lc: 0x0F...0x0F,
        le: .exactly(0x04),
        states: [.unlocking],
        home: .unlocking
    )
    static let getGreyStatus = CommandRule(
        description: "GET GREY STATUS",
        cla: 0xE0,
        ins: 0x50,
        p1: 4...4,
        p2: 1...1,
        lc: 0...0,
        le: .exactly(0x11),
        states: [.grey],
        home: .grey
    )

    static let all =
        [
            select, readBinary, verify, getBalance, getTransactionProve, initializeForPetrol, lockForPetrol,
            debitForPetrol, initializeForUnlock, debitForUnlock, getGreyStatus,
        ] + ordinary
}

/// What a damaged command must be answered: shape first, then Table 1, then the command's own checks. The card is
/// selected and its PIN verified, so the gates of life and PIN are open.
struct StatusModel {
    let state: PurseState
    /// The command before it was damaged.
    let original: [UInt8]

    /// The rule of a damaged command; nil where its header names none.
    func rule(of bytes: [UInt8]) -> CommandRule? {
        guard let parts = Parts(bytes) else { return nil }
        return CommandRule.all.first { $0.cla == parts.cla && $0.ins == parts.ins && $0.fits(parts.p1, parts.p2) }
    }

    func status(of bytes: [UInt8]) -> UInt16 {
        guard let parts = Parts(bytes) else { return 0x6700 }
        let ofClass = CommandRule.all.filter { $0.cla == parts.cla }
        guard !ofClass.isEmpty else { return 0x6E00 }
        let ofInstruction = ofClass.filter { $0.ins == parts.ins }
        guard !ofInstruction.isEmpty else { return 0x6D00 }
        guard let rule = ofInstruction.first(where: { $0.fits(parts.p1, parts.p2) }) else { return 0x6A86 }
        guard rule.lc.contains(UInt8(parts.data.count)) else { return 0x6700 }
        if let refusal = refusal(of: parts.le, rule.le) { return refusal }
        if let states = rule.states, !states.contains(state) { return 0x6901 }
        return ownCheck(rule, parts)
    }

    private func refusal(of le: UInt8?, _ rule: CommandRule.Le) -> UInt16? {
        switch (rule, le) {
        case (.none, nil), (.exactlyOrAll, nil), (.atMost, .some): nil
        case (.none, .some), (.exactly, nil), (.atMost, nil), (.oneOf, nil): 0x6700
        case (.oneOf(let lengths), .some(let le)): lengths.contains(le) ? nil : 0x6700
        case (.exactly(let length), .some(let le)): le == length ? nil : 0x6C00 | UInt16(length)
        case (.exactlyOrAll, 0): nil
        case (.exactlyOrAll(let length), .some(let le)): le == length ? nil : 0x6C00 | UInt16(length)
        }
    }

    /// By the element that differs from the original command.
    private func ownCheck(_ rule: CommandRule, _ parts: Parts) -> UInt16 {
        guard let intact = Parts(original), rule.cla == intact.cla, rule.ins == intact.ins else { return 0x9000 }
        // P1 alone tells these two apart.
        if let was = self.rule(of: original)?.description, was != rule.description {
            switch rule.description {
            case "RELOAD PIN": return 0x9302
            case "CHANGE PIN": return 0x6A80
            case _: break
            }
        }
        let altered = zip(parts.data, intact.data).enumerated().filter { $1.0 != $1.1 }.map(\.offset)
        switch rule.description {
        case "SELECT": return parts.data == intact.data ? 0x9000 : 0x6A82
        case "READ BINARY": return readBinary(parts)
        case "VERIFY": return altered.isEmpty ? 0x9000 : 0x63C2
        case "GET TRANSACTION PROVE": return altered.isEmpty && parts.p2 == intact.p2 ? 0x9000 : 0x9406
        case "INITIALIZE FOR PETROL", "INITIALIZE FOR UNLOCK": return altered.contains(0) ? 0x9403 : 0x9000
        case "LOCK FOR PETROL", "DEBIT FOR UNLOCK": return altered.isEmpty ? 0x9000 : 0x9302
        case "DEBIT FOR PETROL":
            // Amount 0 to 3, CTC 4 and 5, TID, TTC, date and time 6 to 22, GMAC 23 to 26. The GMAC covers the amount
            // alone, so the elements between pass.
            if altered.contains(where: { (4...5).contains($0) }) { return 0x6985 }
            return altered.contains { $0 < 4 || $0 > 22 } ? 0x9302 : 0x9000
        case _: return ordinaryCheck(rule, parts, altered)
        }
    }

    private func ordinaryCheck(_ rule: CommandRule, _ parts: Parts, _ altered: [Int]) -> UInt16 {
        switch rule.description {
        case "READ RECORD": return readRecord(parts)
        case "EXTERNAL AUTHENTICATE": return altered.isEmpty ? 0x9000 : 0x63C2
        case "CHANGE PIN": return changePIN(parts, altered)
        case "RELOAD PIN", "PIN UNBLOCK", "APPLICATION UNBLOCK", "CREDIT FOR LOAD", "DEBIT FOR UNLOAD",
            "UPDATE OVERDRAFT LIMIT":
            return altered.isEmpty ? 0x9000 : 0x9302
        case "APPLICATION BLOCK": return altered.isEmpty && parts.p2 == 0 ? 0x9000 : 0x9302
        case "INITIALIZE FOR LOAD", "INITIALIZE FOR UPDATE": return altered.contains(0) ? 0x9403 : 0x9000
        case "INITIALIZE FOR PURCHASE", "INITIALIZE FOR CASH WITHDRAW", "INITIALIZE FOR UNLOAD":
            if altered.contains(0) { return 0x9403 }
            let amount = parts.data[1..<5].reduce(0) { $0 << 8 | UInt32($1) }
            return amount <= 49_999 ? 0x9000 : 0x9401
        case "DEBIT FOR PURCHASE / CASH WITHDRAW":
            // The session key takes the right two bytes of the TTC; all four stand in the TAC.
            return altered.allSatisfy { $0 < 2 } ? 0x9000 : 0x9302
        case _: return 0x9000
        }
    }

    private func readRecord(_ parts: Parts) -> UInt16 {
        guard parts.p2 == 0xC4 else { return 0x6A82 }
        guard parts.p1 == 1 else { return 0x6A83 }
        return parts.le == 0 || parts.le == 23 ? 0x9000 : 0x6C17
    }

    /// Old PIN 0 to 2, separator 3, new PIN 4 to 6.
    private func changePIN(_ parts: Parts, _ altered: [Int]) -> UInt16 {
        let new = parts.data[4...]
        let isBCD = new.dropLast().allSatisfy { $0 >> 4 < 10 && $0 & 15 < 10 }
        let last = parts.data[6]
        guard !altered.contains(3), isBCD, last >> 4 < 10, last & 15 < 10 || last & 15 == 15 else { return 0x6A80 }
        return altered.contains { $0 < 3 } ? 0x63C2 : 0x9000
    }

    private func readBinary(_ parts: Parts) -> UInt16 {
        guard parts.p1 == 0x95 else { return 0x6A82 }
        guard parts.p2 < 30, let le = parts.le else { return 0x6B00 }
        let rest = 30 - parts.p2
        return le == 0 || le <= rest ? 0x9000 : 0x6C00 | UInt16(rest)
    }

    /// A short APDU of ISO/IEC 7816-4; nil where its lengths contradict each other.
    private struct Parts {
        var cla: UInt8
        var ins: UInt8
        var p1: UInt8
        var p2: UInt8
        var data: [UInt8] = []
        var le: UInt8?

        init?(_ bytes: [UInt8]) {
            guard bytes.count >= 4 else { return nil }
            (cla, ins, p1, p2) = (bytes[0], bytes[1], bytes[2], bytes[3])
            let body = bytes.dropFirst(4)
            if body.count <= 1 {
                le = body.first
                return
            }
            let lc = Int(bytes[4])
            data = Array(body.dropFirst().prefix(lc))
            let rest = body.dropFirst(1 + lc)
            guard lc > 0, data.count == lc, rest.count <= 1 else { return nil }
            le = rest.first
        }
    }
}
