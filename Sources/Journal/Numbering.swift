import CardCryptography
package import Dispenser
package import FuelPassbook
import GRDB
import ISO7816
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

    static func isIdentity(_ text: String) -> Bool {
        text.utf8.count == 32
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || (UInt8(ascii: "A")...UInt8(ascii: "F")).contains(byte)
            }
    }
}

extension Numbering {
    init(_ row: StoredRow) throws(StorageFault) {
        identity = try row.text("identity")
        guard Self.isIdentity(identity) else { throw row.fault("identity", "is not 32 upper-case hexadecimal digits") }
        reserved = try row.integer("reserved")
        isMarked = try row.flag("is_marked")
    }
}

extension RowValues {
    fileprivate init(_ numbering: Numbering) {
        self.init()
        set("journal", Numbering.key)
        set("identity", numbering.identity)
        set("reserved", numbering.reserved)
        set("is_marked", numbering.isMarked)
    }

    fileprivate init(_ acceptance: JournalAcceptance, number: Int64) {
        self.init()
        set("number", number)
        set(hex: "accepted", acceptance.time)
        set("reason", acceptance.reason)
        set("standing", acceptance.standing)
        set("reserved", acceptance.reserved)
        set("after_ttc", acceptance.after)
    }
}

extension SQLiteJournal {
    package func reserveTTC() throws(StorageFault) -> TTC {
        try marking.withLock { _ throws(StorageFault) in
            var reserved: UInt32 = 0
            do throws(StorageFault) {
                try commitRows("reserve a TTC") { reserved = try $0.reserve() }
            } catch {
                guard let row = error.row else { throw error }
                throw StorageFault(noNumber: "\(row): greylock position \(PositionLock.Remedy(row).flag)")
            }
            try highWater.write(try markContent())
            return TTC(reserved)
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

    /// What the mark says from now on. Where the journal's state is not believed, the mark's own count stays.
    private func markContent() throws(StorageFault) -> HighWaterMark.Content {
        let belief = try believing()
        let (numbering, commits) = try queue.view("read the numbers") { db in
            (try db.numbering(belief), try db.commits(belief))
        }
        return HighWaterMark.Content(
            identity: numbering.identity,
            highest: numbering.reserved,
            commits: commits ?? highWater.commits
        )
    }

    /// - Parameter acceptance: a technician's word; nil to refuse a journal that is not known to be the newest.
    func takeUp(_ acceptance: (reason: String, time: TransactionTime?)?) throws(StorageFault) {
        let belief = try believing()
        let mark = highWater.read()
        let (standing, numbering) = try queue.view("open") { try $0.standing(belief, mark) }
        if let acceptance {
            guard standing.refusal != nil else {
                throw StorageFault(
                    operation: "accept the journal",
                    reason: "it is up to date: nothing is to be accepted"
                )
            }
            try commitRows("accept the journal") { try $0.accept(standing, acceptance.reason, acceptance.time) }
            return try highWater.create(try markContent())
        }
        if let refusal = standing.refusal, !standing.isOpened {
            throw StorageFault(
                operation: "open",
                reason: "\(refusal), or accept this one: greylock position --accept-journal \"REASON\""
            )
        }
        guard var numbering else { return }
        if standing == .notMarked { try highWater.create(try markContent()) }
        guard !numbering.isMarked else { return }
        numbering.isMarked = true
        try commitRows("open") { try $0.replace(RowValues(numbering), in: .numbering) }
    }
}

extension RowWriter {
    /// The next number is the journal's from now on. A row that is not believed keeps its number.
    fileprivate mutating func reserve() throws -> UInt32 {
        var numbering = try db.numbering(belief)
        var last = max(numbering.reserved, try db.lastTTC(belief, state))
        while last < .max, try db.numbers("SELECT ttc FROM sale WHERE ttc = ?", [last + 1]) != [] { last += 1 }
        guard last < .max else { throw StorageFault(noNumber: "no TTC follows \(last)") }
        numbering.reserved = last + 1
        try replace(RowValues(numbering), in: .numbering)
        return numbering.reserved
    }

    /// A copy that is accepted is another journal from here on: its mark refuses every other copy.
    /// It needs the key of the codes: where that is gone, the rows are accepted first.
    fileprivate mutating func accept(_ standing: JournalStanding, _ reason: String, _ time: TransactionTime?) throws {
        let before: Numbering? =
            switch standing {
            case .numbersDamaged: nil
            case .upToDate, .notMarked, .behind, .markMissing, .markUnreadable, .markForeign: try db.numbering(belief)
            }
        let last = max(before?.reserved ?? 0, try db.lastTTC(belief, state))
        let numbering = Numbering(
            identity: Hex.string(SystemRandom().bytes(16)),
            reserved: standing.accepted(after: last),
            isMarked: true
        )
        let acceptance = JournalAcceptance(
            time: time,
            reason: reason,
            standing: standing.word,
            reserved: last,
            after: numbering.reserved
        )
        try replace(RowValues(numbering), in: .numbering)
        try replace(RowValues(acceptance, number: try db.nextKey(of: .acceptance)), in: .acceptance)
    }
}

extension Database {
    /// - Throws: `StorageFault` with the row when it is not believed.
    func numbering(_ belief: Belief) throws -> Numbering {
        let numbering = try believed(.numbering, Numbering.key, belief, Numbering.init)
        guard let numbering else { throw JournalTable.numbering.fault(Numbering.key, "the row was removed") }
        return numbering
    }

    /// How the journal stands to its mark, and its numbering where that is believed.
    func standing(_ belief: Belief, _ mark: HighWaterMark.Reading) throws -> (JournalStanding, Numbering?) {
        do {
            let numbering = try numbering(belief)
            return (JournalStanding(numbering, commits: try commits(belief), mark), numbering)
        } catch let fault as StorageFault {
            guard let row = fault.row else { throw fault }
            return (JournalStanding(damaged: row, mark), nil)
        }
    }

    /// nil where the journal's state is not believed.
    fileprivate func commits(_ belief: Belief) throws -> Int64? {
        try belief.key.flatMap { try journalState($0)?.commits }
    }

    /// The highest number that a believed record has; 0 without any.
    fileprivate func lastTTC(_ belief: Belief, _ state: JournalState?) throws -> UInt32 {
        if let state { return state.lastTTC }
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
