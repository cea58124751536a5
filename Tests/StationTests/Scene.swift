import Dispenser
import Metering
import Quantities
import Records
import Station
import Synchronization
import Threads
import VirtualPump

/// What is meant to happen, and what was seen of it.
final class Scene: Sendable {
    struct Seen {
        var reading: Set<Int> = []
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
    private let stopsAtFailure: Bool
    private let hasFailed = Atomic(false)
    private let isOver: @Sendable (Seen) -> Bool

    /// - Parameters:
    ///   - failing: the centilitres of the customer whose pump fails, once.
    ///   - escaping: at which side the card is pulled and does not come back.
    ///   - again: at which side the card comes back when it has paid.
    ///   - stopsAtFailure: as soon as the failed pump's outputs are off.
    init(
        failing: Int?,
        escaping: Int?,
        again: Int? = nil,
        stopsAtFailure: Bool = false,
        isOver: @escaping @Sendable (Seen) -> Bool
    ) {
        self.failing = failing
        self.escaping = escaping
        self.again = again
        self.stopsAtFailure = stopsAtFailure
        self.isOver = isOver
    }

    func fails(_ centilitres: Int) -> Bool {
        centilitres == failing && !hasFailed.exchange(true, ordering: .sequentiallyConsistent)
    }

    /// On the side's thread.
    func hasFailed(_ lines: SimulatedPumpLines) {
        guard stopsAtFailure else { return }
        let never = MonotonicSemaphore()
        while !lines.outputs.isEmpty { _ = never.wait(until: MonotonicClock.nanoseconds + 1_000_000) }
        stop.withLock(\.self)()
    }

    func note(_ change: (inout Seen) -> Void) {
        let isOver = seen.withLock { seen in
            change(&seen)
            return self.isOver(seen)
        }
        if isOver { stop.withLock(\.self)() }
    }
}

final class ScenicDisplay: SideDisplay {
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
        case .readingCard: scene.note { $0.reading.insert(side) }
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
final class ScriptedCustomer: SideDisplay {
    private let display: any SideDisplay
    private let lines: SimulatedPumpLines
    private let scene: Scene
    private var fails: Bool
    /// When the cable breaks.
    private let jam: @Sendable () -> Void

    init(
        _ display: any SideDisplay,
        _ lines: SimulatedPumpLines,
        _ scene: Scene,
        fails: Bool,
        jam: @escaping @Sendable () -> Void
    ) {
        self.display = display
        self.lines = lines
        self.scene = scene
        self.fails = fails
        self.jam = jam
    }

    func show(_ state: SideState, _ notice: Notice) {
        display.show(state, notice)
        if case .liftNozzle = notice { lines.authorised() }
    }

    func show(_ state: SideState, centilitres: Int, fen: Int, unitPrice: UnitPrice) {
        display.show(state, centilitres: centilitres, fen: fen, unitPrice: unitPrice)
        guard fails, centilitres > 200 else { return }
        fails = false
        jam()
        scene.hasFailed(lines)
    }

    func printReceipt(_ record: Record, balance: Amount?) { display.printReceipt(record, balance: balance) }
}
