package import CardApplication
import CardCryptography
package import FuelPassbook
package import ISO7816
package import Quantities

/// What personalises a card for a test.
package struct TestProfile: Sendable {
    package var masters = TestMasters.demonstration
    package var card = Demonstration.applicationFile.asn
    /// With the overdraft limit.
    package var balance = Demonstration.balance
    package var overdraftLimit = OverdraftLimit.zero
    package var ctc = CTC(0x0041)
    package var online = OnlineNumber(0x0107)
    package var gmacTries: UInt8 = 3
    package var pinTries: UInt8 = 3
    /// What the card draws first.
    package var random: [UInt8] = []

    package init() {}
}

/// A card of the patent profile with its terminal's side: commands in, answers out, MACs made by the vocabulary.
package final class TestCard {
    package static let terminal = Demonstration.terminal
    package static let ttc = TTC(0x8182_8384)
    package static let time = moment(second: 7)
    package static let laterTime = moment(second: 8)
    /// VERIFY of the demonstration PIN (spec/passbook.md).
    package static let verify: [UInt8] = [0x00, 0x20, 0x00, 0x00, 0x03, 0x12, 0x34, 0x56]

    package let profile: TestProfile
    package let memory: TestMemory
    private var card: CardApplication<TestMemory>
    /// The last answered INITIALIZE of each kind: what the session keys are made from.
    private var petrol: InitializeForPetrol.Response?
    private var unlock: InitializeForUnlock.Response?
    var load: InitializeForLoad.Response?
    var purchase: InitializeForPurchase.Response?
    var unload: InitializeForUnload.Response?
    var update: InitializeForUpdate.Response?
    /// Of the last GET CHALLENGE.
    package var challenge: Challenge?

    /// - Parameter keys: instead of those that the profile's masters make.
    package init(_ profile: TestProfile = TestProfile(), keys: consuming CardKeys? = nil) throws {
        self.profile = profile
        let image = try CardImage(parsing: Self.imageBytes(profile))
        memory = TestMemory(image: image.bytes)
        if let keys {
            card = Self.application(profile, image, memory, keys)
        } else {
            card = Self.application(profile, image, memory, Self.keys(profile))
        }
    }

    package var state: PurseState { card.state }
    package var image: CardImage { card.image }

    package func send(_ command: [UInt8]) -> ResponseAPDU { card.respond(to: command.span) }

    package func reset() { card.reset() }

    /// A card that reads its memory as after the loss of power.
    package func restart() throws {
        memory.restorePower()
        card = Self.application(profile, try CardImage(parsing: memory.image), memory, Self.keys(profile))
    }

    package func exchange<Command: PassbookCommand>(_ command: Command) throws -> Command.Response {
        try Command.Response(parsing: answer(command.apdu.bytes, Command.instruction.name))
    }

    /// - Throws: ``Refusal`` for any status word but `9000`.
    @discardableResult
    package func answer(_ command: [UInt8], _ name: String) throws -> [UInt8] {
        let response = send(command)
        guard response.status == .success else { throw Refusal(command: name, status: response.status) }
        return response.data
    }

    /// SELECT and VERIFY.
    package func open() throws {
        try answer(Self.select.bytes, "SELECT")
        try answer(Self.verify, "VERIFY")
    }

    @discardableResult
    package func beginPetrol() throws -> InitializeForPetrol.Response {
        let answer = try exchange(Self.initializeForPetrol)
        petrol = answer
        return answer
    }

    @discardableResult
    package func beginUnlock() throws -> InitializeForUnlock.Response {
        let answer = try exchange(Self.initializeForUnlock)
        unlock = answer
        return answer
    }

    /// From a new power session to `state`, PIN verified; a state that needs no lock leaves the purse as it is.
    package func bring(to state: PurseState) throws {
        reset()
        try open()
        if state == .prePetrol || state == .grey || state == .unlocking, image.grey == nil { try beginPetrol() }
        if state == .grey || state == .unlocking, image.grey == nil { _ = try exchange(lock()) }
        if state == .unlocking { try beginUnlock() }
        switch state {
        case .load: try beginLoad()
        case .purchase: try beginPurchase()
        case .unload: try beginUnload()
        case .modify: try beginUpdate()
        case .idle, .prePetrol, .grey, .unlocking: break
        }
        guard self.state == state else { throw Refusal(command: "the way to \(state.rawValue)", status: .success) }
    }
}

