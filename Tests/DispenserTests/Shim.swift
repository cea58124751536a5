import CardApplication
import CardCryptography
import Dispenser
import FuelPassbook
import ISO7816
import Quantities
import Records
import Simulation
import Testing

/// A customer who owns the card, knows its PIN and has put a shim between it and the reader. He hears everything, asks his
/// card whatever he likes, and answers what he likes; codes he cannot make.
final class Shim {
    typealias Card = ([UInt8]) -> ResponseAPDU

    /// What the terminal sent and what it got, in order.
    private(set) var heard: [(command: CommandAPDU, answer: ResponseAPDU)] = []
    /// MAC1 that he asked his card for beforehand, by TTC.
    private(set) var collected: [UInt32: ResponseAPDU] = [:]
    /// How he answers; nil passes the command on.
    var plan: (_ command: CommandAPDU, _ card: Card) -> ResponseAPDU? = { _, _ in nil }
    private unowned let station: TestStation

    init(_ station: TestStation) {
        self.station = station
        station.reader.shim = { [unowned self] bytes, card in
            let command = Self.parsed(bytes)
            let answer = plan(command, card) ?? card(bytes)
            heard.append((command, answer))
            return answer
        }
    }

    /// Before he comes: MAC1 of these numbers, of a terminal whose id stands on its receipts.
    func collect(_ ttcs: ClosedRange<UInt32>, terminal: TerminalID = Demonstration.terminal) throws {
        try station.reader.visitElsewhere { send in
            _ = send(SelectApplication(aid: Demonstration.aid).apdu.bytes.span)
            _ = Demonstration.pin.withVerifyCommand { send($0) }
            for number in ttcs {
                let command = InitializeForPetrol(
                    keyIndex: Demonstration.keyIndex,
                    terminal: terminal,
                    ttc: TTC(number)
                )
                let answer = send(command.apdu.bytes.span)
                try #require(answer.status == .success)
                collected[number] = answer
            }
        }
    }

    /// INITIALIZE FOR PETROL as he collected it; nil for any other command.
    func replayedMAC1(_ command: CommandAPDU) -> ResponseAPDU? {
        guard command.is(.initializeForPetrol) else { return nil }
        do throws(ParseError) {
            return collected[try InitializeForPetrol(parsing: command.data).ttc.number]
        } catch {
            preconditionFailure("the terminal sent no command: \(error)")
        }
    }

    static let notGrey = ResponseAPDU(status: .commandNotAccepted)
    static let arbitrary = ResponseAPDU(data: [1, 2, 3, 4, 5, 6, 7, 8])

    private static func parsed(_ bytes: [UInt8]) -> CommandAPDU {
        do throws(ParseError) { return try CommandAPDU(parsing: bytes.span) } catch {
            preconditionFailure("the terminal sent no command: \(error)")
        }
    }
}

extension CommandAPDU {
    func `is`(_ instruction: Instruction) -> Bool {
        // P2 of GET TRANSACTION PROVE is the transaction's type.
        instruction == .getTransactionProve
            ? header.cla == instruction.header.cla && header.ins == instruction.header.ins
            : header == instruction.header
    }
}

extension TestStation {
    /// A visit of 40 s, and the end of the day.
    func visitAndStop() {
        rest()
        visit(at: 1)
        stop(at: 120)
        #expect(run() == nil)
        rest()
    }

    /// Nothing is called paid, void or released: the card is as it was left, and the record can still release it.
    func expectOwed(_ amount: Amount, sourceLocation: SourceLocation = #_sourceLocation) {
        let open = greyRecords.filter { $0.state == .open }
        #expect(open.map(\.amount) == [amount], sourceLocation: sourceLocation)
        #expect(reader.image.grey != nil, sourceLocation: sourceLocation)
        #expect(reader.image.balance == Amount(fen: 50_000), sourceLocation: sourceLocation)
        #expect(display.receipts.isEmpty, sourceLocation: sourceLocation)
        #expect(records.allSatisfy { $0.phase != .settled }, sourceLocation: sourceLocation)
        #expect(!records.contains { $0.kind == .onlineUnlock }, sourceLocation: sourceLocation)
    }

    /// The same card without the shim.
    func expectHonestVisitPays(_ amount: Amount, sourceLocation: SourceLocation = #_sourceLocation) {
        reader.shim = nil
        visitAndStop()
        #expect(reader.image.grey == nil, sourceLocation: sourceLocation)
        #expect(reader.image.balance == Amount(fen: 50_000 - amount.fen), sourceLocation: sourceLocation)
        #expect(greyRecords.allSatisfy { $0.state != .open }, sourceLocation: sourceLocation)
        #expect(paid == Int(amount.fen), sourceLocation: sourceLocation)
        #expect(records.allSatisfy { !$0.phase.isOpen }, sourceLocation: sourceLocation)
    }
}
