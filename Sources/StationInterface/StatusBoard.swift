private import Synchronization

/// How one side is, as it was said last.
package struct SideStatus: Equatable, Sendable {
    /// What flows, or has flowed, in the sale of this visit.
    package struct Sale: Equatable, Sendable {
        package let centilitres: Int
        package let fen: Int

        package init(centilitres: Int, fen: Int) {
            self.centilitres = centilitres
            self.fen = fen
        }
    }

    package let number: Int
    package let nozzle: Int
    package let grade: String
    /// By the names of the forecourt convention.
    package var state: String
    /// Of what was said last, and its words.
    package var code: String
    package var words: String
    package var fenPerLitre: Int
    package var sale: Sale?

    package init(number: Int, nozzle: Int, grade: String, state: String, code: String, words: String, fenPerLitre: Int)
    {
        self.number = number
        self.nozzle = nozzle
        self.grade = grade
        self.state = state
        self.code = code
        self.words = words
        self.fenPerLitre = fenPerLitre
    }

    var json: JSON {
        let sale = sale.map { sale in
            JSON.object([
                JSON.Member("centilitres", .integer(sale.centilitres)), JSON.Member("fen", .integer(sale.fen)),
            ])
        }
        return .object([
            JSON.Member("number", .integer(number)), JSON.Member("nozzle", .integer(nozzle)),
            JSON.Member("grade", .text(grade)), JSON.Member("state", .text(state)), JSON.Member("code", .text(code)),
            JSON.Member("words", .text(words)), JSON.Member("fenPerLitre", .integer(fenPerLitre)),
            JSON.Member("sale", sale ?? .null),
        ])
    }
}

/// How much the log says, and who said so.
package struct LogStanding: Equatable, Sendable {
    package let level: LogLevel
    /// nil for nobody: it is as at the start.
    package let user: String?
    /// In seconds since 1970 by UTC; nil also when the clock was not set.
    package let utcSeconds: Int64?

    package init(level: LogLevel = .info, user: String? = nil, utcSeconds: Int64? = nil) {
        self.level = level
        self.user = user
        self.utcSeconds = utcSeconds
    }

    var json: JSON {
        .object([
            JSON.Member("level", .text(level.rawValue)), JSON.Member("user", .optional(user)),
            JSON.Member("since", utcSeconds.map { .integer($0) } ?? .null),
        ])
    }
}

/// What all sides have in common.
package struct StationStatus: Equatable, Sendable {
    package let version: String
    package let terminal: String
    package let capacity: Int
    package var isDrained = false
    package var log = LogStanding()
    /// Unfinished ones; nil as long as the journal is not open.
    package var openRecords: Int?
    /// For so many more records; nil as long as they are not counted.
    package var room: Int?

    package init(version: String, terminal: String, capacity: Int) {
        self.version = version
        self.terminal = terminal
        self.capacity = capacity
    }

    var members: [JSON.Member] {
        let journal = JSON.object([
            JSON.Member("openRecords", .optional(openRecords)), JSON.Member("room", .optional(room)),
            JSON.Member("capacity", .integer(capacity)),
        ])
        return [
            JSON.Member("version", .text(version)), JSON.Member("terminal", .text(terminal)),
            JSON.Member("drained", .truth(isDrained)), JSON.Member("log", log.json), JSON.Member("journal", journal),
        ]
    }
}

/// How the station is. Any thread writes and reads, and none waits for another's work.
package final class StatusBoard: Sendable {
    private struct Entry<Value: Sendable>: Sendable {
        var value: Value
        /// Of its last change.
        var change: UInt64
    }

    private struct Content {
        var station: Entry<StationStatus>
        var sides: [Entry<SideStatus>]
        var changes: UInt64 = 1
    }

    private let content: Mutex<Content>
    private let isWatched = Atomic(false)
    let wake = Wake()

    package init(_ station: StationStatus, _ sides: [SideStatus]) {
        content = Mutex(
            Content(station: Entry(value: station, change: 1), sides: sides.map { Entry(value: $0, change: 1) })
        )
    }

    package func update(side number: Int, _ change: (inout SideStatus) -> Void) {
        let isChanged = content.withLock { content in
            guard let index = content.sides.firstIndex(where: { $0.value.number == number }) else { return false }
            let before = content.sides[index].value
            change(&content.sides[index].value)
            guard content.sides[index].value != before else { return false }
            content.changes += 1
            content.sides[index].change = content.changes
            return true
        }
        if isChanged { ring() }
    }

    package func update(_ change: (inout StationStatus) -> Void) {
        let isChanged = content.withLock { content in
            let before = content.station.value
            change(&content.station.value)
            guard content.station.value != before else { return false }
            content.changes += 1
            content.station.change = content.changes
            return true
        }
        if isChanged { ring() }
    }

    package var sides: [SideStatus] { content.withLock { $0.sides.map(\.value) } }

    private func ring() { if isWatched.load(ordering: .acquiring) { wake.ring() } }

    func watch(_ isWatched: Bool) { self.isWatched.store(isWatched, ordering: .releasing) }

    /// The number of the last one.
    var change: UInt64 { content.withLock(\.changes) }

    /// All of it, and as of which change.
    func status() -> (json: JSON, change: UInt64) {
        let (station, sides, change) = content.withLock { ($0.station.value, $0.sides.map(\.value), $0.changes) }
        return (.object(station.members + [JSON.Member("sides", .list(sides.map(\.json)))]), change)
    }

    /// What is another since a change: of each part only how it is now.
    func changes(since seen: UInt64) -> (events: [JSON], change: UInt64) {
        let (station, sides, change) = content.withLock { content in
            (
                content.station.change > seen ? content.station.value : nil,
                content.sides.filter { $0.change > seen }.map(\.value), content.changes
            )
        }
        let ofStation = station.map { JSON.object([JSON.Member("station", .object($0.members))]) }
        let ofSides = sides.map { JSON.object([JSON.Member("side", $0.json)]) }
        return ([ofStation].compactMap(\.self) + ofSides, change)
    }
}