// MARK: - Commands

extension TestCard {
    package static let select = SelectApplication(aid: Demonstration.aid).apdu
    package static let initializeForPetrol = InitializeForPetrol(
        keyIndex: Demonstration.keyIndex,
        terminal: terminal,
        ttc: ttc
    )
    package static let initializeForUnlock = InitializeForUnlock(keyIndex: Demonstration.keyIndex, terminal: terminal)

    /// LOCK FOR PETROL of the last INITIALIZE, or of one that never was.
    package func lock() -> LockForPetrol {
        LockForPetrol(time: Self.time, mac2: petrolSession().mac2(terminal: Self.terminal, time: Self.time))
    }

    /// DEBIT FOR PETROL under the last INITIALIZE with the card's present CTC.
    package func debit(_ amount: Amount, time: TransactionTime = TestCard.laterTime) -> DebitForPetrol {
        DebitForPetrol(
            amount: amount,
            ctc: image.ctc,
            terminal: Self.terminal,
            ttc: Self.ttc,
            time: time,
            gmac: petrolSession().gmac(amount: amount)
        )
    }

    /// DEBIT FOR UNLOCK of the last INITIALIZE, or of one that never was.
    package func debitForUnlock(_ amount: Amount) -> DebitForUnlock {
        let key = UnlockKey(master: profile.masters.greyUnlockKey, card: profile.card)
        let session = key.session(
            icc: unlock?.icc ?? ICCRandom(0),
            online: unlock?.online ?? profile.online
        )
        return DebitForUnlock(
            amount: amount,
            time: Self.laterTime,
            mac2: session.mac2(amount: amount, terminal: Self.terminal, time: Self.laterTime)
        )
    }

    private func petrolSession() -> PetrolSessionKey {
        let key = PurchaseKey(master: profile.masters.purchaseKey, card: profile.card)
        return key.petrolSession(
            icc: petrol?.icc ?? ICCRandom(0),
            ctc: petrol?.ctc ?? profile.ctc,
            ttc: Self.ttc
        )
    }

    package struct Refusal: Error, CustomStringConvertible {
        let command: String
        package let status: StatusWord

        package var description: String { "\(command) is answered \(status)" }
    }
}

// MARK: - Personalisation

extension TestCard {
    private static func moment(second: Int) -> TransactionTime {
        do throws(ParseError) {
            let date = try CalendarDate(year: 2026, month: 3, day: 4)
            return try TransactionTime(date: date, hour: 5, minute: 6, second: second)
        } catch {
            preconditionFailure("the test's time is a time")
        }
    }

    /// The image of a card that has done nothing yet, in the format of version 2.
    private static func imageBytes(_ profile: TestProfile) -> [UInt8] {
        let model = Demonstration.applicationFile
        let file = PublicApplicationFile(
            issuer: model.issuer,
            asn: profile.card,
            validFrom: model.validFrom,
            validTo: model.validTo
        )
        let sealing = SealingKey(
            from: profile.masters.greyUnlockKey.child(of: profile.card.diversificationFactor),
            label: "GL-CARD"
        )
        let pin = StoredPIN(Demonstration.pin, sealing: sealing, card: profile.card, random: SystemRandom()).sealed
        var bytes: [UInt8] = [2]
        file.append(to: &bytes)
        bytes += [39] + HolderFile.blank.bytes
        bytes += Demonstration.keyIndex.bytes + Demonstration.keyVersion.bytes
        bytes += profile.balance.bytes + profile.overdraftLimit.bytes + profile.ctc.bytes + profile.online.bytes
        bytes += [profile.gmacTries, profile.gmacTries, profile.pinTries, profile.pinTries, 3, 0, UInt8(pin.count)]
        return bytes + pin + [0, 0, 0]
    }

    private static func keys(_ profile: TestProfile) -> CardKeys {
        CardKeys(card: profile.card, scheme: profile.masters.scheme)
    }

    private static func application(
        _ profile: TestProfile,
        _ image: CardImage,
        _ memory: TestMemory,
        _ keys: consuming CardKeys
    ) -> CardApplication<TestMemory> {
        CardApplication(
            aid: Demonstration.aid,
            keys: keys,
            image: image,
            memory: memory,
            random: ScriptedRandom(profile.random)
        )
    }
}
