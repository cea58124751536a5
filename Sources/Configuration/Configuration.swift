import Dispenser
package import FuelPassbook
import KeyFiles
import Parameters
import Quantities
import StationInterface
package import Words

/// What `greylockd` reads at its start: a board with its fuelling sides. `board/greylock.toml` explains each key.
///
/// A setting is read into the value that is used, and that value says its default. Money is in fen, volume in centilitres; no
/// setting is a fraction.
package struct Configuration: Sendable {
    /// The published keys and PIN serve, and protect nothing.
    package let demonstration: Bool
    package let terminal: TerminalID
    package let journal: JournalFile
    package let totals: TotalsSettings
    /// What customers read.
    package let language: Language
    /// By their numbers; at least one.
    package let sides: [Side]
    /// nil where the demonstration's keys serve.
    package let keys: KeySettings?
    package let parameters: ParameterSettings
    package let interface: InterfaceSettings
    package static let bytesMax = ConfigurationDocument.sizeMax
    /// The text that says all this.
    package private(set) var source: [UInt8] = []

    /// One fuelling side: its reader, where its PIN comes from, its pump.
    package struct Side: Sendable {
        package let card: CardEdge
        package let pin: PINSource
        package let pump: PumpEdge
        /// How it sells, with a meter that stands in.
        let terms: SideSettings
    }

    /// Who has the console: the side at which the PIN is typed there, else the first.
    package var consoleSide: Side? { sides.first { $0.pin == .terminal } ?? sides.first }

    package struct JournalFile: Equatable, Sendable {
        package var path: String
        /// In records.
        package var capacity = 100_000
        /// The file of the high-water mark; nil for the journal's name with "-mark".
        package var mark: String?
    }

    package enum CardEdge: Equatable, Sendable {
        /// The reader's name, or a part of it, and the USB port that it is plugged into, as the kernel names it; nil where it says
        /// nothing. Neither is the only reader there is.
        case pcsc(reader: String?, port: String?)
        /// The file that keeps the card; nil for a card that lasts as long as the service.
        case virtual(state: String?)
    }

    package enum PINSource: Equatable, Sendable {
        /// Typed at the console.
        case terminal
        /// Typed at an input device, by its path.
        case keypad(device: String)
        /// The demonstration PIN.
        case fixed
    }
}

extension Configuration {
    /// Blocks while the file is read.
    ///
    /// - Throws: the first thing that is wrong, as one line.
    package static func load(path: String) throws(ConfigurationError) -> Configuration {
        try Configuration(toml: ConfigurationDocument.contents(of: path), file: path)
    }

    /// - Parameter file: the name that stands in an error.
    package init(toml bytes: [UInt8], file: String) throws(ConfigurationError) {
        self = try ConfigurationDocument(file: file, bytes: bytes).read(Configuration.init)
        source = bytes
    }

    /// What a configuration says of a terminal's keys: anything else may be wrong in it.
    package struct Custody: Sendable {
        package let terminal: TerminalID
        /// nil where the demonstration's keys serve.
        package let keys: KeySettings?

        fileprivate init(reading root: ConfigurationTable) {
            let table = root.table("terminal")
            terminal = table.value("id", .terminal)
            table.skipOthers()
            keys = KeySettings.read(root, demonstration: root.value("demonstration", .truth, default: false))
            root.skipOthers()
        }
    }

    /// Blocks while the file is read.
    ///
    /// - Throws: the first thing that is wrong with what is asked for, as one line.
    package static func custody(path: String) throws(ConfigurationError) -> Custody {
        try ConfigurationDocument(file: path, bytes: ConfigurationDocument.contents(of: path)).read(Custody.init)
    }

    init(reading root: ConfigurationTable) {
        demonstration = root.value("demonstration", .truth, default: false)
        terminal = root.table("terminal").value("id", .terminal)
        journal = JournalFile(reading: root.table("journal"))
        language = root.table("display").value("language", .word, default: .english)
        Self.refuseSettingsOfOneSide(root)
        let common = CommonSettings(reading: root)
        let tables = root.sides
        sides = tables.map { Side(reading: $0.table, $0.number, common) }
        keys = KeySettings.read(root, demonstration: demonstration)
        parameters = ParameterSettings(reading: root, journal: journal.path, demonstration: demonstration)
        totals = TotalsSettings(reading: root, journal, keys?.memory)
        interface = InterfaceSettings(reading: root.table("interface"))
        let members = Array(zip(sides, tables.map(\.table)))
        if !demonstration { refuseDemonstration(root, common, members) }
        requireOwnFiles(root)
        Side.requireOwnEdges(members)
        keys?.tamper?.requireOwnLine(sides, root)
    }

