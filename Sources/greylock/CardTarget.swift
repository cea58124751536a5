import ArgumentParser
import CardApplication
import Console
import Dispenser
import FuelPassbook
import ISO7816
import PCSC
import Threads
import VirtualCards

/// The card that a tool talks to: one in a real reader, or one in a file.
struct CardTarget: ParsableArguments {
    @Option(
        help: ArgumentHelp("The card reader's name or a part of it; without it, the first reader.", valueName: "NAME")
    )
    var reader: String?

    @Option(help: ArgumentHelp("A virtual card's file in place of a reader.", valueName: "FILE"))
    var state: String?

    @OptionGroup var keyOption: CardKeyOption

    func validate() throws {
        guard keyOption.keys == nil || state != nil else { throw ValidationError("--keys needs --state") }
        guard reader == nil || state == nil else { throw ValidationError("give either --reader or --state") }
    }

    /// The card, powered up.
    func connect() throws(ServiceFailure) -> any CardReader {
        let opened: any CardReader
        if let state {
            opened = try virtualReader(state)
        } else {
            opened = try Self.realReader(reader)
        }
        try opened.powerUp()
        return opened
    }

    private func virtualReader(_ path: String) throws(ServiceFailure) -> any CardReader {
        let reader = VirtualCardReader(card: try keyOption.card(inFile: path))
        reader.insert()
        return reader
    }

    static func realReader(_ name: String?) throws(ServiceFailure) -> any CardReader {
        let found: (reader: String, others: [String])
        do throws(CardFault) { found = try ReaderSearch.find(name) } catch { throw ServiceFailure(error) }
        return NamedReader(PCSCReader(name: found.reader), name: found.reader, others: found.others)
    }
}

/// A reader that says its name when there is no card in it.
private final class NamedReader: CardReader {
    private let reader: PCSCReader
    private let name: String
    private let others: [String]

    init(_ reader: PCSCReader, name: String, others: [String]) {
        self.reader = reader
        self.name = name
        self.others = others
    }

    func connect() throws(CardFault) {
        do throws(CardFault) {
            try reader.connect()
        } catch .removed {
            let advice = others.isEmpty ? "" : ", or use another with --reader: \(others.joined(separator: ", "))"
            throw .reader("no card in the reader \"\(name)\": put one in\(advice)")
        } catch {
            throw error
        }
    }

    func transmit(_ command: Span<UInt8>) throws(CardFault) -> ResponseAPDU { try reader.transmit(command) }
    func disconnect() { reader.disconnect() }
}

extension CardReader {
    func powerUp() throws(ServiceFailure) {
        do throws(CardFault) { try connect() } catch { throw ServiceFailure(error) }
    }

    func exchange(_ command: [UInt8]) throws(ServiceFailure) -> ResponseAPDU {
        do throws(CardFault) { return try transmit(command.span) } catch { throw ServiceFailure(error) }
    }

    func verify(_ pin: borrowing PIN) throws(ServiceFailure) -> ResponseAPDU {
        do throws(CardFault) {
            return try pin.withVerifyCommand { (command) throws(CardFault) in try transmit(command) }
        } catch {
            throw ServiceFailure(error)
        }
    }
}

extension ServiceFailure {
    /// What to do about a card that cannot be talked to.
    init(_ fault: CardFault) {
        let reason =
            switch fault {
            case .removed: "the card left the reader: put it in and try again"
            case .reader(let text): text
            case .inUse(let text): "another program uses the card: end it (\(text))"
            case .unresponsive(let text):
                "the card does not answer: turn it over, wipe its contacts, or it is no chip card (\(text))"
            case .malformed(let error): "the card's answer is none: \(error)"
            }
        self.init(exitStatus: ServiceFailure.unavailable, reason: reason)
    }
}

/// Runs a tool; what goes wrong is one line on standard error, and the exit status.
func runTool(_ name: String, _ body: () throws(ServiceFailure) -> Void) throws {
    do throws(ServiceFailure) {
        try body()
    } catch {
        standardError("greylock \(name): \(error.reason)")
        throw ExitCode(error.exitStatus)
    }
}
