import ArgumentParser
import CardWorkshop
import FuelPassbook
import Issuer
import Journal
import KeyCustody
import Records
import Threads

/// How the issuer judges a terminal's journal without the terminal.
struct IssuersJournal: ParsableArguments {
    @Option(help: ArgumentHelp("The issuer's key store, to judge the journal with.", valueName: "FILE"))
    var store: String?

    @Option(help: ArgumentHelp("Whose journal it is: the terminal's id, 12 hexadecimal digits.", valueName: "ID"))
    var terminal: TerminalArgument?

    func validate() throws {
        guard (store != nil) == (terminal != nil) else {
            throw ValidationError("give --store and --terminal together")
        }
    }

    /// One of them with a right code shows whose journal it is, where its state is damaged.
    private static let recordsTried = 1_000

    /// nil where the issuer does not ask.
    ///
    /// - Returns: also the name of the record key that fits.
    func reader(of journal: String) throws -> (reader: JournalReader, recordKey: String)? {
        guard let store, let terminal = terminal?.id else { return nil }
        let keys = try KeyStoreFile.open(store).versions
            .map { RecordKey($0.recordKey(of: terminal), as: $0.reference) }
        let reader = try JournalReader(path: journal, keys: keys)
        guard let reference = try reader.keyReference else {
            let reason = try reader.unjudged ?? "it names no record key"
            throw ServiceFailure(
                exitStatus: KeyTool.refused,
                reason: "no version of \(store) fits \(journal): \(reason)"
            )
        }
        let name = HeldKeyName(.record, reference).words
        guard try reader.isStateBelieved || !reader.records(limit: Self.recordsTried).isEmpty else {
            throw ServiceFailure(
                exitStatus: KeyTool.refused,
                reason: """
                    no version of \(store) fits \(journal): it names \(name), and that of terminal \(terminal) does not open it; it \
                    is another terminal's, or was altered
                    """
            )
        }
        return (reader, name)
    }
}
