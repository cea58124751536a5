private import Synchronization

/// A reader's name as pcscd makes it: what the driver calls it, then two hexadecimal numbers, the reader's own, which
/// depends on the order in which readers were plugged in, and the slot's.
struct ReaderName: Equatable {
    let whole: String
    /// Without the two numbers. The serial number stands in it, where the driver knows it.
    let device: Substring
    /// nil where the name does not end in two numbers.
    let slot: Substring?

    init(_ whole: String) {
        self.whole = whole
        let words = whole.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count > 2, words.suffix(2).allSatisfy(Self.isNumber) else {
            device = whole[...]
            slot = nil
            return
        }
        device = whole[..<words[words.count - 3].endIndex]
        slot = words[words.count - 1]
    }

    /// Whether both are the same slot of readers that differ in their number alone.
    func differsInNumberOnly(from other: ReaderName) -> Bool {
        device == other.device && slot == other.slot && whole != other.whole
    }

    private static func isNumber(_ word: Substring) -> Bool {
        word.utf8.count == 2 && word.allSatisfy(\.isHexDigit)
    }
}

/// The readers of one board's sides: none is two sides'. A reader of the whole name that one side's setting says is no other's.
package final class BoardReaders: Sendable {
    private let settings: Set<String>
    private let taken = Mutex<[ObjectIdentifier: String]>([:])
    private let asking = Mutex(())

    /// - Parameter settings: of all sides that choose their reader by its name alone.
    package init(_ settings: [String] = []) { self.settings = Set(settings) }

    /// - Parameter choose: takes the readers that are others'; gives the whole name of the chosen one.
    fileprivate func choose(_ choice: ReaderChoice, _ choose: (_ isOthers: (String) -> Bool) -> String?) {
        taken.withLock { taken in
            taken[ObjectIdentifier(choice)] = choose { name in isOthers(name, choice, taken) }
        }
    }

    /// Asks of each reader that is no other side's, one after another: a side that asks keeps the reader from those that would ask too.
    fileprivate func ask(
        _ choice: ReaderChoice,
        _ names: [String],
        _ port: (String) -> ReaderPort
    ) -> [String: ReaderPort] {
        asking.withLock { _ in
            var ports: [String: ReaderPort] = [:]
            for name in names where !taken.withLock({ isOthers(name, choice, $0) }) { ports[name] = port(name) }
            return ports
        }
    }

    private func isOthers(_ name: String, _ choice: ReaderChoice, _ taken: [ObjectIdentifier: String]) -> Bool {
        taken.contains { $0.value == name && $0.key != ObjectIdentifier(choice) }
            || name != choice.setting && settings.contains(name)
    }

    fileprivate func release(_ choice: ReaderChoice) { taken.withLock { $0[ObjectIdentifier(choice)] = nil } }
}

