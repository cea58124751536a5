package import CardCryptography
import FuelPassbook
package import ISO7816

/// The fuel passbook on a card: bytes in, bytes out, one commit of its memory per command that writes.
///
/// Every command passes the same gates in this order: shape (`6700`, `6E00`, `6D00`, `6A86`, `6Cxx`), life of the
/// application (`9303`, `6985`), Table 1 (`6901`, `6989`), PIN (`6982`), then its own checks. A command that fails ends
/// the transaction that was begun; the grey mark stays (D8).
package struct CardApplication<Memory: CardMemory>: ~Copyable {
    let keys: CardKeys
    private(set) var memory: Memory
    package private(set) var image: CardImage
    let random: any RandomSource
    private let aid: [UInt8]
    private var power: Power = .notSelected
    var pending: PendingTransaction = .none

    private enum Power: Equatable {
        case notSelected
        case selected(pinVerified: Bool, localUnlockBegun: Bool)
    }

    package init(aid: [UInt8], keys: consuming CardKeys, image: CardImage, memory: Memory, random: any RandomSource) {
        self.aid = aid
        self.keys = keys
        self.image = image
        self.memory = memory
        self.random = random
    }

    package var state: PurseState { pending.state(grey: image.grey != nil) }

    /// Power was lost and came back, or the reader reset the card.
    package mutating func reset() {
        power = .notSelected
        pending = .none
    }

    /// Answers one command APDU, complete with its Le where the answer has data.
    package mutating func respond(to command: Span<UInt8>) -> ResponseAPDU {
        do throws(StatusWord) {
            let data = try execute(command)
            return ResponseAPDU(data: data)
        } catch {
            pending = .none
            return ResponseAPDU(status: error)
        }
    }

    private mutating func execute(_ command: Span<UInt8>) throws(StatusWord) -> [UInt8] {
        let layout: CommandLayout
        do throws(ParseError) { layout = try CommandLayout(parsing: command) } catch { throw .wrongLength }
        let instruction = try Instruction(layout.header)
        try checkShape(of: instruction, layout)
        try checkLife(instruction)
        guard instruction.isAccepted(in: state) else { throw instruction.refusal(in: state) }
        if instruction.needsPIN && !isPINVerified { throw .securityStatusNotSatisfied }
        if instruction == .verify {
            try verify(command.extracting(layout.body))
            return []
        }
        return try run(instruction, parsed { () throws(ParseError) in try CommandAPDU(parsing: command) })
    }

    /// Le must be the exact length, so that no damaged command executes; SELECT and READ BINARY may ask for `00`.
    private func checkShape(of instruction: Instruction, _ layout: CommandLayout) throws(StatusWord) {
        guard instruction.dataLengths.contains(layout.body.count) else { throw .wrongLength }
        switch instruction.answer {
        case .none:
            guard layout.expectedLength == nil else { throw .wrongLength }
        case .exactly(let length):
            guard let expected = layout.expectedLength else { throw .wrongLength }
            guard expected == length else { throw .wrongExpectedLength(length) }
        case .variable:
            guard layout.expectedLength != nil || instruction == .select else { throw .wrongLength }
        }
    }

    private func checkLife(_ instruction: Instruction) throws(StatusWord) {
        guard !image.isLockedForGood else { throw .applicationLockedForGood }
        guard instruction == .select || power != .notSelected else { throw .conditionsOfUseNotSatisfied }
    }

    private mutating func run(_ instruction: Instruction, _ command: CommandAPDU) throws(StatusWord) -> [UInt8] {
        switch instruction {
        case .select: try select(command).bytes
        case .readBinary: try readBinary(command)
        case .verify: preconditionFailure("VERIFY is read where it lies")
        case .getBalance: GetBalance.Response(balance: image.balance).bytes
        case .getTransactionProve:
            try getTransactionProve(parsed { () throws(ParseError) in try GetTransactionProve(parsing: command) }).bytes
        case .initializeForPetrol: try initializeForPetrol(parsed(command)).bytes
        case .lockForPetrol: try lockForPetrol(parsed(command)).bytes
        case .debitForPetrol: try debitForPetrol(parsed(command)).bytes
        case .initializeForUnlock: try initializeForUnlock(parsed(command)).bytes
        case .debitForUnlock: try debitForUnlock(parsed(command)).bytes
        case .getGreyStatus: try getGreyStatus().bytes
        }
    }

    private func parsed<Command: PassbookCommand>(_ command: CommandAPDU) throws(StatusWord) -> Command {
        try parsed { () throws(ParseError) in try Command(parsing: command.data) }
    }

    private func parsed<Value>(_ parse: () throws(ParseError) -> Value) throws(StatusWord) -> Value {
        do throws(ParseError) { return try parse() } catch { throw .incorrectData }
    }

    /// Makes `next` what the card is after any loss of power.
    mutating func commit(_ next: CardImage) throws(StatusWord) {
        do throws(CardMemoryFailure) { try memory.commit(next.bytes) } catch { throw .memoryFailure }
        image = next
    }

    var isPINVerified: Bool {
        if case .selected(pinVerified: true, _) = power { true } else { false }
    }

    /// Whether GET GREY STATUS was answered since the application was selected (D10).
    var isLocalUnlockBegun: Bool {
        if case .selected(_, localUnlockBegun: true) = power { true } else { false }
    }

    mutating func beginLocalUnlock() {
        if case .selected(let verified, _) = power { power = .selected(pinVerified: verified, localUnlockBegun: true) }
    }
}

