import CardCryptography
import Console
import FuelPassbook
import ISO7816
import KeyCustody
import KeyFiles
import Quantities
import Station
import Threads

// What the tools of a terminal's keys print with --json: one object, keys sorted, times by UTC as "2026-11-26 15:40:00". Its fields
// are what each tool's help lists; what does not apply is left out.

struct HeldKeyReport: Encodable {
    let name: String
    let usage: String
    let index: UInt8
    let version: UInt8
    let cipher: String
    let checkValue: String
    let state: String
    let origin: String
    let made: String
    let loaded: String
    let sellsFrom: String?
    let retired: String?

    /// - Parameter now: nil where the clock was never set: nothing sells then.
    init(_ key: HeldKey, at now: Int64?) {
        name = key.name.words
        usage = key.name.usage.name
        index = key.name.reference.index.number
        version = key.name.reference.version.number
        cipher = key.cipher == .aes ? "AES" : "TDES"
        checkValue = Hex.string(key.checkValue())
        state = key.name.usage == .purchaseMaster ? key.dates.state(at: now).name : HeldKey.State.active.name
        origin = key.origin.name
        made = "\(key.made)"
        loaded = "\(TransactionTime(utc: key.dates.loaded))"
        sellsFrom = key.name.usage == .purchaseMaster ? Self.time(key.dates.activeFrom) : nil
        retired = Self.time(key.dates.retired)
    }

    private static func time(_ seconds: Int64?) -> String? {
        guard let seconds else { return nil }
        return "\(TransactionTime(utc: seconds))"
    }

    /// All that are held.
    static func all(of keys: TerminalKeys, at now: Int64?) -> [HeldKeyReport] {
        var reports: [HeldKeyReport] = []
        for key in keys.keys { reports.append(HeldKeyReport(key, at: now)) }
        return reports
    }
}

/// Of `list`.
struct KeyListReport: Encodable {
    struct Erased: Encodable {
        let name: String
        let made: String
        let erased: String
    }

    let terminal: String
    let store: String
    let change: UInt32
    /// What protects what, and what of it is missing.
    let protection: [String]
    let keys: [HeldKeyReport]
    let erased: [Erased]

    init(_ keys: TerminalKeys, in store: TerminalKeyStore, _ protection: [String], at now: Int64?) {
        terminal = "\(keys.terminal)"
        self.store = store.path
        change = keys.number.change
        self.protection = protection
        self.keys = HeldKeyReport.all(of: keys, at: now)
        var erased: [Erased] = []
        for key in keys.erased {
            erased.append(
                Erased(name: key.name.words, made: "\(key.made)", erased: "\(TransactionTime(utc: key.erased))")
            )
        }
        self.erased = erased
    }
}

/// Of `load`, `activate`, `retire` and `erase`: what was changed, as it is now.
struct KeyChangeReport: Encodable {
    let terminal: String
    let change: UInt32
    let keys: [HeldKeyReport]
    let erased: String?
    let warnings: [String]?

    init(
        _ keys: TerminalKeys,
        _ names: [HeldKeyName],
        at now: Int64,
        erased: HeldKeyName? = nil,
        warnings: [String] = []
    ) {
        terminal = "\(keys.terminal)"
        change = keys.number.change
        var reports: [HeldKeyReport] = []
        for name in names {
            if let key = keys[name] { reports.append(HeldKeyReport(key, at: now)) }
        }
        self.keys = reports
        self.erased = erased?.words
        self.warnings = warnings.isEmpty ? nil : warnings
    }
}

/// Of `rewrap`.
struct KeyRewrapReport: Encodable {
    let terminal: String
    let store: String
    let change: UInt32
    let opensWith: String
    let wasAlready: Bool
}

/// Of `verify`.
struct SheetReport: Encodable {
    let right: Bool
    let checkValue: String
    let wrongGroups: [Int]
}

/// Of `receipt`.
struct KeyReceiptReport: Encodable {
    let terminal: String
    let change: UInt32
    let keys: [HeldKeyReport]
    let text: String
    let code: String
}

/// Of `receipt --check`.
struct KeyReceiptCheck: Encodable {
    let terminal: String
    let authentic: Bool
    let lines: [String]
}

/// Of `erase --all`: what became of each place, in the order in which they were destroyed.
struct EmergencyErasureReport: Encodable {
    let terminal: String
    let complete: Bool
    let lines: [String]
}
