import CardCryptography
import FuelPassbook
import ISO7816
import Quantities

/// The other side of a fuzzed card: it makes each step's command with the right codes for what the card answered last,
/// also when that was long ago.
struct FuzzTerminal: ~Copyable {
    static let terminal = Demonstration.terminal
    static let ttc = TTC(0x0102_0304)

    private let keys: FuzzKeys
    private var begun = Begun()
    private var challenge: Challenge?
    private var usesSecondPIN = false
    private var last: [UInt8] = []

    /// The last answer of each INITIALIZE, with the amount that it was for.
    private struct Begun {
        var load: (OnlineInitialization, Amount)?
        var unload: (OnlineInitialization, Amount)?
        var purchase: (InitializeForPurchase.Response, Amount, TransactionType)?
        var update: InitializeForUpdate.Response?
        var petrol: InitializeForPetrol.Response?
        var unlock: InitializeForUnlock.Response?
    }

    init(keys: FuzzKeys) { self.keys = keys }

    /// The bytes of a step; empty for a step without a command.
    ///
    /// - Parameters:
    ///   - balance: the card's, of which amounts are made that it just reaches or just does not.
    ///   - ctc: the card's, for DEBIT FOR PETROL.
    mutating func command(for step: FuzzStep, balance: Amount, ctc: CTC) -> [UInt8] {
        let amount = Self.amount(step.choice, balance)
        let bytes: [UInt8] =
            switch step.kind {
            case .reset, .restart, .cut: []
            case .replay: last
            case .noise: SeededRandom(seed: UInt64(step.choice)).bytes(Int(step.choice % 40))
            case .select: SelectApplication(aid: Demonstration.aid).apdu.bytes
            case .verify: Self.verify(usesSecondPIN)
            case .verifyWrong: Self.verify(!usesSecondPIN)
            case .readBinary: ReadBinary(file: step.choice & 1 == 0 ? 0x15 : 0x16, count: 256).apdu.bytes
            case .readRecord: ReadRecord(number: UInt8(step.choice % 12)).apdu.bytes
            case .getChallenge: GetChallenge(count: step.choice & 1 == 0 ? 4 : 8).apdu.bytes
            case .getBalance: GetBalance().apdu.bytes
            case .greyStatus: GetGreyStatus().apdu.bytes
            case .prove:
                GetTransactionProve(
                    type: TransactionType(UInt8(step.choice % 0x13)),
                    number: ctc.number &- UInt16(step.choice >> 30)
                ).apdu.bytes
            case .changePIN, .reloadPIN, .unblockPIN, .block, .unblock, .externalAuthenticate, .internalAuthenticate:
                upkeep(step)
            case .beginLoad, .beginPurchase, .beginCash, .beginUnload, .beginUpdate, .beginPetrol, .beginUnlock:
                initialize(step.kind, amount)
            case .credit, .debitPurchase, .debitUnload, .updateLimit, .lock, .debitPetrol, .debitUnlock:
                finish(step.kind, amount, ctc)
            }
        return step.apply(to: bytes)
    }

    /// Takes note of what the card answered with `9000` to `bytes`.
    mutating func note(_ instruction: Instruction, _ bytes: [UInt8], _ answer: [UInt8]) throws(ParseError) {
        last = bytes
        let amount: Amount =
            bytes.count >= 10 ? Amount(fen: bytes[6..<10].reduce(0) { $0 << 8 | UInt32($1) }) : .zero
        switch instruction {
        case .initializeForLoad: begun.load = (try OnlineInitialization(parsing: answer), amount)
        case .initializeForUnload: begun.unload = (try OnlineInitialization(parsing: answer), amount)
        case .initializeForPurchase:
            begun.purchase = (try InitializeForPurchase.Response(parsing: answer), amount, .purchase)
        case .initializeForCashWithdrawal:
            begun.purchase = (try InitializeForPurchase.Response(parsing: answer), amount, .cashWithdrawal)
        case .initializeForUpdate: begun.update = try InitializeForUpdate.Response(parsing: answer)
        case .initializeForPetrol: begun.petrol = try InitializeForPetrol.Response(parsing: answer)
        case .initializeForUnlock: begun.unlock = try InitializeForUnlock.Response(parsing: answer)
        case .getChallenge: challenge = try Challenge(bytes: answer)
        case .changePIN, .reloadPIN, .unblockPIN: usesSecondPIN.toggle()
        case _: break
        }
    }

