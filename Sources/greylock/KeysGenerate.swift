import ArgumentParser
import CardCryptography
import Console
import Files
import FuelPassbook
import ISO7816
import KeyCustody
import KeyFiles
import Quantities
import Threads

struct KeysGenerate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Make the components of a new key, a page for each custodian.",
        discussion: """
            To be run on a machine without a network; it says so when one is up. Each page goes to a place of its own: a printer's \
            device, a pipe that somebody reads (- for standard output), or a new file. One printer may be named for all: each \
            custodian is waited for then. The key itself is written nowhere: the custodians type it with greylock keys load.

            All pages are written, or what was made is taken back; paper that came out of a set that broke off belongs to no key: \
            destroy it. After a power cut do the same with the files.

            Exit status: 0 when all pages are written; 1 when it was broken off; 65 for a place that takes no page, or two of one \
            set; 69 with a clock that is not set; 74 when a page cannot be written. \(ExitStatusHelp.common)
            """
    )

    @Option(help: ArgumentHelp("The terminal's id, 12 hexadecimal digits.", valueName: "ID"))
    var terminal: TerminalArgument

    @OptionGroup var key: ComponentOptions

    @Option(help: ArgumentHelp("A purchase master, not the transport key: its index.", valueName: "NUMBER"))
    var masterIndex: UInt8?

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Where a page goes, once for each component.", valueName: "PLACE")
    )
    var to: [String]

    func validate() throws {
        guard to.count == key.components else {
            throw ValidationError("--to: expected a place for each of \(key.components) components (found \(to.count))")
        }
    }

    func run() throws {
        try runTool("keys generate") { () throws(ServiceFailure) in
            try ProcessHardening.forbidDumps()
            if !LockedBuffer.arenaIsLocked {
                standardError("warning: keys may be swapped out: turn swap off (swapoff -a)")
            }
            let made = TransactionTime(utc: try KeyTool.now())
            let networks = try KeyTool.stored { () throws(FileFault) in try NetworkInterfaces.up() }
            if !networks.isEmpty {
                standardError(
                    "warning: a network is up (\(networks.joined(separator: ", "))): make keys on a machine without one"
                )
            }
            let (name, kind) = key.meant(masterIndex)
            let signals = try HeldSignals()
            let places = try SheetPlaces(to, signals)
            let (components, checkValue) = Self.newKey(kind, key.components)
            let head = ComponentSheet.Key(
                name,
                kind,
                of: terminal.id,
                components: components.count,
                checkValue: checkValue,
                made: made
            )
            try places.write(components, head)
            standardError(
                """
                \(name.words) of terminal \(terminal.id), check value \(Hex.pairs(checkValue)): \
                \(components.count) pages are written
                """
            )
        }
    }

    /// Chance gives a key that protects nothing hardly ever, and not twice.
    private static func newKey(_ kind: ComponentKind, _ count: Int) -> ([KeyComponent], checkValue: [UInt8]) {
        while true {
            let components = (0..<count).map { _ in KeyComponent(generating: kind) }
            do throws(ComponentFault) { return (components, try CombinedKey(kind, of: components).checkValue()) } catch
            {
                continue
            }
        }
    }
}

/// Where the pages of one key go. Nothing is written before all places are open.
private struct SheetPlaces {
    private let targets: [SheetTarget]
    private let signals: HeldSignals
    /// For custodians who come to one printer, one after the other.
    private let isShared: Bool

    init(_ paths: [String], _ signals: HeldSignals) throws(ServiceFailure) {
        self.signals = signals
        var targets: [SheetTarget] = []
        for path in paths {
            do throws(FileFault) {
                let twice = FileFault("\(path) would take two components: name a place for each")
                if targets.contains(where: { $0.kind != .printer && $0.path == path }) { throw twice }
                let target = try SheetTarget(path)
                if target.kind != .printer, targets.contains(where: { $0.isSame(as: target) }) { throw twice }
                targets.append(target)
            } catch {
                Self.takeBack(targets)
                throw ServiceFailure(exitStatus: KeyTool.refused, reason: "\(error.reason); nothing was made")
            }
        }
        self.targets = targets
        isShared = targets.indices.contains { index in
            targets[..<index].contains { $0.isSame(as: targets[index]) }
        }
    }

    func write(_ components: [KeyComponent], _ key: ComponentSheet.Key) throws(ServiceFailure) {
        var begun = 0
        do throws(ServiceFailure) {
            guard isShared else {
                for place in components.indices {
                    begun += 1
                    try write(components[place], place, key)
                }
                return
            }
            let terminal = try SilentTerminal(for: "Enter", holding: signals)
            for place in components.indices {
                try awaitEnter(
                    "component \(place + 1) of \(components.count): its custodian alone at \(targets[place].path), then Enter",
                    terminal
                )
                begun += 1
                try write(components[place], place, key)
                try awaitEnter("take the page and close the envelope, then Enter", terminal)
            }
        } catch {
            throw ServiceFailure(exitStatus: error.exitStatus, reason: "\(error.reason); \(brokenOff(after: begun))")
        }
    }

    private func write(_ component: KeyComponent, _ place: Int, _ key: ComponentSheet.Key) throws(ServiceFailure) {
        let target = targets[place]
        let page = ComponentSheet.page(of: component, place + 1, key, forPrinter: target.kind == .printer)
        try target.write(page) { (file) throws(ServiceFailure) in try signals.wait(for: .writing, of: file) }
    }

    private func awaitEnter(_ question: String, _ terminal: borrowing SilentTerminal) throws(ServiceFailure) {
        try terminal.askOpenly(question, rule: "press Enter, or Ctrl-C to break off") { $0.isEmpty ? () : nil }
    }

    /// - Returns: what becomes of what was written, in words.
    private func brokenOff(after begun: Int) -> String {
        Self.takeBack(targets)
        let gone = targets[..<begun].count { $0.kind != .file }
        return gone == 0
            ? "no page is left: begin again"
            : "the pages that came out belong to no key: destroy them, and begin again"
    }

    private static func takeBack(_ targets: [SheetTarget]) {
        for target in targets where target.kind == .file && !target.takeBack() {
            standardError("\(target.path) could not be removed: destroy it, it belongs to no key")
        }
    }
}
