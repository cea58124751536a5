package import Dispenser
package import FuelPassbook

// How a journal stands to its mark, and a technician's word on it (spec/grey-lock.md, D32; decision record 0018).

/// Whether a service may sell on the journal.
package enum JournalStanding: Equatable, Sendable {
    case upToDate
    /// There was none yet.
    case notMarked
    /// An older copy: numbers up to `left` have been used, or records were written since.
    case behind(highest: UInt32, left: UInt32, commitsMissing: Int64)
    case markMissing
    case markUnreadable(String)
    /// The mark belongs to another journal, whose numbers up to `left` have been used.
    case markForeign(left: UInt32)
    /// The journal's own row of its numbers is not believed. `left` is what the mark says; nil where it says nothing.
    case numbersDamaged(DamagedRow, left: UInt32?)

    /// - Parameter commits: nil where the journal's state is not believed: then they are not compared.
    init(_ numbering: Numbering, commits: Int64?, _ mark: HighWaterMark.Reading) {
        switch mark {
        case .missing: self = numbering.isMarked ? .markMissing : .notMarked
        case .unreadable(let reason): self = .markUnreadable(reason)
        case .content(let mark):
            if mark.identity != numbering.identity {
                self = .markForeign(left: mark.highest)
            } else if mark.highest > numbering.reserved || mark.commits > commits ?? .max {
                self = .behind(
                    highest: numbering.reserved,
                    left: mark.highest,
                    commitsMissing: max(0, mark.commits - (commits ?? .max))
                )
            } else {
                self = .upToDate
            }
        }
    }

    init(damaged row: DamagedRow, _ mark: HighWaterMark.Reading) {
        switch mark {
        case .content(let mark): self = .numbersDamaged(row, left: mark.highest)
        case .missing, .unreadable: self = .numbersDamaged(row, left: nil)
        }
    }

    /// What has begun is finished, but no number is given.
    var isOpened: Bool {
        switch self {
        case .upToDate, .notMarked, .numbersDamaged: true
        case .behind, .markMissing, .markUnreadable, .markForeign: false
        }
    }

    /// What happened, in words; nil when the journal may be used.
    package var refusal: String? {
        switch self {
        case .upToDate, .notMarked: nil
        case .behind(let highest, let left, let missing):
            "the journal is an older copy: its last number is \(highest), but \(left) has been given"
                + (missing > 0 ? ", and \(missing) later writes are not in it" : "")
                + ". Put the newest journal in its place"
        case .markMissing:
            "the journal's mark is missing, so that nobody knows whether this is its newest copy. Bring its medium back"
        case .markUnreadable(let reason): "the journal's mark cannot be read (\(reason)). Bring it back"
        case .markForeign(let left):
            "the mark belongs to another journal, which gave the numbers up to \(left): this one was put in its place. "
                + "Put the right journal or the right mark in place"
        case .numbersDamaged(let row, _): "which numbers were given is not believed (\(row)). No other is given"
        }
    }

    /// The short name that an acceptance is recorded with.
    var word: String {
        switch self {
        case .upToDate: "up to date"
        case .notMarked: "not marked"
        case .behind: "behind"
        case .markMissing: "mark missing"
        case .markUnreadable: "mark unreadable"
        case .markForeign: "mark foreign"
        case .numbersDamaged: "numbers damaged"
        }
    }

    /// Numbers that may have been used and that nobody knows of are left out, as many as a busy side uses in some weeks.
    static let numbersLeftOut: UInt32 = 10_000

    /// The number after which an accepted journal goes on.
    func accepted(after reserved: UInt32) -> UInt32 {
        let known: UInt32
        let isKnown: Bool
        switch self {
        case .upToDate, .notMarked: (known, isKnown) = (reserved, true)
        case .behind(_, let left, _): (known, isKnown) = (left, true)
        case .markMissing, .markUnreadable: (known, isKnown) = (reserved, false)
        case .markForeign(let left): (known, isKnown) = (left, false)
        case .numbersDamaged(_, let left): (known, isKnown) = (left ?? reserved, false)
        }
        let last = max(reserved, known)
        guard !isKnown else { return last }
        return last > .max - Self.numbersLeftOut ? .max : last + Self.numbersLeftOut
    }
}

/// A technician's word that a journal is to be used although it did not stand well to its mark.
package struct JournalAcceptance: Equatable, Sendable {
    package static let reasonCharactersMax = 200

    /// nil when the clock was not set.
    package let time: TransactionTime?
    package let reason: String
    /// How the journal stood: "behind", "mark missing", "mark unreadable", "mark foreign" or "numbers damaged".
    package let standing: String
    /// The journal's last number until then.
    package let reserved: UInt32
    /// The number after which it goes on.
    package let after: UInt32
}

extension JournalAcceptance {
    init(_ row: StoredRow) throws(StorageFault) {
        time = try row.optional("accepted") { column throws(StorageFault) in try row.time(column) }
        reason = try row.text("reason")
        standing = try row.text("standing")
        reserved = try row.integer("reserved")
        after = try row.integer("after_ttc")
    }
}
