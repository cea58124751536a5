/// What a client asks: one line (<doc:0061-line-protocol>).
package struct Request: Equatable, Sendable {
    package let id: RequestID
    package let command: Command
}

/// The caller's own name for a request, which each answer to it bears.
package enum RequestID: Equatable, Sendable {
    case integer(Int64)
    case text(String)

    package static let charactersMax = 64

    var json: JSON {
        switch self {
        case .integer(let number): .integer(number)
        case .text(let text): .text(text)
        }
    }
}

package enum Command: Equatable, Sendable {
    /// How the station is.
    case status
    /// The same, and each change from then on.
    case watch
    case errand(Errand)
}

/// What is not answered at once, but at the desk.
package enum Errand: Equatable, Sendable {
    /// Something is to be done.
    case order(Order, key: String)
    /// Finished records that are not acknowledged, behind a number.
    case records(after: UInt32, limit: Int)
    /// Open grey records of this terminal's own sales, behind a number, as a file for other terminals.
    case greys(after: UInt32, limit: Int)
    /// The next part of a list of blocked cards, 10 bytes each; part 0 begins a list.
    case cards(part: Int, [UInt8])
}

/// What is done once for a key.
package enum Order: Hashable, Sendable {
    /// Running sales end, and no other begins.
    case drain
    case undrain
    /// No sale begins at the side until it is unblocked, whatever is started anew meanwhile.
    case block(side: Int, reason: String)
    case unblock(side: Int)
    /// From a time on, in seconds since 1970 by UTC, or at once; a running sale keeps its price.
    case price(side: Int, fenPerLitre: Int, from: Int64?)
    /// Grey records of another terminal, as the text of their file.
    case takeGreys(file: String)
    /// How much the log says.
    case level(LogLevel)
    /// Whoever collects the records has these.
    case acknowledge([UInt32])
    /// The cards that came in parts are blocked from now on, and no other by this list.
    case blacklist(count: Int, sha256: [UInt8])

    /// The same for the same order.
    package var bytes: [UInt8] {
        let members: [JSON.Member] =
            switch self {
            case .drain: [JSON.Member("command", .text("drain"))]
            case .undrain: [JSON.Member("command", .text("undrain"))]
            case .block(let side, let reason):
                [
                    JSON.Member("command", .text("block")), JSON.Member("side", .integer(side)),
                    JSON.Member("reason", .text(reason)),
                ]
            case .unblock(let side): [JSON.Member("command", .text("unblock")), JSON.Member("side", .integer(side))]
            case .price(let side, let fenPerLitre, let from):
                [
                    JSON.Member("command", .text("price")), JSON.Member("side", .integer(side)),
                    JSON.Member("fenPerLitre", .integer(fenPerLitre)),
                    JSON.Member("from", from.map { .integer($0) } ?? .null),
                ]
            case .blacklist(let count, let digest):
                [
                    JSON.Member("command", .text("blacklist")), JSON.Member("count", .integer(count)),
                    JSON.Member("sha256", .list(digest.map { .integer(Int64($0)) })),
                ]
            case .takeGreys(let file): [JSON.Member("command", .text("take-greys")), JSON.Member("file", .text(file))]
            case .level(let level):
                [JSON.Member("command", .text("level")), JSON.Member("level", .text(level.rawValue))]
            case .acknowledge(let numbers):
                [
                    JSON.Member("command", .text("acknowledge")),
                    JSON.Member("numbers", .list(numbers.map { .integer(Int64($0)) })),
                ]
            }
        return JSON.object(members).bytes
    }
}

/// How much the log says, the most first: each says what those behind it say, and more.
package enum LogLevel: String, CaseIterable, Sendable {
    case info, notice, warning, error
}

/// At which socket a client is.
package enum SocketKind: String, CaseIterable, Sendable {
    /// Tells how things are.
    case read
    /// Takes orders too.
    case control
}

/// The process at the other end, as the kernel names it when it connects.
package struct Peer: Hashable, Sendable {
    package let user: UInt32

    package init(user: UInt32) { self.user = user }
}
