import ArgumentParser
import Configuration
import Console
import Dispenser
import FuelPassbook
import Glibc
import Logging
import Metering
import Parameters
import Quantities
import Records
import Station
import Synchronization
import Threads
import VirtualStation

struct Demo: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "A whole sale with nothing attached: virtual card, simulated pump, the real service.",
        discussion: """
            The card, its keys and its PIN are the published demonstration values. The pump is simulated at its lines: \
            the same code counts the same edges that a pulser would make.

            Exit status: 0; 1 when the sale was not settled, 69 when no thread can be had for the pump, 74 when the journal \
            cannot be kept in the folder for temporary files, 78 when its settings are refused. \(ExitStatusHelp.common)
            """
    )

    @Option(parsing: .unconditional, help: "Litres that the customer takes, 0.01 to 1000, up to two decimals.")
    var litres = Litres(centilitres: 800)

    @Option(
        parsing: .unconditional,
        help: "Where the dispenser stops: 20L, or an amount such as 100 or 100yuan; 10L for --prepaid."
    )
    var preset: PresetArgument?

    @Flag(help: "The card pays the preset before fuel flows; what does not flow is a refund record.")
    var prepaid = false

    @Option(parsing: .unconditional, help: "How many times faster than real, 1 to 100.")
    var speed = 1

    @Flag(help: "Pull the card half way; it comes back later and is settled, unless it has prepaid.")
    var escape = false

    @Flag(help: "Show each exchange with the card, field by field. Secrets are not shown.")
    var trace = false

    func validate() throws {
        guard (1...100).contains(speed) else { throw ValidationError("--speed: expected 1 to 100 (found \(speed))") }
        guard (1...100_000).contains(litres.centilitres) else {
            throw ValidationError("--litres: expected 0.01 to 1000")
        }
        if let centilitres = preset?.preset.centilitres, !(200...100_000).contains(centilitres) {
            throw ValidationError("--preset: expected 2L to 1000L, 2L being the least that the meter measures")
        }
        if let amount = preset?.preset.amount, !(1_570...100_000).contains(amount.fen) {
            throw ValidationError("--preset: expected 15.70 to 1000 yuan, 15.70 being the price of 2L")
        }
    }

    func run() throws {
        let face = LiveDisplay()
        let folder = try TemporaryFolder("greylock-demo")
        defer { folder.remove() }
        face.say("card \(Demonstration.applicationFile.asn), balance \(Demonstration.balance)")
        do {
            let configuration = try configuration(in: folder.path)
            try configuration.sealMeters(.demonstration)
            var log = Logger(label: "demo") { _ in LineLogHandler() }
            log.logLevel = .error
            let service = try Service(configuration: configuration, log: log, virtual: .inProcess)
            let outcome = DemoOutcome()
            SignalWatch.start(service.stop)
            try service.run { [escape, trace, litres, stop = service.stop] _, hand in
                let face = LiveDisplay()
                guard let hand else { return SideFace(face) }
                let director = DemoDirector(
                    face: face,
                    hand: hand,
                    outcome: outcome,
                    stop: stop,
                    escapes: escape,
                    halfWay: litres.centilitres / 2
                )
                return SideFace(director, trace: trace ? { face.say("    " + $0) } : nil)
            }
            guard outcome.isSettled.load(ordering: .acquiring) else {
                throw ServiceFailure(exitStatus: 1, reason: "the sale was not settled")
            }
        } catch let error as ConfigurationError {
            throw ValidationError("\(error)")
        } catch let failure as ServiceFailure {
            standardError("greylock demo: \(failure.reason)")
            throw ExitCode(failure.exitStatus)
        }
    }

    private func configuration(in folder: String) throws(ConfigurationError) -> Configuration {
        let text = """
            demonstration = true
            terminal = { id = "\(Demonstration.terminal)" }
            journal = { path = "\(folder)/journal.sqlite" }
            parameters = { path = "\(folder)/parameters", board = "\(BoardSerial.demonstration)" }
            timeouts = { grace = 3 }
            [side.1]
            card = { kind = "virtual" }
            pin = { kind = "fixed" }
            [side.1.pump]
            kind = "simulated"
            nozzle = 1
            grade = "92"
            price = 785
            \(paymentKeys)
            simulated = { centilitres = \(litres.centilitres), litres_per_minute = 40, speed = \(speed) }
            """
        return try Configuration(toml: Array(text.utf8), file: "demonstration")
    }

    private var paymentKeys: String {
        let preset = preset?.preset ?? (prepaid ? Preset(centilitres: 1_000) : Preset())
        var keys = ["payment = \"\(prepaid ? "prepaid" : "grey-lock")\""]
        if let amount = preset.amount { keys.append("preset_fen = \(amount.fen)") }
        if let centilitres = preset.centilitres { keys.append("preset_centilitres = \(centilitres)") }
        return keys.joined(separator: "\n")
    }
}

private final class DemoOutcome: Sendable {
    let isSettled = Atomic(false)
}

/// Watches the sale as the display is told of it, and moves the customer's card.
private final class DemoDirector: SideDisplay {
    private enum Scene {
        case sale
        case escaping
        case cardAway
        case done
    }

    private let face: LiveDisplay
    private let hand: CardHand
    private let outcome: DemoOutcome
    private let stop: @Sendable () -> Void
    private let halfWay: Int
    private var scene: Scene
    private var receipts = 0

    init(
        face: LiveDisplay,
        hand: CardHand,
        outcome: DemoOutcome,
        stop: @escaping @Sendable () -> Void,
        escapes: Bool,
        halfWay: Int
    ) {
        self.face = face
        self.hand = hand
        self.outcome = outcome
        self.stop = stop
        self.halfWay = halfWay
        scene = escapes ? .escaping : .sale
    }

    func show(_ state: SideState, _ notice: Notice) {
        face.show(state, notice)
        switch notice {
        case .escaped where scene == .cardAway:
            face.say("...the customer comes back")
            hand.insert()
        case .refused, .cardFault, .removeCard, .earlierSaleSettled:
            if scene != .cardAway || receipts > 0 { end() }
        case _:
            break
        }
    }

    func show(_ state: SideState, centilitres: Int, fen: Int, unitPrice: UnitPrice) {
        face.show(state, centilitres: centilitres, fen: fen, unitPrice: unitPrice)
        guard scene == .escaping, centilitres >= max(1, halfWay) else { return }
        scene = .cardAway
        face.say("...the customer pulls the card")
        hand.pull()
    }

    func printReceipt(_ record: Record, balance: Amount?) {
        receipts += 1
        face.printReceipt(record, balance: balance)
        if record.kind == .prepaid, scene == .cardAway { end() }
    }

    private func end() {
        scene = .done
        outcome.isSettled.store(receipts > 0, ordering: .releasing)
        stop()
    }
}
