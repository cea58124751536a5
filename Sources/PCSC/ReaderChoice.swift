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

    /// - Parameter settings: of all sides.
    package init(_ settings: [String] = []) { self.settings = Set(settings) }

    /// - Parameter choose: takes the readers that are others'; gives the whole name of the chosen one.
    fileprivate func choose(_ choice: ReaderChoice, _ choose: (_ isOthers: (String) -> Bool) -> String?) {
        taken.withLock { taken in
            let others = Set(taken.filter { $0.key != ObjectIdentifier(choice) }.values)
            taken[ObjectIdentifier(choice)] = choose { name in
                others.contains(name) || name != choice.setting && settings.contains(name)
            }
        }
    }

    fileprivate func release(_ choice: ReaderChoice) { taken.withLock { $0[ObjectIdentifier(choice)] = nil } }
}

/// Which reader is ours. The choice is made once, by a whole name, when only one reader can be meant; what is plugged in
/// later changes nothing about it. All who talk to one reader share its choice (decision record 0025).
package final class ReaderChoice: Sendable {
    /// What a list of readers says.
    enum Finding: Equatable {
        case reader(String)
        /// The text says what to do.
        case none(String)
    }

    private struct Chosen {
        var name: ReaderName
        /// Readers that are there beside ours, and so are not ours under another number.
        var others: [String] = []
    }

    fileprivate let setting: String?
    private let board: BoardReaders
    private let announce: @Sendable (String) -> Void
    private let chosen = Mutex<Chosen?>(nil)

    /// - Parameters:
    ///   - setting: a reader's name, or a part of it; nil for the only reader there is.
    ///   - board: whose other sides have readers too.
    ///   - announce: takes each name that is chosen, on the thread that found it.
    package init(
        _ setting: String?,
        of board: BoardReaders = BoardReaders(),
        announce: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.setting = setting
        self.board = board
        self.announce = announce
    }

    deinit { board.release(self) }

    /// - Parameter names: of all readers, in pcscd's order.
    func find(among names: [String]) -> Finding {
        var news: String?
        let finding = chosen.withLock { chosen in
            let before = chosen?.name.whole
            var finding = Finding.none("")
            board.choose(self) { isOthers in
                finding = find(among: names, isOthers, &chosen)
                return chosen?.name.whole
            }
            if let name = chosen?.name.whole, name != before { news = name }
            return finding
        }
        if let news { announce(news) }
        return finding
    }

    private func find(among names: [String], _ isOthers: (String) -> Bool, _ chosen: inout Chosen?) -> Finding {
        if var ours = chosen {
            defer { chosen = ours }
            if !names.contains(ours.name.whole) {
                let known = ours
                ours.others.removeAll { !names.contains($0) }
                let renamed = names.map(ReaderName.init).filter {
                    $0.differsInNumberOnly(from: known.name) && !known.others.contains($0.whole) && !isOthers($0.whole)
                }
                guard let name = renamed.first else {
                    return .none("the card reader \"\(known.name.whole)\" is gone: plug it in")
                }
                guard renamed.count == 1 else { return .none(Self.ambiguity(renamed.map(\.whole))) }
                ours.name = name
            }
            ours.others = names.filter { $0 != ours.name.whole }
            return .reader(ours.name.whole)
        }
        let free = names.filter { !isOthers($0) }
        let candidates = Self.candidates(setting, among: free.map(ReaderName.init)).map(\.whole)
        guard let name = candidates.first else { return .none(absence(among: free)) }
        guard candidates.count == 1 else { return .none(Self.ambiguity(candidates)) }
        chosen = Chosen(name: ReaderName(name), others: names.filter { $0 != name })
        return .reader(name)
    }

    /// The readers that a setting can mean: the one of this whole name; else the same slot of that device under another
    /// number; else the first slot of the device of this name; else those with this in their name.
    static func candidates(_ setting: String?, among names: [ReaderName]) -> [ReaderName] {
        guard let setting else { return names }
        let meant = ReaderName(setting)
        let rules: [(ReaderName) -> Bool] = [
            { $0.whole == setting },
            { meant.slot != nil && $0.differsInNumberOnly(from: meant) },
            { meant.slot == nil && $0.device == setting && $0.slot == "00" },
            { $0.whole.contains(setting) },
        ]
        for rule in rules {
            let found = names.filter(rule)
            if !found.isEmpty { return found }
        }
        return []
    }

    private static func ambiguity(_ names: [String]) -> String {
        "which card reader is meant is open: set [card] reader to one of: \(names.joined(separator: ", "))"
    }

    private func absence(among names: [String]) -> String {
        guard let setting, !names.isEmpty else { return "no card reader: plug it in" }
        return "no card reader named \"\(setting)\": plug it in, or configure one of: \(names.joined(separator: ", "))"
    }
}