// MARK: - Files, PIN and proof

extension CardApplication {
    /// Ends what was begun; the PIN must be verified again (D24).
    private mutating func select(_ command: CommandAPDU) throws(StatusWord) -> SelectApplication.Response {
        guard command.data == aid else { throw .fileNotFound }
        let answer = SelectApplication.Response(aid: aid, issuerData: image.file.issuer)
        let length = command.expectedLength ?? 256
        guard length == 256 || length == answer.bytes.count else { throw .wrongExpectedLength(answer.bytes.count) }
        pending = .none
        power = .selected(pinVerified: false, localUnlockBegun: false)
        return answer
    }

    private func readBinary(_ command: CommandAPDU) throws(StatusWord) -> [UInt8] {
        guard command.header.p1 & 0x1F == PublicApplicationFile.shortIdentifier else { throw .fileNotFound }
        let rest = image.file.bytes.dropFirst(Int(command.header.p2))
        guard !rest.isEmpty, let length = command.expectedLength else { throw .wrongOffset }
        guard length == 256 || length <= rest.count else { throw .wrongExpectedLength(rest.count) }
        return Array(rest.prefix(length))
    }

    private mutating func verify(_ presented: Span<UInt8>) throws(StatusWord) {
        guard image.pinTriesLeft > 0 else { throw .authenticationMethodBlocked }
        var next = image
        guard StoredPIN(image.sealedPIN).matches(presented, keys.sealing, card: image.file.asn) else {
            next.pinTriesLeft -= 1
            setPINVerified(false)
            try commit(next)
            throw .verificationFailed(triesLeft: next.pinTriesLeft)
        }
        if next.pinTriesLeft < next.pinTriesLimit {
            next.pinTriesLeft = next.pinTriesLimit
            try commit(next)
        }
        setPINVerified(true)
    }

    private mutating func setPINVerified(_ verified: Bool) {
        if case .selected(_, let begun) = power { power = .selected(pinVerified: verified, localUnlockBegun: begun) }
    }

    private func getTransactionProve(_ command: GetTransactionProve) throws(StatusWord) -> TransactionProof {
        let kept = image.proofs.first { $0.type == command.type && $0.number == command.number }
        guard let kept else { throw .proofNotAvailable }
        return TransactionProof(mac: MAC(bytes: kept.mac), tac: MAC(bytes: kept.tac))
    }
}

extension Instruction {
    /// Which commands want the PIN verified first (D16).
    var needsPIN: Bool {
        switch self {
        case .initializeForPetrol, .debitForPetrol, .initializeForUnlock: true
        case .select, .readBinary, .verify, .getBalance, .getTransactionProve, .lockForPetrol, .debitForUnlock,
            .getGreyStatus:
            false
        }
    }
}
