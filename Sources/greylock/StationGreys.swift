import ArgumentParser
import Console
import Files
import Quantities
import StationInterface
import Threads

struct StationGreys: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "greys",
        abstract:
            "Open grey records of this terminal's own sales as a file for another terminal, on standard output, at most 100.",
        discussion: """
            The card of such a record then pays at whichever terminal has it, and stays open here until the card says so. Which records \
            they are is said on standard error, with the number behind which the next ones are. Those that were prepaid stay here.

            \(stationExitStatus) 69 also when there is none.
            """
    )

    struct Page: Decodable {
        struct Line: Decodable {
            let ttc: UInt32
            let card: String
            let amountFen: Int
        }

        let file: String?
        let records: [Line]
        let last: UInt32?
    }

    @OptionGroup var station: StationOptions

    @Option(help: ArgumentHelp("Only those behind this number.", valueName: "N"))
    var after: UInt32 = 0

    func run() throws {
        try station.saying("station greys") { () throws(ServiceFailure) in
            let link = try StationLink(.control, configuration: station.config)
            var page: Page
            var behind = after
            repeat {
                page = try link.ask("greys", [JSON.Member("after", .integer(Int64(behind)))], for: Page.self)
                behind = page.last ?? behind
                // Of a hundred, all may have to stay.
            } while page.file == nil && page.last != nil
            guard let file = page.file else {
                throw ServiceFailure(
                    exitStatus: ServiceFailure.unavailable,
                    reason: "no grey record behind \(after) is open that can be given away"
                )
            }
            for record in page.records {
                standardError("record \(record.ttc): \(yuan(fen: record.amountFen)) yuan, card \(record.card)")
            }
            standardError("the next ones: --after \(behind)")
            writeLine(file.hasSuffix("\n") ? String(file.dropLast()) : file)
        }
    }
}

struct StationTakeGreys: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "take-greys",
        abstract: "Give the service the grey records of another terminal, so that their cards pay here.",
        discussion: """
            A record that is here already stays as it is. A file that was changed, or is of another scheme, is refused whole.

            \(stationExitStatus) 65 for a file that is no text, 74 for one that cannot be read or is longer than the socket takes, 60000 bytes.
            """
    )

    struct Taken: Decodable {
        struct Line: Decodable {
            let ttc: UInt32
            let here: UInt32
            let new: Bool
            let state: String
        }

        let records: [Line]
    }

    @OptionGroup var station: StationOptions
    @OptionGroup var key: StationKeyOption

    @Argument(
        help: ArgumentHelp("A file that greylock station greys or greylock records export made.", valueName: "FILE")
    )
    var file: String

    func run() throws {
        try station.saying("station take-greys") { () throws(ServiceFailure) in
            let text = try text()
            let link = try StationLink(.control, configuration: station.config)
            let members = [JSON.Member("file", .text(text)), key.member]
            let taken = try link.ask("take-greys", members, for: Taken.self, until: StationLink.deadline(seconds: 60))
            for record in taken.records {
                writeLine(
                    record.new
                        ? "record \(record.ttc): is record \(record.here) here"
                        : "record \(record.ttc): is here already, record \(record.here), \(record.state)"
                )
            }
        }
    }

    private func text() throws(ServiceFailure) -> String {
        let bytes: [UInt8]?
        do throws(FileFault) { bytes = try WholeFile.contents(file, bytesMax: Order.fileBytesMax) } catch {
            throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: error.reason)
        }
        guard let bytes else {
            throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: "\(file) is not there")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ServiceFailure(exitStatus: 65, reason: "\(file): it is no file of grey records")
        }
        return text
    }
}

struct StationLevel: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "level",
        abstract: "How much the log of the service says, until it is started anew: info, notice, warning or error.",
        discussion: "info is as it starts; each other says less. \(stationExitStatus)"
    )

    @OptionGroup var station: StationOptions
    @OptionGroup var key: StationKeyOption

    @Argument(help: "info, notice, warning or error.")
    var level: LogLevel

    func run() throws {
        try station.saying("station level") { () throws(ServiceFailure) in
            let members = [JSON.Member("level", .text(level.rawValue)), key.member]
            _ = try StationLink(.control, configuration: station.config).ask("level", members, for: Nothing.self)
            writeLine("the log says \(level.rawValue) and what is graver")
        }
    }
}

extension LogLevel: ExpressibleByArgument {}
