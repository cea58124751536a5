import Configuration
import Dispenser
import FuelPassbook
import Glibc
import Journal
import Logging
import Metering
import Quantities
import Records
import SecurityModule
import Station
import Synchronization
import TestReaders
import Testing
import Threads
import VirtualPump
import VirtualStation

/// Three sides sell at once: one card escapes, one pump fails, and neither concerns the others.
@Suite(.timeLimit(.minutes(2)))
struct SidesTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private func configuration(_ flows: [Int]) throws -> Configuration {
        let sides = flows.enumerated().map { index, centilitres in
            ServiceConfiguration.side(
                index + 1,
                pump: ServiceConfiguration.simulated(centilitres: centilitres, speed: 5)
            )
        }
        let text = ServiceConfiguration.text(journal: (folder.path("journal.sqlite"), ""), grace: 1, sides: sides)
        return try Configuration(toml: Array(text.utf8), file: "sides.toml")
    }

    private func serve(_ configuration: Configuration, _ scene: Scene) throws(ServiceFailure) {
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let edges = VirtualEdges(slot: VirtualEdges.inProcess.slot) { flow, calibration, _ in
            let lines = SimulatedPumpLines(
                SimulatedPumpLines.Script(
                    countsPerLitre: calibration.countsPerLitre,
                    centilitres: flow.centilitres,
                    litresPerMinute: flow.litresPerMinute * flow.speed
                )
            )
            return VirtualEdges.Pump(lines: lines) { ScriptedCustomer($0, lines, fails: scene.fails(flow.centilitres)) }
        }
        let service = try Service(configuration: configuration, log: log, virtual: edges)
        scene.stop.withLock { $0 = service.stop }
        try service.run { side, hand in SideFace(ScenicDisplay(side.number, hand, scene)) }
    }

    @Test func sellAtOnceWhileOneCardEscapesAndOnePumpFails() throws {
        let scene = Scene(failing: 1_200, escaping: 3) { seen in
            seen.receipts[1, default: 0] >= 1 && seen.receipts[2, default: 0] >= 2 && seen.escapes == [3]
        }
        try serve(configuration([1_000, 1_200, 900]), scene)
        #expect(scene.seen.withLock(\.missingPumps) == [2])
        let journal = try JournalReader(path: folder.path("journal.sqlite"), key: .demonstration)
        let records = try journal.records(limit: 100)
        #expect(Set(records.map(\.number)).count == records.count)
        func sales(_ side: Int) -> [Record] { records.filter { $0.side == side } }
        for record in records {
            let price = UnitPrice(fenPerLitre: 785).fen(forCentilitres: record.reading.volume.shownCentilitres)
            #expect(Int(record.amount.fen) == price, "\(record.number)")
            #expect(record.phase == .settled || record.phase == .escaped, "\(record.number)")
        }
        #expect(sales(1).map { Int($0.amount.fen) } == [7_850])
        // What flowed until the pump failed is paid, and the side sells again.
        #expect(sales(2).count == 2 && sales(2).allSatisfy { $0.phase == .settled })
        #expect(sales(2).map(\.reading.volume.shownCentilitres).max() == 1_200)
        #expect(sales(3).map(\.phase) == [.escaped])
        for side in 1...3 {
            #expect(sales(side).allSatisfy { $0.nozzle == side })
        }
    }

    /// What has begun ends, and no number is given (decision record 0018).
    @Test func aMarkThatGoesWhileOneSideSellsEndsNoSale() throws {
        let mark = folder.path("journal.sqlite-mark")
        let scene = Scene(failing: nil, escaping: nil, again: 2) { seen in
            if seen.receipts[2] == 1, seen.receipts[1] == nil { unsafe unlink(mark) }
            return seen.receipts[1] == 1 && seen.unnumbered.contains(2)
        }
        try serve(configuration([1_200, 300]), scene)
        let journal = try JournalReader(path: folder.path("journal.sqlite"), key: .demonstration)
        #expect(try journal.records(limit: 100).map(\.phase) == [.settled, .settled])
    }

    @Test func theLastSideWhosePumpFailsEndsTheService() throws {
        let scene = Scene(failing: 1_200, escaping: nil) { _ in false }
        let failure = #expect(throws: ServiceFailure.self) { try serve(configuration([1_200]), scene) }
        #expect(failure?.exitStatus == ServiceFailure.inputOutput && failure?.reason == "pump: the cable broke")
    }

    /// It sold nothing yet, and may never.
    @Test func aSideThatWaitsForItsLinesIsNoneThatServes() throws {
        let scene = Scene(failing: 1_200, escaping: nil) { seen in seen.receipts[1, default: 0] >= 2 }
        let sides = [
            ServiceConfiguration.side(1, pump: ServiceConfiguration.simulated(centilitres: 1_200, speed: 5)),
            ServiceConfiguration.side(
                2,
                pump: ServiceConfiguration.gpio(
                    """
                    chip = "no such chip"
                    a = 0
                    b = 1
                    nozzle = 2
                    motor = 4
                    main_valve = 5
                    """
                )
            ),
        ]
        let text = ServiceConfiguration.text(journal: (folder.path("journal.sqlite"), ""), grace: 1, sides: sides)
        let configuration = try Configuration(toml: Array(text.utf8), file: "sides.toml")
        let failure = #expect(throws: ServiceFailure.self) { try serve(configuration, scene) }
        #expect(failure?.exitStatus == ServiceFailure.inputOutput && failure?.reason == "pump: the cable broke")
    }

    @Test func theSideWhoseCustomerHasNoTerminalIsNamed() throws {
        let pump = ServiceConfiguration.simulated(centilitres: 100, speed: 5)
        let sides = [
            ServiceConfiguration.side(1, pump: pump), ServiceConfiguration.side(2, pin: "terminal", pump: pump),
        ]
        let text = ServiceConfiguration.text(journal: (folder.path("journal.sqlite"), ""), grace: 1, sides: sides)
        let configuration = try Configuration(toml: Array(text.utf8), file: "sides.toml")
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let failure = #expect(throws: ServiceFailure.self) {
            _ = try Service(configuration: configuration, log: log, virtual: .inProcess)
        }
        #expect(failure?.exitStatus == ServiceFailure.unavailable)
        #expect(failure?.reason.hasPrefix("side.2.pin.kind is \"terminal\", but there is no terminal") == true)
    }

    @Test func aStopReachesEverySideAndTheNextStartRecoversEachOnce() throws {
        let configuration = try configuration([50_000, 50_000, 50_000])
        let stopped = Scene(failing: nil, escaping: nil) { $0.fuelling.count == 3 }
        try serve(configuration, stopped)
        #expect(try phases() == [1: .locked, 2: .locked, 3: .locked])
        let next = Scene(failing: nil, escaping: nil) { $0.recovered == [1, 2, 3] }
        try serve(configuration, next)
        #expect(try phases() == [1: .escaped, 2: .escaped, 3: .escaped])
    }

    /// By side, of one record each.
    private func phases() throws -> [Int: RecordPhase] {
        let journal = try JournalReader(path: folder.path("journal.sqlite"), key: .demonstration)
        return Dictionary(uniqueKeysWithValues: try journal.records(limit: 100).map { ($0.side, $0.phase) })
    }
}

