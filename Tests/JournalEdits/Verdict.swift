import Dispenser
import FuelPassbook
import Journal
import Records

/// What an edit came to. Harmless: nothing is named, and the start leaves, word for word, what a start on the journal
/// leaves that was not edited: as it stood at the power cut, or at an earlier commit, which its counter says.
enum Verdict: String, CaseIterable {
    case refused
    case rowsNamed
    case harmless
    case earlierCommit
    // Never
    case changedUnseen
    case moneyChanged
    case numberAgain
    case crashed

    var isAllowed: Bool {
        switch self {
        case .refused, .rowsNamed, .harmless, .earlierCommit: true
        case .changedUnseen, .moneyChanged, .numberAgain, .crashed: false
        }
    }

    var words: String {
        switch self {
        case .refused: "the journal refused by name"
        case .rowsNamed: "rows named, the rest as it was"
        case .harmless: "harmless: every value as it was"
        case .earlierCommit: "harmless: as at an earlier commit, told by its counter"
        case .changedUnseen: "CHANGED UNSEEN"
        case .moneyChanged: "MONEY CHANGED in a row that is believed"
        case .numberAgain: "A NUMBER GIVEN AGAIN"
        case .crashed: "CRASHED"
        }
    }
}

/// Starts on the journal as it was after each step, without an edit.
struct References {
    private let starts: [Start]

    init(_ history: History, _ path: String) throws {
        starts = try history.files.map { files in
            try files.write(path)
            let start = Start(path)
            guard start.refusal == nil, start.named.isEmpty else {
                fatalError("an unedited journal: \(start.refusal ?? "") \(start.named)")
            }
            return start
        }
    }

    func judge(_ start: Start) -> (Verdict, String) {
        let same = starts.filter { $0.mark == start.mark }
        let candidates = same.isEmpty ? starts : same
        if let changed = start.changedMoney(candidates) { return (.moneyChanged, changed) }
        let known = Set(candidates.last.map { Array($0.money.keys) } ?? [])
        if let next = start.nextNumber, known.contains("sale \(next.value)") { return (.numberAgain, "\(next.value)") }
        if let refusal = start.refusal { return (.refused, refusal) }
        if let first = start.named.first { return (.rowsNamed, first) }
        guard let last = same.last else { return (.changedUnseen, "no mark of this journal") }
        if let place = start.firstDifference(last) { return (.changedUnseen, place) }
        return last.mark == starts.last?.mark ? (.harmless, "") : (.earlierCommit, "\(last.mark?.commits ?? 0)")
    }
}

extension Start {
    /// A believed value that is none of those that it may be.
    fileprivate func changedMoney(_ candidates: [Start]) -> String? {
        for (place, value) in money where !candidates.contains(where: { $0.money[place] == value }) {
            let number = place.split(separator: " ").last ?? ""
            if excused.contains("sale \(number)") { continue }
            // Left as the power cut left it, because its row is not believed, or no row is.
            let words = ["record \(number)", "unknown", "table journal_state"]
            if named.contains(where: { named in words.contains { named.contains($0) } }) { continue }
            if refusal != nil { continue }
            return "\(place): \(value)"
        }
        return nil
    }

    fileprivate func firstDifference(_ other: Start) -> String? {
        for place in Set(contents.keys).union(other.contents.keys).sorted()
        where contents[place] != other.contents[place] {
            return "\(place): \(contents[place] ?? "gone"), not \(other.contents[place] ?? "there")"
        }
        return nil
    }
}
