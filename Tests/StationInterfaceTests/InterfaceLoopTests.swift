import Codes
import Foundation
import Glibc
import Synchronization
import TestFolders
import TestPrograms
import Testing
import Threads

@testable import StationInterface

/// The sockets over real connections, with orders that the test answers.
@Suite(.timeLimit(.minutes(5)))
struct InterfaceLoopTests {
    private let folder: TestFolder
    private let board = StatusBoard(
        StationStatus(version: "1.2.3", terminal: "310000000017", capacity: 64),
        [
            SideStatus(
                number: 1,
                nozzle: 4,
                grade: "92",
                state: "idle",
                code: "insert-card",
                words: "insert",
                fenPerLitre: 785
            )
        ]
    )
    private let given = Given()

    final class Given: Sendable {
        let orders = Mutex<[(Errand, Peer, InterfaceLoop.Reply)]>([])
        let came = DispatchSemaphore(value: 0)
        let refusal: Mutex<RequestRefusal?> = Mutex(nil)
    }

    init() throws { folder = try TestFolder() }

    private var limits: InterfaceLimits {
        var limits = InterfaceLimits()
        limits.stallNanoseconds = 300_000_000
        limits.eventNanoseconds = 1_000_000
        return limits
    }

    private func loop(_ limits: InterfaceLimits? = nil) throws -> InterfaceLoop {
        try InterfaceLoop(
            read: SocketPlace(path: folder.path("read.sock"), group: nil),
            control: SocketPlace(path: folder.path("control.sock"), group: nil),
            limits: limits ?? self.limits,
            board
        ) { [given] errand, peer, reply in
            guard given.refusal.withLock({ $0 == nil }) else { return given.refusal.withLock(\.self) }
            given.orders.withLock { $0.append((errand, peer, reply)) }
            given.came.signal()
            return nil
        }
    }

    private func connect(_ name: String = "read.sock") throws -> StationConnection {
        try StationConnection(folder.path(name))
    }

    private var deadline: UInt64 { MonotonicClock.nanoseconds + 60_000_000_000 }

    private func ask(_ connection: StationConnection, _ line: String) throws -> String {
        try connection.send(Array("\(line)\n".utf8), until: deadline)
        return try next(connection)
    }

    private func next(_ connection: StationConnection) throws -> String {
        String(decoding: try connection.nextLine(until: deadline), as: UTF8.self)
    }

    private static let status = #"{"id":1,"command":"status"}"#
    private static let answer = """
        {"id":1,"answer":{"version":"1.2.3","terminal":"310000000017","drained":false,"log":{"level":"info","user":null,"since":null},"journal":{"openRecords":null,\
        "room":null,"capacity":64},"sides":[{"number":1,"nozzle":4,"grade":"92","state":"idle","code":"insert-card",\
        "words":"insert","fenPerLitre":785,"sale":null}]}}
        """

    @Test func statusIsOneLine() throws {
        let loop = try loop()
        defer { loop.stop() }
        #expect(try ask(connect(), Self.status) == Self.answer)
        #expect(try ask(connect("control.sock"), Self.status) == Self.answer)
    }

