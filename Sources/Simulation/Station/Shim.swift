import CardCryptography
import FuelPassbook
import ISO7816
import Quantities

/// What an attacker has put between his card and the readers that it meets: it remembers every answer, and says what he wants.
///
/// It has no key. What it says is what the card once said, or made up.
final class Shim {
    private struct Heard: Equatable {
        let command: [UInt8]
        let answer: ResponseAPDU
    }

    /// Of each command, the newest last.
    private static let heardMax = 16

    private var heard: [CommandHeader: [Heard]] = [:]
    /// Commands that the card never got, the oldest first.
    private(set) var kept: [[UInt8]] = []
    /// The last DEBIT FOR PETROL that passed at any terminal.
    private var lastDebit: DebitForPetrol?
    private var lastSession: InitializeForPetrol.Response?
    private var numbers = SplitMix64(state: 0x5717)

    /// A PIN is not remembered: he knows it.
    func hears(_ command: [UInt8], _ answer: ResponseAPDU) {
        guard let instruction = Self.instruction(of: command) else { return }
        let said = Heard(command: instruction.carriesPIN ? [] : command, answer: answer)
        Self.note(said, in: &heard[Self.header(of: command), default: []])
        guard answer.status == .success else { return }
        do throws(ParseError) {
            switch instruction {
            case .initializeForPetrol: lastSession = try InitializeForPetrol.Response(parsing: answer.data)
            case .debitForPetrol: lastDebit = try DebitForPetrol(parsing: Array(command.dropFirst(5).dropLast()))
            case _: break
            }
        } catch {
            preconditionFailure("the card executed it: \(error)")
        }
    }

    private static func note(_ said: Heard, in all: inout [Heard]) {
        all.removeAll { $0 == said }
        if all.count == heardMax { all.removeFirst() }
        all.append(said)
    }

    /// The answers to this command so far, the newest first; behind them those to the same instruction with other data.
    func earlier(to command: [UInt8]) -> [ResponseAPDU] {
        let all = heard[Self.header(of: command), default: []].reversed()
        var answers: [ResponseAPDU] = []
        for said in all where said.command == command || said.command.isEmpty { answers.append(said.answer) }
        for said in all where !answers.contains(said.answer) { answers.append(said.answer) }
        return answers
    }

    /// The card does not get this command, now.
    func keeps(_ command: [UInt8]) { kept.append(command) }

    func takeKept() -> [[UInt8]] {
        defer { kept = [] }
        return kept
    }

    // MARK: - Made up

    /// How many ways to make an answer up there are.
    static let forgeries = 8

    /// An answer of the right shape in which he alters what no code covers, or makes the codes up.
    ///
    /// - Parameter truth: what the card said; empty when it was not asked.
    func forged(_ variant: Int, to command: [UInt8], truth: ResponseAPDU?) -> ResponseAPDU {
        guard let instruction = Self.instruction(of: command) else { return ResponseAPDU(status: .wrongLength) }
        var data = truth.flatMap { $0.status == .success ? $0.data : nil } ?? []
        if data.isEmpty { data = earlier(to: command).first { $0.status == .success }?.data ?? [] }
        switch instruction.answer {
        case .exactly(let length) where data.count != length: data = random(length)
        case .none, .exactly, .oneOf, .variable: break
        }
        guard !data.isEmpty else { return ResponseAPDU() }
        if let session = foreignSession(instruction, variant, data) { return ResponseAPDU(data: session) }
        let fields = Self.fields(of: instruction, count: data.count)
        let field = fields[variant % fields.count]
        data.replaceSubrange(field, with: instruction == .readBinary ? digits(field.count) : random(field.count))
        return ResponseAPDU(data: data)
    }

    /// A petrol session of another terminal, told as a purchase: GMAC in the place of MAC2 (D31).
    private func foreignSession(_ instruction: Instruction, _ variant: Int, _ data: [UInt8]) -> [UInt8]? {
        guard variant % 2 == 0, let lastSession, let lastDebit else { return nil }
        switch instruction {
        case .initializeForPurchase:
            return InitializeForPurchase.Response(
                balance: Amount(fen: 90_000),
                ctc: lastSession.ctc,
                overdraftLimit: OverdraftLimit(fen: 0),
                keyVersion: lastSession.keyVersion,
                algorithm: lastSession.algorithm,
                icc: lastSession.icc
            ).bytes
        case .debitForPurchase:
            return DebitForPurchase.Response(tac: MAC(bytes: random(MAC.length)), mac2: lastDebit.gmac).bytes
        case _: return nil
        }
    }

