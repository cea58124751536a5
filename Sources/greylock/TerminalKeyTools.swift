import ArgumentParser
import CardCryptography
import Configuration
import Console
import Files
import FuelPassbook
import ISO7816
import KeyCustody
import KeyFiles
import Quantities
import Station
import Threads

/// Whose keys they are.
struct TerminalOption: ParsableArguments {
    @Option(help: ArgumentHelp("The configuration of the service, whose [keys] names the store.", valueName: "FILE"))
    var config: String

    func settings() throws(ServiceFailure) -> Configuration { try Service.configuration(at: config) }
}

/// Which purchase master is meant.
struct MasterName: ParsableArguments {
    @OptionGroup var terminal: TerminalOption

    @OptionGroup var person: PersonOption

    @Argument(help: "The key's index, 0 to 255.")
    var index: UInt8

    @Argument(help: "Its version, 0 to 255.")
    var version: UInt8

    var name: HeldKeyName {
        HeldKeyName(.purchaseMaster, KeyReference(index: KeyIndex(index), version: KeyVersion(version)))
    }
}

/// Who does it.
struct PersonOption: ParsableArguments {
    @Option(help: ArgumentHelp("Who does it; it stands in the audit log.", valueName: "NAME"))
    var name: String?

    func validate() throws {
        guard name.map({ Custodian.name($0) != nil }) ?? true else {
            throw ValidationError("--name: expected 1 to \(Custodian.nameMax) characters that can be seen")
        }
    }

    var facts: [AuditFact] { name.flatMap(Custodian.name).map { [.person($0)] } ?? [] }
}

/// For another program.
struct JSONOption: ParsableArguments {
    @Flag(help: "One JSON object, as the overview says; errors stay lines on standard error.")
    var json = false
}

struct KeysList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "The keys that this terminal holds: names, check values and dates, never keys.",
        discussion: """
            Exit status: 0; 69 when it holds none; 74 when the store cannot be read or does not open; 78 for a wrong \
            configuration. \(ExitStatusHelp.common)

            With --json: `terminal`, `store`, `change`, `protection` (lines: what protects what, and what of it is missing), `keys` (each with `name`, `usage`, `index`, `version`, `cipher`, `checkValue`, \
            `state`: loaded, active or retired, `origin`: components or block, `made`, `loaded`, `sellsFrom`, `retired`), `erased` \
            (`name`, `made`, `erased`). Times are by UTC; what does not apply is left out.
            """
    )

    @OptionGroup var terminal: TerminalOption

    @OptionGroup var output: JSONOption

    func run() throws {
        try runTool("keys list") { () throws(ServiceFailure) in
            let settings = try terminal.settings()
            let store = try KeyTool.store(of: settings, terminal.config)
            guard let keys = try KeyTool.stored({ () throws(FileFault) in try store.read() })?.keys, !keys.keys.isEmpty
            else {
                throw ServiceFailure(
                    exitStatus: ServiceFailure.unavailable,
                    reason: "terminal \(store.terminal) holds no keys: load the transport key with greylock keys load"
                )
            }
            let now = SystemClock().now?.utcSeconds
            let protection = TokenTool.lines(keys, settings)
            if output.json { return writeLine(try jsonText(KeyListReport(keys, in: store, protection, at: now))) }
            writeLine("terminal \(keys.terminal), store \(store.path), change \(keys.number.change)")
            for line in protection { writeLine(line) }
            for key in keys.keys { writeLine(key.line(at: now)) }
            for key in keys.erased { writeLine("\(key.name.words)  erased \(TransactionTime(utc: key.erased)) UTC") }
        }
    }
}

extension HeldKey {
    fileprivate func line(at now: Int64?) -> String {
        let state =
            switch name.usage {
            case .transport, .record: "in use since \(TransactionTime(utc: dates.loaded)) UTC"
            case .purchaseMaster: masterWords(at: now)
            }
        let origin =
            switch self.origin {
            case .components: "from components"
            case .block: "from a block of \(made) UTC"
            case .generated: "generated"
            }
        return "\(name.words)  check value \(Hex.pairs(checkValue()))  \(state), \(origin)"
    }

    private func masterWords(at now: Int64?) -> String {
        switch (dates.state(at: now), dates.activeFrom) {
        case (.retired, _): return "retired, settles what it sold"
        case (.active, let from?): return "sells since \(TransactionTime(utc: from)) UTC"
        case (.loaded, let from?): return "sells from \(TransactionTime(utc: from)) UTC on"
        case (_, nil): return "waits to be activated"
        }
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

            With --json: `terminal`, `change`, `keys`: the one that was changed, as keys list has it.
            """
    )

    @OptionGroup var master: MasterName

    @OptionGroup var output: JSONOption

    @Option(help: ArgumentHelp("The first day, by UTC: YYYY-MM-DD.", valueName: "DAY"))
    var from: UTCDay?

    func run() throws {
        try runTool("keys activate") { () throws(ServiceFailure) in
            let settings = try master.terminal.settings()
            let now = try KeyTool.now()
            let from = from?.start ?? now
            let changed = try KeyTool.change(KeyTool.store(of: settings, master.terminal.config), of: settings) {
                (keys) throws(CustodyFault) in
                try keys.activate(master.name, from: from, at: now, master.person.facts)
            }
            if output.json { return writeLine(try jsonText(KeyChangeReport(changed, [master.name], at: now))) }
            writeLine("\(master.name.words) sells from \(TransactionTime(utc: from)) UTC on")
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

            With --json: `terminal`, `change`, `keys`: the one that was changed, as keys list has it.
            """
    )

    @OptionGroup var master: MasterName

    @OptionGroup var output: JSONOption

    func run() throws {
        try runTool("keys retire") { () throws(ServiceFailure) in
            let settings = try master.terminal.settings()
            let now = try KeyTool.now()
            let changed = try KeyTool.change(KeyTool.store(of: settings, master.terminal.config), of: settings) {
                (keys) throws(CustodyFault) in
                try keys.retire(master.name, at: now, master.person.facts)
            }
            if output.json { return writeLine(try jsonText(KeyChangeReport(changed, [master.name], at: now))) }
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
