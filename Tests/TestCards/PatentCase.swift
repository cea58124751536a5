package import CardCryptography
import Foundation
package import FuelPassbook
import ISO7816
package import Quantities

/// One case of `patent-profile.json`: the inputs of the three transactions, and every value derived from them by an
/// implementation independent of this project.
package struct PatentCase: Sendable, CustomStringConvertible {
    package let description: String
    /// Hexadecimal.
    package let masters: TestMasters
    package let card: ApplicationSerialNumber
    package let icc: ICCRandom
    package let terminal: TerminalID
    package let ttc: TTC
    /// Before the lock.
    package let ctc: CTC
    package let online: OnlineNumber
    package let balance: Amount
    package let amount: Amount
    package let time: TransactionTime
    package let debitType: TransactionType
    /// Hexadecimal, by the field's name.
    package var expect: [String: String]

    /// The cases of `patent-profile.json` and of every further file.
    package static func all() throws -> [PatentCase] {
        let own = try parse(SharedFolder.bytes(of: SharedFolder.patentProfile), file: SharedFolder.patentProfile)
        return try own
            + SharedFolder.furtherVectors.flatMap { try parse(SharedFolder.bytes(at: $0), file: $0) }
    }

    /// The balance after a debit of the amount; nil where the card must refuse it.
    package var balanceAfter: Amount? {
        amount <= balance ? Amount(fen: balance.fen - amount.fen) : nil
    }

    package func expected(_ field: String) throws -> [UInt8] {
        guard let text = expect[field] else { throw MissingField(description: "\(description) has no \(field)") }
        return try Hex.bytes(text)
    }

    private static func parse(_ bytes: [UInt8], file: String) throws -> [PatentCase] {
        try JSONDecoder().decode(VectorFile.self, from: Data(bytes)).cases.map { try PatentCase($0, file: file) }
    }

    private init(_ raw: RawCase, file: String) throws {
        description = "\(file), case \(raw.case)"
        masters = TestMasters(purchase: raw.MPK, tac: raw.MTK, greyUnlock: raw.MULKK)
        card = try ApplicationSerialNumber(parsing: Hex.bytes(raw.ASN))
        icc = try ICCRandom(parsing: Hex.bytes(raw.ICC))
        terminal = try TerminalID(parsing: Hex.bytes(raw.TID))
        ttc = try TTC(parsing: Hex.bytes(raw.TTC))
        ctc = try CTC(parsing: Hex.bytes(raw.CTC))
        online = try OnlineNumber(parsing: Hex.bytes(raw.onlineNumber))
        balance = Amount(fen: raw.balance)
        amount = Amount(fen: raw.amount)
        time = try TransactionTime(parsing: Hex.bytes(raw.dateTime))
        debitType = try TransactionType(parsing: Hex.bytes(raw.debitType))
        expect = raw.expect
    }
}

/// Three published master keys, in hexadecimal.
package struct TestMasters: Sendable {
    package var purchase: String
    package var tac: String
    package var greyUnlock: String

    package static let demonstration = TestMasters(
        purchase: MasterKey.purchase.demonstrationText,
        tac: MasterKey.tac.demonstrationText,
        greyUnlock: MasterKey.greyUnlock.demonstrationText
    )

    package var purchaseKey: DoubleLengthKey { DoubleLengthKey(LockedBuffer(hexadecimal: purchase)) }
    package var tacKey: DoubleLengthKey { DoubleLengthKey(LockedBuffer(hexadecimal: tac)) }
    package var greyUnlockKey: DoubleLengthKey { DoubleLengthKey(LockedBuffer(hexadecimal: greyUnlock)) }

    /// These three, and the demonstration's for the rest.
    package var scheme: SchemeKeys {
        let texts = MasterKey.allCases.map { master in
            switch master {
            case .purchase: purchase
            case .tac: tac
            case .greyUnlock: greyUnlock
            case _: master.demonstrationText
            }
        }
        return SchemeKeys(LockedBuffer(hexadecimal: texts.joined()))
    }
}

package struct MissingField: Error, CustomStringConvertible {
    package let description: String
}

private struct VectorFile: Decodable {
    let cases: [RawCase]
}

// The names are those of the file.
private struct RawCase: Decodable {
    let `case`: Int
    let MPK: String
    let MTK: String
    let MULKK: String
    let ASN: String
    let ICC: String
    let TID: String
    let TTC: String
    let CTC: String
    let onlineNumber: String
    let balance: UInt32
    let amount: UInt32
    let dateTime: String
    let debitType: String
    let expect: [String: String]
}
