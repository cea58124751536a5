import CardCryptography
import FuelPassbook
import Records
import SecurityModule
import Testing

@testable import Journal

/// The sealed state of a journal, as each version wrote it.
struct JournalStateTests {
    private static let reference = KeyReference(index: KeyIndex(1), version: KeyVersion(2))
    private static let identity = [UInt8](repeating: 7, count: JournalKey.identityLength)
    private static let key = RecordKey.demonstration.journalKey(identity: identity)

    private func read(_ plain: [UInt8]) -> JournalState? {
        JournalState(identity: Self.identity, reference: Self.reference, commits: 3, plain: plain)
    }

    private func state(_ classes: [RowClass]) -> JournalState {
        var state = JournalState(identity: Self.identity, reference: Self.reference)
        state.commits = 3
        state.custody = CustodyMark(storeNumber: 5, auditEntries: 6, auditHash: [UInt8](repeating: 9, count: 32))
        for rowClass in classes { state.add(Self.key.code(of: [UInt8(rowClass.rawValue)]), 4, rowClass) }
        return state
    }

    @Test func whatWasSealedIsReadBack() {
        let state = state(RowClass.allCases)
        #expect(read(state.plain) == state)
    }

    /// Until schema 7 it ended with the mark of the keys' custody.
    @Test func aStateWithoutTheLaterClassesHasNoRowsOfThem() {
        let earlier: [RowClass] = RowClass.allCases.filter { $0.rawValue <= RowClass.overrun.rawValue }
        let state = state(earlier)
        let later = (RowClass.allCases.count - earlier.count) * RowSums.length
        #expect(read(Array(state.plain.dropLast(later))) == state)
    }

    @Test func anyOtherLengthIsRefused() {
        let plain = state(RowClass.allCases).plain
        #expect(read(plain + [0]) == nil)
        for count in 0..<plain.count
        where count % RowSums.length != 8 && (count - 8 - CustodyMark.length) % RowSums.length != 0 {
            #expect(read(Array(plain.prefix(count))) == nil, "\(count)")
        }
    }
}
