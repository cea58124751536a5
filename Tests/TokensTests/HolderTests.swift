import CardCryptography
import FuelPassbook
import ISO7816
import KeyCustody
import Quantities
import Records
import TestPrograms
import Testing
import Tokens

@testable import SecurityModule
@testable import Station

extension WithToken {
    /// What every holder of MPK answers, wherever the key is.
    struct HolderTests {
        enum Place: CaseIterable {
            case lockedMemory
            case tokenInProcess
            case tokenBehindServer
        }

        private static let now: Int64 = 1_790_000_000
        private static let card = Demonstration.applicationFile.asn
        private static let retired = HeldKeyName(
            .purchaseMaster,
            KeyReference(index: KeyIndex(1), version: KeyVersion(1))
        )
        private static let missing = KeyReference(index: KeyIndex(1), version: KeyVersion(3))

        private let own: OwnToken
        private let other = SecretKey(SystemRandom().secret(16))

        init() throws { own = try OwnToken() }

        private func token(_ place: Place) throws -> Token? {
            switch place {
            case .lockedMemory: return nil
            case .tokenInProcess: return own.token()
            case .tokenBehindServer:
                try own.soft.serve()
                return own.token(SoftToken.client)
            }
        }

        /// One that sells, and one that is retired.
        private func keys(in token: Token?) throws -> TerminalKeys {
            var keys = TerminalKeys(of: OwnToken.terminal)
            for (name, raw) in [(OwnToken.name, own.raw), (Self.retired, other)] {
                let made = try TransactionTime(secondsSince1970: Int(Self.now))
                try keys.load(KeyDelivery(name, .tripleDES, made: made, raw.raw.part(0..<16)), .block, at: Self.now)
            }
            try keys.activate(OwnToken.name, from: Self.now, at: Self.now)
            try keys.retire(Self.retired, at: Self.now)
            if let token {
                try keys.moveMasters(at: Self.now) { name, secret, mark in
                    try token.put(secret, as: TokenKey(name, of: "\(OwnToken.terminal)", mark))
                }
            }
            return keys
        }

        private func module(_ keys: KeyHolder, _ terminal: TerminalID = OwnToken.terminal) -> SecurityModule {
            SecurityModule(terminal: terminal, keys: keys, recordKey: .demonstration, random: SystemRandom())
        }

        @Test("the same keys of cards, for what sells and what settles", arguments: Place.allCases)
        func cards(place: Place) throws {
            let token = try token(place)
            let holder = try keys(in: token).holder(at: Self.now, token)
            #expect(holder.references == [OwnToken.name.reference, Self.retired.reference])
            #expect(holder.newest == OwnToken.name.reference)
            let mac = { (key: borrowing PurchaseKey) in
                key.mac4(amount: Amount(fen: 785), type: .refuel, terminal: OwnToken.terminal, time: .unknown)
            }
            let master = DoubleLengthKey(own.raw.raw.part(0..<16))
            for use in [KeyHolder.Use.sale, .settlement] {
                let key = try holder.purchaseKey(of: Self.card, OwnToken.name.reference, for: use)
                #expect(mac(key).bytes == mac(PurchaseKey(master: master, card: Self.card)).bytes)
            }
            let old = try holder.purchaseKey(of: Self.card, Self.retired.reference, for: .settlement)
            #expect(
                mac(old).bytes
                    == mac(PurchaseKey(master: DoubleLengthKey(other.raw.part(0..<16)), card: Self.card)).bytes
            )
            try holder.require(Self.retired.reference)
            #expect(throws: SecurityModuleError.keyNotInUse(Self.retired.reference)) {
                _ = try holder.purchaseKey(of: Self.card, Self.retired.reference, for: .sale)
            }
            #expect(throws: SecurityModuleError.keyNotLoaded(Self.missing)) {
                _ = try holder.purchaseKey(of: Self.card, Self.missing, for: .settlement)
            }
            #expect(throws: SecurityModuleError.keyNotLoaded(Self.missing)) { try holder.require(Self.missing) }
        }

        @Test("a file of grey records goes from every holder to every other", arguments: Place.allCases)
        func greyRecords(place: Place) throws {
            let token = try token(place)
            let far = module(try keys(in: token).holder(at: Self.now, token))
            let near = module(try keys(in: nil).holder(at: Self.now), TerminalID(7))
            for (from, to) in [(far, near), (near, far)] {
                let file = try from.greyRecordFile([])
                #expect(try to.greyRecordFile(parsing: file).terminal == from.terminal)
            }
        }

        @Test(
            "a holder that is gone draws nothing, in words, and knows its keys all the same",
            arguments: [Place.tokenBehindServer]
        )
        func gone(place: Place) throws {
            let token = try token(place)
            let holder = try keys(in: token).holder(at: Self.now, token)
            own.soft.stop()
            let reference = OwnToken.name.reference
            #expect(holder.references.contains(reference))
            do {
                try holder.require(reference)
                Issue.record("nothing is thrown")
            } catch {
                guard case .holderFails(reference, let reason) = error else { throw error }
                #expect(reason.hasPrefix("token greylock"))
            }
            #expect(throws: GreyRecordFileFault.self) { _ = try module(holder).greyRecordFile([]) }
            try own.soft.serve()
            try holder.require(reference)
        }

        @Test("a key in a token that the configuration does not name says so")
        func unnamed() throws {
            let holder = try keys(in: own.token()).holder(at: Self.now)
            let fault = SecurityModuleError.holderFails(
                OwnToken.name.reference,
                "it is in a token, and [keys.token] names none"
            )
            #expect(throws: fault) { try holder.require(OwnToken.name.reference) }
        }
    }
}
