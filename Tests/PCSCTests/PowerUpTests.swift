import Dispatch
import Dispenser
import Foundation
import FuelPassbook
import ISO7816
import PCSC
import Synchronization
import TestPrograms
import Testing
import VirtualCards

/// A card that loses its contacts each of the first two times that pcscd powers it up, and has them again at once: pcscd's own
/// attempt when it comes, and that of the first client.
private final class BouncingCard: PoweredCard, @unchecked Sendable {
    private let port: UInt16
    /// After this one.
    private let bouncesLeft: Int
    private let connection: VirtualReaderConnection
    private let bounced = DispatchSemaphore(value: 0)
    /// The same card with its contacts.
    private let again = Mutex<Result<Again, any Error>?>(nil)

    private enum Again {
        case bouncing(BouncingCard)
        case served(ServedCard)
    }

    init(port: UInt16, bouncesLeft: Int = 1) throws {
        self.port = port
        self.bouncesLeft = bouncesLeft
        connection = try VirtualReaderConnection.connect(port: port)
        Thread.detachNewThread { [self] in
            // The driver is left in the middle of a message.
            do { try connection.serve(self, over: .t1) } catch {}
        }
    }

    /// The driver takes the new connection as soon as it has lost the first, so that pcscd sees no card leave: it waits for
    /// the answer to reset meanwhile.
    func reset() {
        again.withLock { again in
            again = Result { () throws -> Again in
                guard bouncesLeft > 0 else { return .served(try ServedCard(port: port, .t1)) }
                return .bouncing(try BouncingCard(port: port, bouncesLeft: bouncesLeft - 1))
            }
        }
        connection.stop()
        bounced.signal()
    }

    func waitUntilBounced() throws { try bounced.wait(for: "pcscd to power the card up") }

    func respond(to command: Span<UInt8>) -> ResponseAPDU { ResponseAPDU(status: .commandNotAccepted) }

    func pull() throws {
        switch try again.withLock({ try $0?.get() }) {
        case .bouncing(let card): try card.pull()
        case .served(let card): try card.pull()
        case nil: break
        }
    }
}

extension WithPCSCD {
    @Suite(.timeLimit(.minutes(10)))
    struct PowerUpTests {
        @Test func aCardThatLosesItsContactsTwiceIsPoweredUpAgain() throws {
            let daemon = try CardDaemon(port: CardDaemon.freePorts())
            let card = try BouncingCard(port: daemon.port)
            try card.waitUntilBounced()
            let reader = PCSCReader(name: "00 00")
            try connect(reader)
            #expect(try reader.send(SelectApplication(aid: Demonstration.aid).apdu).status == .success)
            reader.disconnect()
            try card.pull()
            daemon.stop()
        }

        /// pcscd may not have said yet that there is a card.
        private func connect(_ reader: PCSCReader) throws {
            let patience = ContinuousClock.now + .seconds(Patience.seconds)
            while true {
                do throws(CardFault) { return try reader.connect() } catch {
                    guard error == .removed, ContinuousClock.now < patience else { throw error }
                }
            }
        }
    }
}
