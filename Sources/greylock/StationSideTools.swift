import ArgumentParser
import Console
import Foundation
import Quantities
import StationInterface
import Threads

struct StationBlock: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "block",
        abstract: "Close a side on purpose, until it is unblocked: a running sale ends, no other begins.",
        discussion: "It stands when the service is started anew. \(stationExitStatus)"
    )

    @OptionGroup var station: StationOptions
    @OptionGroup var side: StationSideOption
    @OptionGroup var key: StationKeyOption

    @Option(help: ArgumentHelp("Why, 1 to 200 characters that can be seen.", valueName: "TEXT"))
    var reason: String

    func run() throws {
        try station.saying("station block") { () throws(ServiceFailure) in
            let members = [side.member, JSON.Member("reason", .text(reason)), key.member]
            _ = try StationLink(.control, configuration: station.config).ask("block", members, for: Nothing.self)
            writeLine("position \(side.position): blocked, no sale begins")
        }
    }
}

struct StationUnblock: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unblock",
        abstract: "Let a side that was blocked sell again.",
        discussion: stationExitStatus
    )

    @OptionGroup var station: StationOptions
    @OptionGroup var side: StationSideOption
    @OptionGroup var key: StationKeyOption

    func run() throws {
        try station.saying("station unblock") { () throws(ServiceFailure) in
            let link = try StationLink(.control, configuration: station.config)
            _ = try link.ask("unblock", [side.member, key.member], for: Nothing.self)
            writeLine("position \(side.position): blocked no more")
        }
    }
}

struct StationPrice: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "price",
        abstract: "Let a side sell at another price, at once or from a time on.",
        discussion: """
            A running sale keeps its price. It stands when the service is started anew, until another order, or until the configuration \
            says another price than it does now. One that waits for its time is taken back by another order for the same time.

            \(stationExitStatus)
            """
    )

    @OptionGroup var station: StationOptions
    @OptionGroup var side: StationSideOption
    @OptionGroup var key: StationKeyOption

    @Option(help: ArgumentHelp("Fen per litre, 1 to 99999.", valueName: "FEN"))
    var price: Int

    @Option(
        help: ArgumentHelp(
            "When, as 2027-01-31T22:00:00Z or with +08:00 in place of Z; without it, at once.",
            valueName: "TIME"
        )
    )
    var from: String?

    func validate() throws { _ = try effectiveUTC() }

    private func effectiveUTC() throws -> Int64? {
        guard let from else { return nil }
        let expected = ValidationError("--from: expected a time as 2027-01-31T22:00:00Z (found \(from.printable))")
        do {
            let seconds = try Date(from, strategy: .iso8601).timeIntervalSince1970
            // That strategy takes the 30th of February for the 2nd of March.
            let date = from.prefix(10).split(separator: "-").compactMap { Int($0) }
            guard date.count == 3 else { throw expected }
            _ = try CalendarDate(year: date[0], month: date[1], day: date[2])
            guard seconds >= 0, seconds < 253_402_300_800 else { throw expected }
            return Int64(seconds)
        } catch {
            throw expected
        }
    }

    func run() throws {
        let effective = try effectiveUTC()
        try station.saying("station price") { () throws(ServiceFailure) in
            var members = [side.member, JSON.Member("fenPerLitre", .integer(price)), key.member]
            if let effective { members.append(JSON.Member("from", .integer(effective))) }
            _ = try StationLink(.control, configuration: station.config).ask("price", members, for: Nothing.self)
            writeLine(
                "position \(side.position): \(yuan(fen: price)) yuan a litre \(from.map { "from \($0) on" } ?? "from the next sale on")"
            )
        }
    }
}

struct StationSideOption: ParsableArguments {
    @Option(help: ArgumentHelp("The fuelling side.", valueName: "N"))
    var position: Int

    var member: JSON.Member { JSON.Member("side", .integer(position)) }
}

struct StationKeyOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Names the order: the same again with it does nothing. A new one without it.",
            valueName: "KEY"
        )
    )
    var key: String?

    var member: JSON.Member { JSON.Member("key", .text(key ?? StationLink.newKey())) }
}
