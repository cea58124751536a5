import ArgumentParser
import CardApplication
import CardWorkshop
import Configuration
import Console
import FuelPassbook
import Glibc
import Threads
import VirtualCards

struct CardNew: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Make a virtual card from a profile.",
        discussion: """
            card.toml of the examples is a profile with every key explained. The PIN stands neither in it nor on the command line: \
            it is asked for twice at the terminal, or is the published demonstration PIN where the profile says so. \
            The passphrase of the profile's key store, if it names one, is asked for before. \
            The file is readable by its owner only. A file that is there already is never replaced: it may be a card \
            with money on it.

            Exit status: 0 when the card is made, 1 when no passphrase was typed, 69 without a terminal for it, 74 when a \
            file cannot be read or made, 78 for a wrong profile. \(ExitStatusHelp.common)
            """
    )

    @Option(help: ArgumentHelp("What the card is made of, in TOML.", valueName: "FILE"))
    var profile: String

    @Option(help: ArgumentHelp("The file that keeps the card; it must not exist yet.", valueName: "FILE"))
    var state: String

    func run() throws {
        try runTool("card new") { () throws(ServiceFailure) in try make() }
    }

    private func make() throws(ServiceFailure) {
        let profile = try loadProfile()
        // Before the PIN is asked for; the file's own creation refuses it too.
        guard unsafe access(state, F_OK) != 0 else { throw taken }
        let image = try image(of: profile)
        do throws(CardMemoryFailure) {
            _ = try CardFile(creating: state, image: image)
        } catch {
            guard unsafe access(state, F_OK) != 0 else { throw taken }
            throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: error.reason)
        }
        writeLine("card \(profile.file.asn) is in \(state): balance \(profile.balance)")
        let keys =
            switch profile.keys {
            case .demonstration: ""
            case .store(let path): " --keys \(path)"
            }
        writeLine("put it into a virtual reader: greylock card serve --state \(state)\(keys)")
    }

    private var taken: ServiceFailure {
        ServiceFailure(
            exitStatus: ServiceFailure.inputOutput,
            reason: "\(state) exists and may be a card with money on it: choose another name, or remove it yourself"
        )
    }

    private func loadProfile() throws(ServiceFailure) -> CardProfile {
        do throws(ConfigurationError) {
            return try CardProfile.load(path: profile)
        } catch {
            throw ServiceFailure(error)
        }
    }

    private func image(of profile: CardProfile) throws(ServiceFailure) -> [UInt8] {
        let keys =
            switch profile.keys {
            case .demonstration: CardKeySet.demonstration
            case .store(let path): try CardKeySet.store(path, profile.keyVersion)
            }
        return switch profile.pin {
        case .ask: try profile.image(pin: try PINPrompt().askNew(), keys: keys)
        case .demonstration: try profile.image(pin: Demonstration.pin, keys: keys)
        }
    }
}
