import CardApplication
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

/// A new demonstration card in a virtual reader, served by a thread of its own.
final class ServedCard: Sendable {
    let connection: VirtualReaderConnection
    private let outcome = Outcome()

    /// - Parameter leavesAtCommit: the card is pulled in the middle of the first command that writes.
    init(port: UInt16, _ transmission: CardTransmission, leavesAtCommit: Bool = false) throws {
        let image = DemonstrationCard.image()
        // pcscd powers it up at once, and gives a card up that does not answer then.
        let connection = try VirtualReaderConnection.connect(port: port)
        self.connection = connection
        Thread.detachNewThread { [outcome] in
            do {
                let memory = PullingMemory(connection: leavesAtCommit ? connection : nil)
                try connection.serve(VirtualCard(stored: image, memory: memory), over: transmission)
            } catch {
                outcome.fault.withLock { $0 = error }
            }
            outcome.ended.signal()
        }
    }

    /// Takes the card out of the reader, once.
    ///
    /// - Throws: what went wrong while it was served.
    func pull() throws {
        connection.stop()
        try outcome.ended.wait(for: "the end of the served card")
        if let fault = outcome.fault.withLock({ $0 }) { throw fault }
    }

    private final class Outcome: Sendable {
        let ended = DispatchSemaphore(value: 0)
        let fault = Mutex<(any Error)?>(nil)
    }

    private struct PullingMemory: CardMemory {
        let connection: VirtualReaderConnection?

        mutating func commit(_ image: [UInt8]) throws(CardMemoryFailure) { connection?.stop() }

        mutating func read() throws(CardMemoryFailure) -> [UInt8] {
            throw CardMemoryFailure(reason: "this memory keeps nothing")
        }
    }
}

/// A monitor's events, in the order in which they came.
final class EventLog: Sendable {
    private let events = Mutex<[ReaderEvent]>([])
    private let arrived = DispatchSemaphore(value: 0)

    @Sendable func post(_ event: ReaderEvent) {
        events.withLock { $0.append(event) }
        arrived.signal()
    }

    /// The next event; nil when none came in time.
    func next() -> ReaderEvent? {
        guard arrived.wait(timeout: .now() + .seconds(Patience.seconds)) == .success else { return nil }
        return events.withLock { $0.removeFirst() }
    }

    /// The text of the next event, which must be `lost`.
    func nextLoss() throws -> String {
        let event = next()
        guard case .lost(let text) = event else {
            throw UnexpectedEvent(description: "a loss was awaited, came: \(String(describing: event))")
        }
        return text
    }

    /// The next event that is no `lost`: a daemon that ends and comes back is lost for more than one cause.
    func nextAfterLosses() -> ReaderEvent? {
        while true {
            let event = next()
            guard case .lost = event else { return event }
        }
    }

    var isEmpty: Bool { events.withLock { $0.isEmpty } }
}

struct UnexpectedEvent: Error, CustomStringConvertible {
    let description: String
}

extension PCSCReader {
    func send(_ apdu: CommandAPDU) throws(CardFault) -> ResponseAPDU {
        try transmit(apdu.bytes.span)
    }

    func answer<Command: PassbookCommand>(_ command: Command) throws -> Command.Response {
        let response = try send(command.apdu)
        #expect(response.status == .success)
        return try Command.Response(parsing: response.data)
    }

    /// SELECT and VERIFY.
    func open() throws {
        #expect(try send(SelectApplication(aid: Demonstration.aid).apdu).status == .success)
        let verified = try Demonstration.pin.withVerifyCommand { (command) throws(CardFault) in try transmit(command) }
        #expect(verified == ResponseAPDU())
    }
}
