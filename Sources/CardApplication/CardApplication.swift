package import CardCryptography
import FuelPassbook
package import ISO7816

/// The fuel passbook on a card: bytes in, bytes out. A command that writes commits its memory once, and once before when
/// it presents a code that a counter guards (decision 0027).
///
/// Every command passes the same gates in this order: shape (`6700`, `6E00`, `6D00`, `6A86`, `6Cxx`), life of the
/// application (`9303`, `6985`, `6A81`), Table 1 (`6901`, `6989`), PIN (`6982`), upkeep tries (`6983`), then its own checks. A command that fails ends
/// the transaction that was begun; the grey mark stays (D8).
package struct CardApplication<Memory: CardMemory>: ~Copyable {
    let keys: CardKeys
    private(set) var memory: Memory
    package private(set) var image: CardImage
    let random: any RandomSource
    private let aid: [UInt8]
    private var power: Power = .notSelected
    var pending: PendingTransaction = .none
    /// Answered by GET CHALLENGE and not used yet.
    var challenge: Challenge?

    private enum Power: Equatable {
        case notSelected
        case selected(pinVerified: Bool, localUnlockBegun: Bool)
        /// A write failed, so that nobody knows what the memory holds: `6581` until power comes back and it is read.
        case dead
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
        pending = .none
        challenge = nil
        switch power {
        case .notSelected, .selected: power = .notSelected
        case .dead: readMemory()
        }
    }

    /// A card that cannot read what it keeps stays dead.
    private mutating func readMemory() {
        do {
            image = try CardImage(parsing: memory.read())
            power = .notSelected
        } catch {
            power = .dead
        }
    }

    /// Answers one command APDU, complete with its Le where the answer has data.
    package mutating func respond(to command: Span<UInt8>) -> ResponseAPDU {
        do throws(StatusWord) {
            let data = try execute(command)
            return ResponseAPDU(data: data)
        } catch {
            pending = .none
            challenge = nil
            return ResponseAPDU(status: error)
        }
    }

    private mutating func execute(_ command: Span<UInt8>) throws(StatusWord) -> [UInt8] {
        guard power != .dead else { throw .memoryFailure }
        let layout: CommandLayout
        do throws(ParseError) { layout = try CommandLayout(parsing: command) } catch { throw .wrongLength }
        let instruction = try Instruction(layout.header)
        try checkShape(of: instruction, layout)
        let gate = instruction.gate
        try checkLife(instruction, gate)
        guard gate.accepts(state) else { throw gate.refusal(in: state) }
        if gate.wants.contains(.pin) && !isPINVerified { throw .securityStatusNotSatisfied }
        if gate.wants.contains(.upkeepTries) && image.upkeepTriesLeft == 0 { throw .authenticationMethodBlocked }
        return try run(instruction, command, body: command.extracting(layout.body))
    }

    /// Le must be the exact length, so that no damaged command executes; SELECT and the file reads may ask for `00`.
    private func checkShape(of instruction: Instruction, _ layout: CommandLayout) throws(StatusWord) {
        guard instruction.dataLengths.contains(layout.body.count) else { throw .wrongLength }
        switch instruction.answer {
        case .none:
            guard layout.expectedLength == nil else { throw .wrongLength }
        case .exactly(let length):
            guard let expected = layout.expectedLength else { throw .wrongLength }
            guard expected == length else { throw .wrongExpectedLength(length) }
        case .oneOf(let lengths):
            guard let expected = layout.expectedLength, lengths.contains(expected) else { throw .wrongLength }
        case .variable:
            guard layout.expectedLength != nil || instruction == .select else { throw .wrongLength }
        }
    }

    private func checkLife(_ instruction: Instruction, _ gate: Gate) throws(StatusWord) {
        guard !image.isLockedForGood else { throw .applicationLockedForGood }
        guard instruction == .select || power != .notSelected else { throw .conditionsOfUseNotSatisfied }
        guard image.block == .none || !gate.wants.contains(.unblocked) else { throw .functionNotSupported }
    }

    /// - Parameter body: the data of `command`, where they lie; the PIN commands read nothing else.
    private mutating func run(
        _ instruction: Instruction,
        _ command: Span<UInt8>,
        body: Span<UInt8>
    ) throws(StatusWord) -> [UInt8] {
        switch instruction {
        case .select: try select(apdu(command)).bytes
        case .readBinary: try readBinary(apdu(command))
        case .readRecord: try readRecord(apdu(command))
        case .verify: try verify(body)
        case .getChallenge: try getChallenge(apdu(command))
        case .externalAuthenticate: try externalAuthenticate(apdu(command))
        case .internalAuthenticate: internalAuthenticate(try parsed(body)).bytes
        case .changePIN: try changePIN(body)
        case .reloadPIN: try reloadPIN(body)
        case .unblockPIN: try unblockPIN(apdu(command))
        case .blockApplication: try blockApplication(apdu(command))
        case .unblockApplication: try unblockApplication(apdu(command))
        case .getBalance: GetBalance.Response(balance: image.balance).bytes
        case .getTransactionProve: try getTransactionProve(apdu(command)).bytes
        case .initializeForLoad: try initializeForLoad(parsed(body)).bytes
        case .creditForLoad: try creditForLoad(parsed(body)).bytes
        case .initializeForPurchase: try initializeForPurchase(parsed(body), type: .purchase).bytes
        case .initializeForCashWithdrawal: try initializeForPurchase(parsed(body), type: .cashWithdrawal).bytes
        case .debitForPurchase: try debitForPurchase(parsed(body)).bytes
        case .initializeForUnload: try initializeForUnload(parsed(body)).bytes
        case .debitForUnload: try debitForUnload(parsed(body)).bytes
        case .initializeForUpdate: try initializeForUpdate(parsed(body)).bytes
        case .updateOverdraftLimit: try updateOverdraftLimit(parsed(body)).bytes
        case .initializeForPetrol: try initializeForPetrol(parsed(body)).bytes
        case .lockForPetrol: try lockForPetrol(parsed(body)).bytes
        case .debitForPetrol: try debitForPetrol(parsed(body)).bytes
        case .initializeForUnlock: try initializeForUnlock(parsed(body)).bytes
        case .debitForUnlock: try debitForUnlock(parsed(body)).bytes
        case .getGreyStatus: try getGreyStatus().bytes
        }
    }

    private func apdu(_ command: Span<UInt8>) throws(StatusWord) -> CommandAPDU {
        try parsed { () throws(ParseError) in try CommandAPDU(parsing: command) }
    }

    private func parsed<Command: PassbookCommand>(_ body: Span<UInt8>) throws(StatusWord) -> Command {
        try parsed { () throws(ParseError) in try Command(parsing: [UInt8](copying: body)) }
    }

    func parsed<Value>(_ parse: () throws(ParseError) -> Value) throws(StatusWord) -> Value {
        do throws(ParseError) { return try parse() } catch { throw .incorrectData }
    }

    /// Makes `next` what the card is after any loss of power.
    mutating func commit(_ next: CardImage) throws(StatusWord) {
        do throws(CardMemoryFailure) {
            try memory.commit(next.bytes)
        } catch {
            power = .dead
            throw .memoryFailure
        }
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

    mutating func setPINVerified(_ verified: Bool) {
        if case .selected(_, let begun) = power { power = .selected(pinVerified: verified, localUnlockBegun: begun) }
    }

    /// Ends what was begun; the PIN must be verified again (D24).
    private mutating func select(_ command: CommandAPDU) throws(StatusWord) -> SelectApplication.Response {
        guard command.data == aid else { throw .fileNotFound }
        let answer = SelectApplication.Response(aid: aid, issuerData: image.file.issuer)
        let length = command.expectedLength ?? 256
        guard length == 256 || length == answer.bytes.count else { throw .wrongExpectedLength(answer.bytes.count) }
        pending = .none
        challenge = nil
        power = .selected(pinVerified: false, localUnlockBegun: false)
        return answer
    }

    func newICC() -> ICCRandom {
        ICCRandom(random.bytes(ICCRandom.length).reduce(0) { $0 << 8 | UInt32($1) })
    }
}
