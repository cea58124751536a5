import Dispenser
package import FuelPassbook
import GRDB
import ISO7816
import SecurityModule

// How a journal stands to its mark, and a technician's word on it (spec/grey-lock.md, D32; decision record 0018).

/// What a journal holds of its own numbers.
struct Numbering: Equatable, Sendable {
    /// 32 upper-case hexadecimal digits, made at random with the journal.
    var identity: String
    /// The highest number that was reserved.
    var reserved: UInt32
    /// Commits so far, checkpoints not counted.
    var commits: Int64
    /// The mark has been made.
    var isMarked: Bool

    var mark: HighWaterMark.Content {
        HighWaterMark.Content(identity: identity, highest: reserved, commits: commits)
    }

    static func isIdentity(_ text: String) -> Bool {
        text.utf8.count == 32
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || (UInt8(ascii: "A")...UInt8(ascii: "F")).contains(byte)
            }
    }
}

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

    init(_ numbering: Numbering, _ mark: HighWaterMark.Reading) {
        switch mark {
        case .missing: self = numbering.isMarked ? .markMissing : .notMarked
        case .unreadable(let reason): self = .markUnreadable(reason)
        case .content(let mark):
            if mark.identity != numbering.identity {
                self = .markForeign(left: mark.highest)
            } else if mark.highest > numbering.reserved || mark.commits > numbering.commits {
                self = .behind(
                    highest: numbering.reserved,
                    left: mark.highest,
                    commitsMissing: max(0, mark.commits - numbering.commits)
                )
            } else {
                self = .upToDate
            }
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
    /// How the journal stood: "behind", "mark missing", "mark unreadable" or "mark foreign".
    package let standing: String
    /// The journal's last number until then.
    package let reserved: UInt32
    /// The number after which it goes on.
    package let after: UInt32

    init(_ row: StoredRow) throws(StorageFault) {
        time = try row.optional("accepted") { column throws(StorageFault) in try row.time(column) }
        reason = try row.text("reason")
        standing = try row.text("standing")
        reserved = try row.integer("reserved")
        after = try row.integer("after_ttc")
    }
}

extension Database {
    func numbering() throws -> Numbering {
        guard let row = try rows(of: .numbering, "WHERE journal = 1").first else {
            throw StorageFault(operation: "read the numbers", reason: "table numbering is empty")
        }
        let identity = try row.text("identity")
        guard Numbering.isIdentity(identity) else {
            throw row.fault("identity", "is not 32 upper-case hexadecimal digits")
        }
        return Numbering(
            identity: identity,
            reserved: try row.integer("reserved"),
            commits: try row.count("commits"),
            isMarked: try row.flag("is_marked")
        )
    }

    /// With the count of commits that the coded state keeps: the one beside the numbers is under no code.
    ///
    /// - Parameter unknown: the count where the state is not believed, which closes the positions anyway.
    func numbering(sealedBy key: JournalKey?, unknown: Int64 = 0) throws -> Numbering {
        var numbering = try numbering()
        numbering.commits = try key.flatMap { try journalState($0)?.commits } ?? unknown
        return numbering
    }

    func replace(_ numbering: Numbering) throws {
        var row = RowValues()
        row.set("journal", 1)
        row.set("identity", numbering.identity)
        row.set("reserved", numbering.reserved)
        row.set("commits", numbering.commits)
        row.set("is_marked", numbering.isMarked)
        try put(row, in: .numbering)
    }

    /// The next number is the journal's from now on. A row that is not believed keeps its number.
    ///
    /// - Parameter known: the highest number that the journal's coded state knows.
    func reserve(after known: UInt32) throws -> Numbering {
        var numbering = try numbering()
        let last = max(try lastTTC(), numbering.reserved, known)
        guard last < .max else { throw StorageFault(operation: "reserve a TTC", reason: "no TTC follows \(last)") }
        numbering.reserved = last + 1
        numbering.commits += 1
        try replace(numbering)
        return numbering
    }

    /// The highest number of any row that can be one; 0 without any.
    func lastTTC() throws -> UInt32 {
        let last = try numbers("SELECT max(ttc) FROM sale WHERE ttc BETWEEN 1 AND 4294967295").first
        return UInt32(exactly: last.flatMap(\.self) ?? 0) ?? 0
    }

    func countCommit() throws {
        try cachedStatement(sql: "UPDATE numbering SET commits = commits + 1 WHERE journal = 1").execute()
    }

    func accept(_ standing: JournalStanding, reason: String, time: TransactionTime?) throws -> Numbering {
        var numbering = try numbering()
        let before = numbering
        numbering.reserved = standing.accepted(after: max(before.reserved, try lastTTC()))
        // A copy that is accepted is another journal from here on: its mark refuses every other copy.
        numbering.identity = try String.fetchOne(self, sql: "SELECT hex(randomblob(16))") ?? before.identity
        numbering.commits += 1
        numbering.isMarked = true
        try replace(numbering)
        var row = RowValues()
        let number = try Int64.fetchOne(self, sql: "SELECT coalesce(max(number), 0) + 1 FROM journal_acceptance") ?? 1
        row.set("number", number)
        row.set(hex: "accepted", time)
        row.set("reason", reason)
        row.set("standing", standing.word)
        row.set("reserved", before.reserved)
        row.set("after_ttc", numbering.reserved)
        try put(row, in: .acceptance)
        return numbering
    }
}

extension Database {
    /// Inserts a row of a table without codes, or replaces the one with its key.
    func put(_ row: RowValues, in table: JournalTable) throws {
        try cachedStatement(sql: table.replacement(of: row.columns)).execute(arguments: StatementArguments(row.values))
        guard changesCount == 1 else {
            throw StorageFault(
                operation: "commit",
                reason: "\(table.keyName) \(row.values[0]) belongs to another record of table \(table.name)"
            )
        }
    }
}
