/// The names that were probably meant, the nearest first; none when none is close. Capitals count as small letters.
package func nearNames(to name: String, among names: some Sequence<String>) -> [String] {
    let distanceMax = min(max(1, name.count / 3), name.count - 1)
    let wanted = name.lowercased()
    return names.map { (name: $0, distance: editDistance(wanted, $0.lowercased())) }
        .filter { $0.distance <= distanceMax }
        .sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }
        .map(\.name)
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
