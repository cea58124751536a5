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
    /// Something is to be done.
    case order(Order, key: String)
}

/// What is done once for a key.
package enum Order: Hashable, Sendable {
    /// Running sales end, and no other begins.
    case drain
    case undrain
}

/// At which socket a client is.
package enum SocketKind: String, Sendable {
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
