import CardCryptography
import FuelPassbook
import ISO7816
import Quantities
import TestCards
import Testing

@Suite(.enabled(if: SharedFolder.isUsable, Comment(rawValue: SharedFolder.reasonToSkip)))
struct KnownAnswerTests {
    @Test func everyFieldOfEveryCaseIsDerived() throws {
        let cases = try PatentCase.all()
        try #require(!cases.isEmpty)
        var checked = 0
        for known in cases {
            for field in known.expect.keys.sorted() {
                #expect(try Derivation(known).yields(field), "\(known): \(field)")
                checked += 1
            }
        }
        print("known answers through the vocabulary: \(cases.count) cases, \(checked) values checked")
    }

    /// The comparison itself can fail: one altered bit of one field is found in that field and in no other.
    @Test func alteringAnyFieldIsNoticedInThatFieldAlone() throws {
        let known = try #require(try PatentCase.all().first)
        for field in known.expect.keys {
            var altered = known
            var bytes = try known.expected(field)
            // The lowest bit of each key byte is parity, which DES ignores; the next one is not.
            bytes[bytes.count - 1] ^= 0x02
            altered.expect[field] = Hex.string(bytes)
            let wrong = try altered.expect.keys.filter { try !Derivation(altered).yields($0) }
            #expect(wrong == [field])
        }
    }

    @Test func aFieldThatIsNotKnownHereFails() throws {
        var known = try #require(try PatentCase.all().first)
        known.expect["MAC9"] = "00000000"
        #expect(try !Derivation(known).yields("MAC9"))
    }
}

/// Works one case out again through the vocabulary and compares.
///
/// A key has no bytes to look at: it is right when the expected bytes, loaded as a key, give the same check value and
/// the same MACs over several messages, and when what the vocabulary makes with its own is what they make.
private struct Derivation {
    private static let messages: [[UInt8]] = [
        [], [0x00], Array(0..<8), Array(100..<123), Array(repeating: 0xA5, count: 64),
    ]
    private static let amounts = [0, 1, 0x8000_0000, .max].map(Amount.init(fen:))

    private let known: PatentCase

    init(_ known: PatentCase) { self.known = known }

    func yields(_ field: String) throws -> Bool {
        let expected = try known.expected(field)
        switch field {
        case "MPK_KCV": return known.masters.purchaseKey.checkValue() == expected
        case "DPK": return purchaseKeyIs(expected)
        case "DTK": return tacKeyIs(expected)
        case "DULKK": return unlockKeyIs(expected)
        case "SESPK": return petrolSessionIs(expected)
        case "SESULKK": return unlockSessionIs(expected)
        case _: return mac(field)?.bytes == expected
        }
    }

    /// nil for a name that this project does not know, or a value that the card must not make.
    private func mac(_ field: String) -> MAC? {
        let (terminal, time, amount) = (known.terminal, known.time, known.amount)
        switch field {
        case "MAC1": return petrolSession.mac1(balance: known.balance, terminal: terminal)
        case "MAC2": return petrolSession.mac2(terminal: terminal, time: time)
        case "MAC3":
            return petrolSession.mac3(balance: known.balance, ctc: known.ctc, terminal: terminal, time: time)
        case "lockTAC": return tacKey.lock(balance: known.balance, ctc: known.ctc, terminal: terminal, time: time)
        case "GMAC": return petrolSession.gmac(amount: amount)
        case "GMAC_of_zero": return petrolSession.gmac(amount: .zero)
        case "MAC4": return purchaseKey.mac4(amount: amount, type: known.debitType, terminal: terminal, time: time)
        case "debitTAC":
            return tacKey.debit(
                amount: amount,
                type: known.debitType,
                terminal: terminal,
                ttc: known.ttc,
                time: time
            )
        case "unlockMAC1": return unlockSession.mac1(balance: known.balance, terminal: terminal)
        case "unlockMAC2": return unlockSession.mac2(amount: amount, terminal: terminal, time: time)
        case "unlockMAC3":
            return known.balanceAfter.map {
                unlockSession.mac3(balance: $0, online: known.online, amount: amount, terminal: terminal, time: time)
            }
        case "unlockTAC":
            return known.balanceAfter.map {
                tacKey.online(
                    balance: $0,
                    online: known.online,
                    amount: amount,
                    type: .onlineUnlock,
                    terminal: terminal,
                    time: time
                )
            }
        case _: return nil
        }
    }

