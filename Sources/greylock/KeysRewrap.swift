import ArgumentParser
import Console
import Files
import KeyCustody
import KeyFiles
import Station
import Threads

struct KeysRewrap: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rewrap",
        abstract: "Seal the store of this terminal under a new storage key.",
        discussion: """
            For another board or TPM, or after somebody may have seen the old storage key. The new one has 32 random bytes and is made \
            first: head -c 32 /dev/urandom, in a file that only its owner may read, or a credential that systemd-run hands over beside \
            the old one.

            The store is on the disk under the new key when this ends with 0. Cut off anywhere, it opens with the old one or with the \
            new one; the same command again finishes it, or says that it is done. Then set the new key in the configuration, restart \
            the service, and destroy the old key last. A service that runs meanwhile sells on with the keys that it has.

            Exit status: 0; 74 when a file or a credential cannot be read or written, or the store opens with neither; 78 for a wrong \
            configuration. \(ExitStatusHelp.common)

            With --json: `terminal`, `store`, `change`, `opensWith`, `wasAlready`.
            """
    )

    @OptionGroup var terminal: TerminalOption

    @Option(help: ArgumentHelp("The new storage key.", valueName: "FILE"))
    var to: String?

    @Option(help: ArgumentHelp("The new storage key, as a credential of systemd's.", valueName: "NAME"))
    var toCredential: String?

    @OptionGroup var person: PersonOption

    @OptionGroup var output: JSONOption

    func validate() throws {
        guard (to == nil) != (toCredential == nil) else {
            throw ValidationError("expected one of --to and --to-credential")
        }
        guard to.map({ $0.hasPrefix("/") }) ?? true else {
            throw ValidationError("--to: expected a path from / on, as the configuration has it (found \(to ?? ""))")
        }
        guard toCredential.map({ !$0.isEmpty && !$0.contains("/") }) ?? true else {
            throw ValidationError("--to-credential: expected the name of a credential (found \(toCredential ?? ""))")
        }
    }

    func run() throws {
        try runTool("keys rewrap") { () throws(ServiceFailure) in
            let store = try KeyTool.store(terminal.config)
            let now = try KeyTool.now()
            let new: StorageKeyPlace = toCredential.map { .credential($0) } ?? .file(to ?? "")
            let (keys, wasAlready) = try KeyTool.stored { () throws(FileFault) in
                try store.rewrap(under: new, at: now, person.facts)
            }
            guard !output.json else {
                let report = KeyRewrapReport(
                    terminal: "\(keys.terminal)",
                    store: store.path,
                    change: keys.number.change,
                    opensWith: new.words,
                    wasAlready: wasAlready
                )
                return writeLine(try jsonText(report))
            }
            let opens = wasAlready ? "opens already" : "opens now"
            writeLine("\(store.path), change \(keys.number.change), \(opens) with \(new.words)")
            writeLine("set that in \(terminal.config), restart the service, and then destroy the old storage key")
        }
    }
}
