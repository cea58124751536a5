import Quantities
package import Threads

/// The first thing that is wrong with a configuration. Its description is one line:
/// `FILE:LINE: KEY: what is expected (found WHAT)`.
package struct ConfigurationError: Error, Equatable, Sendable {
    package let file: String
    /// From 1. For a key that is missing, the line of its table, or 1 without one.
    package let line: Int
    /// The key with its tables, as in `side.1.pump.gpio.motor`; elements of arrays count from 1, as in `card.blacklist[2]`.
    /// `file` or `syntax` when the text is not TOML at all.
    package let key: String
    package let expected: String
    package let found: String
    /// The file could not be opened or read, which says nothing about what stands in it and may pass.
    package var isUnread = false
}

extension ConfigurationError: CustomStringConvertible {
    package var description: String {
        "\(file):\(line): \(key): \(expected) (found \(found))".printable
    }
}

/// The name that was probably meant, or nil when none is close.
func nearestName(to name: String, among names: some Sequence<String>) -> String? {
    let distanceMax = min(max(1, name.count / 3), name.count - 1)
    let distances = names.map { (name: $0, distance: editDistance(name, $0)) }
    let nearest = distances.min { ($0.distance, $0.name) < ($1.distance, $1.name) }
    guard let nearest, nearest.distance <= distanceMax else { return nil }
    return nearest.name
}

/// Insertions, deletions, replacements and swaps of neighbours from one text to the other (optimal string alignment).
private func editDistance(_ left: String, _ right: String) -> Int {
    let left = Array(left)
    let right = Array(right)
    var rows = [Array(0...right.count)]
    for row in left.indices {
        var distances = [row + 1]
        for column in right.indices {
            let isSame = left[row] == right[column]
            var distance = min(
                distances[column] + 1,
                rows[row][column + 1] + 1,
                rows[row][column] + (isSame ? 0 : 1)
            )
            if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                distance = min(distance, rows[row - 1][column - 1] + 1)
            }
            distances.append(distance)
        }
        rows.append(distances)
    }
    return rows[left.count][right.count]
}

extension ServiceFailure {
    /// Only what stands in a file, or what kind of file it is, is final (decision record 0024).
    package init(_ error: ConfigurationError) {
        self.init(
            exitStatus: error.isUnread ? Self.inputOutput : Self.configuration,
            reason: error.description
        )
    }
}
