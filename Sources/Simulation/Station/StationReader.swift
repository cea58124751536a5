import CardApplication
import Dispenser
import FuelPassbook
import ISO7816

/// The station's reader, whatever card is in it.
final class StationReader: CardReader {
    private enum Slot {
        case empty
        case holding(SimulatedCard, isPowered: Bool)
    }

    private unowned let side: StationSide
    private unowned let station: SimulatedStation
    private var slot = Slot.empty
    private var isHere = true

    init(side: StationSide) {
        self.side = side
        station = side.station
    }

    func holds(_ card: SimulatedCard) -> Bool {
        if case .holding(let held, _) = slot { held === card } else { false }
    }

    // MARK: - What happens to it

    /// A card that is in already stays, and nobody has one that is elsewhere.
    func insert(_ card: SimulatedCard) {
        guard case .empty = slot else { return }
        guard side.isClone(card) || !station.isElsewhere(card, than: side) else {
            side.isVisitSmooth = false
            return
        }
        slot = .holding(card, isPowered: false)
        station.tape.note { "card \(card.number) is put in" }
        if isHere { side.site.post(.reader(.cardInserted)) }
    }

    func takeOut() {
        guard case .holding(let card, _) = slot else { return }
        card.losePower()
        slot = .empty
        station.tape.note { "card \(card.number) is taken out" }
        if isHere { side.site.post(.reader(.cardRemoved)) }
    }

    func isGone(seconds: Double) {
        guard isHere else { return }
        losePower()
        isHere = false
        side.site.post(.reader(.lost("the reader is gone")))
        side.site.after(seconds) { [unowned self] _ in
            isBack()
            side.site.post(.reader(.back))
            announce()
        }
    }

    func isBack() { isHere = true }

    func losePower() {
        guard case .holding(let card, _) = slot else { return }
        card.losePower()
        slot = .holding(card, isPowered: false)
    }

    /// What the service hears when it starts, or the reader when it is back.
    func announce() {
        if case .holding = slot { side.site.post(.reader(.cardInserted)) }
    }

    // MARK: - CardReader

    func connect() throws(CardFault) {
        guard !station.isDead, case .holding(let card, _) = slot else { throw .removed }
        guard isHere else { throw .reader("the reader is gone") }
        card.losePower()
        slot = .holding(card, isPowered: true)
    }

    func disconnect() { losePower() }

    func transmit(_ command: Span<UInt8>) throws(CardFault) -> ResponseAPDU {
        station.pause()
        guard !station.isDead, case .holding(let card, isPowered: true) = slot else { throw .removed }
        let fault = side.strikes(at: command)
        switch fault?.kind {
        case .cardPulledBefore, .cardPulledDuring, .powerCutBefore, .powerCutDuring, .readerGone:
            if fault?.kind == .cardPulledDuring || fault?.kind == .powerCutDuring {
                card.failDuring(command, keepsCount: fault?.extent == 1)
            }
            if let fault { try interrupt(fault) }
        case _: break
        }
        if let fault, fault.kind == .cardMute {
            side.site.pass(Double(fault.extent))
            throw .unresponsive("no answer")
        }
        if side.isShimmed(card) { return try passShim(command, card, fault) }
        let answer = execute(command, card)
        guard let fault, !fault.kind.isOfShim else { return hears(answer, card, command) }
        if fault.kind == .answerCorrupted { side.books.misheard(card) }
        let isFile = command[1] == Instruction.readBinary.header.ins
        return hears(try heard(answer, fault, isFile: isFile), card, command)
    }

    private func execute(_ command: Span<UInt8>, _ card: SimulatedCard) -> ResponseAPDU {
        let before = card.image
        let answer = card.respond(to: command)
        station.ledger.exchanged(card, command, answer, before: before, station.journal.store)
        note(command, answer)
        return answer
    }

    /// What the station hears, be it true or not.
    private func hears(_ answer: ResponseAPDU, _ card: SimulatedCard, _ command: Span<UInt8>) -> ResponseAPDU {
        station.ledger.hears(card, command, answer)
        return answer
    }

    // MARK: - Shim

