import CardCryptography
import FuelPassbook
import ISO7816
import Quantities
package import Records
import SQLite
import Synchronization

// The numbers that were given (spec/grey-lock.md, D32; decision record 0018): a row in the journal, and the mark outside
// of it.

/// What a journal holds of its own numbers.
struct Numbering: Equatable, Sendable {
    /// 32 upper-case hexadecimal digits, made at random with the journal.
    var identity: String
    /// The highest number that was reserved.
    var reserved: UInt32
    /// The mark has been made.
    var isMarked: Bool

    static let key: Int64 = 1
    /// The last number that is given.
    static let last = UInt32.max - 1

    static func isIdentity(_ text: String) -> Bool {
        text.utf8.count == 32
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || (UInt8(ascii: "A")...UInt8(ascii: "F")).contains(byte)
            }
    }
}

extension SQLiteJournal {
    /// Whether a number was never given here: whoever names it means another journal.
    package func isBeyondItsNumbers(_ number: UInt32) throws(StorageFault) -> Bool {
        let belief = try believing()
        return try connection.view("read the numbers") { db in
            let state = try belief.key.flatMap { try db.journalState($0) }
            guard try number > db.lastNumber(belief, state) else { return false }
            do { return try number > db.numbering(belief).reserved } catch let fault as StorageFault {
                guard fault.row != nil else { throw fault }
                return false
            }
        }
    }

    package func reserve() throws(StorageFault) -> RecordNumber {
        try marking.withLock { _ throws(StorageFault) in
            var reserved: UInt32 = 0
            do throws(StorageFault) {
                try commitRows("reserve a number") { reserved = try $0.reserve() }
            } catch {
                guard let row = error.row else { throw error }
                throw StorageFault(noNumber: "\(row): greylock position \(SideLock.Remedy(row).flag)")
            }
            let content = try markContent()
            do throws(StorageFault) { try highWater.write(content) } catch {
                throw StorageFault(noNumber: "\(error.operation): \(error.reason)")
            }
            return RecordNumber(reserved)
        }
    }

    /// What ends a record also goes to the mark, so that a copy from before is known for one.
    func markEnd() {
        marking.withLock { _ in
            do throws(StorageFault) {
                try highWater.write(try markContent())
            } catch {
                // The entry is on disk, and an older mark is a true one. The next reservation needs the mark, and says why
                // it cannot be written.
            }
        }
    }

    /// What the mark says from now on. Of what the journal is not believed, the mark's own stays.
    private func markContent() throws(StorageFault) -> HighWaterMark.Content {
        let belief = try believing()
        let marked = highWater.content
        return try connection.view("read the numbers") { db in
            let commits = max(try db.commits(belief) ?? 0, marked?.commits ?? 0)
            do {
                let numbering = try db.numbering(belief)
                return HighWaterMark.Content(
                    identity: numbering.identity,
                    highest: numbering.reserved,
                    commits: commits
                )
            } catch let fault as StorageFault {
                guard fault.row != nil, let marked else { throw fault }
                return HighWaterMark.Content(identity: marked.identity, highest: marked.highest, commits: commits)
            }
        }
    }

    /// - Throws: `StorageFault` when the journal is not known to be the newest.
    func takeUp() throws(StorageFault) {
        let belief = try believing()
        let mark = highWater.read()
        let (standing, numbering) = try connection.view("open") { try $0.standing(belief, mark) }
        if let refusal = standing.refusal, !standing.isOpened {
            throw StorageFault(
                operation: "open",
                reason: "\(refusal), or accept this one: greylock position --accept-journal \"REASON\""
            )
        }
        guard var numbering else { return }
        if standing.copy == .notMarked { try highWater.create(try markContent()) }
        guard !numbering.isMarked else { return }
        numbering.isMarked = true
        try commitRows("open") { try $0.replace(numbering) }
    }

