import ArgumentParser
import CardCryptography
import Codes
import Configuration
import Console
import Files
import FuelPassbook
import ISO7816
import KeyBlocks
import KeyCustody
import KeyFiles
import Quantities
import Station
import Threads

struct KeysLoad: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Load this terminal's keys: the transport key from components, all others in key blocks.",
        discussion: """
            Without a block the custodians are asked, one after the other, for the components of the transport key. With blocks \
            (X9.143 or TR-31, a line each) the key in each is loaded under the transport key: all of them, or none. A running \
            service takes new keys within a second.

            Purchase masters may be loaded from components too, where a scheme has no tool that makes blocks: whoever has seen all \
            components of one then knows a key of every card. Where [keys.token] names a token, purchase masters move into it, also \
            those that were loaded before.

            Exit status: 0 when all keys are stored; 1 when a custodian broke off; 65 for a block or components that are refused; \
            69 without a terminal, with a clock that is not set, an open housing or a token that does not serve; 74 when a file cannot be read or written; 78 for a wrong \
            configuration. Nothing is changed but with 0. \(ExitStatusHelp.common)

            With --json: `terminal`, `change`, `keys`: those that were loaded, as keys list has them; `warnings`, where there are any.
            """
    )

    @OptionGroup var terminal: TerminalOption

    @OptionGroup var sheets: SheetOptions

    @OptionGroup var output: JSONOption

    @Option(help: ArgumentHelp("A purchase master from components: its index.", valueName: "NUMBER"))
    var masterIndex: UInt8?

    @OptionGroup var person: PersonOption

    @Argument(help: ArgumentHelp("Files with key blocks.", valueName: "BLOCKS"))
    var blocks: [String] = []

    func validate() throws {
        if blocks.isEmpty {
            guard person.name == nil else {
                throw ValidationError("--name belongs to blocks: custodians type their names")
            }
        } else if masterIndex != nil || !sheets.isUsual {
            throw ValidationError("how custodians type a key, and which, says nothing of key blocks: leave it out")
        }
    }

    func run() throws {
        try runTool("keys load") { () throws(ServiceFailure) in
            let settings = try terminal.settings()
            let store = try KeyTool.store(of: settings, terminal.config)
            try KeyTool.requireClosedHousing(settings)
            let now = try KeyTool.now()
            if blocks.isEmpty { try loadComponents(store, settings, now) } else { try loadBlocks(store, settings, now) }
        }
    }

    private func loadComponents(
        _ store: TerminalKeyStore,
        _ settings: Configuration,
        _ now: Int64
    ) throws(ServiceFailure) {
        let (name, kind) = sheets.key.meant(masterIndex)
        let made = TransactionTime(utc: now)
        var warnings: [String] = []
        if name.usage == .purchaseMaster {
            warnings.append(
                "a purchase master is a key of every card: load it in a block wherever the issuer can make one"
            )
        }
        for warning in warnings { standardError("warning: \(warning)") }
        if name.usage == .purchaseMaster { try TokenTool.require(settings) }
        // Until it ends nobody else changes the keys.
        var change = try KeyTool.begin(store, of: settings)
        try refuse(name, change.keys)
        let ceremony = try KeyCeremony(kind, hasCheckDigits: !sheets.noCheckDigits, patience: sheets.patience)
        let words = "\(name.words) of terminal \(store.terminal)"
        var broken: Custodian?
        let confirmed: ConfirmedKey
        do throws(ServiceFailure) {
            confirmed = try ceremony.key(words, at: made, custodians: sheets.key.components) { broken = $0 }
        } catch {
            if let broken { note(broken, change, now) }
            throw error
        }
        let facts = AuditFact.custodians(confirmed.custodians)
        let delivery = KeyDelivery(name, kind.cipher, made: made, confirmed.take().key())
        do throws(CustodyFault) { try change.keys.load(delivery, .components, at: now, facts) } catch {
            throw KeyTool.refusal(error)
        }
        try finish(change, of: store, settings, [name], warnings, now)
    }

    private func note(_ broken: Custodian, _ change: borrowing KeyChange, _ now: Int64) {
        do throws(FileFault) { try change.noteRefusal(AuditFact.brokenSeal(broken), at: now) } catch {
            standardError("warning: not in the audit log: \(error.reason)")
        }
    }

    /// Before anybody has typed anything.
    private func refuse(_ name: HeldKeyName, _ keys: TerminalKeys) throws(ServiceFailure) {
        guard keys[name] == nil else {
            throw ServiceFailure(
                exitStatus: KeyTool.refused,
                reason: "\(CustodyFault.held(name).words): give the new key the next --version; nothing was changed"
            )
        }
    }

    private func loadBlocks(_ store: TerminalKeyStore, _ settings: Configuration, _ now: Int64) throws(ServiceFailure) {
        var names: [HeldKeyName] = []
        var warnings: [String] = []
        var change = try KeyTool.begin(store, of: settings)
        for file in blocks {
            for block in try PlacedBlock.all(in: file) {
                let (name, isByOldMethod) = try load(block, into: &change.keys, now)
                names.append(name)
                if isByOldMethod {
                    warnings.append(
                        "\(block.place): \(name.words) came in a block made by an old method: ask the issuer for version B or D"
                    )
                }
            }
        }
        for warning in warnings { standardError("warning: \(warning)") }
        try finish(change, of: store, settings, names, warnings, now)
    }

    private func finish(
        _ loaded: consuming KeyChange,
        of store: TerminalKeyStore,
        _ settings: Configuration,
        _ names: [HeldKeyName],
        _ warnings: [String],
        _ now: Int64
    ) throws(ServiceFailure) {
        var change = loaded
        try KeyTool.stored { () throws(FileFault) in try change.requireStanding() }
        let taken = try TokenTool.take(&change.keys, settings, at: now)
        let keys = change.keys
        try KeyTool.finish(change, of: store, settings)
        if output.json {
            return writeLine(try jsonText(KeyChangeReport(keys, names, at: now, warnings: warnings)))
        }
        for name in names {
            guard let key = keys[name] else { continue }
            writeLine("loaded: \(name.words)  check value \(Hex.pairs(key.checkValue()))")
        }
        for line in taken { writeLine(line) }
    }

    /// - Returns: what was loaded.
    private func load(
        _ block: PlacedBlock,
        into keys: inout TerminalKeys,
        _ now: Int64
    ) throws(ServiceFailure) -> (HeldKeyName, isByOldMethod: Bool) {
        guard let held = keys.only(.transport), let secret = held.secret else {
            throw ServiceFailure(
                exitStatus: KeyTool.refused,
                reason: "no block opens without the transport key: load that first, from its components"
            )
        }
        let delivery: KeyDelivery
        do throws(DeliveryFault) {
            delivery = try TransportKey(held.cipher, secret.raw).delivery(in: block.text, for: keys.terminal)
        } catch {
            let words = "\(block.place): \(error.words(keys.terminal)); nothing was changed"
            throw KeyTool.refusal(words, .keyBlockRefused)
        }
        let loaded = (delivery.name, delivery.isByOldMethod)
        do throws(CustodyFault) { try keys.load(delivery, .block, at: now, person.facts) } catch {
            throw KeyTool.refusal("\(block.place): \(error.words); nothing was changed", error.code)
        }
        return loaded
    }
}