    private var factor: [UInt8] { known.card.diversificationFactor }
    private var purchaseKey: PurchaseKey { PurchaseKey(master: known.masters.purchaseKey, card: known.card) }
    private var tacKey: TACKey { TACKey(master: known.masters.tacKey, card: known.card) }
    private var unlockKey: UnlockKey { UnlockKey(master: known.masters.greyUnlockKey, card: known.card) }
    private var petrolSession: PetrolSessionKey {
        purchaseKey.petrolSession(icc: known.icc, ctc: known.ctc, ttc: known.ttc)
    }
    private var unlockSession: UnlockSessionKey { unlockKey.session(icc: known.icc, online: known.online) }

    private func purchaseKeyIs(_ expected: [UInt8]) -> Bool {
        let own = PurchaseKey(doubleLengthKey(expected))
        return agree(known.masters.purchaseKey.child(of: factor), doubleLengthKey(expected))
            && Self.amounts.allSatisfy { amount in
                let mine = purchaseKey.mac4(
                    amount: amount,
                    type: known.debitType,
                    terminal: known.terminal,
                    time: known.time
                )
                return own.mac4(
                    amount: amount,
                    type: known.debitType,
                    terminal: known.terminal,
                    time: known.time
                ).isValid(mine)
            }
    }

    private func tacKeyIs(_ expected: [UInt8]) -> Bool {
        let folded = singleLengthKey(zip(expected.prefix(8), expected.suffix(8)).map { $0 ^ $1 })
        return agree(known.masters.tacKey.child(of: factor), doubleLengthKey(expected))
            && agree(known.masters.tacKey.foldedChild(of: factor), folded)
            && Self.amounts.allSatisfy { amount in
                let input =
                    amount.bytes + known.debitType.bytes + known.terminal.bytes + known.ttc.bytes + known.time.bytes
                return folded.mac(of: input).isValid(
                    tacKey.debit(
                        amount: amount,
                        type: known.debitType,
                        terminal: known.terminal,
                        ttc: known.ttc,
                        time: known.time
                    )
                )
            }
    }

    private func unlockKeyIs(_ expected: [UInt8]) -> Bool {
        let key = doubleLengthKey(expected)
        let session = key.sessionKey(from: known.icc.bytes + known.online.bytes + [0x80, 0x00])
        return agree(known.masters.greyUnlockKey.child(of: factor), key) && unlockSessionAgrees(with: session)
    }

    private func petrolSessionIs(_ expected: [UInt8]) -> Bool {
        let key = singleLengthKey(expected)
        let input = known.icc.bytes + known.ctc.bytes + known.ttc.bytes.suffix(2)
        return agree(known.masters.purchaseKey.child(of: factor).sessionKey(from: input), key)
            && Self.amounts.allSatisfy { key.mac(of: $0.bytes).isValid(petrolSession.gmac(amount: $0)) }
    }

    private func unlockSessionIs(_ expected: [UInt8]) -> Bool {
        unlockSessionAgrees(with: singleLengthKey(expected))
    }

    private func unlockSessionAgrees(with key: borrowing SingleLengthKey) -> Bool {
        for amount in Self.amounts {
            let input = amount.bytes + [0x11] + known.terminal.bytes + known.time.bytes
            let mine = unlockSession.mac2(amount: amount, terminal: known.terminal, time: known.time)
            guard key.mac(of: input).isValid(mine) else { return false }
        }
        return true
    }

    private func agree(_ left: borrowing DoubleLengthKey, _ right: borrowing DoubleLengthKey) -> Bool {
        for message in Self.messages {
            guard left.mac(of: message).isValid(right.mac(of: message)) else { return false }
        }
        return left.checkValue() == right.checkValue()
    }

    private func agree(_ left: borrowing SingleLengthKey, _ right: borrowing SingleLengthKey) -> Bool {
        for message in Self.messages {
            guard left.mac(of: message).isValid(right.mac(of: message)) else { return false }
        }
        return true
    }
}
