import FuelPassbook
package import Quantities
package import Records

// How a journal stands to its mark, and a technician's word on it (spec/grey-lock.md, D32; decision record 0018).

/// Whether a service may sell on the journal.
package struct JournalStanding: Equatable, Sendable {
    /// Whether the file is the journal's newest.
    package enum Copy: Equatable, Sendable {
        case upToDate
        /// There was no mark yet.
        case notMarked
        /// An older copy: numbers up to `left` have been used, or records were written since. `highest` is nil where the
        /// journal's own numbers are not believed.
        case behind(highest: UInt32?, left: UInt32, commitsMissing: Int64)
        /// The journal's state is not believed, and so nobody knows how many writes are in it. `left` is what the mark says.
        case uncounted(left: UInt32?)
        case markMissing
        case markUnreadable(String)
        /// The mark belongs to another journal, whose numbers up to `left` have been used.
        case markForeign(left: UInt32)
    }

    package let copy: Copy
    /// The journal's own row of its numbers, where it is not believed.
    package let damagedNumbers: DamagedRow?

    package init(_ copy: Copy, damagedNumbers: DamagedRow? = nil) {
        self.copy = copy
        self.damagedNumbers = damagedNumbers
    }

    /// What has begun is finished; without the row of its numbers none is given.
    var isOpened: Bool {
        switch copy {
        case .upToDate, .notMarked: true
        case .behind, .uncounted, .markMissing, .markUnreadable, .markForeign: false
        }
    }

    /// What happened, in words; nil when the journal may be used.
    package var refusal: String? {
        guard let damagedNumbers else { return copy.refusal }
        let numbers = "which numbers were given is not believed (\(damagedNumbers))"
        return copy.refusal.map { "\(numbers), and \($0)" } ?? "\(numbers). No other is given"
    }

    /// The short name that an acceptance is recorded with.
    var word: String {
        guard damagedNumbers != nil else { return copy.word }
        return isOpened ? "numbers damaged" : "\(copy.word), numbers damaged"
    }

    /// Numbers that may have been used and that nobody knows of are left out, as many as a busy side uses in years.
    static let numbersLeftOut: UInt32 = 1_000_000

    /// The number after which an accepted journal goes on; nil when no other would follow.
    func accepted(after reserved: UInt32) -> UInt32? {
        let known: UInt32
        let isKnown: Bool
        switch copy {
        case .upToDate, .notMarked: (known, isKnown) = (reserved, true)
        case .behind(_, let left, _): (known, isKnown) = (left, true)
        case .markMissing, .markUnreadable: (known, isKnown) = (reserved, false)
        case .markForeign(let left): (known, isKnown) = (left, false)
        case .uncounted(let left): (known, isKnown) = (left ?? reserved, false)
        }
        let leftOut = isKnown && damagedNumbers == nil ? 0 : Self.numbersLeftOut
        let (last, hasEnded) = max(reserved, known).addingReportingOverflow(leftOut)
        return hasEnded || last >= Numbering.last ? nil : last
    }
}

extension JournalStanding.Copy {
    /// - Parameters:
    ///   - numbering: nil where it is not believed: then only the writes are compared.
    ///   - commits: nil where the journal's state is not believed.
    init(_ numbering: Numbering?, commits: Int64?, _ mark: HighWaterMark.Reading) {
        switch mark {
        case .missing where numbering?.isMarked ?? true: self = .markMissing
        case .missing: self = commits == nil ? .uncounted(left: nil) : .notMarked
        case .unreadable(let reason): self = .markUnreadable(reason)
        case .content(let mark):
            if let numbering, mark.identity != numbering.identity {
                self = .markForeign(left: mark.highest)
            } else if let commits {
                let missing = max(0, mark.commits - commits)
                let isBehind = missing > 0 || mark.highest > numbering?.reserved ?? .max
                self =
                    isBehind
                    ? .behind(highest: numbering?.reserved, left: mark.highest, commitsMissing: missing) : .upToDate
            } else {
                self = .uncounted(left: mark.highest)
            }
        }
    }

    fileprivate var refusal: String? {
        switch self {
        case .upToDate, .notMarked: nil
        case .behind(let highest, let left, let missing):
            "the journal is an older copy: "
                + [
                    highest.flatMap { $0 < left ? "its last number is \($0), but \(left) has been given" : nil },
                    missing > 0 ? "\(missing) later writes are not in it" : nil,
                ].compactMap(\.self).joined(separator: ", and ")
                + ". Put the newest journal in its place"
        case .uncounted:
            "how many writes are in the journal is not believed (table journal_state), so that nobody knows whether this "
                + "is its newest copy. Put the newest journal in its place"
        case .markMissing:
            "the journal's mark is missing, so that nobody knows whether this is its newest copy. Bring its medium back"
        case .markUnreadable(let reason): "the journal's mark cannot be read (\(reason)). Bring it back"
        case .markForeign(let left):
            "the mark belongs to another journal, which gave the numbers up to \(left): this one was put in its place. "
                + "Put the right journal or the right mark in place"
        }
    }

    fileprivate var word: String {
        switch self {
        case .upToDate: "up to date"
        case .notMarked: "not marked"
        case .behind(_, _, let missing): missing > 0 ? "behind, \(missing) writes missing" : "behind"
        case .uncounted: "writes unknown"
        case .markMissing: "mark missing"
        case .markUnreadable: "mark unreadable"
        case .markForeign: "mark foreign"
        }
    }
}

/// A technician's word that a journal is to be used although it did not stand well to its mark.
package struct JournalAcceptance: Equatable, Sendable {
    package static let reasonCharactersMax = 200

    /// From 1 on.
    let number: Int64
    /// nil when the clock was not set.
    package let time: TransactionTime?
    package let reason: String
    /// How the journal stood: "behind" and how many writes were missing, "writes unknown", "mark missing",
    /// "mark unreadable" or "mark foreign", and "numbers damaged" alone or after it.
    package let standing: String
    /// The journal's last number until then.
    package let reserved: UInt32
    /// The number after which it goes on.
    package let after: UInt32
}
