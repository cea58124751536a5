import Codes
import Configuration
import Dispenser
import Logging
import Quantities
import TestFolders
import TestPrograms
import Testing

@testable import Station
@testable import StationInterface

struct PriceWithoutClockTests {
    private final class UnsetClock: StationClock {
        var monotonicNanoseconds: UInt64 { 0 }
        var now: StationTime? { nil }
    }

    /// Which orders for a later time have had it, nobody knows then; one for a time is the same with any clock.
    @Test func aPriceAtOnceIsRefusedWhileTheClockIsNotSet() throws {
        let folder = try TestFolder()
        let text = ServiceConfiguration.text(
            journal: (folder.path("journal.sqlite"), ""),
            pump: ServiceConfiguration.simulated(centilitres: 300, speed: 4)
        )
        let configuration = try Configuration(toml: Array(text.utf8), file: "greylock.toml")
        var work = DeskWork(
            configuration,
            StandingOrders(),
            StatusBoard(StationStatus(version: "", terminal: "", capacity: 64), []),
            [ReachableSide(1) {}],
            LogSwitch(),
            Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            clock: UnsetClock()
        )
        func refusal(of order: Order, _ key: String) -> RequestRefusal.Code? {
            var code: RequestRefusal.Code?
            let reply = InterfaceLoop.Reply(client: 1, id: .integer(1))
            work.take(.order(order, key: key), Peer(user: 0), reply) { _, answer in
                if case .failure(let refusal) = answer { code = refusal.code }
            }
            return code
        }
        #expect(refusal(of: .price(side: 1, fenPerLitre: 800, from: nil), "p1") == .orderNeedsClock)
        // The key may come again, and what has a time waits for the journal alone.
        #expect(refusal(of: .price(side: 1, fenPerLitre: 800, from: nil), "p1") == .orderNeedsClock)
        #expect(refusal(of: .price(side: 1, fenPerLitre: 800, from: 2_000_000_000), "p2") == .starting)
    }
}
