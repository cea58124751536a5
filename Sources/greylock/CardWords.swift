import FuelPassbook
import ISO7816
import Quantities
import Words

// What a card's bytes mean to people.

/// What a card is for, from the second byte of its ASN (spec/deployed-profile.md).
enum CardKind: UInt8 {
    case customer = 0x01
    case manager = 0x02
    case staff = 0x04
    case test = 0x05
    case service = 0x06
    case securityModule = 0x10

    static func words(of card: ApplicationSerialNumber) -> String {
        let code = card.bytes[1]
        return switch CardKind(rawValue: code) {
        case .customer: "customer card"
        case .manager: "manager's card"
        case .staff: "staff card"
        case .test: "test card"
        case .service: "service card"
        case .securityModule: "security module (PSAM)"
        case nil: "card of unknown kind \(Hex.string([code]))"
        }
    }
}

/// Whether a card may be used on a day.
enum CardValidity: String {
    case valid
    case notYet
    case expired
    /// The computer's clock is not set.
    case unknown

    init(of file: PublicApplicationFile, on today: CalendarDate?) {
        guard let today else {
            self = .unknown
            return
        }
        self = today < file.validFrom ? .notYet : file.validTo < today ? .expired : .valid
    }

    var words: String {
        switch self {
        case .valid: "valid today"
        case .notYet: "not valid yet"
        case .expired: "expired"
        case .unknown: "today's date is unknown: set this computer's clock"
        }
    }
}

extension PublicApplicationFile {
    /// In hexadecimal, and in letters where it is all letters.
    var issuerWords: String {
        let isText = issuer.allSatisfy { (0x20...0x7E).contains($0) }
        return Hex.string(issuer) + (isText ? " (\(String(decoding: issuer, as: UTF8.self)))" : "")
    }
}

extension TransactionType {
    var words: String {
        switch self {
        case .load: "load"
        case .unload: "unload"
        case .cashWithdrawal: "cash withdrawal"
        case .purchase: "purchase"
        case .overdraft: "overdraft limit"
        case .refuel: "refuel"
        case .onlineUnlock: "online unlock"
        case .localUnlock: "local unlock"
        case _: "type \(Hex.string([code]))"
        }
    }
}

extension StatusWord {
    /// In spec/grey-lock.md, section 3, and ISO/IEC 7816-4, 5.6; nil for any other.
    var words: String? {
        if let triesLeft { return "wrong, \(triesLeft.tries) left" }
        if let correctExpectedLength { return "wrong Le: the answer has \(correctExpectedLength) bytes" }
        if let availableLength { return "\(availableLength) bytes wait for GET RESPONSE" }
        return switch self {
        case .success: "done"
        case .memoryFailure: "the card's memory failed"
        case .wrongLength: "wrong length"
        case .commandNotAccepted: "not accepted in this state"
        case .securityStatusNotSatisfied: "the PIN is not verified"
        case .authenticationMethodBlocked: "the PIN or this authentication is blocked"
        case .conditionsOfUseNotSatisfied: "conditions of use not satisfied"
        case .purseIsGrey: "the purse is grey-locked"
        case .incorrectData: "incorrect data"
        case .functionNotSupported: "function not supported: blocked by its issuer"
        case .fileNotFound: "no such application or file"
        case .recordNotFound: "no such record"
        case .incorrectParameters: "wrong P1 P2"
        case .wrongOffset: "wrong offset"
        case .instructionNotSupported: "unknown instruction"
        case .classNotSupported: "unknown class"
        case .macInvalid: "wrong MAC"
        case .applicationLockedForGood: "the application is locked for good"
        case .insufficientFunds: "not enough money"
        case .counterAtMaximum: "a transaction number is used up"
        case .keyIndexNotSupported: "the card has no key of this index"
        case .proofNotAvailable: "no proof of this transaction is kept"
        case _: nil
        }
    }
}

/// What the owner of a card, or who looks after it, should do next.
enum CardAdvice {
    static let fine = "nothing to do"
    static let grey =
        "an unpaid sale: put the card into a terminal of that station, which settles it, or ask the issuer to unlock it"
    static let lockedForGood = "the application is locked for good: ask the issuer for a new card"
    static let blocked = "the issuer blocked the application: ask the issuer to unblock it"
    static let pinBlocked = "no PIN tries are left: ask the issuer to unblock the PIN"
    static let upkeepClosed =
        "wrong codes closed the issuer's own commands (PIN unblock and reload, block) for good; payments go on"
    static let numbersUsedUp = "a transaction number is used up: ask the issuer for a new card"

    static func validity(_ validity: CardValidity, _ file: PublicApplicationFile) -> String? {
        switch validity {
        case .valid: nil
        case .notYet: "wait until \(file.validFrom), or ask the issuer"
        case .expired: "the card was valid to \(file.validTo): ask the issuer for a new card"
        case .unknown: "set this computer's clock to see whether the card is valid today"
        }
    }
}

/// Lines of a name and what belongs to it.
struct WordTable {
    private(set) var lines: [String] = []
    private static let width = 13

    mutating func add(_ name: String, _ text: String) {
        lines.append(name + String(repeating: " ", count: max(1, Self.width - name.utf8.count)) + text)
    }

    /// Belongs to the line before.
    mutating func add(_ text: String) { add("", text) }
}