    /// Values that only a demonstration may have (spec/grey-lock.md, section 7).
    private func refuseDemonstration(
        _ root: ConfigurationTable,
        _ common: CommonSettings,
        _ sides: [(Side, ConfigurationTable)]
    ) {
        func refuse(_ table: ConfigurationTable, _ key: String, _ expected: String) {
            table.noteConflict(key, "\(expected) while demonstration is not true")
        }
        if terminal == Demonstration.terminal {
            refuse(root.table("terminal"), "id", "an id other than the demonstration's")
        }
        if common.aid == Demonstration.aid {
            refuse(root.table("card"), "aid", "an AID other than the demonstration's")
        }
        for (side, table) in sides {
            if case .virtual = side.card { refuse(table.table("card"), "kind", "\"pcsc\"") }
            if side.pin == .fixed { refuse(table.table("pin"), "kind", "\"terminal\" or \"keypad\"") }
        }
    }

    /// Where a file had one side, its keys stood at the board's.
    private static func refuseSettingsOfOneSide(_ root: ConfigurationTable) {
        let number = root.table("terminal").entry("position").flatMap(Setting.integer(1...99).read) ?? 1
        let side = "[side.\(number)]"
        root.table("terminal").refuse("position", "nothing: the side is a table of its number now, \(side)")
        for key in ["kind", "reader", "state"] {
            root.table("card").refuse(key, "nothing: write it under [side.\(number).card]")
        }
        root.refuse("pin", "[side.\(number).pin] instead of [pin]")
        root.refuse("pump", "[side.\(number).pump] instead of [pump], and so for what is in it")
    }
}

extension ConfigurationTable {
    /// Of the root.
    var sides: [(number: Int, table: ConfigurationTable)] {
        numberedTables("side", ParameterBook.sides, countMax: Board.sidesMax)
    }
}

extension Setting where Value == TerminalID {
    static var terminal: Setting {
        element("12 hexadecimal digits in quotation marks", standIn: TerminalID(0))
    }
}

extension Configuration.JournalFile {
    init(reading table: ConfigurationTable) {
        self.init(path: table.value("path", .path))
        table.read("capacity", .integer(64...10_000_000), into: &capacity)
        mark = table.optional("mark", .path)
    }

}

extension Configuration {
    /// What is written over, whatever it is called, is no other file of the service.
    private func requireOwnFiles(_ root: ConfigurationTable) {
        guard root.isSound else { return }
        var others = otherFiles(root)
        func require(_ path: String, _ table: String, _ key: String, as words: String) {
            let place = FilePlace(path)
            if let (_, other) = others.first(where: { $0.0.isSame(as: place) }) {
                root.table(table).noteConflict(key, "another file than \(other)")
            }
            others.append((place, words))
        }
        require(parameters.path, "parameters", "path", as: "the parameters")
        require(journal.mark ?? journal.path + "-mark", "journal", "mark", as: "the journal's mark")
        require(totals.file, "totals", "file", as: "the totals")
        if let read = interface.read { require(read.path, "interface", "read", as: "the read socket") }
        if let control = interface.control { require(control.path, "interface", "control", as: "the control socket") }
    }

    private func otherFiles(_ root: ConfigurationTable) -> [(FilePlace, String)] {
        let journal = FilePlace(journal.path)
        var others = [(journal, "the journal"), (FilePlace(root.file), "this configuration")]
        for suffix in ["-wal", "-journal", "-shm", "-beat", "-blocked"] {
            others.append((FilePlace(journal.path + suffix), "the journal's \(suffix) file"))
        }
        others += sides.compactMap(\.card.state).map { (FilePlace($0), "the card's state") }
        if let keys {
            others.append((FilePlace(keys.store), "the keys"))
            if case .file(let path) = keys.storageKey { others.append((FilePlace(path), "the storage key")) }
            if let path = keys.credentialFile { others.append((FilePlace(path), "the storage key's credential")) }
            if let memory = keys.memory { others.append((FilePlace(memory.path), "the board's memory")) }
        }
        return others
    }
}
