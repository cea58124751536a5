import CardCryptography
import FuelPassbook
import ISO7816
import Quantities
import Records
import SecurityModule
import TestCards
import Testing

/// The cases of `patent-profile.json` through the terminal's side.
@Suite(.enabled(if: SharedFolder.isUsable, Comment(rawValue: SharedFolder.reasonToSkip)))
struct KnownAnswerTests {
    @Test func theCardsMAC1IsAcceptedAndEverySingleBitFlipRefused() throws {
        for known in try PatentCase.all() {
            let module = TestModule(known)
            let mac1 = try known.expected("MAC1")
            _ = try module.verifyMAC1(mac1)
            for bit in 0..<32 {
                var altered = mac1
                altered[bit / 8] ^= 1 << (bit % 8)
                #expect(throws: SecurityModuleError.mac1Wrong, "\(known), bit \(bit)") {
                    _ = try module.verifyMAC1(altered)
                }
            }
        }
    }

    @Test func theModuleMakesMAC2AndKnowsTheGreyLockCode() throws {
        for known in try PatentCase.all() {
            let locking = try TestModule(known).locking()
            #expect(locking.mac2.bytes == (try known.expected("MAC2")), "\(known)")
            #expect(locking.greyLockCode.bytes == (try known.expected("MAC3")), "\(known)")
            #expect(locking.time == known.time)
        }
    }

    @Test func theCardsMAC3IsAcceptedAndEverySingleBitFlipRefused() throws {
        for known in try PatentCase.all() {
            let module = TestModule(known)
            let mac3 = try known.expected("MAC3")
            _ = try module.locked(mac3)
            for bit in 0..<32 {
                var altered = mac3
                altered[bit / 8] ^= 1 << (bit % 8)
                #expect(throws: SecurityModuleError.mac3Wrong, "\(known), bit \(bit)") {
                    _ = try module.locked(altered)
                }
            }
        }
    }

    @Test func sealedGMACsOpenToTheKnownOnes() throws {
        for known in try PatentCase.all() {
            let module = TestModule(known)
            let (gmac, zero) = (try known.expected("GMAC"), try known.expected("GMAC_of_zero"))
            #expect(try module.open(module.locking().gmacOfZero()) == zero, "\(known)")
            let locked = try module.locked(known.expected("MAC3"))
            #expect(try module.open(locked.gmac(of: known.amount)) == gmac, "\(known)")
            #expect(try module.open(locked.gmac(of: .zero)) == zero, "\(known)")
            #expect(try module.open(locked.end(amount: known.amount)) == gmac, "\(known)")
        }
    }

    @Test func theCardsMAC4IsAcceptedAndEverySingleBitFlipRefused() throws {
        for known in try PatentCase.all() {
            let module = TestModule(known)
            let mac4 = try known.expected("MAC4")
            #expect(try module.verifyMAC4(mac4))
            for bit in 0..<32 {
                var altered = mac4
                altered[bit / 8] ^= 1 << (bit % 8)
                #expect(try !module.verifyMAC4(altered), "\(known), bit \(bit)")
            }
        }
    }
}

/// A module that holds the case's MPK, and the case's answers of the card.
struct TestModule {
    static let reference = KeyReference(index: Demonstration.keyIndex, version: Demonstration.keyVersion)

    let known: PatentCase
    let module: SecurityModule

    init(_ known: PatentCase) {
        self.known = known
        module = TestModule.module(known, holding: Self.reference)
    }

    static func module(_ known: PatentCase, holding reference: KeyReference) -> SecurityModule {
        var keys = MasterKeys()
        keys.load(LockedBuffer(hexadecimal: known.masters.purchase), as: reference)
        return SecurityModule(
            terminal: known.terminal,
            keys: .lockedMemory(keys),
            recordKey: .demonstration,
            random: SystemRandom()
        )
    }

    func verifyMAC1(
        _ mac1: [UInt8],
        version: KeyVersion = Demonstration.keyVersion,
        algorithm: AlgorithmID = .tripleDES,
        terminal: TerminalID? = nil
    ) throws(SecurityModuleError) -> AuthenticatedSale {
        try module.verifyMAC1(
            card: known.card,
            command: InitializeForPetrol(
                keyIndex: Demonstration.keyIndex,
                terminal: terminal ?? known.terminal,
                ttc: known.ttc
            ),
            answer: InitializeForPetrol.Response(
                balance: known.balance,
                ctc: known.ctc,
                keyVersion: version,
                algorithm: algorithm,
                icc: known.icc,
                mac1: MAC(bytes: mac1)
            )
        )
    }

    func locking() throws -> LockingSale {
        try verifyMAC1(known.expected("MAC1")).makeMAC2(time: known.time)
    }

    func locked(_ mac3: [UInt8]) throws -> LockedSale {
        try locking().verifyMAC3(MAC(bytes: mac3))
    }

    func open(_ gmac: SealedGMAC) throws(SecurityModuleError) -> [UInt8] { try module.open(gmac).bytes }

    func verifyMAC4(_ mac4: [UInt8]) throws(SecurityModuleError) -> Bool {
        let attempt = DebitAttempt(ttc: TTC(1), type: known.debitType, terminal: known.terminal, time: known.time)
        let proof = try module.verifyMAC4(
            MAC(bytes: mac4),
            tac: MAC(bytes: mac4),
            card: known.card,
            key: Self.reference,
            amount: known.amount,
            attempts: [attempt]
        )
        return proof?.attempt == attempt
    }
}