/// Which reader is ours. The choice is made once, by a whole name, when only one reader can be meant; what is plugged in
/// later changes nothing about it. With a port the reader that is plugged in there is ours, whatever number it has. All who talk to
/// one reader share its choice (decision record 0025).
package final class ReaderChoice: Sendable {
    /// What a list of readers says.
    enum Finding: Equatable {
        case reader(String)
        /// The text says what to do.
        case none(String)
        /// Another program uses what may be ours. The text says what to do.
        case held(String)
    }

    private struct Chosen {
        var name: ReaderName
        /// Readers that are there beside ours, and so are not ours under another number.
        var others: [String] = []
    }

    private enum State {
        case open
        case made(Chosen)
        /// Chosen by its port, and not seen since: its name may be another reader's when it is seen again.
        case doubted(ReaderName)

        /// Of the reader that is ours.
        var name: String? {
            switch self {
            case .made(let chosen): chosen.name.whole
            case .open, .doubted: nil
            }
        }

        /// Whether it was said already that this reader is ours.
        func isAbout(_ name: String) -> Bool {
            switch self {
            case .open: false
            case .made(let chosen): chosen.name.whole == name
            case .doubted(let known): known.whole == name
            }
        }
    }

    fileprivate let setting: String?
    private let port: String?
    private let devices: USBDevices
    private let board: BoardReaders
    private let announce: @Sendable (String) -> Void
    private let state = Mutex(State.open)

    /// - Parameters:
    ///   - setting: a reader's name, or a part of it; nil for the only reader there is.
    ///   - port: the USB port that it is plugged into, as the kernel names it; nil for any.
    ///   - devices: what the kernel knows of ports.
    ///   - board: whose other sides have readers too.
    ///   - announce: takes each name that is chosen, on the thread that found it.
    package init(
        _ setting: String?,
        at port: String? = nil,
        among devices: USBDevices = USBDevices(),
        of board: BoardReaders = BoardReaders(),
        announce: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.setting = setting
        self.port = port
        self.devices = devices
        self.board = board
        self.announce = announce
    }

    deinit { board.release(self) }

    func find(_ context: borrowing PCSCContext) throws(PCSCError) -> Finding {
        find(among: try context.readers()) { context.port(of: $0, among: devices) }
    }

    /// - Parameters:
    ///   - names: of all readers, in pcscd's order.
    ///   - ask: says the port of a reader, and blocks; called where a port is set, for what may be meant and is no other side's.
    func find(among names: [String], _ ask: (String) -> ReaderPort) -> Finding {
        let meant = portQuestions(among: names)
        let ports = meant.isEmpty ? [:] : board.ask(self, meant, ask)
        var news: String?
        let finding = state.withLock { state in
            let before = state
            var finding = Finding.none("")
            board.choose(self) { isOthers in
                finding = find(among: names, isOthers, ports, &state)
                return state.name
            }
            if let name = state.name, !before.isAbout(name) { news = name }
            return finding
        }
        if let news { announce(news) }
        return finding
    }

    /// The reader was gone, or pcscd was: a reader of its name may be another one. Where a port is set, it is asked anew.
    func doubt() {
        guard port != nil else { return }
        state.withLock { state in
            guard case .made(let chosen) = state else { return }
            state = .doubted(chosen.name)
            board.release(self)
        }
    }

    private func portQuestions(among names: [String]) -> [String] {
        guard port != nil, state.withLock({ $0.name.map(names.contains) ?? false }) == false else { return [] }
        return Self.meant(setting, among: names)
    }

    private func find(
        among names: [String],
        _ isOthers: (String) -> Bool,
        _ ports: [String: ReaderPort],
        _ state: inout State
    ) -> Finding {
        if let port { return find(at: port, among: names, isOthers, ports, &state) }
        if case .made(var ours) = state {
            defer { state = .made(ours) }
            if !names.contains(ours.name.whole) {
                let known = ours
                ours.others.removeAll { !names.contains($0) }
                let renamed = names.map(ReaderName.init).filter {
                    $0.differsInNumberOnly(from: known.name) && !known.others.contains($0.whole) && !isOthers($0.whole)
                }
                guard let name = renamed.first else { return .none(Self.absence(of: known.name)) }
                guard renamed.count == 1 else { return .none(Self.ambiguity(renamed)) }
                ours.name = name
            }
            ours.others = names.filter { $0 != ours.name.whole }
            return .reader(ours.name.whole)
        }
        let free = names.filter { !isOthers($0) }
        let candidates = Self.candidates(setting, among: free.map(ReaderName.init))
        guard let name = candidates.first else { return .none(absence(among: free)) }
        guard candidates.count == 1 else { return .none(Self.ambiguity(candidates)) }
        state = .made(Chosen(name: name, others: names.filter { $0 != name.whole }))
        return .reader(name.whole)
    }

    private func find(
        at port: String,
        among names: [String],
        _ isOthers: (String) -> Bool,
        _ ports: [String: ReaderPort],
        _ state: inout State
    ) -> Finding {
        var before: ReaderName?
        switch state {
        case .open: break
        case .made(let ours) where names.contains(ours.name.whole): return .reader(ours.name.whole)
        case .made(let ours):
            state = .doubted(ours.name)
            before = ours.name
        case .doubted(let name): before = name
        }
        let free = names.filter { !isOthers($0) }
        let there = free.filter { ports[$0] == .known(port) }
        let candidates = Self.candidates(setting, among: there.map(ReaderName.init))
        guard candidates.count < 2 else { return .none(Self.ambiguity(candidates)) }
        if let name = candidates.first {
            state = .made(Chosen(name: name))
            return .reader(name.whole)
        }
        let others = free.compactMap { name in ports[name].map { (name, $0) } }
        if others.isEmpty, let before { return .none(Self.absence(of: before)) }
        let advice = Self.absence(of: setting, at: port, beside: others)
        return others.contains { $0.1 == .inUse } ? .held(advice) : .none(advice)
    }

    /// The rules that say what a setting means, of which the first that fits decides: the reader of this whole name; else the same slot
    /// of that device under another number; else the first slot of the device of this name; else those with this in their name.
    private static func rules(_ setting: String?) -> [(ReaderName) -> Bool] {
        guard let setting else { return [{ _ in true }] }
        let meant = ReaderName(setting)
        return [
            { $0.whole == setting },
            { meant.slot != nil && $0.differsInNumberOnly(from: meant) },
            { meant.slot == nil && $0.device == setting && $0.slot == "00" },
            { $0.whole.contains(setting) },
        ]
    }

    /// The readers that a setting can mean.
    static func candidates(_ setting: String?, among names: [ReaderName]) -> [ReaderName] {
        rules(setting).lazy.map { names.filter($0) }.first { !$0.isEmpty } ?? []
    }

    /// The readers that a setting may mean where a port is set too, by whichever rule: their ports decide. Of a device with several
    /// slots it means the first, unless it says another.
    ///
    /// - Parameter names: of all readers.
    static func meant(_ setting: String?, among names: [String]) -> [String] {
        let saysSlot = setting.map(ReaderName.init)?.slot != nil
        var meant: Set<String> = []
        for rule in rules(setting) {
            let found = names.filter { rule(ReaderName($0)) }
            let later = found.filter { name in
                guard let slot = ReaderName(name).slot, slot != "00" else { return false }
                return found.contains("\(name.dropLast(slot.count))00")
            }
            meant.formUnion(saysSlot ? found : found.filter { !later.contains($0) })
        }
        return names.filter(meant.contains)
    }

    private static func ambiguity(_ readers: [ReaderName]) -> String {
        let names = readers.map(\.whole).joined(separator: ", ")
        let advice = "which card reader is meant is open: set [card] reader to one of: \(names)"
        guard let first = readers.first, readers.allSatisfy({ $0 == first || $0.differsInNumberOnly(from: first) })
        else {
            return advice
        }
        return "\(advice), and [card] port to the USB port of the one that is meant, because their numbers change"
    }

    private static func absence(of name: ReaderName) -> String {
        "the card reader \"\(name.whole)\" is gone: plug it in"
    }

    private func absence(among names: [String]) -> String {
        guard let setting, !names.isEmpty else { return "no card reader: plug it in" }
        return "no card reader named \"\(setting)\": plug it in, or configure one of: \(names.joined(separator: ", "))"
    }

    /// - Parameter others: those that have the name, and are not known to be there.
    private static func absence(
        of setting: String?,
        at port: String,
        beside others: [(name: String, port: ReaderPort)]
    ) -> String {
        let reader = setting.map { "no card reader named \"\($0)\"" } ?? "no card reader"
        let there = ReaderPort.words(of: others)
        return
            "\(reader) at USB port \(port): plug it in there\(there.isEmpty ? "" : ", or set [card] port; there are \(there)")"
    }
}
