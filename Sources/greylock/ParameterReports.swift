import FuelPassbook
import ISO7816
import Parameters

/// What one field says otherwise.
struct ParameterDifference: Encodable {
    let field: String
    let before: String?
    let after: String?

    static func all(from old: ParameterSet, to new: ParameterSet) -> [ParameterDifference] {
        let (before, after) = (old.meter.values, new.meter.values)
        let fields = ParameterField.allCases.filter { before[$0] != after[$0] }.map {
            ParameterDifference(field: $0.rawValue, before: before[$0]?.text, after: after[$0]?.text)
        }
        guard old.board != new.board else { return fields }
        return [ParameterDifference(field: "board", before: "\(old.board)", after: "\(new.board)")] + fields
    }

    var words: String { "\(field): \(before ?? "nothing") -> \(after ?? "nothing")" }
}

struct DifferenceReport: Encodable {
    let position: Int
    let from: Int
    let to: Int
    let changes: [ParameterDifference]

    init(_ side: Int, _ versions: [Int], _ changes: [ParameterDifference]) {
        position = side
        (from, to) = (versions[0], versions[1])
        self.changes = changes
    }
}

struct ParametersReport: Encodable {
    let terminal: String
    let sets: [SetReport]

    init(_ book: ParameterBook, _ sets: [ParameterSet], withChanges: Bool = false) {
        terminal = "\(book.terminal)"
        self.sets = sets.map { set in
            SetReport(
                set,
                withChanges ? book.set(before: set).map { ParameterDifference.all(from: $0, to: set) } ?? [] : nil
            )
        }
    }
}

struct SetReport: Encodable {
    let position: Int
    let version: Int
    let checksum: String
    let hash: String
    let calibrationCounter: Int
    let configurationCounter: Int
    let board: String
    let date: String
    let author: String
    let second: String
    let reason: String
    let parameters: [String: String]
    let changes: [ParameterDifference]?

    init(_ set: ParameterSet, _ changes: [ParameterDifference]? = nil) {
        position = set.side
        version = set.version
        checksum = set.checksum
        hash = Hex.string(set.hash)
        calibrationCounter = set.counters.calibration
        configurationCounter = set.counters.configuration
        board = "\(set.board)"
        date = "\(set.change.date)"
        author = set.change.author
        second = set.change.second
        reason = set.change.reason
        parameters = Dictionary(uniqueKeysWithValues: set.meter.values.map { ($0.key.rawValue, $0.value.text) })
        self.changes = changes
    }
}

extension ParameterBook {
    /// Of the same side; nil of the first.
    func set(before set: ParameterSet) -> ParameterSet? { sets(of: set.side).first { $0.version == set.version - 1 } }
}

extension ParameterSet {
    var headLines: [String] {
        [
            "position \(self.side): version \(self.version), checksum \(checksum), \(self.counters.words)",
            "    \(self.change.date) UTC, by \(self.change.author) with \(self.change.second): \(self.change.reason)",
            "    board \(self.board)",
        ]
    }

    var fieldLines: [String] {
        let values = self.meter.values
        return ParameterField.allCases.compactMap { field in
            values[field].map { "    \(field.rawValue) = \($0.text)" }
        }
    }
}

extension ParameterSet.Counters {
    var words: String { "calibration counter \(calibration), configuration counter \(configuration)" }
}