/// What is meant to happen, and what was seen of it.
private final class Scene: Sendable {
    struct Seen {
        var receipts: [Int: Int] = [:]
        var fuelling: Set<Int> = []
        var missingPumps: Set<Int> = []
        var escapes: Set<Int> = []
        var recovered: Set<Int> = []
        var unnumbered: Set<Int> = []
    }

    let seen = Mutex(Seen())
    let stop: Mutex<@Sendable () -> Void> = Mutex {}
    let escaping: Int?
    let again: Int?
    private let failing: Int?
    private let hasFailed = Atomic(false)
    private let isOver: @Sendable (Seen) -> Bool

    /// - Parameters:
    ///   - failing: the centilitres of the customer whose pump fails, once.
    ///   - escaping: at which side the card is pulled and does not come back.
    ///   - again: at which side the card comes back when it has paid.
    init(failing: Int?, escaping: Int?, again: Int? = nil, isOver: @escaping @Sendable (Seen) -> Bool) {
        self.failing = failing
        self.escaping = escaping
        self.again = again
        self.isOver = isOver
    }

    func fails(_ centilitres: Int) -> Bool {
        centilitres == failing && !hasFailed.exchange(true, ordering: .sequentiallyConsistent)
    }

    func note(_ change: (inout Seen) -> Void) {
        let isOver = seen.withLock { seen in
            change(&seen)
            return self.isOver(seen)
        }
        if isOver { stop.withLock(\.self)() }
    }
}

private final class ScenicDisplay: SideDisplay {
    private let side: Int
    private let hand: CardHand?
    private let scene: Scene
    private var isPulled = false

    init(_ side: Int, _ hand: CardHand?, _ scene: Scene) {
        self.side = side
        self.hand = hand
        self.scene = scene
    }

    func show(_ state: SideState, _ notice: Notice) {
        switch notice {
        case .escaped: scene.note { $0.escapes.insert(side) }
        case .recovered: scene.note { $0.recovered.insert(side) }
        case .refused(.noNumber): scene.note { $0.unnumbered.insert(side) }
        case .pumpMissing: scene.note { $0.missingPumps.insert(side) }
        case _: break
        }
    }

    func show(_ state: SideState, centilitres: Int, fen: Int, unitPrice: UnitPrice) {
        guard centilitres > 200 else { return }
        scene.note { $0.fuelling.insert(side) }
        guard side == scene.escaping, !isPulled else { return }
        isPulled = true
        hand?.pull()
    }

    func printReceipt(_ record: Record, balance: Amount?) {
        scene.note { $0.receipts[side, default: 0] += 1 }
        guard side == scene.again else { return }
        hand?.pull()
        hand?.insert()
    }
}

/// Lifts the nozzle when told to; at a failing pump the cable breaks at two litres.
private final class ScriptedCustomer: SideDisplay {
    private let display: any SideDisplay
    private let lines: SimulatedPumpLines
    private let fails: Bool

    init(_ display: any SideDisplay, _ lines: SimulatedPumpLines, fails: Bool) {
        self.display = display
        self.lines = lines
        self.fails = fails
    }

    func show(_ state: SideState, _ notice: Notice) {
        display.show(state, notice)
        if case .liftNozzle = notice { lines.authorised() }
    }

    func show(_ state: SideState, centilitres: Int, fen: Int, unitPrice: UnitPrice) {
        display.show(state, centilitres: centilitres, fen: fen, unitPrice: unitPrice)
        if fails, centilitres > 200 { lines.fail(PumpFault(reason: "the cable broke")) }
    }

    func printReceipt(_ record: Record, balance: Amount?) { display.printReceipt(record, balance: balance) }
}
