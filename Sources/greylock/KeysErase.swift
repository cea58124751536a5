import ArgumentParser
import CardCryptography
import Configuration
import Console
import Files
import FuelPassbook
import Journal
import KeyCustody
import KeyFiles
import Records
import Station
import Threads

struct KeysErase: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase",
        abstract: "Erase a key of this terminal, or with --all everything, for good.",
        discussion: """
            Cards whose sales are open, or under way, under a purchase master cannot pay here without it: those records are named, \
            and the key stays. One that sells is retired first. A running service ends when the record key goes, and forgets a \
            purchase master within a second. A flash disk may keep what was overwritten: the storage key is what makes old copies \
            useless.

            With --all, in an emergency: the storage key's half in the board's memory, the storage key, what a token holds, and the \
            store are destroyed, in this order; it needs no more of the configuration than [terminal] and [keys], neither the storage key nor a store that opens, asks for no open record, and goes on past what cannot be destroyed. A \
            running service ends within a second or two. Records stay, and the issuer releases their cards. The terminal's id has to \
            be typed for it.

            Exit status: 0; 1 when nothing was typed; 65 when there is no such key, open records need it, or another id was typed; \
            69 with a clock that is not set, a token that is not there, or without a terminal to type at; 74 when the store or the journal cannot be read \
            or written, or not all could be destroyed; 78 for a wrong configuration. \(ExitStatusHelp.common)

            With --json: `terminal`, `change`, `erased`: the key's name; `warnings`, where there are any. With --all: `terminal`, `complete`, `lines`.
            """
    )

    @OptionGroup var terminal: TerminalOption

    @Flag(help: "Erase it although open records need it: the issuer releases their cards.")
    var despiteOpenRecords = false

    @OptionGroup var output: JSONOption

    @Flag(help: "All keys, and what opens their store.")
    var all = false

    @Option(help: ArgumentHelp("Why, up to 200 bytes that can be seen; it stands in the audit log.", valueName: "TEXT"))
    var reason: ReasonText

    @OptionGroup var person: PersonOption

    @Option(help: ArgumentHelp("With --all: the terminal's id in place of typing it, for scripts.", valueName: "ID"))
    var yesTerminal: String?

    @Argument(help: ArgumentHelp("MPK, RECORD or TRANSPORT.", valueName: "USAGE"))
    var usage: KeyUsage?

    @Argument(help: "The key's index, 0 to 255.")
    var index: UInt8?

    @Argument(help: "Its version, 0 to 255.")
    var version: UInt8?

    func validate() throws {
        guard all else {
            guard usage != nil, index != nil, version != nil else {
                throw ValidationError("say which key, as in MPK 1 2, or --all")
            }
            guard yesTerminal == nil else { throw ValidationError("--yes-terminal belongs to --all") }
            return
        }
        guard usage == nil, !despiteOpenRecords else {
            throw ValidationError("--all goes with no key and no open records")
        }
    }

    func run() throws {
        try runTool("keys erase") { () throws(ServiceFailure) in
            guard let usage, let index, let version else {
                let facts = [.reason(reason.text)] + person.facts
                return try EmergencyErasure(terminal.config, facts).run(confirmedBy: yesTerminal, output)
            }
            let name = HeldKeyName(usage, KeyReference(index: KeyIndex(index), version: KeyVersion(version)))
            let configuration = try terminal.settings()
            let store = try KeyTool.store(of: configuration, terminal.config)
            let now = try KeyTool.now()
            let open = try openRecords(under: name, configuration)
            if !open.isEmpty {
                for line in open { standardError(line) }
                guard despiteOpenRecords else {
                    throw ServiceFailure(
                        exitStatus: KeyTool.refused,
                        reason: "\(name.words) is needed by \(open.count) open records; nothing was changed"
                    )
                }
            }
            // While a key is loaded into the token, this waits for the store that names it.
            var change = try KeyTool.begin(store, of: configuration)
            let isInToken = change.keys[name].map { $0.secret == nil } ?? false
            do throws(CustodyFault) {
                try change.keys.erase(name, at: now, [.reason(reason.text)] + person.facts)
            } catch {
                guard error == .missing(name), try destroyLeftover(name, change.keys, configuration) else {
                    throw KeyTool.refusal(error)
                }
                return try report(name, change.keys, at: now, Self.leftover)
            }
            if isInToken { try TokenTool.destroy(name, configuration) }
            let keys = change.keys
            try KeyTool.finish(change, of: store, configuration)
            try report(name, keys, at: now)
        }
    }

    private static let leftover = "is not held; what a load that was broken off had left of it in the token is erased"

    /// - Parameter warning: what to say of the key in place of that it is erased.
    private func report(
        _ name: HeldKeyName,
        _ keys: TerminalKeys,
        at now: Int64,
        _ warning: String? = nil
    ) throws(ServiceFailure) {
        let words = "\(name.words) \(warning ?? "is erased")"
        guard output.json else { return writeLine(words) }
        let warnings = warning == nil ? [] : [words]
        writeLine(try jsonText(KeyChangeReport(keys, [], at: now, erased: name, warnings: warnings)))
    }

    /// What a load that was broken off left in the token. Where the store is gone nobody knows that it is that.
    private func destroyLeftover(
        _ name: HeldKeyName,
        _ keys: TerminalKeys,
        _ configuration: Configuration
    ) throws(ServiceFailure) -> Bool {
        guard configuration.keys?.token != nil, name.usage == .purchaseMaster, keys.number != .none else {
            return false
        }
        return try TokenTool.destroy(name, configuration)
    }

    /// Every seal is under the record key; a card's answer is judged with its purchase master. In words: grey records, and sales
    /// that are under way, or were when the service ended.
    private func openRecords(
        under name: HeldKeyName,
        _ configuration: Configuration
    ) throws(ServiceFailure) -> [String] {
        guard name.usage != .transport, let arms = try Arms.read(configuration) else { return [] }
        do throws(StorageFault) {
            guard FileStamp(configuration.journal.path) != nil else { return [] }
            let journal = try JournalReader(path: configuration.journal.path, key: arms.recordKey)
            let grey = try journal.greyRecords().filter {
                $0.state == .open && (name.usage == .record || $0.gmac.key == name.reference)
            }
            let begun = try journal.openRecords().filter {
                name.usage == .record || $0.standing?.key == name.reference
            }
            let unread = try journal.damagedRows.map { "not to be read, and may need it: \($0)" }
            return unread + grey.map { "record \($0.number.value): \($0.amount), card \($0.card)" }
                + begun.map { "record \($0.number.value): not finished, card \($0.card)" }
        } catch {
            throw ServiceFailure(
                exitStatus: ServiceFailure.inputOutput,
                reason: "\(configuration.journal.path): \(error)"
            )
        }
    }
}

extension KeyUsage: ExpressibleByArgument {
    public static var allValueStrings: [String] { allCases.map(\.name) }

    public init?(argument: String) {
        guard let usage = KeyUsage.allCases.first(where: { $0.name == argument.uppercased() }) else { return nil }
        self = usage
    }
}