    private func passShim(
        _ command: Span<UInt8>,
        _ card: SimulatedCard,
        _ fault: PlannedFault?
    ) throws(CardFault) -> ResponseAPDU {
        let shim = station.shim
        let bytes = [UInt8](copying: command)
        if station.tape.keepsPlaces { station.tape.noteEarlier(shim.earlier(to: bytes).count) }
        guard let fault, fault.kind.isOfShim else {
            let answer = execute(command, card)
            shim.hears(bytes, answer)
            guard let fault else { return hears(answer, card, command) }
            if fault.kind == .answerCorrupted { side.books.misheard(card) }
            let isFile = command[1] == Instruction.readBinary.header.ins
            return hears(try heard(answer, fault, isFile: isFile), card, command)
        }
        defer { side.books.misheard(card) }
        let choice = fault.extent / 2
        var truth: ResponseAPDU?
        switch fault.kind {
        case .commandKept:
            shim.keeps(bytes)
            throw .unresponsive("no answer")
        case .commandAltered:
            let answer = execute(shim.altered(fault.extent, bytes).span, card)
            shim.hears(bytes, answer)
            return hears(answer, card, command)
        case .cardPowerCut:
            cutCardPower(during: command, card, atWrite: choice)
            guard fault.extent % 2 == 1 else { throw .unresponsive("no answer") }
            return ResponseAPDU(status: .memoryFailure)
        case _:
            if fault.extent % 2 == 1 {
                let answer = execute(command, card)
                truth = answer
            }
        }
        let lie: ResponseAPDU
        switch fault.kind {
        case .answerReplayed:
            let earlier = shim.earlier(to: bytes)
            lie = earlier.isEmpty ? truth ?? ResponseAPDU(status: .commandNotAccepted) : earlier[choice % earlier.count]
        case .answerForged: lie = shim.forged(choice, to: bytes, truth: truth)
        case .statusForged: lie = ResponseAPDU(status: StatusWord.ofScheme[choice % StatusWord.ofScheme.count])
        case _: preconditionFailure("\(fault.kind.rawValue) is no lie")
        }
        if let truth { shim.hears(bytes, truth) }
        station.tape.note { "the shim says \(lie.status)\(lie.data.isEmpty ? "" : " " + Hex.string(lie.data))" }
        return hears(lie, card, command)
    }

    /// His card loses its power in the middle of a write, and the shim opens it again: the reader sees nothing of that.
    private func cutCardPower(during command: Span<UInt8>, _ card: SimulatedCard, atWrite write: Int) {
        let before = card.image
        // He does not lock his card for good.
        let answer = card.failDuring(command, atWrite: before.gmacTriesLeft > 1 ? write : 0)
        station.ledger.exchanged(card, command, answer, before: before, station.journal.store, isCut: true)
        note(command, answer)
        card.open()
    }

    /// The left two bytes of the serial number in the public file enter no key and no code: nothing but the reader's own
    /// error detection guards them, and here they arrive whole.
    private static let bitsWithoutCode = 80..<96

    private func heard(
        _ answer: ResponseAPDU,
        _ fault: PlannedFault,
        isFile: Bool
    ) throws(CardFault) -> ResponseAPDU {
        switch fault.kind {
        case .answerLost: throw .unresponsive("no answer")
        case .answerCorrupted:
            var bytes = answer.bytes
            var bit = fault.extent % (8 * bytes.count)
            if isFile && Self.bitsWithoutCode.contains(bit) { bit += Self.bitsWithoutCode.count }
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            do throws(ParseError) { return try ResponseAPDU(parsing: bytes) } catch { throw .malformed(error) }
        case _: try interrupt(fault)
        }
    }

    /// Ends the exchange as the fault has it.
    private func interrupt(_ fault: PlannedFault) throws(CardFault) -> Never {
        switch fault.kind {
        case .powerCutBefore, .powerCutDuring, .powerCutAfter: station.cutPower()
        case .cardPulledBefore, .cardPulledDuring, .cardPulledAfter: takeOut()
        case .readerGone:
            isGone(seconds: Double(fault.extent))
            throw .reader("the reader is gone")
        case _: preconditionFailure("\(fault.kind.rawValue) does not strike at a command")
        }
        throw .removed
    }

    private func note(_ command: Span<UInt8>, _ answer: ResponseAPDU) {
        station.tape.note {
            do {
                let instruction = try Instruction(CommandLayout(parsing: command).header)
                return "\(instruction.name): \(answer.status)"
            } catch {
                return "no command: \(answer.status)"
            }
        }
    }
}