    /// A command without an answer changed the card's PIN.
    mutating func noteUnheardPIN() { usesSecondPIN.toggle() }

    /// A failed command may be what is played again.
    mutating func noteRefusal(of bytes: [UInt8]) { last = bytes }

    private static func amount(_ choice: UInt32, _ balance: Amount) -> Amount {
        switch choice % 16 {
        case 0: .zero
        case 1: balance
        case 2: Amount(fen: balance.fen &+ 1)
        case 3: Amount(fen: .max - balance.fen)
        case 4: Amount(fen: choice)
        case _: Amount(fen: choice >> 16 & 0x0FFF)
        }
    }

    private static func verify(_ second: Bool) -> [UInt8] {
        [0x00, 0x20, 0x00, 0x00, 0x03] + (second ? [0x65, 0x43, 0x21] : [0x12, 0x34, 0x56])
    }

    private func upkeep(_ step: FuzzStep) -> [UInt8] {
        let pin = usesSecondPIN ? FuzzKeys.firstPIN : FuzzKeys.secondPIN
        switch step.kind {
        case .changePIN:
            let old = usesSecondPIN ? FuzzKeys.secondPIN : FuzzKeys.firstPIN
            return ChangePIN(old: old, new: pin).withCommand { [UInt8](copying: $0) }
        case .reloadPIN: return ReloadPIN(new: pin, key: keys.pinReload).withCommand { [UInt8](copying: $0) }
        case .internalAuthenticate:
            return [0x00, 0x88, 0x00, 0x00, 0x08] + (UInt32.max - step.choice).bytes + step.choice.bytes + [0x08]
        case _: break
        }
        guard let challenge else { return [0x84, 0x18, 0x00, 0x00, 0x04, 1, 2, 3, 4] }
        switch step.kind {
        case .unblockPIN: return UnblockPIN(new: pin, challenge: challenge, key: keys.pinUnblock).apdu.bytes
        case .block:
            // For good is rare: nothing comes after it.
            let duration: BlockDuration = step.choice % 64 == 0 ? .permanent : .temporary
            return BlockApplication(duration, challenge: challenge, key: keys.maintenance).apdu.bytes
        case .unblock: return UnblockApplication(challenge: challenge, key: keys.maintenance).apdu.bytes
        case _:
            return ExternalAuthenticate(cryptogram: keys.externalAuthentication.answer(to: challenge)).apdu.bytes
        }
    }

    private func initialize(_ kind: FuzzStep.Kind, _ amount: Amount) -> [UInt8] {
        let index = Demonstration.keyIndex
        let terminal = Self.terminal
        let purchase = InitializeForPurchase(keyIndex: index, amount: amount, terminal: terminal)
        return switch kind {
        case .beginLoad: InitializeForLoad(keyIndex: index, amount: amount, terminal: terminal).apdu.bytes
        case .beginPurchase: purchase.apdu.bytes
        case .beginCash: purchase.cashWithdrawalAPDU.bytes
        case .beginUnload: InitializeForUnload(keyIndex: index, amount: amount, terminal: terminal).apdu.bytes
        case .beginUpdate: InitializeForUpdate(keyIndex: index, terminal: terminal).apdu.bytes
        case .beginPetrol: InitializeForPetrol(keyIndex: index, terminal: terminal, ttc: Self.ttc).apdu.bytes
        case _: InitializeForUnlock(keyIndex: index, terminal: terminal).apdu.bytes
        }
    }