    /// What he alters, from the likeliest to the last: each field, then all.
    private static func fields(of instruction: Instruction, count: Int) -> [Range<Int>] {
        let fields: [Range<Int>] =
            switch instruction {
            // Issuer 8, type, version, ASN 10 whose second byte is the kind, dates 4 and 4 (spec/passbook.md).
            case .readBinary: [10..<11, 20..<24, 24..<28, 10..<12, 18..<20]
            case .initializeForPetrol: [0..<4, 4..<6, 8..<12, 12..<16]
            case .lockForPetrol: [0..<4, 4..<8]
            case .debitForPetrol, .debitForPurchase: [0..<8, 4..<8, 0..<4]
            case .getGreyStatus: [1..<5, 5..<7, 9..<13, 13..<17]
            case .getTransactionProve: [0..<8, 0..<4]
            case .initializeForPurchase: [0..<4, 4..<6, 11..<15]
            case _: []
            }
        return fields.filter { $0.upperBound <= count } + [0..<count]
    }

    private func random(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(numbers.below(256)) } }

    private func digits(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(numbers.below(10) << 4 | numbers.below(10)) }
    }

    /// The command with one of its fields altered on its way to the card.
    func altered(_ variant: Int, _ command: [UInt8]) -> [UInt8] {
        guard let instruction = Self.instruction(of: command), !instruction.carriesPIN else { return command }
        // Data begin behind CLA INS P1 P2 Lc.
        let fields: [Range<Int>] =
            switch instruction {
            case .initializeForPetrol: [6..<12, 12..<16]
            case .lockForPetrol: [5..<12, 12..<16]
            case .debitForPetrol: [5..<9, 9..<11, 11..<17, 17..<21, 21..<28]
            case .initializeForPurchase: [6..<10, 10..<16]
            case .debitForPurchase: [5..<9, 9..<16, 16..<20]
            case .getTransactionProve: [5..<7]
            case _: []
            }
        guard !fields.isEmpty else { return command }
        var altered = command
        // Of a debit's fields GMAC covers the amount alone, and a wrong one costs the card a try.
        let field = fields[instruction == .debitForPetrol ? 2 + variant % 3 : variant % fields.count]
        // The last byte: a date or a time stays one.
        let last = field.upperBound - 1
        altered[last] = altered[last] == 0 ? 1 : altered[last] - 1
        if altered[last] & 0x0F > 9 { altered[last] -= 6 }
        return altered
    }

    /// A debit with another time, which its GMAC does not cover; any other command as it is.
    static func debit(_ command: [UInt8], at time: TransactionTime) -> [UInt8] {
        guard instruction(of: command) == .debitForPetrol else { return command }
        let timeEnd = command.endIndex - MAC.length - 1
        var other = command
        other.replaceSubrange(timeEnd - TransactionTime.length..<timeEnd, with: time.bytes)
        return other
    }

    static func header(of command: [UInt8]) -> CommandHeader {
        CommandHeader(command[0], command[1], command[2], command[3])
    }

    static func instruction(of command: [UInt8]) -> Instruction? {
        guard command.count >= 4 else { return nil }
        do throws(StatusWord) { return try Instruction(header(of: command)) } catch { return nil }
    }
}

extension StatusWord {
    /// What a card of the scheme may say, and he may say for it (spec/grey-lock.md, section 3).
    static let ofScheme: [StatusWord] = [
        .commandNotAccepted, .proofNotAvailable, .success, .memoryFailure, .purseIsGrey, .conditionsOfUseNotSatisfied,
        .macInvalid, .insufficientFunds, .wrongLength, .applicationLockedForGood, .counterAtMaximum,
        .keyIndexNotSupported, .securityStatusNotSatisfied, .verificationFailed(triesLeft: 0),
        .verificationFailed(triesLeft: 2), .authenticationMethodBlocked, .incorrectParameters,
        .instructionNotSupported, .classNotSupported,
    ]
}