    /// Takes the journal up on a technician's word.
    ///
    /// - Returns: the number after which it goes on.
    func accept(_ reason: String, _ time: TransactionTime?) throws(StorageFault) -> RecordNumber {
        let belief = try believing()
        let mark = highWater.read()
        let (standing, _) = try connection.view("open") { try $0.standing(belief, mark) }
        guard standing.refusal != nil else {
            throw Self.notAccepted("it is up to date: nothing is to be accepted")
        }
        try highWater.requireReplaceable()
        let marked = highWater.content?.commits ?? 0
        guard marked < JournalState.commitsEnd / 2 else {
            throw Self.notAccepted(
                "its mark \(highWater.path) counts \(marked) writes, which no journal has: remove it, then accept"
            )
        }
        var content: HighWaterMark.Content?
        try commitAccepted("accept the journal", after: marked) { writer in
            guard let numbering = try writer.accept(standing, reason, time) else {
                throw Self.notAccepted(
                    "no number would be left. If the mark \(highWater.path) is wrong, remove it, then accept; "
                        + "else give the terminal another id and a new journal"
                )
            }
            content = HighWaterMark.Content(identity: numbering.identity, highest: numbering.reserved, commits: 0)
        } written: { commits in
            content?.commits = commits
        }
        guard let content else { preconditionFailure("made in the transaction") }
        try highWater.create(content)
        return RecordNumber(content.highest)
    }

    private static func notAccepted(_ reason: String) -> StorageFault {
        StorageFault(operation: "accept the journal", reason: reason)
    }
}

extension RowWriter {
    /// The next number is the journal's from now on. A row that is not believed keeps its number.
    fileprivate mutating func reserve() throws -> UInt32 {
        var numbering = try db.numbering(belief)
        var last = max(numbering.reserved, try db.lastNumber(belief, state))
        while last < Numbering.last, try db.numbers("SELECT ttc FROM sale WHERE ttc = ?", [ColumnValue(last + 1)]) != []
        {
            last += 1
        }
        guard last < Numbering.last else { throw StorageFault(noNumber: "no number follows \(last)") }
        numbering.reserved = last + 1
        try replace(numbering)
        return numbering.reserved
    }

    /// A copy that is accepted is another journal from here on: its mark refuses every other copy.
    ///
    /// - Returns: the numbering that was written; nil when no number would follow.
    fileprivate mutating func accept(
        _ standing: JournalStanding,
        _ reason: String,
        _ time: TransactionTime?
    ) throws -> Numbering? {
        let before = standing.damagedNumbers == nil ? try db.numbering(belief).reserved : 0
        let last = max(before, try db.lastNumber(belief, state))
        guard let after = standing.accepted(after: last) else { return nil }
        let numbering = Numbering(identity: Hex.string(SystemRandom().bytes(16)), reserved: after, isMarked: true)
        let acceptance = JournalAcceptance(
            number: try db.nextKey(of: .acceptance),
            time: time,
            reason: reason,
            standing: standing.word,
            reserved: last,
            after: after
        )
        try replace(numbering)
        try replace(acceptance)
        return numbering
    }
}

extension Database {
    /// - Throws: `StorageFault` with the row when it is not believed.
    func numbering(_ belief: Belief) throws -> Numbering {
        let numbering = try believed(Numbering.self, Numbering.key, belief)
        guard let numbering else { throw JournalTable.numbering.fault(Numbering.key, "the row was removed") }
        return numbering
    }

    /// How the journal stands to its mark, and its numbering where that is believed.
    func standing(_ belief: Belief, _ mark: HighWaterMark.Reading) throws -> (JournalStanding, Numbering?) {
        let commits = try commits(belief)
        do {
            let numbering = try numbering(belief)
            return (JournalStanding(JournalStanding.Copy(numbering, commits: commits, mark)), numbering)
        } catch let fault as StorageFault {
            guard let row = fault.row else { throw fault }
            return (JournalStanding(JournalStanding.Copy(nil, commits: commits, mark), damagedNumbers: row), nil)
        }
    }

    /// nil where the journal's state is not believed, or without a key cannot be read.
    fileprivate func commits(_ belief: Belief) throws -> Int64? {
        if let key = belief.key { return try journalState(key)?.commits }
        return belief.showsUnjudged ? try unjudgedCommits() : nil
    }

    /// The highest number that a believed record has; 0 without any.
    fileprivate func lastNumber(_ belief: Belief, _ state: JournalState?) throws -> UInt32 {
        if let state { return state.lastNumber }
        let highest = "WHERE ttc BETWEEN 1 AND 4294967295 ORDER BY ttc DESC"
        let last = try firstBelieved(of: .sale, highest, [], belief)?.rowKey
        return last.flatMap { UInt32(exactly: $0) } ?? 0
    }

    /// One after the highest that counts up; a row that is not believed keeps its own.
    func nextKey(of table: JournalTable) throws -> Int64 {
        let sql = "SELECT max(\(table.key)) FROM \(table.name) WHERE \(table.key) BETWEEN 0 AND 1 << 60"
        return 1 + (try numbers(sql).first.flatMap(\.self) ?? 0)
    }
}
