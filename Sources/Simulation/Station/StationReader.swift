import Dispenser
import FuelPassbook
import ISO7816

/// The station's reader, whatever card is in it.
final class StationReader: CardReader {
    private enum Slot {
        case empty
        case holding(SimulatedCard, isPowered: Bool)
    }

    private unowned let station: SimulatedStation
    private var slot = Slot.empty
    private var isHere = true

    init(station: SimulatedStation) { self.station = station }

    // MARK: - What happens to it

    /// A card that is in already stays.
    func insert(_ card: SimulatedCard) {
        guard case .empty = slot else { return }
        slot = .holding(card, isPowered: false)
        station.tape.note { "card \(card.number) is put in" }
        if isHere { station.site.post(.cardInserted) }
    }

    func takeOut() {
        guard case .holding(let card, _) = slot else { return }
        card.losePower()
        slot = .empty
        station.tape.note { "card \(card.number) is taken out" }
        if isHere { station.site.post(.cardRemoved) }
    }

    func isGone(seconds: Double) {
        guard isHere else { return }
        losePower()
        isHere = false
        station.site.post(.readerLost("the reader is gone"))
        station.site.after(seconds) { [unowned self] _ in
            isBack()
            station.site.post(.readerBack)
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
        if case .holding = slot { station.site.post(.cardInserted) }
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
        guard !station.isDead, case .holding(let card, isPowered: true) = slot else { throw .removed }
        let fault = station.strikes(.exchange)
        switch fault?.kind {
        case .cardPulledBefore, .cardPulledDuring, .powerCutBefore, .powerCutDuring, .readerGone:
            if fault?.kind == .cardPulledDuring || fault?.kind == .powerCutDuring { card.failDuring(command) }
            if let fault { try interrupt(fault) }
        case _: break
        }
        let before = card.image
        let answer = card.respond(to: command)
        station.ledger.exchanged(card, command, answer, before: before, station.journal.store)
        note(command, answer)
        guard let fault else { return answer }
        if fault.kind == .answerCorrupted { station.ledger.misheard(card) }
        return try heard(answer, fault, isFile: command[1] == Instruction.readBinary.header.ins)
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
