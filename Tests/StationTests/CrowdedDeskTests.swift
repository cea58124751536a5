import CardCryptography
import Codes
import Configuration
import Dispenser
import Logging
import TestFolders
import TestPrograms
import Testing
import Threads

@testable import Station
@testable import StationInterface

/// More orders than are done, from clients that come and go.
struct CrowdedDeskTests {
    private static let user: UInt32 = 1_000

    private func reply(_ client: Int) -> InterfaceLoop.Reply {
        InterfaceLoop.Reply(client: UInt64(client), id: .integer(Int64(client)))
    }

    @Test func whatWaitsForTheDeskHasAnEnd() throws {
        let folder = try TestFolder()
        let side = ServiceConfiguration.side(1, pump: ServiceConfiguration.simulated(centilitres: 100, speed: 1))
        let text = ServiceConfiguration.text(journal: (folder.path("journal.sqlite"), ""), sides: [side])
        let configuration = try Configuration(toml: Array(text.utf8), file: "desk.toml")
        let desk = StationDesk(
            configuration,
            StandingOrders(),
            StatusBoard(StationStatus(version: "1", terminal: "310000000017", capacity: 64), []),
            [],
            arrived: MonotonicSemaphore(),
            LogSwitch(),
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        for number in 0..<StationDesk.askedMax {
            #expect(desk.take(.order(.drain, key: "\(number)"), Peer(user: Self.user), reply(number)) == nil)
        }
        let refusal = desk.take(.order(.undrain, key: "u"), Peer(user: Self.user), reply(0))
        #expect(refusal?.code == .tooManyOrders)
        // It goes on with what it took.
        let answered = MonotonicSemaphore()
        desk.begin { _, _ in answered.signal() }
        _ = answered.wait(until: MonotonicClock.nanoseconds + 60_000_000_000)
        #expect(desk.take(.order(.undrain, key: "u"), Peer(user: Self.user), reply(0)) == nil)
        desk.stop()
    }

    private func digest(_ order: Order) -> [UInt8] { SHA256.digest(of: order.bytes) }

    @Test func ordersThatWaitKeepNoOtherFromBeingDone() {
        var book = OrderBook(keysMax: 3)
        for number in 0..<3 {
            let key = OrderKey(user: Self.user, key: "d\(number)")
            guard case .act = book.take(digest(.drain), key, mayWait: true, reply(number)) else {
                Issue.record("drain \(number)")
                return
            }
        }
        let fourth = OrderKey(user: Self.user, key: "d4")
        guard case .refused(let refusal) = book.take(digest(.drain), fourth, mayWait: true, reply(4)) else {
            Issue.record("a drain more than may wait")
            return
        }
        #expect(refusal.code == .tooManyOrders)
        let undrain = OrderKey(user: Self.user, key: "u")
        guard case .act = book.take(digest(.undrain), undrain, mayWait: false, reply(5)) else {
            Issue.record("the order that ends them")
            return
        }
        #expect(book.answer(undrain, .success(.null)).count == 1)
        guard case .repeated = book.take(digest(.undrain), undrain, mayWait: false, reply(6)) else {
            Issue.record("the same again")
            return
        }
    }

    @Test func whoWaitsForOneOrderIsHere() {
        var book = OrderBook(keysMax: 3)
        let key = OrderKey(user: Self.user, key: "d")
        for number in 0..<3 * OrderBook.repliesMax { _ = book.take(digest(.drain), key, mayWait: true, reply(number)) }
        #expect(
            book.answer(key, .success(.null)).map(\.client)
                == (2 * OrderBook.repliesMax..<3 * OrderBook.repliesMax).map { UInt64($0) }
        )
    }
}
