import ArgumentParser
import CardApplication
import Console
import FuelPassbook
import ISO7816
import Threads
import VirtualCards

struct CardServe: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Put a virtual card into pcscd's virtual reader.",
        discussion: """
            The reader is the one of Debian's vsmartcard-vpcd: start pcscd first. Without --keys, the card \
            carries the published demonstration keys, and a new one the PIN 123456. It stays in the reader until this \
            program ends: end it to pull the card, at any moment, and start it again with the same state to put the \
            card back.

            Exit status: 0 when it was ended; with --keys 1 when no passphrase was typed; 69 without a virtual reader, or \
            a terminal for the passphrase; 74 when a file cannot be read or made. \(ExitStatusHelp.common)
            """
    )

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The virtual reader's TCP port on this machine.", valueName: "PORT")
    )
    var vpcd: UInt16 = VirtualReaderConnection.defaultPort

    @Option(
        help: ArgumentHelp(
            "The file that keeps the card; made when it is not there, with the demonstration keys.",
            valueName: "FILE"
        )
    )
    var state: String?

    @OptionGroup var keyOption: CardKeyOption

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The application that the card has, 10 to 32 hexadecimal digits.", valueName: "HEX")
    )
    var aid = ApplicationArgument(bytes: Demonstration.aid)

    @Option(parsing: .unconditional, help: "Transmission protocol: t0 or t1.")
    var transmission = CardTransmission.t1

    func validate() throws {
        guard keyOption.keys == nil || state != nil else { throw ValidationError("--keys needs --state") }
    }

    func run() throws {
        do {
            if let state {
                try serve(keyOption.card(inFile: state, makesDemonstrationCard: true, aid: aid.bytes))
            } else {
                let image = DemonstrationCard.image()
                try serve(VirtualCard(stored: image, memory: VolatileCardMemory(image: image), aid: aid.bytes))
            }
        } catch let failure as ServiceFailure {
            standardError("greylock card serve: \(failure.reason)")
            throw ExitCode(failure.exitStatus)
        } catch let fault as VirtualReaderFault {
            standardError("greylock card serve: \(fault)")
            throw ExitCode(ServiceFailure.unavailable)
        }
    }

    private func serve<Memory>(_ card: VirtualCard<Memory>) throws {
        let connection = try VirtualReaderConnection.connect(port: vpcd)
        SignalWatch.start { connection.stop() }
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
