import Dispenser
import FuelPassbook
private import ISO7816

// Each initialiser asks for every key of its table, and is nil when something in it is noted as missing or wrong.

/// Stands where a demonstration value is refused (spec/grey-lock.md, section 7).
private let inService = "while demonstration is not true"

extension Configuration {
    init?(reading root: ConfigurationTable) {
        let demonstration = root.value("demonstration", .truth, default: false)
        let terminal = TerminalIdentity(reading: root.table("terminal"), demonstration)
        let journal = JournalFile(reading: root.table("journal"))
        let card = CardSettings(reading: root.table("card"), demonstration)
        let pin = PINSource(reading: root.table("pin"), demonstration)
        let pump = PumpSettings(reading: root.table("pump"))
        let timeouts = PositionSettings.Timeouts(reading: root.table("timeouts"))
        guard let terminal, let journal, let card, let pin, let pump else { return nil }
        journal.requireOwnMark(root, card)
        self.init(
            demonstration: demonstration,
            terminal: terminal,
            journal: journal,
            card: card,
            pin: pin,
            pump: pump,
            timeouts: timeouts
        )
    }
}

extension Configuration.TerminalIdentity {
    init?(reading table: ConfigurationTable, _ demonstration: Bool) {
        let id = table.required("id", Setting<TerminalID>.element("12 hexadecimal digits in quotation marks"))
        let position = table.required("position", .integer(1...99))
        if !demonstration, id == Demonstration.terminal {
            table.noteConflict("id", "an id other than the demonstration's \(inService)")
        }
        guard let id, let position else { return nil }
        self.init(id: id, position: position)
    }
}

extension Configuration.JournalFile {
    init?(reading table: ConfigurationTable) {
        let path = table.required("path", .path)
        let capacity = table.value("capacity", .integer(64...10_000_000), default: 100_000)
        let mark = table.optional("mark", .path)
        guard let path else { return nil }
        self.init(path: path, capacity: capacity, mark: mark)
    }

    /// The mark is written over: whatever it is called, it is no other file of the service.
    fileprivate func requireOwnMark(_ root: ConfigurationTable, _ card: Configuration.CardSettings) {
        guard let mark else { return }
        let place = FilePlace(mark)
        let journal = FilePlace(path)
        var others = [(journal, "the journal"), (FilePlace(root.file), "this configuration")]
        for suffix in ["-wal", "-journal", "-shm", "-beat"] {
            others.append((FilePlace(journal.path + suffix), "the journal's \(suffix) file"))
        }
        if case .virtual(.some(let state)) = card.edge { others.append((FilePlace(state), "the card's state")) }
        guard let (_, words) = others.first(where: { $0.0.isSame(as: place) }) else { return }
        root.table("journal").noteConflict("mark", "another file than \(words)")
    }
}

extension Configuration.CardSettings {
    /// More belong in a list that the issuer sends.
    static let blacklistMax = 1_000

    private enum Kind: String, CaseIterable {
        case pcsc
        case virtual
    }

    init?(reading table: ConfigurationTable, _ demonstration: Bool) {
        let edge = Self.edge(reading: table, demonstration)
        let aid = table.value("aid", .hexadecimal(bytes: 5...16), default: Demonstration.aid)
        if !demonstration, aid == Demonstration.aid {
            table.noteConflict("aid", "an AID other than the demonstration's \(inService)")
        }
        let keyIndex = table.value("key_index", .integer(0...255), default: Int(Demonstration.keyIndex.number))
        let closesValve = table.value("close_valve_on_removal", .truth, default: true)
        let blacklist = table.list(
            "blacklist",
            Setting<ApplicationSerialNumber>.element("20 digits in quotation marks"),
            countMax: Self.blacklistMax
        )
        let kinds = table.list("kinds", .hexadecimal(bytes: 1...1), countMax: 16)
        guard let edge else { return nil }
        self.init(
            edge: edge,
            aid: aid,
            keyIndex: KeyIndex(UInt8(keyIndex)),
            closesValveOnRemoval: closesValve,
            blacklist: Set(blacklist),
            kinds: kinds.isEmpty ? [ApplicationSerialNumber.customerKind] : Set(kinds.joined())
        )
    }

    private static func edge(reading table: ConfigurationTable, _ demonstration: Bool) -> Edge? {
        switch table.required("kind", Setting<Kind>.word) {
        case .pcsc:
            table.refuse("state", unless: "card.kind is \"virtual\"")
            // MAX_READERNAME of pcsc-lite with the closing NUL is 128.
            return .pcsc(reader: table.optional("reader", .text(1...127)))
        case .virtual:
            if !demonstration { table.noteConflict("kind", "\"pcsc\" \(inService)") }
            table.refuse("reader", unless: "card.kind is \"pcsc\"")
            return .virtual(state: table.optional("state", .path))
        case nil:
            table.skip("reader", "state")
            return nil
        }
    }
}

extension Configuration.PINSource {
    init?(reading table: ConfigurationTable, _ demonstration: Bool) {
        guard let kind = table.required("kind", Setting<Self>.word) else { return nil }
        if !demonstration, kind == .fixed { table.noteConflict("kind", "\"terminal\" \(inService)") }
        self = kind
    }
}

extension PositionSettings.Timeouts {
    init(reading table: ConfigurationTable) {
        self.init()
        let nanoseconds: UInt64 = 1_000_000_000
        func read(_ key: String, _ range: ClosedRange<Int>, into timeout: inout UInt64) {
            if let seconds = table.optional(key, .integer(range, "seconds")) { timeout = UInt64(seconds) * nanoseconds }
        }
        read("first_flow", 1...600, into: &firstFlow)
        read("no_flow", 1...600, into: &noFlow)
        read("grace", 0...300, into: &grace)
        read("pin", 5...300, into: &pin)
    }
}