/// A key block, and where it stands.
private struct PlacedBlock {
    /// As many as a terminal holds, with some room for longer ones.
    private static let fileBytesMax = 1 << 17

    /// "blocks, line 2"
    let place: String
    let text: String

    /// One a line; an empty line is none.
    static func all(in file: String) throws(ServiceFailure) -> [PlacedBlock] {
        let bytes = try KeyTool.bytes(of: file, max: fileBytesMax)
        let lines = String(decoding: bytes, as: UTF8.self).split(
            omittingEmptySubsequences: false,
            whereSeparator: \.isNewline
        )
        let blocks = lines.enumerated().filter { !$0.element.isEmpty }.map { index, line in
            PlacedBlock(place: "\(file), line \(index + 1)", text: String(line))
        }
        guard !blocks.isEmpty else {
            throw ServiceFailure(exitStatus: KeyTool.refused, reason: "\(file) has no key block; nothing was changed")
        }
        return blocks
    }
}

extension DeliveryFault {
    fileprivate func words(_ terminal: TerminalID) -> String {
        switch self {
        case .block(let error): "it \(error)"
        case .issuersOwn(let master): "it holds \(master.name), a key of the issuer alone: no terminal takes it"
        case .otherTerminal(let other): "it is for terminal \(other), and this is \(terminal)"
        case .seemsOtherTerminals(let other):
            "it does not open: it seems to be for terminal \(other), and this is \(terminal)"
        case .strongerThanTransport:
            "it holds an AES key, and the transport key is one of triple DES, which protects less: load that key from components"
        case .field(let field): "\(field.rawValue) is not what its label says"
        case .label: "its label names no key of a terminal"
        case .unknown(let names): "it has optional blocks that nobody here knows: \(names.joined(separator: ", "))"
        case .checkValue: "a check value in it is not that of the key"
        case .weak: "its key protects nothing: the halves are equal, or a weak key of the cipher"
        case .published: "its key is a published one"
        }
    }
}
