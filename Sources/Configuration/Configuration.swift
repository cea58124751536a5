package import Dispenser
package import FuelPassbook
package import Metering
import Quantities
package import Words

/// What `greylockd` reads at its start: one board with one fuelling side. `board/greylock.toml` explains each key.
///
/// A setting is read into the value that is used, and that value says its default. Money is in fen, volume in centilitres; no
/// setting is a fraction.
package struct Configuration: Sendable {
    /// The published keys and PIN serve, and protect nothing.
    package let demonstration: Bool
    package let terminal: TerminalID
    package let journal: JournalFile
    package let card: CardEdge
    package let pin: PINSource
    package let pump: PumpEdge
    package let pulser: PulserKind
    package let meter: MeterLimits
    /// What customers read.
    package let language: Language
    /// How the position sells.
    package let position: PositionSettings
    /// Why the service cannot start on these settings yet; nil when it can.
    package let unmet: ConfigurationError?

    package struct JournalFile: Equatable, Sendable {
        package var path: String
        /// In records.
        package var capacity = 100_000
        /// The file of the high-water mark; nil for the journal's name with "-mark".
        package var mark: String?
    }

    package enum CardEdge: Equatable, Sendable {
        /// The reader's name; nil for the only one there is.
        case pcsc(reader: String?)
        /// The file that keeps the card; nil for a card that lasts as long as the service.
        case virtual(state: String?)
    }

    package enum PINSource: String, CaseIterable, Sendable {
        /// Typed at the console.
        case terminal
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
    }

    private init(reading root: ConfigurationTable) {
        demonstration = root.value("demonstration", .truth, default: false)
        terminal = root.table("terminal").value("id", .terminal)
        journal = JournalFile(reading: root.table("journal"))
        card = CardEdge(reading: root.table("card"))
        pin = root.table("pin").value("kind", .word)
        language = root.table("display").value("language", .word, default: .english)
        let pump = root.table("pump")
        let kind = pump.required("kind", Setting<PumpEdge.Kind>.word)
        let pulser = PulserKind(reading: pump)
        let edge = PumpEdge(reading: pump, kind, pulser)
        self.pulser = pulser ?? .single
        self.pump = edge
        position = PositionSettings(reading: root, self.pulser, edge)
        meter = MeterLimits(reading: pump, position.calibration, edge)
        unmet =
            demonstration
            ? nil
            : root.error(
                "demonstration",
                "true, because only the published demonstration keys can be loaded so far",
                found: "false"
            )
        if !demonstration { refuseDemonstration(root) }
        journal.requireOwnMark(root, card)
    }

    /// Values that only a demonstration may have (spec/grey-lock.md, section 7).
    private func refuseDemonstration(_ root: ConfigurationTable) {
        func refuse(_ table: String, _ key: String, _ expected: String) {
            root.table(table).noteConflict(key, "\(expected) while demonstration is not true")
        }
        if terminal == Demonstration.terminal { refuse("terminal", "id", "an id other than the demonstration's") }
        if case .virtual = card { refuse("card", "kind", "\"pcsc\"") }
        if position.aid == Demonstration.aid { refuse("card", "aid", "an AID other than the demonstration's") }
        if pin == .fixed { refuse("pin", "kind", "\"terminal\"") }
    }
}

extension Setting where Value == TerminalID {
    fileprivate static var terminal: Setting {
        element("12 hexadecimal digits in quotation marks", standIn: TerminalID(0))
    }
}

extension Configuration.JournalFile {
    fileprivate init(reading table: ConfigurationTable) {
        self.init(path: table.value("path", .path))
        table.read("capacity", .integer(64...10_000_000), into: &capacity)
        mark = table.optional("mark", .path)
    }

    /// The mark is written over: whatever it is called, it is no other file of the service.
    fileprivate func requireOwnMark(_ root: ConfigurationTable, _ card: Configuration.CardEdge) {
        guard root.isSound, let mark else { return }
        let place = FilePlace(mark)
        let journal = FilePlace(path)
        var others = [(journal, "the journal"), (FilePlace(root.file), "this configuration")]
        for suffix in ["-wal", "-journal", "-shm", "-beat"] {
            others.append((FilePlace(journal.path + suffix), "the journal's \(suffix) file"))
        }
        if case .virtual(.some(let state)) = card { others.append((FilePlace(state), "the card's state")) }
        guard let (_, words) = others.first(where: { $0.0.isSame(as: place) }) else { return }
        root.table("journal").noteConflict("mark", "another file than \(words)")
    }
}

extension Configuration.CardEdge {
    private enum Kind: String, CaseIterable {
        case pcsc
        case virtual
    }

    fileprivate init(reading table: ConfigurationTable) {
        switch table.required("kind", Setting<Kind>.word) {
        case .pcsc:
            table.refuse("state", unless: "card.kind is \"virtual\"")
            // MAX_READERNAME of pcsc-lite with the closing NUL is 128.
            self = .pcsc(reader: table.optional("reader", .text(1...127)))
        case .virtual:
            table.refuse("reader", unless: "card.kind is \"pcsc\"")
            self = .virtual(state: table.optional("state", .path))
        case nil:
            table.skip("reader", "state")
            self = .pcsc(reader: nil)
        }
    }
}
