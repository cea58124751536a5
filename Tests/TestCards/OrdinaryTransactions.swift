import CardCryptography
package import FuelPassbook
import ISO7816
package import Quantities

// The ordinary passbook's side of a test card: load, purchase, cash withdrawal, unload, overdraft and upkeep.

extension TestCard {
    package static let ordinaryAmount = Amount(fen: 1_234)
    package static let newLimit = OverdraftLimit(fen: 20_000)

    package static let initializeForLoad = InitializeForLoad(
        keyIndex: Demonstration.keyIndex,
        amount: ordinaryAmount,
        terminal: terminal
    )
    package static let initializeForPurchase = InitializeForPurchase(
        keyIndex: Demonstration.keyIndex,
        amount: ordinaryAmount,
        terminal: terminal
    )
    package static let initializeForUnload = InitializeForUnload(
        keyIndex: Demonstration.keyIndex,
        amount: ordinaryAmount,
        terminal: terminal
    )
    package static let initializeForUpdate = InitializeForUpdate(keyIndex: Demonstration.keyIndex, terminal: terminal)

    @discardableResult
    package func beginLoad() throws -> InitializeForLoad.Response {
        let answer = try exchange(Self.initializeForLoad)
        load = answer
        return answer
    }

    /// - Parameter cash: a withdrawal instead of a purchase.
    @discardableResult
    package func beginPurchase(cash: Bool = false) throws -> InitializeForPurchase.Response {
        let command = cash ? Self.initializeForPurchase.cashWithdrawalAPDU : Self.initializeForPurchase.apdu
        let data = try self.answer(command.bytes, "INITIALIZE")
        let answer = try InitializeForPurchase.Response(parsing: data)
        purchase = answer
        return answer
    }

    @discardableResult
    package func beginUnload() throws -> InitializeForUnload.Response {
        let answer = try exchange(Self.initializeForUnload)
        unload = answer
        return answer
    }

    @discardableResult
    package func beginUpdate() throws -> InitializeForUpdate.Response {
        let answer = try exchange(Self.initializeForUpdate)
        update = answer
        return answer
    }

    /// CREDIT FOR LOAD of the last INITIALIZE, or of one that never was; so the next three.
    package func credit() -> CreditForLoad {
        let key = LoadKey(master: profile.masters.scheme[.load], card: profile.card)
        let session = key.session(icc: load?.icc ?? ICCRandom(0), online: load?.online ?? profile.online)
        let mac2 = session.mac2(amount: Self.ordinaryAmount, terminal: Self.terminal, time: Self.time)
        return CreditForLoad(time: Self.time, mac2: mac2)
    }

    package func debitForPurchase(_ type: TransactionType = .purchase) -> DebitForPurchase {
        let key = PurchaseKey(master: profile.masters.purchaseKey, card: profile.card)
        let session = key.purchaseSession(
            icc: purchase?.icc ?? ICCRandom(0),
            ctc: purchase?.ctc ?? profile.ctc,
            ttc: Self.ttc
        )
        let mac1 = session.mac1(amount: Self.ordinaryAmount, type: type, terminal: Self.terminal, time: Self.time)
        return DebitForPurchase(ttc: Self.ttc, time: Self.time, mac1: mac1)
    }

    package func debitForUnload() -> DebitForUnload {
        let key = UnloadKey(master: profile.masters.scheme[.unload], card: profile.card)
        let session = key.session(icc: unload?.icc ?? ICCRandom(0), online: unload?.online ?? profile.online)
        let mac2 = session.mac2(amount: Self.ordinaryAmount, terminal: Self.terminal, time: Self.time)
        return DebitForUnload(time: Self.time, mac2: mac2)
    }

    package func updateOverdraftLimit(_ limit: OverdraftLimit = TestCard.newLimit) -> UpdateOverdraftLimit {
        let key = OverdraftKey(master: profile.masters.scheme[.overdraft], card: profile.card)
        let session = key.session(icc: update?.icc ?? ICCRandom(0), online: update?.online ?? profile.online)
        let mac2 = session.mac2(limit: limit, terminal: Self.terminal, time: Self.time)
        return UpdateOverdraftLimit(limit: limit, time: Self.time, mac2: mac2)
    }
}

