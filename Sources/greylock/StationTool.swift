import ArgumentParser
import Console
import Foundation
import Quantities
import Station
import StationInterface
import Threads

struct StationTool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "station",
        abstract: "Ask the service that runs, and tell it what to do.",
        subcommands: [
            StationStatusTool.self, StationWatch.self, StationBlock.self, StationUnblock.self, StationPrice.self,
            StationRecords.self, StationAcknowledge.self, StationBlacklist.self, StationGreys.self,
            StationTakeGreys.self,
            StationLevel.self,
        ]
    )
}

/// What all of them end with.
let stationExitStatus = """
    Exit status: 0; 69 when the service does not run, does not let this user ask, or refuses; 75 when it did not answer in time; 78 for \
    a wrong configuration, or one without the socket. \(ExitStatusHelp.common)
    """

struct StationStatusTool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "How each side is, what flows, and how much room the journal has.",
        discussion: stationExitStatus
    )

    @OptionGroup var station: StationOptions

    @Flag(help: "One JSON object, as the service's read socket gives it.")
    var json = false

    func run() throws {
        try station.saying("station status") { () throws(ServiceFailure) in
            let report = try StationLink(.read, configuration: station.config).ask("status", for: StationReport.self)
            if json { return writeLine(try jsonText(report)) }
            for line in report.lines { writeLine(line) }
        }
    }
}

struct StationWatch: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "The same, and each change from then on, until it is ended.",
        discussion: stationExitStatus
    )

    private struct Change: Decodable {
        let side: StationReport.Side?
        let drained: Bool?
        let sides: [StationReport.Side]?
    }

    @OptionGroup var station: StationOptions

    func run() throws {
        try station.saying("station watch") { () throws(ServiceFailure) in
            let link = try StationLink(.read, configuration: station.config)
            for side in try link.ask("watch", for: StationReport.self).sides { writeLine(side.line) }
            while true {
                let change: Change = try link.next(until: .max)
                if let side = change.side { writeLine(side.line) }
            }
        }
    }
}

struct Drain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Let running sales end paid and begin no other; returns when nobody is served any more.",
        discussion: """
            It stands until greylock undrain, or until the service is started anew: an upgrade drains, and the next program sells. Where \
            the sales do not end in time it stands all the same.

            \(stationExitStatus)
            """
    )

    @OptionGroup var station: StationOptions

    @Option(help: ArgumentHelp("How long sales may take to end, 1 to 86400.", valueName: "SECONDS"))
    var wait = 600

    func validate() throws { try requireSeconds(wait) }

    func run() throws {
        try station.saying("drain") { () throws(ServiceFailure) in
            let link = try StationLink(.control, configuration: station.config)
            let key = JSON.Member("key", .text(StationLink.newKey()))
            let deadline = StationLink.deadline(seconds: wait)
            do throws(ServiceFailure) { _ = try link.ask("drain", [key], for: Nothing.self, until: deadline) } catch {
                guard error.exitStatus == StationLink.notInTime else { throw error }
                throw ServiceFailure(
                    exitStatus: StationLink.notInTime,
                    reason: "a sale still runs after \(wait) s; no other begins before greylock undrain"
                )
            }
            writeLine("drained: every sale is paid, and none begins before greylock undrain")
        }
    }
}

struct Undrain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Let sales begin again after a drain.",
        discussion: stationExitStatus
    )

    @OptionGroup var station: StationOptions

    func run() throws {
        try station.saying("undrain") { () throws(ServiceFailure) in
            let link = try StationLink(.control, configuration: station.config)
            _ = try link.ask("undrain", [JSON.Member("key", .text(StationLink.newKey()))], for: Nothing.self)
            writeLine("sales begin again")
        }
    }
}

struct Health: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Whether each side serves cards, or is closed on purpose; also as its exit status.",
        discussion: """
            For an updater that marks a system good: with --wait the service may come up first. A side that whoever runs the station has \
            drained or blocked is closed on purpose.

            Exit status: 0 when it is so; 69 when a side does not serve, and when the service does not run or does not let this user ask; 78 \
            for a wrong configuration, or one without a socket. \(ExitStatusHelp.common)
            """
    )

    @OptionGroup var station: StationOptions

    @Option(help: ArgumentHelp("Until when it may become so, 0 to 86400.", valueName: "SECONDS"))
    var wait = 0

    private static let againNanoseconds: UInt64 = 250_000_000

    func validate() throws {
        guard (0...86_400).contains(wait) else { throw ValidationError("--wait: expected 0 to 86400 seconds") }
    }

    func run() throws {
        try station.saying("health") { () throws(ServiceFailure) in
            let deadline = StationLink.deadline(seconds: wait)
            let never = MonotonicSemaphore()
            while true {
                do throws(ServiceFailure) {
                    try look()
                    return writeLine("every side serves, or is closed on purpose")
                } catch {
                    guard error.exitStatus != ServiceFailure.configuration, MonotonicClock.nanoseconds < deadline else {
                        throw error
                    }
                }
                _ = never.wait(until: MonotonicClock.nanoseconds + Self.againNanoseconds)
            }
        }
    }

    private func look() throws(ServiceFailure) {
        let report = try StationLink(.read, configuration: station.config).ask("status", for: StationReport.self)
        let troubles = report.sides.filter { !$0.isInOrder }.map(\.line)
        guard troubles.isEmpty else {
            throw ServiceFailure(exitStatus: ServiceFailure.unavailable, reason: troubles.joined(separator: "; "))
        }
    }
}

/// An answer that says only that it is done.
struct Nothing: Decodable {}

private func requireSeconds(_ seconds: Int) throws {
    guard (1...86_400).contains(seconds) else { throw ValidationError("--wait: expected 1 to 86400 seconds") }
}

extension StationReport {
    var lines: [String] {
        let room = journal.room.map { "room for \($0) of \(journal.capacity) records" } ?? "not counted yet"
        let open = journal.openRecords.map { ", \($0) unfinished" } ?? ""
        let level = log.user.map { "the log says \(log.level) and graver, by order of \($0.printable)\(log.time)" }
        return ["greylock \(version), terminal \(terminal)\(drained ? ", drained" : "")"] + sides.map(\.line)
            + ["journal: \(room)\(open)"] + [level].compactMap(\.self)
    }
}

extension StationReport.Side {
    var line: String {
        let sold = sale.map { ", \(litres(centilitres: $0.centilitres)) L, \(yuan(fen: $0.fen)) yuan" } ?? ""
        return "position \(number): \(state)\(sold), \(yuan(fen: fenPerLitre)) yuan/L: \(words.printable)"
    }

    /// It serves, or whoever runs the station closed it.
    var isInOrder: Bool {
        switch state {
        case "inoperative", "closed": code == "drained" || code == "blocked"
        case _: true
        }
    }
}

extension StationReport.Log {
    fileprivate var time: String {
        since.map { ", \(Date(timeIntervalSince1970: TimeInterval($0)).formatted(.iso8601))" } ?? ""
    }
}