    private func finish(_ kind: FuzzStep.Kind, _ amount: Amount, _ ctc: CTC) -> [UInt8] {
        let (terminal, time, ttc) = (Self.terminal, FuzzKeys.time, Self.ttc)
        switch kind {
        case .credit:
            guard let (answer, amount) = begun.load else { return [] }
            let mac2 = keys.load.session(icc: answer.icc, online: answer.online)
                .mac2(amount: amount, terminal: terminal, time: time)
            return CreditForLoad(time: time, mac2: mac2).apdu.bytes
        case .debitUnload:
            guard let (answer, amount) = begun.unload else { return [] }
            let mac2 = keys.unload.session(icc: answer.icc, online: answer.online)
                .mac2(amount: amount, terminal: terminal, time: time)
            return DebitForUnload(time: time, mac2: mac2).apdu.bytes
        case .debitPurchase:
            guard let (answer, amount, type) = begun.purchase else { return [] }
            let mac1 = keys.purchase.purchaseSession(icc: answer.icc, ctc: answer.ctc, ttc: ttc)
                .mac1(amount: amount, type: type, terminal: terminal, time: time)
            return DebitForPurchase(ttc: ttc, time: time, mac1: mac1).apdu.bytes
        case .updateLimit:
            guard let answer = begun.update else { return [] }
            let limit = OverdraftLimit(fen: amount.fen & OverdraftLimit.fenMax)
            let mac2 = keys.overdraft.session(icc: answer.icc, online: answer.online)
                .mac2(limit: limit, terminal: terminal, time: time)
            return UpdateOverdraftLimit(limit: limit, time: time, mac2: mac2).apdu.bytes
        case .debitUnlock:
            guard let answer = begun.unlock else { return [] }
            let mac2 = keys.unlock.session(icc: answer.icc, online: answer.online)
                .mac2(amount: amount, terminal: terminal, time: time)
            return DebitForUnlock(amount: amount, time: time, mac2: mac2).apdu.bytes
        case _:
            guard let answer = begun.petrol else { return [] }
            let session = keys.purchase.petrolSession(icc: answer.icc, ctc: answer.ctc, ttc: ttc)
            if kind == .lock {
                return LockForPetrol(time: time, mac2: session.mac2(terminal: terminal, time: time)).apdu.bytes
            }
            return DebitForPetrol(
                amount: amount,
                ctc: ctc,
                terminal: terminal,
                ttc: ttc,
                time: time,
                gmac: session.gmac(amount: amount)
            ).apdu.bytes
        }
    }
}

/// The fuzzed card's keys as the other side holds them.
final class FuzzKeys {
    let purchase: PurchaseKey
    let load: LoadKey
    let unload: UnloadKey
    let overdraft: OverdraftKey
    let unlock: UnlockKey
    let pinReload: PINReloadKey
    let pinUnblock: PINUnblockKey
    let maintenance: ApplicationMaintenanceKey
    let externalAuthentication: AuthenticationKey

    init(card: ApplicationSerialNumber) {
        let scheme = Demonstration.schemeKeys
        purchase = PurchaseKey(master: scheme[.purchase], card: card)
        load = LoadKey(master: scheme[.load], card: card)
        unload = UnloadKey(master: scheme[.unload], card: card)
        overdraft = OverdraftKey(master: scheme[.overdraft], card: card)
        unlock = UnlockKey(master: scheme[.greyUnlock], card: card)
        pinReload = PINReloadKey(master: scheme[.pinReload], card: card)
        pinUnblock = PINUnblockKey(master: scheme[.pinUnblock], card: card)
        maintenance = ApplicationMaintenanceKey(master: scheme[.applicationMaintenance], card: card)
        externalAuthentication = AuthenticationKey(master: scheme[.externalAuthentication], card: card)
    }

    static var firstPIN: PIN { Demonstration.pin }
    static var secondPIN: PIN { pin("654321") }

    static let time: TransactionTime = {
        do throws(ParseError) {
            return try TransactionTime(date: CalendarDate(year: 2026, month: 1, day: 2), hour: 3, minute: 4, second: 5)
        } catch {
            preconditionFailure("the fuzz's time is a time")
        }
    }()

    private static func pin(_ text: String) -> PIN {
        var digits = Array(text.utf8)
        let count = digits.count
        do throws(ParseError) {
            return try PIN(digits: LockedBuffer(wiping: &digits), count: count)
        } catch {
            preconditionFailure("the fuzz's PIN is a PIN")
        }
    }
}
