package import CardApplication
private import CardCryptography
private import FuelPassbook
package import ISO7816
import Quantities

/// What may never happen to a card, judged from outside: its image before and after a command, the bytes that were sent and
/// the answer.
///
/// The model follows INITIALIZE and LOCK by their answers and makes every expected code itself.
package struct FuzzModel: ~Copyable {
    private enum Begun {
        case none
        case load(OnlineInitialization, InitializeForLoad)
        case unload(OnlineInitialization, InitializeForUnload)
        case purchase(InitializeForPurchase.Response, InitializeForPurchase, TransactionType)
        case update(InitializeForUpdate.Response, InitializeForUpdate)
        case petrol(InitializeForPetrol.Response, InitializeForPetrol)
        case unlock(InitializeForUnlock.Response, InitializeForUnlock)
    }

    private let keys: FuzzKeys
    private var begun = Begun.none
    /// The lock that a grey purse bears; it outlives power.
    private var lock: (InitializeForPetrol.Response, InitializeForPetrol)?
    private var pin: [UInt8]
    private var isPINVerified = false
    private var challenge: Challenge?
    /// The customer's own money: what was on the card, and every authorised amount since.
    private var ownFen: Int

    package init(card: CardImage) {
        self.init(card: card, keys: FuzzKeys(card: card.file.asn))
    }

    init(card: CardImage, keys: FuzzKeys) {
        self.keys = keys
        pin = Demonstration.pin.withBytes { [UInt8](copying: $0) }
        ownFen = Int(card.balance.fen) - Int(card.overdraftLimit.fen)
    }

    package mutating func reset() {
        begun = .none
        challenge = nil
        isPINVerified = false
    }

    /// What is wrong with the step from `before` to `after`; nil when nothing is.
    package mutating func violation(
        _ command: CommandAPDU?,
        _ response: ResponseAPDU,
        before: CardImage,
        after: CardImage
    ) -> String? {
        let instruction = command.flatMap { Self.instruction($0.header) }
        guard response.status == .success, let command, let instruction else {
            begun = .none
            challenge = nil
            if instruction == .verify || instruction == .changePIN, response.status.triesLeft != nil {
                isPINVerified = false
            }
            return refusal(instruction, response, before, after)
        }
        do throws(ParseError) {
            let allowed = try allowed(instruction, command, response.data, before)
            guard let allowed else { return "\(instruction.name) was accepted without its code" }
            return difference(instruction, allowed, before, after)
        } catch {
            return "\(instruction.name) was accepted or answered in a wrong shape: \(error)"
        }
    }

    /// What is wrong with what a restart finds after the power went during `command`; nil when nothing is.
    ///
    /// - Parameter comparedCode: the card had come to its second write, so that whoever watches its supply knows what it
    ///   thinks of the code.
    package mutating func violationOfCut(
        _ command: CommandAPDU?,
        before: CardImage,
        after: CardImage,
        comparedCode: Bool
    ) -> String? {
        let (lockBefore, pinBefore) = (lock, pin)
        defer { reset() }
        guard let command, let instruction = Self.instruction(command.header) else {
            return "bytes that are no command were written"
        }
        if after == before && !comparedCode { return nil }
        if instruction.isCounted && after == Self.lowered(before, instruction) { return nil }
        do throws(ParseError) {
            let allowed = try allowed(instruction, command, [], before)
            guard after == before else {
                guard let allowed else { return "\(instruction.name) was executed without its code" }
                return difference(instruction, allowed, before, after)
            }
            // Only a right code, of a command that is refused for another reason, is given its try back.
            (lock, pin) = (lockBefore, pinBefore)
            return allowed == nil ? "\(instruction.name) gave a try for nothing" : nil
        } catch {
            return "\(instruction.name) was executed in a wrong shape: \(error)"
        }
    }

    private static func instruction(_ header: CommandHeader) -> Instruction? {
        do throws(StatusWord) { return try Instruction(header) } catch { return nil }
    }

    /// Only a counter may have gone down by one.
    private func refusal(
        _ instruction: Instruction?,
        _ response: ResponseAPDU,
        _ before: CardImage,
        _ after: CardImage
    ) -> String? {
        guard response.data.isEmpty else { return "a refusal carries data" }
        guard after != before else { return nil }
        guard let instruction, instruction.isCounted else { return "a refused command changed the card" }
        return after == Self.lowered(before, instruction)
            ? nil : "a refused \(instruction.name) changed more than its counter"
    }

    /// With one try less of the counter that guards the command's code.
    private static func lowered(_ card: CardImage, _ instruction: Instruction) -> CardImage {
        var card = card
        switch instruction {
        case .debitForPetrol: card.gmacTriesLeft = max(1, card.gmacTriesLeft) - 1
        case .verify, .changePIN: card.pinTriesLeft = max(1, card.pinTriesLeft) - 1
        case _: card.upkeepTriesLeft = max(1, card.upkeepTriesLeft) - 1
        }
        return card
    }

    /// What the success of a command may do to money, numbers and mark.
    private struct Effect {
        var ownFen = 0
        var limit: OverdraftLimit?
        var offline = false
        var online = false
        var grey: Bool?
        var pin = false
        var upkeep = false
        var block: CardImage.Block?
    }

    /// nil when the code in the command is not the one that its other side makes.
    private mutating func allowed(
        _ instruction: Instruction,
        _ command: CommandAPDU,
        _ answer: [UInt8],
        _ before: CardImage
    ) throws(ParseError) -> Effect? {
        let data = command.data
        switch instruction {
        case .select:
            reset()
            return Effect()
        case .readBinary, .readRecord, .internalAuthenticate, .getBalance, .getTransactionProve, .getGreyStatus:
            return Effect()
        case .getChallenge:
            challenge = try Challenge(bytes: answer)
            return Effect()
        case .verify, .changePIN, .reloadPIN: return try presented(instruction, data)
        case .externalAuthenticate, .unblockPIN, .blockApplication, .unblockApplication:
            return try upkeep(instruction, command)
        case .initializeForLoad:
            begun = .load(try OnlineInitialization(parsing: answer), try InitializeForLoad(parsing: data))
        case .initializeForUnload:
            begun = .unload(try OnlineInitialization(parsing: answer), try InitializeForUnload(parsing: data))
        case .initializeForPurchase, .initializeForCashWithdrawal:
            let type: TransactionType = instruction == .initializeForPurchase ? .purchase : .cashWithdrawal
            begun = .purchase(
                try InitializeForPurchase.Response(parsing: answer),
                try InitializeForPurchase(parsing: data),
                type
            )
        case .initializeForUpdate:
            begun = .update(
                try InitializeForUpdate.Response(parsing: answer),
                try InitializeForUpdate(parsing: data)
            )
        case .initializeForPetrol:
            begun = .petrol(
                try InitializeForPetrol.Response(parsing: answer),
                try InitializeForPetrol(parsing: data)
            )
        case .initializeForUnlock:
            begun = .unlock(
                try InitializeForUnlock.Response(parsing: answer),
                try InitializeForUnlock(parsing: data)
            )
        case .creditForLoad, .debitForUnload, .debitForPurchase, .updateOverdraftLimit:
            defer { begun = .none }
            return try ordinary(instruction, data)
        case .lockForPetrol, .debitForPetrol, .debitForUnlock:
            defer { begun = .none }
            return try fuel(instruction, data)
        }
        guard isPINVerified else { return nil }
        return before.grey == nil || instruction == .initializeForUnlock ? Effect() : nil
    }

    private mutating func presented(_ instruction: Instruction, _ data: [UInt8]) throws(ParseError) -> Effect? {
        switch instruction {
        case .verify:
            isPINVerified = true
            return data == pin ? Effect(pin: true) : nil
        case .changePIN:
            let (old, new) = try ChangePIN.ranges(in: data.span)
            isPINVerified = true
            guard Array(data[old]) == pin else { return nil }
            pin = Array(data[new])
            return Effect(pin: true)
        case _:
            isPINVerified = false
            pin = data.dropLast(MAC.length)
            return keys.pinReload.mac(pin: pin.span).isValid(MAC(bytes: Array(data.suffix(MAC.length))))
                ? Effect(pin: true) : nil
        }
    }

    private mutating func upkeep(_ instruction: Instruction, _ command: CommandAPDU) throws(ParseError) -> Effect? {
        guard let drawn = challenge else { return nil }
        challenge = nil
        switch instruction {
        case .externalAuthenticate:
            let presented = try ExternalAuthenticate(parsing: command.data)
            return keys.externalAuthentication.answer(to: drawn).isValid(presented.cryptogram)
                ? Effect(upkeep: true) : nil
        case .unblockPIN:
            let unblock = try UnblockPIN(parsing: command.data)
            let new = keys.pinUnblock.withDeciphered(unblock.enciphered) { [UInt8](copying: $0) }
            let mac = keys.pinUnblock.mac(command.header, data: unblock.enciphered, challenge: drawn)
            guard let new, mac.isValid(unblock.mac) else { return nil }
            pin = new
            isPINVerified = false
            return Effect(pin: true, upkeep: true)
        case _:
            let mac = try MAC(parsing: command.data)
            guard keys.maintenance.mac(command.header, challenge: drawn).isValid(mac) else { return nil }
            guard instruction == .blockApplication else { return Effect(upkeep: true, block: CardImage.Block.none) }
            return Effect(upkeep: true, block: command.header.p2 == 0 ? .temporary : .permanent)
        }
    }

    private func ordinary(_ instruction: Instruction, _ data: [UInt8]) throws(ParseError) -> Effect? {
        switch (instruction, begun) {
        case (.creditForLoad, .load(let answer, let initialize)):
            let command = try CreditForLoad(parsing: data)
            let mac2 = keys.load.session(icc: answer.icc, online: answer.online)
                .mac2(amount: initialize.amount, terminal: initialize.terminal, time: command.time)
            return mac2.isValid(command.mac2) ? Effect(ownFen: Int(initialize.amount.fen), online: true) : nil
        case (.debitForUnload, .unload(let answer, let initialize)):
            let command = try DebitForUnload(parsing: data)
            let mac2 = keys.unload.session(icc: answer.icc, online: answer.online)
                .mac2(amount: initialize.amount, terminal: initialize.terminal, time: command.time)
            return mac2.isValid(command.mac2) ? Effect(ownFen: -Int(initialize.amount.fen), online: true) : nil
        case (.debitForPurchase, .purchase(let answer, let initialize, let type)):
            let command = try DebitForPurchase(parsing: data)
            let mac1 = keys.purchase.purchaseSession(icc: answer.icc, ctc: answer.ctc, ttc: command.ttc)
                .mac1(amount: initialize.amount, type: type, terminal: initialize.terminal, time: command.time)
            return mac1.isValid(command.mac1) ? Effect(ownFen: -Int(initialize.amount.fen), offline: true) : nil
        case (.updateOverdraftLimit, .update(let answer, let initialize)):
            let command = try UpdateOverdraftLimit(parsing: data)
            let mac2 = keys.overdraft.session(icc: answer.icc, online: answer.online)
                .mac2(limit: command.limit, terminal: initialize.terminal, time: command.time)
            return mac2.isValid(command.mac2) ? Effect(limit: command.limit, online: true) : nil
        case _: return nil
        }
    }

    private mutating func fuel(_ instruction: Instruction, _ data: [UInt8]) throws(ParseError) -> Effect? {
        switch (instruction, begun) {
        case (.lockForPetrol, .petrol(let answer, let initialize)):
            let command = try LockForPetrol(parsing: data)
            let mac2 = keys.purchase.petrolSession(icc: answer.icc, ctc: answer.ctc, ttc: initialize.ttc)
                .mac2(terminal: initialize.terminal, time: command.time)
            lock = (answer, initialize)
            return mac2.isValid(command.mac2) ? Effect(offline: true, grey: true) : nil
        case (.debitForUnlock, .unlock(let answer, let initialize)):
            let command = try DebitForUnlock(parsing: data)
            let mac2 = keys.unlock.session(icc: answer.icc, online: answer.online)
                .mac2(amount: command.amount, terminal: initialize.terminal, time: command.time)
            lock = nil
            return mac2.isValid(command.mac2)
                ? Effect(ownFen: -Int(command.amount.fen), online: true, grey: false) : nil
        case (.debitForPetrol, _):
            guard isPINVerified, let (answer, initialize) = lock else { return nil }
            let command = try DebitForPetrol(parsing: data)
            let gmac = keys.purchase.petrolSession(icc: answer.icc, ctc: answer.ctc, ttc: initialize.ttc)
                .gmac(amount: command.amount)
            lock = nil
            return gmac.isValid(command.gmac) && command.ctc == answer.ctc.next
                ? Effect(ownFen: -Int(command.amount.fen), grey: false) : nil
        case _: return nil
        }
    }

    private mutating func difference(
        _ instruction: Instruction,
        _ effect: Effect,
        _ before: CardImage,
        _ after: CardImage
    ) -> String? {
        let name = instruction.name
        ownFen += effect.ownFen
        let limit = effect.limit ?? before.overdraftLimit
        guard Int(after.balance.fen) - Int(limit.fen) == ownFen else { return "\(name) made or lost money" }
        guard instruction != .debitForUnload || effect.ownFen == 0 || ownFen >= 0 else {
            return "\(name) gave back borrowed money"
        }
        guard after.overdraftLimit == limit else { return "\(name) changed the overdraft limit" }
        guard (after.grey != nil) == (effect.grey ?? (before.grey != nil)) else { return "\(name) moved the grey mark" }
        guard effect.grey != nil || after.grey == before.grey else { return "\(name) changed the lock's data" }
        guard Int(after.ctc.number) == Int(before.ctc.number) + (effect.offline ? 1 : 0) else {
            return "\(name) moved the offline number"
        }
        guard Int(after.online.number) == Int(before.online.number) + (effect.online ? 1 : 0) else {
            return "\(name) moved the online number"
        }
        return counters(name, effect, before, after) ?? records(name, instruction, before, after)
    }

    private func counters(_ name: String, _ effect: Effect, _ before: CardImage, _ after: CardImage) -> String? {
        let isDebit = effect.grey == false && !effect.online
        let gmac = isDebit ? before.gmacTriesLimit : before.gmacTriesLeft
        guard after.gmacTriesLeft == gmac else { return "\(name) moved the GMAC counter" }
        let pin = effect.pin ? before.pinTriesLimit : before.pinTriesLeft
        guard after.pinTriesLeft == pin else { return "\(name) moved the PIN counter" }
        let upkeep = effect.upkeep ? CardImage.upkeepTriesMax : before.upkeepTriesLeft
        guard after.upkeepTriesLeft == upkeep else { return "\(name) moved the upkeep counter" }
        guard after.block == effect.block ?? before.block else { return "\(name) moved the block" }
        guard effect.pin || after.sealedPIN == before.sealedPIN else { return "\(name) changed the PIN" }
        return nil
    }

    private func records(
        _ name: String,
        _ instruction: Instruction,
        _ before: CardImage,
        _ after: CardImage
    ) -> String? {
        let ends: [Instruction] = [
            .creditForLoad, .debitForPurchase, .debitForUnload, .updateOverdraftLimit, .debitForPetrol, .debitForUnlock,
        ]
        guard ends.contains(instruction) else {
            return after.log == before.log && after.proofs == before.proofs ? nil : "\(name) wrote the log"
        }
        let kept = before.log.prefix(CardImage.logRecordsMax - 1)
        guard Array(after.log.dropFirst()) == Array(kept) else { return "\(name) wrote no log, or too much" }
        return nil
    }
}

extension Instruction {
    /// A counter guards the command's code (D29).
    var isCounted: Bool {
        switch self {
        case .verify, .changePIN, .debitForPetrol, .externalAuthenticate, .reloadPIN, .unblockPIN, .blockApplication,
            .unblockApplication:
            true
        case _: false
        }
    }
}
