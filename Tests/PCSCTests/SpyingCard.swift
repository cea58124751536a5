import CardApplication
import CardCryptography
import Dispatch
import Foundation
import FuelPassbook
import ISO7816
import Synchronization
import TestPrograms
import VirtualCards

/// What goes wrong, once, in the exchanges with a card.
enum CardMishap: Equatable, Sendable, CustomStringConvertible {
    case leavesBefore(Instruction)
    /// The card has done what it was told, and its answer is not heard.
    case leavesAfter(Instruction)
    /// The last byte of the answer's data is altered: of MAC1, MAC3 or MAC4.
    case wrongCode(Instruction)

    var description: String {
        switch self {
        case .leavesBefore(let instruction): "the card leaves before \(instruction.name)"
        case .leavesAfter(let instruction): "the card leaves after \(instruction.name)"
        case .wrongCode(let instruction): "a wrong code in the answer to \(instruction.name)"
        }
    }
}

/// A demonstration card with a PIN of its own in a virtual reader, of which the test knows what its session keys are
/// made from. Served by a thread of its own.
final class SpyingCard: Sendable {
    /// Digits that no table or text has.
    static let pin = "730518264905"

    private let connection: VirtualReaderConnection
    private let seen = Seen()

    init(port: UInt16, aid: [UInt8] = Demonstration.aid, _ mishap: CardMishap? = nil) throws {
        let connection = try VirtualReaderConnection.connect(port: port)
        self.connection = connection
        Thread.detachNewThread { [seen] in
            do {
                try connection.serve(Slot(connection, aid, mishap, seen), over: .t1)
            } catch {
                seen.fault.withLock { $0 = error }
            }
            seen.ended.signal()
        }
    }

    /// Of each INITIALIZE FOR PETROL that the card answered, heard or not.
    var sales: [SaleNumbers] { seen.sales.withLock { $0 } }

    /// Takes the card out of the reader; it may have left already.
    ///
    /// - Throws: what went wrong while it was served.
    func pull() throws {
        connection.stop()
        try seen.ended.wait(for: "the end of the served card")
        seen.ended.signal()
        if let fault = seen.fault.withLock({ $0 }) { throw fault }
    }

    private final class Seen: Sendable {
        let sales = Mutex<[SaleNumbers]>([])
        let fault = Mutex<(any Error)?>(nil)
        let ended = DispatchSemaphore(value: 0)
    }

    private final class Slot: PoweredCard {
        private let connection: VirtualReaderConnection
        private var mishap: CardMishap?
        private let seen: Seen
        private let card: VirtualCard<VolatileCardMemory>

        init(
            _ connection: VirtualReaderConnection,
            _ aid: [UInt8],
            _ mishap: CardMishap?,
            _ seen: Seen
        ) throws {
            self.connection = connection
            self.mishap = mishap
            self.seen = seen
            let image = try SpyingCard.image()
            card = try VirtualCard(stored: image, memory: VolatileCardMemory(image: image), aid: aid)
        }

        func reset() { card.reset() }

        func respond(to command: Span<UInt8>) -> ResponseAPDU {
            do {
                let instruction = try Instruction(CommandLayout(parsing: command).header)
                return try respond(to: command, instruction)
            } catch {
                seen.fault.withLock { $0 = error }
                return ResponseAPDU(status: .wrongLength)
            }
        }

        private func respond(to command: Span<UInt8>, _ instruction: Instruction) throws -> ResponseAPDU {
            if mishap == .leavesBefore(instruction) {
                connection.stop()
                return ResponseAPDU()
            }
            var answer = card.respond(to: command)
            if instruction == .initializeForPetrol, answer.status == .success {
                let initialize = try InitializeForPetrol(parsing: CommandAPDU(parsing: command).data)
                let response = try InitializeForPetrol.Response(parsing: answer.data)
                seen.sales.withLock {
                    $0.append(SaleNumbers(icc: response.icc, ctc: response.ctc, ttc: initialize.ttc))
                }
            }
            if mishap == .leavesAfter(instruction) { connection.stop() }
            if mishap == .wrongCode(instruction), let last = answer.data.popLast() {
                answer.data.append(~last)
                mishap = nil
            }
            return answer
        }
    }

    private static func image() throws -> [UInt8] {
        let file = Demonstration.applicationFile
        var digits = Array(pin.utf8)
        let count = digits.count
        return CardImage(
            personalising: file,
            keyIndex: Demonstration.keyIndex,
            keyVersion: Demonstration.keyVersion,
            balance: Demonstration.balance,
            pin: try PIN(digits: LockedBuffer(wiping: &digits), count: count),
            pinTries: Demonstration.pinTries,
            gmacTries: Demonstration.gmacTries,
            keys: CardKeys(card: file.asn, scheme: Demonstration.schemeKeys),
            random: SystemRandom()
        ).bytes
    }
}
