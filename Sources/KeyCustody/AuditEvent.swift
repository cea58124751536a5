import ISO7816
import Quantities

/// What custodians did to a terminal's keys.
package enum AuditEvent: Equatable, Sendable {
    case loaded(HeldKeyName, checkValue: [UInt8], HeldKey.Origin)
    /// - Parameter from: seconds of UTC since 1970.
    case activated(HeldKeyName, from: Int64)
    case retired(HeldKeyName)
    case erased(HeldKeyName)
    /// From the store into the token.
    case moved(HeldKeyName)
    /// A ceremony that a custodian ended, because the seal of his envelope was broken: nothing was changed.
    case refused
    /// On tamper, or on somebody's word: what opens the store, and the store.
    case allErased
    /// Under another storage key.
    case rewrapped
    /// All changes up to this one are in the store.
    case stored
}

/// What is said of an event besides: who was there, and why.
package struct AuditFact: Equatable, Sendable {
    /// Lower-case letters.
    package let name: String
    /// As it was typed.
    package let value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

extension AuditFact {
    package static func reason(_ text: String) -> AuditFact { AuditFact("reason", text) }

    /// Who did it, where no custodian typed a component.
    package static func person(_ name: String) -> AuditFact { AuditFact("name", name) }

    /// Whose sheets may have been seen.
    package static func brokenSeal(_ custodian: Custodian) -> [AuditFact] { facts(of: custodian, seal: "broken") }

    /// Who typed the components, and out of which envelopes: all said that the seal was unbroken, or there is no key.
    package static func custodians(_ custodians: [Custodian]) -> [AuditFact] {
        custodians.flatMap { facts(of: $0, seal: "unbroken") }
    }

    private static func facts(of custodian: Custodian, seal: String) -> [AuditFact] {
        [
            AuditFact("custodian", custodian.name), AuditFact("envelope", custodian.envelope),
            AuditFact("seal", seal),
        ]
    }
}

extension AuditEvent {
    static let erasedAction = "erase"

    /// One word.
    var action: String {
        switch self {
        case .loaded: "load"
        case .activated: "activate"
        case .retired: "retire"
        case .erased: Self.erasedAction
        case .moved: "into-token"
        case .refused: "refuse"
        case .allErased: "erase-all"
        case .rewrapped: "rewrap"
        case .stored: "stored"
        }
    }

    var facts: [AuditFact] {
        switch self {
        case .loaded(let name, let checkValue, let origin):
            [
                AuditFact("key", name.words), AuditFact("check", Hex.string(checkValue)),
                AuditFact("from", origin.name),
            ]
        case .activated(let name, let from): [AuditFact("key", name.words), AuditFact("since", Self.text(from))]
        case .retired(let name), .erased(let name), .moved(let name): [AuditFact("key", name.words)]
        case .refused, .allErased, .rewrapped, .stored: []
        }
    }

    private static func text(_ utcSeconds: Int64) -> String {
        Hex.string(TransactionTime(utc: utcSeconds).bytes)
    }
}

/// An event that a store's next writing puts into the audit log.
package struct PendingEvent: Equatable, Sendable {
    package let event: AuditEvent
    package let facts: [AuditFact]
    /// Seconds of UTC since 1970.
    package let time: Int64
    /// That the event makes.
    package let change: StoreNumber
}
