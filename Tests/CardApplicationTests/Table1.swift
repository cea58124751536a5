import CardApplication
import TestCards

/// `table1.csv`: the state after the success of a command, by the state in which it arrives.
struct Table1 {
    /// Command, then state; nil where the command is not accepted.
    private(set) var rows: [String: [PurseState: PurseState]] = [:]

    init() throws {
        let text = String(decoding: try SharedFolder.bytes(of: SharedFolder.table1), as: UTF8.self)
        var lines = text.split(whereSeparator: \.isNewline).map { $0.split(separator: ",").map(String.init) }
        guard let head = lines.first, head.first == "command" else { throw Malformed(line: "the head") }
        lines.removeFirst()
        let states = try head.dropFirst().map(Self.state)
        for line in lines {
            guard line.count == states.count + 1, rows[line[0]] == nil else { throw Malformed(line: line[0]) }
            rows[line[0]] = [:]
            for (state, next) in zip(states, line.dropFirst()) where next != "-" {
                rows[line[0]]?[state] = try Self.state(next)
            }
        }
    }

    private static func state(_ name: String) throws -> PurseState {
        guard let state = PurseState(rawValue: name) else { throw Malformed(line: name) }
        return state
    }

    struct Malformed: Error {
        let line: String
    }
}
