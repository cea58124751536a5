import ArgumentParser
import CardCryptography
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

/// Which purchase master is meant.
struct MasterName: ParsableArguments {
    @Option(help: ArgumentHelp("The configuration of the service, whose [keys] names the store.", valueName: "FILE"))
    var config: String

    @Argument(help: "The key's index, 0 to 255.")
    var index: UInt8

    @Argument(help: "Its version, 0 to 255.")
    var version: UInt8

    var name: HeldKeyName {
        HeldKeyName(.purchaseMaster, KeyReference(index: KeyIndex(index), version: KeyVersion(version)))
    }
}

struct KeysList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "The keys that this terminal holds: names, check values and dates, never keys.",
        discussion: """
            Exit status: 0; 69 when it holds none; 74 when the store cannot be read or does not open; 78 for a wrong \
            configuration. \(ExitStatusHelp.common)
            """
    )

    @Option(help: ArgumentHelp("The configuration of the service, whose [keys] names the store.", valueName: "FILE"))
    var config: String

    func run() throws {
        try runTool("keys list") { () throws(ServiceFailure) in
            let store = try KeyTool.store(config)
            guard let keys = try KeyTool.stored({ () throws(FileFault) in try store.read() })?.keys, !keys.keys.isEmpty
            else {
                throw ServiceFailure(
                    exitStatus: ServiceFailure.unavailable,
                    reason: "terminal \(store.terminal) holds no keys: load the transport key with greylock keys load"
                )
            }
            let now = SystemClock().now?.utcSeconds
            writeLine("terminal \(keys.terminal), store \(store.path), change \(keys.number.change)")
            for key in keys.keys { writeLine(try key.line(at: now)) }
            for key in keys.erased { writeLine("\(key.name.words)  erased \(try KeyTool.utc(key.erased)) UTC") }
        }
    }
}

extension HeldKey {
    fileprivate func line(at now: Int64?) throws(ServiceFailure) -> String {
        let state =
            switch name.usage {
            case .transport, .record: "in use since \(try KeyTool.utc(dates.loaded)) UTC"
            case .purchaseMaster: try masterWords(at: now)
            }
        let origin =
            switch self.origin {
            case .components: "from components"
            case .block: "from a block of \(made) UTC"
            }
        return "\(name.words)  check value \(KeyTool.grouped(checkValue()))  \(state), \(origin)"
    }

    private func masterWords(at now: Int64?) throws(ServiceFailure) -> String {
        switch (now.map(dates.state) ?? .loaded, dates.activeFrom) {
        case (.retired, _): return "retired, settles what it sold"
        case (.active, let from?): return "sells since \(try KeyTool.utc(from)) UTC"
        case (.loaded, let from?): return "sells from \(try KeyTool.utc(from)) UTC on"
        case (_, nil): return "waits to be activated"
        }
    }
}

