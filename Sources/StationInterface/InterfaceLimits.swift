/// What a client may cost the service. Whoever goes beyond is cut off, and nobody else notices.
package struct InterfaceLimits: Sendable {
    /// Clients at once.
    package var readClientsMax = 24
    package var controlClientsMax = 8
    /// Of each, for root and the service's own user: whoever may only ask keeps nobody from draining or looking at the station.
    package var ownersPlaces = 2
    /// Of answers that are not sent yet: what more a client asks is not read as long as it takes none.
    package var answerBytesMax = 131_072
    /// Orders of one client that are not done yet.
    package var ordersMax = 16
    /// For a client to take more of what is sent to it, and to end a line that it began.
    package var stallNanoseconds: UInt64 = 10_000_000_000
    /// Without any request, of a client that does not watch.
    package var idleNanoseconds: UInt64 = 600_000_000_000
    /// Of one client before the others have their turn.
    package var linesATurn = 8
    /// Between two sets of events to one client.
    package var eventNanoseconds: UInt64 = 100_000_000

    package init() {}

    /// How many clients there may be at once for one more to be taken.
    func clientsMax(_ kind: SocketKind, for peer: Peer, ofService user: UInt32) -> Int {
        let most = kind == .read ? readClientsMax : controlClientsMax
        return peer.user == 0 || peer.user == user ? most : max(0, most - ownersPlaces)
    }
}
