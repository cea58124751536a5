import Configuration
import Dispenser
import Foundation
import FuelPassbook
import Logging
import Quantities
import Records
import Station
import StationInterface
import Synchronization
import TestFolders
import TestPrograms
import Testing
import Threads
import VirtualStation

/// A service in this process with its sockets, cards that come again as soon as they are free, and a client of the test's.
final class InterfaceStation {
    private let service: Service
    private let thread: NamedThread
    private let outcome = Outcome()
    private let folder: TestFolder
    private let name: String

    final class Outcome: Sendable {
        let failure = Mutex<ServiceFailure?>(nil)
        let receipts = Mutex<[Int: Int]>([:])
    }

    /// - Parameters:
    ///   - flows: of each side, in centilitres.
    ///   - journal: further keys, as `, KEY = VALUE`.
    ///   - name: of one of several in the folder, whose cards are the same.
    ///   - escapes: the cards are pulled while fuel flows, and stay away.
    init(
        _ folder: TestFolder,
        _ flows: [Int],
        speed: Int = 20,
        price: Int = 785,
        journal: String = "",
        name: String = "",
        terminal: TerminalID = Demonstration.terminal,
        escapes: Bool = false
    ) throws {
        self.folder = folder
        self.name = name
        let sides = flows.enumerated().map { index, centilitres in
            ServiceConfiguration.side(
                index + 1,
                card: "kind = \"virtual\", state = \"\(folder.path("card\(index + 1)"))\"",
                price: price,
                pump: ServiceConfiguration.simulated(centilitres: centilitres, speed: speed)
            )
        }
        let text = """
            \(ServiceConfiguration.text(journal: (folder.path("\(name)journal.sqlite"), journal), terminal: terminal, grace: 1, sides: sides))
            [interface]
            read = "\(folder.path("\(name)read.sock"))"
            control = "\(folder.path("\(name)control.sock"))"
            """
        let configuration = try Configuration(toml: Array(text.utf8), file: "interface.toml")
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        service = try Service(configuration: configuration, log: log, virtual: .inProcess)
        thread = NamedThread("service") { [service, outcome] in
            do throws(ServiceFailure) {
                try service.run { side, hand in SideFace(ReturningCard(side.number, hand, outcome, escapes: escapes)) }
            } catch {
                outcome.failure.withLock { $0 = error }
            }
        }
    }

    func receipts(_ side: Int) -> Int { outcome.receipts.withLock { $0[side, default: 0] } }

    /// - Returns: why the service ended; nil as it should.
    @discardableResult
    func stop() -> ServiceFailure? {
        service.stop()
        thread.join()
        return outcome.failure.withLock(\.self)
    }

    /// A client of a service that has its journal.
    func client(_ socket: SocketKind = .control) throws -> InterfaceClientOfTest {
        let client = try connected(socket)
        _ = try client.wait(for: "the start") { $0.room != nil }
        return client
    }

    private func connected(_ socket: SocketKind) throws -> InterfaceClientOfTest {
        let deadline = MonotonicClock.nanoseconds + UInt64(Patience.seconds) * 1_000_000_000
        let never = MonotonicSemaphore()
        while true {
            do throws(StationConnection.Fault) {
                return InterfaceClientOfTest(try StationConnection(folder.path("\(name)\(socket.rawValue).sock")))
            } catch {
                if let failure = outcome.failure.withLock(\.self) { throw failure }
                guard MonotonicClock.nanoseconds < deadline else { throw error }
                _ = never.wait(until: MonotonicClock.nanoseconds + 5_000_000)
            }
        }
    }
}

/// Pulls the card when it has paid, and puts it in again at once.
private final class ReturningCard: SideDisplay {
    private let side: Int
    private let hand: CardHand?
    private let outcome: InterfaceStation.Outcome
    private let escapes: Bool

    init(_ side: Int, _ hand: CardHand?, _ outcome: InterfaceStation.Outcome, escapes: Bool) {
        self.escapes = escapes
        self.side = side
        self.hand = hand
        self.outcome = outcome
    }

    func show(_ state: SideState, _ notice: Notice) {
        guard case .removeCard = notice else { return }
        hand?.pull()
        hand?.insert()
    }

    func show(_ state: SideState, centilitres: Int, fen: Int, unitPrice: UnitPrice) {
        if escapes, centilitres > 0 { hand?.pull() }
    }

    func printReceipt(_ record: Record, balance: Amount?) {
        outcome.receipts.withLock { $0[side, default: 0] += 1 }
    }
}

final class InterfaceClientOfTest {
    let connection: StationConnection
    private var asked = 0

    init(_ connection: StationConnection) { self.connection = connection }

    private var deadline: UInt64 { MonotonicClock.nanoseconds + UInt64(Patience.seconds) * 1_000_000_000 }

    /// - Parameter members: as they stand in the request, behind its id.
    func send(_ members: String) throws {
        asked += 1
        try connection.send(Array("{\"id\":\(asked),\(members)}\n".utf8), until: deadline)
    }

    func next() throws -> [String: Any] {
        let line = Data(try connection.nextLine(until: deadline))
        return try #require(JSONSerialization.jsonObject(with: line) as? [String: Any])
    }

    /// What is answered; a refusal is one too.
    func ask(_ members: String) throws -> [String: Any] {
        try send(members)
        let answer = try next()
        #expect(answer["id"] as? Int == asked)
        return answer
    }

    func refusal(_ members: String) throws -> String? {
        (try ask(members)["refused"] as? [String: Any])?["code"] as? String
    }

    func status() throws -> [String: Any] { try #require(ask(#""command":"status""#)["answer"] as? [String: Any]) }

    func side(_ number: Int) throws -> [String: Any] {
        let sides = try #require(status()["sides"] as? [[String: Any]])
        return try #require(sides.first { $0["number"] as? Int == number })
    }

    /// Asks until the status is so.
    func wait(for what: String, _ isSo: ([String: Any]) throws -> Bool) throws -> [String: Any] {
        let end = deadline
        let never = MonotonicSemaphore()
        while MonotonicClock.nanoseconds < end {
            let status = try status()
            if try isSo(status) { return status }
            _ = never.wait(until: MonotonicClock.nanoseconds + 5_000_000)
        }
        throw OutOfPatience(what)
    }
}

extension [String: Any] {
    /// Of a status.
    func side(_ number: Int) -> [String: Any] {
        (self["sides"] as? [[String: Any]])?.first { $0["number"] as? Int == number } ?? [:]
    }

    var state: String? { self["state"] as? String }
    var code: String? { self["code"] as? String }
    var room: Int? { (self["journal"] as? [String: Any])?["room"] as? Int }
}