    @Test func whatCannotBeReadIsRefusedAndTheNextLineAnswered() throws {
        let loop = try loop()
        defer { loop.stop() }
        let client = try connect()
        #expect(try ask(client, "nonsense").hasPrefix(#"{"id":null,"refused":{"code":"not-an-object","words":""#))
        #expect(
            try ask(client, #"{"id":9,"command":"drain","key":"k"}"#).hasPrefix(
                #"{"id":9,"refused":{"code":"read-only""#
            )
        )
        #expect(try ask(client, Self.status) == Self.answer)
    }

    @Test func aLineComesInAnyPiecesAndSeveralAtOnce() throws {
        let loop = try loop()
        defer { loop.stop() }
        let client = try connect()
        for byte in Array((Self.status + "\n").utf8) { try client.send([byte], until: deadline) }
        #expect(try next(client) == Self.answer)
        let many = String(repeating: Self.status + "\n", count: 100)
        try client.send(Array(many.utf8), until: deadline)
        for _ in 0..<100 { #expect(try next(client) == Self.answer) }
    }

    @Test func aClientThatEndsItsSideGetsItsAnswersFirst() throws {
        let loop = try loop()
        defer { loop.stop() }
        let client = try connect("control.sock")
        try client.send(Array("\(Self.status)\n{\"id\":2,\"command\":\"drain\",\"key\":\"k\"}\n".utf8), until: deadline)
        client.finish()
        #expect(try next(client) == Self.answer)
        try given.came.wait(for: "the order")
        let first = given.orders.withLock(\.first)
        let (errand, peer, reply) = try #require(first)
        #expect(errand == .order(.drain, key: "k") && peer == Peer(user: getuid()))
        loop.answer(reply, .success(.object([])))
        #expect(try next(client) == #"{"id":2,"answer":{}}"#)
        #expect(throws: StationConnection.Fault.ended) { try client.nextLine(until: deadline) }
    }

    /// As many as a client may have waiting, and more: none of them counts.
    @Test func whatTheDeskDoesNotTakeIsRefusedAndTheClientGoesOn() throws {
        let loop = try loop()
        defer { loop.stop() }
        let client = try connect("control.sock")
        given.refusal.withLock { $0 = RequestRefusal(.tooManyOrders, "come again") }
        for number in 0..<2 * limits.ordersMax {
            let answer = try ask(client, "{\"id\":\(number),\"command\":\"drain\",\"key\":\"k\"}")
            #expect(answer == #"{"id":\#(number),"refused":{"code":"too-many-orders","words":"come again"}}"#)
        }
        given.refusal.withLock { $0 = nil }
        try client.send(Array("{\"id\":1,\"command\":\"undrain\",\"key\":\"k\"}\n".utf8), until: deadline)
        try given.came.wait(for: "the order")
    }

    @Test func aLineWithoutEndIsRefusedAndItsSenderCutOff() throws {
        let loop = try loop()
        defer { loop.stop() }
        let client = try connect()
        let line = [UInt8](repeating: UInt8(ascii: " "), count: RequestReader.lineBytesMax) + Array(Self.status.utf8)
        do throws(StationConnection.Fault) { try client.send(line, until: deadline) } catch { #expect(error == .ended) }
        #expect(try next(client).hasPrefix(#"{"id":null,"refused":{"code":"line-too-long""#))
        #expect(throws: StationConnection.Fault.ended) { try client.nextLine(until: deadline) }
        let longest = Array(Self.status.utf8)
        let padding = [UInt8](repeating: UInt8(ascii: " "), count: RequestReader.lineBytesMax - longest.count)
        let other = try connect()
        try other.send(padding + longest + [UInt8(ascii: "\n")], until: deadline)
        #expect(try next(other) == Self.answer)
    }

    @Test func aLineThatIsBegunAndNotEndedCutsItsSenderOff() throws {
        let loop = try loop()
        defer { loop.stop() }
        let client = try connect()
        try client.send(Array(Self.status.utf8), until: deadline)
        #expect(throws: StationConnection.Fault.ended) { try client.nextLine(until: deadline) }
    }

    @Test func whoTakesNoAnswerIsCutOffAndNobodyElseWaits() throws {
        let loop = try loop()
        defer { loop.stop() }
        let deaf = try connect()
        let lines = Array(String(repeating: Self.status + "\n", count: 1_000).utf8)
        let other = try connect()
        var isOpen = true
        while isOpen {
            do throws(StationConnection.Fault) {
                try deaf.send(lines, until: MonotonicClock.nanoseconds + 20_000_000)
            } catch {
                isOpen = error == .noAnswer
            }
            #expect(try ask(other, Self.status) == Self.answer)
        }
    }

    @Test func aWatcherSeesTheLatestOfEachSide() throws {
        let loop = try loop()
        defer { loop.stop() }
        let client = try connect()
        let first = try ask(client, #"{"id":"w","command":"watch"}"#)
        #expect(first.hasPrefix(#"{"id":"w","answer":{"version""#))
        board.update(side: 1) { $0.state = "fuelling" }
        #expect(try next(client).contains(#""event":{"side":{"number":1,"nozzle":4,"grade":"92","state":"fuelling""#))
        for centilitres in 1...1_000 {
            board.update(side: 1) { $0.sale = SideStatus.Sale(centilitres: centilitres, fen: 0) }
        }
        var events = 0
        var last = ""
        repeat {
            last = try next(client)
            events += 1
        } while !last.contains("\"centilitres\":1000")
        #expect(events <= 1_000)
        board.update { (station: inout StationStatus) in station.isDrained = true }
        #expect(try next(client).hasPrefix(#"{"id":"w","event":{"station":{"version":"1.2.3""#))
        #expect(try ask(client, Self.status).contains(#""drained":true"#))
    }

    /// What is sent and not taken is one set of events, whatever happens meanwhile.
    @Test func nothingPilesUpForAWatcherThatReadsNothing() throws {
        var patient = limits
        patient.stallNanoseconds = 60_000_000_000
        let loop = try loop(patient)
        defer { loop.stop() }
        let client = try connect()
        _ = try ask(client, #"{"id":"w","command":"watch"}"#)
        let other = try connect()
        for centilitres in 1...20_000 {
            board.update(side: 1) { $0.sale = SideStatus.Sale(centilitres: centilitres, fen: 0) }
            if centilitres % 500 == 0 { _ = try ask(other, Self.status) }
        }
        var events = 0
        while try !next(client).contains("\"centilitres\":20000") { events += 1 }
        #expect(events < 20_000)
    }

    @Test func oneMoreThanTheMostIsRefusedAndNoneOfThemNotices() throws {
        let loop = try loop()
        defer { loop.stop() }
        let clients = try (0..<limits.readClientsMax).map { _ in try connect() }
        for client in clients { #expect(try ask(client, Self.status) == Self.answer) }
        let refused = try connect()
        #expect(try next(refused).hasPrefix(#"{"id":null,"refused":{"code":"too-many-clients""#))
        #expect(throws: StationConnection.Fault.ended) { try refused.nextLine(until: deadline) }
        for client in clients { #expect(try ask(client, Self.status) == Self.answer) }
        // Readers take no place of those that order.
        #expect(try ask(connect("control.sock"), Self.status) == Self.answer)
    }

    @Test func placesAreKeptForRootAndTheServicesUser() {
        let limits = InterfaceLimits()
        for kind in SocketKind.allCases {
            let most = kind == .read ? limits.readClientsMax : limits.controlClientsMax
            for owner in [0, 990] as [UInt32] {
                #expect(limits.clientsMax(kind, for: Peer(user: owner), ofService: 990) == most)
            }
            #expect(limits.clientsMax(kind, for: Peer(user: 1_000), ofService: 990) == most - limits.ownersPlaces)
        }
    }

    @Test func aPlaceIsFreeWhenItsClientIsGone() throws {
        let loop = try loop()
        defer { loop.stop() }
        for _ in 0..<200 { #expect(try ask(connect(), Self.status) == Self.answer) }
    }

    @Test func anIdleClientIsCutOff() throws {
        var short = limits
        short.idleNanoseconds = 50_000_000
        let loop = try loop(short)
        defer { loop.stop() }
        let client = try connect()
        #expect(throws: StationConnection.Fault.ended) { try client.nextLine(until: deadline) }
    }

    @Test func theSocketsAreTheirOwnersAlone() throws {
        let loop = try loop()
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.path("control.sock"))
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        loop.stop()
        #expect(!FileManager.default.fileExists(atPath: folder.path("control.sock")))
        #expect(throws: StationConnection.Fault.self) { try connect() }
    }

    @Test func aSocketThatAKilledServiceLeftIsReplaced() throws {
        let path = folder.path("read.sock")
        let left = try UnixSocket.make(path)
        #expect(unsafe UnixSocket.withAddress(path) { unsafe bind(left, $0, $1) } == 0)
        close(left)
        let loop = try loop()
        #expect(try ask(connect(), Self.status) == Self.answer)
        let second = #expect(throws: SocketFault.self) { try self.loop() }
        #expect(second?.reason == "another process serves \(path)")
        loop.stop()
    }

    /// By a process that stands still, or has many clients.
    @Test func aSocketWithAFullQueueIsAnothers() throws {
        let path = folder.path("read.sock")
        let other = try UnixSocket.make(path)
        defer { close(other) }
        #expect(unsafe UnixSocket.withAddress(path) { unsafe bind(other, $0, $1) } == 0 && listen(other, 0) == 0)
        var waiting: [StationConnection] = []
        while true { do { waiting.append(try connect()) } catch { break } }
        let fault = #expect(throws: SocketFault.self) { try loop() }
        #expect(!waiting.isEmpty && fault?.reason == "another process serves \(path)")
    }

    @Test func aFileThatIsNoSocketIsLeft() throws {
        let path = try folder.file("read.sock", "mine")
        let fault = #expect(throws: SocketFault.self) { try loop() }
        #expect(fault?.reason == "\(path) is there, and is no socket")
        #expect(try folder.bytes("read.sock") == Array("mine".utf8))
    }

    @Test func aGroupThatIsNotThereIsNamed() throws {
        let place = SocketPlace(path: folder.path("read.sock"), group: "greylock-nobody")
        let fault = #expect(throws: SocketFault.self) {
            try InterfaceLoop(read: place, control: nil, board) { _, _, _ in nil }
        }
        #expect(fault?.reason.contains("there is no group greylock-nobody") == true)
    }
}
