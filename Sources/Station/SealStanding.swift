package import Configuration
import Journal
package import Parameters
package import Records

extension Configuration.Seal {
    /// Tells the journal of sets that are new, where no service has it open: a running one takes them up by itself. From then on
    /// the book from before is an older one.
    ///
    /// - Returns: in words, why the journal was not told; nil when it was, or need not be.
    package func tellJournal(of sets: [ParameterSet], _ key: RecordKey) -> String? {
        guard !sets.isEmpty, journal.isFree else { return nil }
        do throws(StorageFault) {
            let open = try SQLiteJournal(journal, key: key)
            for set in sets { try open.note(ParameterMark(set)) }
            return nil
        } catch {
            return "the parameters are under seal, but the journal does not know of them yet: \(journal.path): \(error)"
        }
    }
}
