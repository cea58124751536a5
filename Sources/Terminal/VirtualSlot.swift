private import CardApplication
import Dispenser
import FuelPassbook
import ISO7816
private import Simulation

/// A virtual card in the service's own process, and the hand that puts it in and takes it out. The position's thread
/// owns it.
final class VirtualSlot {
    let reader: any CardReader
    private let insertCard: () -> Void
    private let pullCard: () -> Void
    private let mailbox: Mailbox

    /// - Parameter state: the file that keeps the card; nil for a new card that nothing keeps.
    init(state: String?, mailbox: Mailbox) throws(ServiceFailure) {
        self.mailbox = mailbox
        if let state {
            let file = try Self.file(at: state)
            let reader = VirtualCardReader(card: try Self.card(file.image, file))
            (self.reader, insertCard, pullCard) = (reader, reader.insert, reader.pull)
        } else {
            let image = DemonstrationCard.image()
            let reader = VirtualCardReader(card: try Self.card(image, VolatileCardMemory(image: image)))
            (self.reader, insertCard, pullCard) = (reader, reader.insert, reader.pull)
        }
    }

    func insert() {
        insertCard()
        mailbox.post(.reader(.cardInserted))
    }

    func pull() {
        pullCard()
        mailbox.post(.reader(.cardRemoved))
    }

    private static func file(at path: String) throws(ServiceFailure) -> CardFile<LockedFile> {
        do throws(CardMemoryFailure) {
            return try CardFile.opening(path) { DemonstrationCard.image() }
        } catch {
            throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: "\(path): \(error.reason)")
        }
    }

    private static func card<Memory>(_ image: [UInt8], _ memory: Memory) throws(ServiceFailure) -> VirtualCard<Memory> {
        do throws(VirtualCardRefusal) {
            return try VirtualCard(stored: image, memory: memory)
        } catch {
            throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: "the virtual card: \(error)")
        }
    }
}