// MARK: - Upkeep

extension TestCard {
    /// Every command but those of the fuel passbook, in a right shape.
    package var ordinaryCommands: [[UInt8]] {
        [
            ReadBinary(file: HolderFile.shortIdentifier, count: 39).apdu.bytes, ReadRecord(number: 1).apdu.bytes,
            GetChallenge(count: 4).apdu.bytes, externalAuthenticate().apdu.bytes,
            [0x00, 0x88, 0x00, 0x00, 0x08, 1, 2, 3, 4, 5, 6, 7, 8, 0x08], Self.changePIN, reloadPIN,
            unblockPIN().apdu.bytes, block().apdu.bytes, unblock().apdu.bytes, Self.initializeForLoad.apdu.bytes,
            credit().apdu.bytes, Self.initializeForPurchase.apdu.bytes,
            Self.initializeForPurchase.cashWithdrawalAPDU.bytes, debitForPurchase().apdu.bytes,
            Self.initializeForUnload.apdu.bytes, debitForUnload().apdu.bytes, Self.initializeForUpdate.apdu.bytes,
            updateOverdraftLimit().apdu.bytes,
        ]
    }

    /// RELOAD PIN to 654321.
    package var reloadPIN: [UInt8] {
        let command = ReloadPIN(
            new: Self.pin("654321"),
            key: PINReloadKey(master: profile.masters.scheme[.pinReload], card: profile.card)
        )
        return command.withCommand { [UInt8](copying: $0) }
    }

    /// CHANGE PIN from the demonstration's to 654321.
    package static var changePIN: [UInt8] {
        ChangePIN(old: Demonstration.pin, new: pin("654321")).withCommand { [UInt8](copying: $0) }
    }

    /// VERIFY of 654321.
    package static let verifyNew: [UInt8] = [0x00, 0x20, 0x00, 0x00, 0x03, 0x65, 0x43, 0x21]

    /// GET CHALLENGE; the upkeep commands use its answer.
    package func drawChallenge(_ count: Int = 4) throws {
        challenge = try Challenge(bytes: answer(GetChallenge(count: count).apdu.bytes, "GET CHALLENGE"))
    }

    /// For the last challenge, or one that never was; so the next three.
    package func unblockPIN() -> UnblockPIN {
        let key = PINUnblockKey(master: profile.masters.scheme[.pinUnblock], card: profile.card)
        return UnblockPIN(new: Self.pin("654321"), challenge: lastChallenge, key: key)
    }

    package func block(_ duration: BlockDuration = .temporary) -> BlockApplication {
        BlockApplication(duration, challenge: lastChallenge, key: maintenance)
    }

    package func unblock() -> UnblockApplication { UnblockApplication(challenge: lastChallenge, key: maintenance) }

    package func externalAuthenticate() -> ExternalAuthenticate {
        let key = AuthenticationKey(master: profile.masters.scheme[.externalAuthentication], card: profile.card)
        return ExternalAuthenticate(cryptogram: key.answer(to: lastChallenge))
    }

    package static func pin(_ text: String) -> PIN {
        var digits = Array(text.utf8)
        let count = digits.count
        do throws(ParseError) {
            return try PIN(digits: LockedBuffer(wiping: &digits), count: count)
        } catch {
            preconditionFailure("the test's PIN is a PIN")
        }
    }

    private var maintenance: ApplicationMaintenanceKey {
        ApplicationMaintenanceKey(master: profile.masters.scheme[.applicationMaintenance], card: profile.card)
    }

    private var lastChallenge: Challenge {
        if let challenge { return challenge }
        do throws(ParseError) {
            return try Challenge(bytes: [0, 0, 0, 0])
        } catch {
            preconditionFailure("four bytes are a challenge")
        }
    }
}
