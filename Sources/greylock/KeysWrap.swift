import ArgumentParser
import CardCryptography
import CardWorkshop
import Console
import FuelPassbook
import ISO7816
import Issuer
import KeyBlocks
import KeyCustody
import Quantities
import Threads

struct KeysWrap: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wrap",
        abstract: "Make the key blocks of one terminal from the issuer's key store: its MPK and its record key.",
        discussion: """
            The passphrase of the store is asked for at the terminal, then the components of the transport key, from the sheets that \
            the terminal was armed with. Nothing in the file is secret without the transport key, and no other terminal takes it.

            Both are of one version of the store: its newest, or --key-version. The record key of a terminal is drawn from the masters \
            of that version: the issuer can check its records for as long as the store is kept.

            Exit status: 0 when the file is written; 1 when no passphrase was typed, or a custodian broke off; 65 for components that are \
            refused, or a version that the store has not; 69 without a terminal or with a clock that is not set; 74 when a file cannot \
            be read or made. \(ExitStatusHelp.common)
            """
    )

    @Option(help: ArgumentHelp("The issuer's key store.", valueName: "FILE"))
    var store: String

    @Option(help: ArgumentHelp("The terminal's id, 12 hexadecimal digits.", valueName: "ID"))
    var terminal: TerminalArgument

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Which version of the store; without it, the one that was added last.", valueName: "NUMBER")
    )
    var keyVersion: UInt8?

    @Option(help: ArgumentHelp("The file for the blocks, a line each; it must not exist yet.", valueName: "BLOCKS"))
    var into: String

    @Flag(
        help: "The purchase master alone, for a terminal that has its record key: another version of the same scheme."
    )
    var masterOnly = false

    @OptionGroup var sheets: SheetOptions

    func run() throws {
        try runTool("keys wrap") { () throws(ServiceFailure) in
            let made = TransactionTime(utc: try KeyTool.now())
            try KeyStoreFile.requireNew(into, "a terminal may wait for the blocks in it")
            let keys = try KeyStoreFile.open(store)
                .masters(keyVersion.map { KeyVersion($0) }, in: store, whenMissing: KeyTool.refused)
            let transport = try sheets.transportKey(of: terminal.id, at: made)
            var blocks: [String] = []
            var lines: [String] = []
            for usage in masterOnly ? [KeyUsage.purchaseMaster] : [.purchaseMaster, .record] {
                let key = usage == .record ? keys.recordKey(of: terminal.id) : keys.purchaseMaster()
                let delivery = KeyDelivery(HeldKeyName(usage, keys.reference), .tripleDES, made: made, key)
                let (block, line) = try block(delivery, transport)
                blocks.append(block)
                lines.append(line)
            }
            try KeyStoreFile.writeNew(into, Array(blocks.map { $0 + "\n" }.joined().utf8))
            for line in lines { writeLine("\(into): \(line)") }
        }
    }

    /// - Returns: the block, and what is in it, in words.
    private func block(
        _ delivery: consuming KeyDelivery,
        _ transport: borrowing TransportKey
    ) throws(ServiceFailure) -> (String, String) {
        let words = "\(delivery.name.words), check value \(Hex.pairs(delivery.checkValue()))"
        do throws(KeyBlockError) {
            return (try transport.block(of: delivery, for: terminal.id, random: SystemRandom()), words)
        } catch {
            throw ServiceFailure(exitStatus: KeyTool.refused, reason: "\(words) \(error)")
        }
    }
}

/// A terminal by its id.
struct TerminalArgument: ExpressibleByArgument {
    let id: TerminalID

    init?(argument: String) {
        do throws(ParseError) { id = try TerminalID(parsing: Hex.bytes(argument)) } catch { return nil }
    }
}

/// Which key the sheets are of.
struct ComponentOptions: ParsableArguments {
    @Option(help: "How many components make the key, 2 or 3.")
    var components = 2

    @Flag(help: "The transport key is one of two-key triple DES, not AES-256.")
    var tripleDES = false

    @Option(parsing: .unconditional, help: ArgumentHelp("The key's version, 0 to 255.", valueName: "NUMBER"))
    var version: UInt8 = 1

    func validate() throws {
        guard CombinedKey.components.contains(components) else {
            throw ValidationError("--components: expected 2 or 3 (found \(components))")
        }
    }

    var isUsual: Bool { components == 2 && !tripleDES && version == 1 }

    /// - Parameter masterIndex: of a purchase master; nil for the transport key.
    func meant(_ masterIndex: UInt8?) -> (HeldKeyName, ComponentKind) {
        let usage: KeyUsage = masterIndex == nil ? .transport : .purchaseMaster
        let reference = KeyReference(index: KeyIndex(masterIndex ?? 0), version: KeyVersion(version))
        return (HeldKeyName(usage, reference), usage == .transport && !tripleDES ? .aes256 : .tripleDES)
    }
}

/// The sheets of a key.
struct SheetOptions: ParsableArguments {
    @OptionGroup var key: ComponentOptions

    @Flag(help: "The sheets have no check digits: they are another program's.")
    var noCheckDigits = false

    static let usualPatience = 600

    @Option(
        help: ArgumentHelp(
            "After how many seconds without a key typed it is broken off, 1 to 86400.",
            valueName: "SECONDS"
        )
    )
    var patience = usualPatience

    func validate() throws {
        guard (1...86_400).contains(patience) else { throw ValidationError("--patience: expected 1 to 86400") }
    }

    /// Nothing was said of the sheets.
    var isUsual: Bool { !noCheckDigits && key.isUsual }

    func transportKey(of terminal: TerminalID, at now: TransactionTime) throws(ServiceFailure) -> TransportKey {
        let (name, kind) = key.meant(nil)
        let ceremony = try KeyCeremony(kind, hasCheckDigits: !noCheckDigits, patience: patience)
        return TransportKey(
            kind.cipher,
            try ceremony.key("\(name.words) of terminal \(terminal)", at: now, custodians: key.components).take().key()
        )
    }
}
