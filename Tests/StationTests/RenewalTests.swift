import Foundation
import Glibc
import Logging
import Synchronization
import TestFolders
import TestPrograms
import Testing
import Threads

@testable import Dispenser
@testable import Station

/// A service that something new is to take the place of, while it sells.
@Suite(.timeLimit(.minutes(10)))
struct RenewalTests {
    private let folder: TestFolder
    private let configuration: String

    init() throws {
        folder = try TestFolder()
        configuration = try folder.file(
            "greylock.toml",
            ServiceConfiguration.text(
                journal: (folder.path("journal.sqlite"), ""),
                pump: ServiceConfiguration.simulated(centilitres: 400, speed: 4)
            )
        )
    }

    /// A copy of the program, as a package puts it in place: the next one has the same name and is another file.
    private func install() throws -> URL {
        let place = folder.url.appendingPathComponent("bin")
        let new = place.appendingPathComponent("greylock.new")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        try FileManager.default.copyItem(at: Program.folder.appendingPathComponent("greylock"), to: new)
        #expect(unsafe rename(new.path, place.appendingPathComponent("greylock").path) == 0)
        return place
    }

    private func service(_ place: URL, isWatched: Bool = true) throws -> Program {
        try Program(
            "greylock",
            ["run", "--config", configuration],
            in: place,
            variables: isWatched ? ["NOTIFY_SOCKET": "@\(folder.path("nobody"))"] : [:]
        )
    }

    private func change(_ text: String, to other: String) throws {
        let old = try String(contentsOfFile: configuration, encoding: .utf8)
        try #require(old.contains(text))
        try old.replacing(text, with: other).write(toFile: configuration, atomically: true, encoding: .utf8)
    }

    private func paid() throws -> [Int] {
        try JournalReport(journal: folder.path("journal.sqlite")).sales.map(\.volumeMicrolitres)
    }

    @Test func theSaleThatRunsIsPaidBeforeTheNextProgramBegins() throws {
        let place = try install()
        let service = try service(place)
        #expect(service.wait(litres: 1) != nil)
        _ = try install()
        service.signal(SIGHUP)
        #expect(service.wait(for: "a new version takes over when nobody is served") != nil)
        #expect(service.wait(for: "nobody is served: the new version begins") != nil)
        #expect(service.end() == 0)
        #expect(service.lines.contains { $0.contains(" paid ") })
        #expect(try paid() == [4_000_000])
    }

    @Test func anotherConfigurationTakesOverWhenItIsInOrder() throws {
        let service = try service(try install())
        #expect(service.wait(for: "ready") != nil)
        service.signal(SIGHUP)
        #expect(service.wait(for: "program, libraries and configuration are what they were") != nil)
        try change("demonstration = true", to: "demonstration = tru")
        service.signal(SIGHUP)
        #expect(service.wait(for: "is refused, and the service goes on with what it was") != nil)
        try change("demonstration = tru", to: "demonstration = true # another")
        service.signal(SIGHUP)
        let words = service.wait(for: "a new version takes over when nobody is served")
        #expect(words?.contains("new=\(configuration)") == true)
        #expect(service.end() == 0)
    }

    @Test func aConfigurationThatIsSpoiledWhileTheSaleRunsTakesOverNothing() throws {
        let place = try install()
        let service = try service(place)
        #expect(service.wait(litres: 1) != nil)
        try change("demonstration = true", to: "demonstration = true # another")
        service.signal(SIGHUP)
        #expect(service.wait(for: "a new version takes over when nobody is served") != nil)
        try change("demonstration = true # another", to: "demonstration = tru")
        #expect(service.wait(for: "is refused, and the service goes on with what it was") != nil)
        #expect(try paid() == [4_000_000])
        try change("demonstration = tru", to: "demonstration = true # another")
        service.signal(SIGHUP)
        #expect(service.wait(for: "nobody is served: the new version begins") != nil)
        #expect(service.end() == 0)
    }

    /// As long as a card keeps its reader, the others are open and closed by turns, and what somebody ordered stands.
    @Test func aSideThatNeverRestsClosesTheOthersForATime() throws {
        let orders = StandingOrders()
        orders.visitBegins(at: 1)
        let renewal = Renewal("", check: nil, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let seen = Mutex<[Bool]>([])
        let isOver = Atomic(false)
        let thread = NamedThread("renewal") {
            let rests = renewal.awaitRest(
                orders,
                {
                    let turns = seen.withLock { seen in
                        seen.append(orders.refusal(at: 2) != nil)
                        return seen.count
                    }
                    if turns == 5 { orders.visitEnds(at: 1) }
                },
                patienceNanoseconds: 20_000_000
            )
            isOver.store(rests, ordering: .releasing)
        }
        thread.join()
        let (rests, closed) = (isOver.load(ordering: .acquiring), seen.withLock(\.self))
        #expect(rests && closed == [false, true, false, true, false])
        #expect(orders.refusal(at: 2) != nil && !orders.isDrained)
        orders.makeWay(false)
        orders.drain(true)
        orders.makeWay(true)
        orders.makeWay(false)
        #expect(orders.refusal(at: 2) != nil)
    }

    /// At a terminal nobody would begin it again.
    @Test func whatNobodyWatchesGoesOn() throws {
        let place = try install()
        let service = try service(place, isWatched: false)
        #expect(service.wait(for: "ready") != nil)
        _ = try install()
        service.signal(SIGHUP)
        #expect(service.wait(for: "SIGHUP: the service goes on") != nil)
        service.signal(SIGTERM)
        #expect(service.end() == 0)
    }
}