struct KeysLoad: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Load this terminal's keys: the transport key from components, all others in key blocks.",
        discussion: """
            Without a block the custodians are asked, one after the other, for the components of the transport key. With blocks \
            (X9.143 or TR-31, a line each) the key in each is loaded under the transport key: all of them, or none. A running \
            service takes new keys within a second.

            Purchase masters may be loaded from components too, where a scheme has no tool that makes blocks: whoever has seen all \
            components of one then knows a key of every card.

            Exit status: 0 when all keys are stored; 1 when a custodian broke off; 65 for a block or components that are refused; \
            69 without a terminal or with a clock that is not set; 74 when a file cannot be read or written; 78 for a wrong \
            configuration. Nothing is changed but with 0. \(ExitStatusHelp.common)
            """
    )

    @Option(help: ArgumentHelp("The configuration of the service, whose [keys] names the store.", valueName: "FILE"))
    var config: String

    @OptionGroup var sheets: SheetOptions

    @Option(help: ArgumentHelp("A purchase master from components: its index.", valueName: "NUMBER"))
    var masterIndex: UInt8?

    @Argument(help: ArgumentHelp("Files with key blocks.", valueName: "BLOCKS"))
    var blocks: [String] = []

    func run() throws {
        try runTool("keys load") { () throws(ServiceFailure) in
            let store = try KeyTool.store(config)
            let now = try KeyTool.now()
            if blocks.isEmpty { try loadComponents(store, now) } else { try loadBlocks(store, now) }
        }
    }

    private func loadComponents(_ store: TerminalKeyStore, _ now: Int64) throws(ServiceFailure) {
        let usage: KeyUsage = masterIndex == nil ? .transport : .purchaseMaster
        let kind: ComponentKind = usage == .transport && !sheets.tripleDES ? .aes256 : .tripleDES
        let index = KeyIndex(masterIndex ?? 0)
        let name = HeldKeyName(usage, KeyReference(index: index, version: KeyVersion(sheets.version)))
        let made = try KeyTool.utc(now)
        if usage == .purchaseMaster {
            standardError(
                "a purchase master is a key of every card: load it in a block wherever the issuer can make one"
            )
        }
        // Until it ends nobody else changes the keys.
        var change = try KeyTool.stored { () throws(FileFault) in try store.beginChange() }
        let ceremony = try KeyCeremony(kind, hasCheckDigits: !sheets.noCheckDigits)
        let words = "\(name.words) of terminal \(store.terminal)"
        let key = try ceremony.key(words, custodians: sheets.components)
        let line = "\(name.words)  check value \(KeyTool.grouped(key.checkValue()))"
        do throws(CustodyFault) {
            try change.keys.load(KeyDelivery(name, kind.cipher, made: made, key.key()), .components, at: now)
        } catch {
            throw ServiceFailure(exitStatus: KeyTool.refused, reason: "\(error.words); nothing was changed")
        }
        do throws(FileFault) { try change.store() } catch {
            throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: error.reason)
        }
        writeLine("loaded: \(line)")
    }

    private func loadBlocks(_ store: TerminalKeyStore, _ now: Int64) throws(ServiceFailure) {
        var lines: [String] = []
        var change = try KeyTool.stored { () throws(FileFault) in try store.beginChange() }
        for file in blocks {
            for block in try PlacedBlock.all(in: file) { lines.append(try load(block, into: &change.keys, now)) }
        }
        do throws(FileFault) { try change.store() } catch {
            throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: error.reason)
        }
        for line in lines { writeLine("loaded: \(line)") }
    }

    /// - Returns: what was loaded, in words.
    private func load(
        _ block: PlacedBlock,
        into keys: inout TerminalKeys,
        _ now: Int64
    ) throws(ServiceFailure) -> String {
        guard let held = keys.only(.transport) else {
            throw ServiceFailure(
                exitStatus: KeyTool.refused,
                reason: "no block opens without the transport key: load that first, from its components"
            )
        }
        let delivery: KeyDelivery
        do throws(DeliveryFault) {
            delivery = try TransportKey(held.cipher, held.secret.raw).delivery(in: block.text, for: keys.terminal)
        } catch {
            throw ServiceFailure(
                exitStatus: KeyTool.refused,
                reason: "\(block.place): \(error.words(keys.terminal)); nothing was changed"
            )
        }
        let line = "\(delivery.name.words)  check value \(KeyTool.grouped(delivery.checkValue()))"
        do throws(CustodyFault) { try keys.load(delivery, .block, at: now) } catch {
            throw ServiceFailure(
                exitStatus: KeyTool.refused,
                reason: "\(block.place): \(error.words); nothing was changed"
            )
        }
        return line
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
        let bytes = try KeyTool.stored { () throws(FileFault) in
            guard let bytes = try WholeFile.contents(file, bytesMax: fileBytesMax) else {
                throw FileFault("there is no file \(file)")
            }
            return bytes
        }
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

struct KeysActivate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "activate",
        abstract: "Sell to cards of a purchase master's version, now or from a day on.",
        discussion: """
            Versions sell side by side: the one before goes on until it is retired. A running service follows within a second.

            Exit status: 0; 65 when there is no such key, or it is retired; 69 with a clock that is not set; 74 when the store \
            cannot be read or written; 78 for a wrong configuration. \(ExitStatusHelp.common)
            """
    )

    @OptionGroup var master: MasterName

    @Option(help: ArgumentHelp("The first day, by UTC: YYYY-MM-DD.", valueName: "DAY"))
    var from: UTCDay?

    func run() throws {
        try runTool("keys activate") { () throws(ServiceFailure) in
            let now = try KeyTool.now()
            let from = from?.start ?? now
            try KeyTool.change(KeyTool.store(master.config)) { (keys) throws(CustodyFault) in
                try keys.activate(master.name, from: from, at: now)
            }
            writeLine("\(master.name.words) sells from \(try KeyTool.utc(from)) UTC on")
        }
    }
}

struct KeysRetire: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retire",
        abstract: "Sell no more to cards of a purchase master's version, for good; it still settles what it sold.",
        discussion: """
            A running service follows within a second. A sale that has begun is finished.

            Exit status: 0; 65 when there is no such key, or it is retired; 69 with a clock that is not set; 74 when the store \
            cannot be read or written; 78 for a wrong configuration. \(ExitStatusHelp.common)
            """
    )

    @OptionGroup var master: MasterName

    func run() throws {
        try runTool("keys retire") { () throws(ServiceFailure) in
            let now = try KeyTool.now()
            try KeyTool.change(KeyTool.store(master.config)) { (keys) throws(CustodyFault) in
                try keys.retire(master.name, at: now)
            }
            writeLine("\(master.name.words) is retired")
        }
    }
}

/// A calendar day of UTC.
struct UTCDay: ExpressibleByArgument {
    /// Seconds since 1970.
    let start: Int64

    init?(argument: String) {
        let parts = argument.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.count) == [4, 2, 2], let year = Int(parts[0]), let month = Int(parts[1]),
            let day = Int(parts[2])
        else { return nil }
        guard year >= SystemClock.firstYear else { return nil }
        do throws(ParseError) {
            start = Int64(try CalendarDate(year: year, month: month, day: day).daysSince1970) * 86_400
        } catch {
            return nil
        }
    }
}

extension DeliveryFault {
    fileprivate func words(_ terminal: TerminalID) -> String {
        switch self {
        case .block(let error): "it \(error)"
        case .issuersOwn(let master): "it holds \(master.name), a key of the issuer alone: no terminal takes it"
        case .otherTerminal(let other): "it is for terminal \(other), and this is \(terminal)"
        case .field(let field): "\(field.rawValue) is not what its label says"
        case .label: "its label names no key of a terminal"
        case .unknown(let names): "it has optional blocks that nobody here knows: \(names.joined(separator: ", "))"
        case .checkValue: "a check value in it is not that of the key"
        case .weak: "its key protects nothing: the halves are equal, or a weak key of the cipher"
        case .published: "its key is a published one"
        }
    }
}
