import ArgumentParser
import CardApplication
import FuelPassbook
import ISO7816
import Simulation
import Terminal

struct CardServe: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Put a virtual card into pcscd's virtual reader.",
        discussion: """
            The reader is the one of Debian's vsmartcard-vpcd: start pcscd first. The card carries the published \
            demonstration keys and PIN 123456. It stays in the reader until this program ends: end it to pull the card, \
            at any moment, and start it again with the same state to put the card back.
            """
    )

    @Option(help: ArgumentHelp("The virtual reader's TCP port on this machine.", valueName: "PORT"))
    var vpcd: UInt16 = VirtualReaderConnection.defaultPort

    @Option(help: ArgumentHelp("The file that keeps the card; made when it is not there.", valueName: "FILE"))
    var state: String?

    @Option(help: "Transmission protocol: t0 or t1.")
    var transmission = CardTransmission.t1

    func run() throws {
        do {
            let connection = try VirtualReaderConnection.connect(port: vpcd)
            SignalWatch.start { connection.stop() }
            if let state {
                let file = try CardFile.opening(state) { DemonstrationCard.image() }
                try serve(VirtualCard(stored: file.image, memory: file), connection)
            } else {
                let image = DemonstrationCard.image()
                try serve(VirtualCard(stored: image, memory: VolatileCardMemory(image: image)), connection)
            }
        } catch let fault as CardMemoryFailure {
            standardError("greylock card serve: \(state ?? ""): \(fault.reason)")
            throw ExitCode(ServiceFailure.inputOutput)
        } catch let error as ParseError {
            standardError("greylock card serve: \(state ?? ""): \(error): not a card of this version")
            throw ExitCode(ServiceFailure.inputOutput)
        } catch let fault as VirtualReaderFault {
            standardError("greylock card serve: \(fault)")
            throw ExitCode(ServiceFailure.unavailable)
        }
    }

    private func serve<Memory>(_ card: VirtualCard<Memory>, _ connection: VirtualReaderConnection) throws {
        let image = card.image
        standardError(
            "card \(image.file.asn) is in the reader: balance \(image.balance)\(image.grey == nil ? "" : ", grey")"
        )
        try connection.serve(card, over: transmission)
        let after = card.image
        standardError(
            "card \(after.file.asn) is out of the reader: balance \(after.balance)\(after.grey == nil ? "" : ", grey")"
        )
    }
}

extension CardTransmission: ExpressibleByArgument {}
