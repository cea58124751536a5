import CardApplication
import Configuration
import Metering
package import Station
import VirtualCards
import VirtualPump

extension VirtualEdges {
    /// A virtual card for each side in the program's own process, and lines that a simulated customer uses.
    package static var inProcess: VirtualEdges {
        VirtualEdges { (state, index) throws(Fault) in
            let newCard = { DemonstrationCard.image(number: index) }
            guard let state else {
                let image = newCard()
                return slot(try card(image, VolatileCardMemory(image: image)))
            }
            let file = try file(at: state, newCard)
            return slot(try card(file.image, file))
        } pump: { flow, calibration, pulser in
            var script = SimulatedPumpLines.Script(
                countsPerLitre: calibration.countsPerLitre,
                centilitres: flow.centilitres,
                litresPerMinute: flow.litresPerMinute
            )
            script.hasChannelB = pulser != .single
            script.speed = flow.speed
            let lines = SimulatedPumpLines(script)
            return Pump(lines: lines) { SimulatedCustomer($0, lines: lines) }
        }
    }

    private static func slot<Memory>(_ card: consuming VirtualCard<Memory>) -> Slot {
        let reader = VirtualCardReader(card: card)
        return Slot(reader: reader, insert: reader.insert, pull: reader.pull)
    }

    private static func file(
        at path: String,
        _ newCard: () -> [UInt8]
    ) throws(Fault) -> CardFile<LockedFile> {
        do throws(CardMemoryFailure) {
            return try CardFile.opening(path, orCreating: newCard)
        } catch {
            throw Fault(reason: "\(path): \(error.reason)")
        }
    }

    private static func card<Memory>(_ image: [UInt8], _ memory: Memory) throws(Fault) -> VirtualCard<Memory> {
        do throws(VirtualCardRefusal) {
            return try VirtualCard(stored: image, memory: memory)
        } catch {
            throw Fault(reason: "the virtual card: \(error)")
        }
    }
}
