import ArgumentParser
import CardApplication
import CardWorkshop
import FuelPassbook
import ISO7816
import Threads
import VirtualCards

/// Which keys a virtual card was made with.
struct CardKeyOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The key store that the virtual card was made with, of whichever version; without it, the demonstration keys.",
            valueName: "FILE"
        )
    )
    var keys: String?

    /// The card in the file at `path`; the masters are wiped when this returns.
    ///
    /// - Parameters:
    ///   - makesDemonstrationCard: when there is no file, and no other keys are asked for.
    ///   - aid: what a terminal selects it by.
    func card(
        inFile path: String,
        makesDemonstrationCard: Bool = false,
        aid: [UInt8] = Demonstration.aid
    ) throws(ServiceFailure) -> VirtualCard<CardFile<LockedFile>> {
        let file: CardFile<LockedFile>
        do throws(CardMemoryFailure) {
            if makesDemonstrationCard, keys == nil {
                file = try CardFile.opening(path) { DemonstrationCard.image() }
            } else {
                file = try CardFile(path: path)
            }
        } catch {
            throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: error.reason)
        }
        func refusal(_ reason: VirtualCardRefusal) -> ServiceFailure {
            ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: "\(path): \(reason)")
        }
        let image: CardImage
        do throws(ParseError) { image = try CardImage(parsing: file.image) } catch { throw refusal(.image(error)) }
        let keySet = try keySet(of: image)
        do throws(VirtualCardRefusal) {
            return try VirtualCard(stored: file.image, memory: file, aid: aid, scheme: keySet.scheme)
        } catch {
            throw refusal(error)
        }
    }

    /// Asks for the passphrase of the key store.
    private func keySet(of card: CardImage) throws(ServiceFailure) -> CardKeySet {
        if let keys { try CardKeySet.store(keys, ofCard: card.keys) } else { .demonstration }
    }
}
