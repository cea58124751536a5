import ArgumentParser
import Console
import Foundation
import Quantities
import StationInterface
import Threads

struct StationRecords: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "records",
        abstract: "The finished records that nobody has acknowledged, by their numbers, at most 40.",
        discussion: """
            What is collected is kept elsewhere first, and then acknowledged: greylock station acknowledge. One whose card still owes what it \
            says is shown as open, and cannot be.

            \(stationExitStatus)
            """
    )

    struct Page: Codable {
        let records: [Line]
    }

    struct Line: Codable {
        let ttc: UInt32
        let kind: String
        let phase: String
        let position: Int
        let terminal: String
        let lockTime: String
        let endTime: String?
        let card: String
        let ctc: Int
        let balanceBeforeFen: Int
        let nozzle: Int
        let grade: String
        let unitPriceFen: Int
        let volumeMicrolitres: Int
        let shownCentilitres: Int
        let counts: [Int]
        let pulserFaults: Int
        let amountFen: Int
        let nonCardFen: Int
        let mac3: String?
        let lockTAC: String?
        let debitTAC: String?
        let mac4IsValid: Bool?
        let settles: UInt32?
        let remark: String?
        let identification: IdentificationLine?
        let acknowledgeable: Bool

        var words: String {
            "record \(ttc): position \(position), \(kind), \(phase), \(lockTime), \(litres(centilitres: shownCentilitres)) L,"
                + " \(yuan(fen: amountFen)) yuan\(acknowledgeable ? "" : ", open")"
        }
    }

    @OptionGroup var station: StationOptions

    @Option(help: ArgumentHelp("Only those behind this number.", valueName: "N"))
    var after: UInt32 = 0

    @Flag(help: "One JSON object, `records`, as the control socket gives it.")
    var json = false

    func run() throws {
        try station.saying("station records") { () throws(ServiceFailure) in
            let after = JSON.Member("after", .integer(Int64(after)))
            let link = try StationLink(.control, configuration: station.config)
            let page = try link.ask("records", [after], for: Page.self)
            if json { return writeLine(try jsonText(page)) }
            for record in page.records { writeLine(record.words) }
            if page.records.isEmpty { writeLine("no record waits to be acknowledged") }
        }
    }
}

struct StationAcknowledge: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "acknowledge",
        abstract: "Say that records are kept elsewhere: all of them or none; their room in the journal comes back.",
        discussion: stationExitStatus
    )

    @OptionGroup var station: StationOptions
    @OptionGroup var key: StationKeyOption

    @Argument(help: "The records' numbers, 1 to 1000 of them.")
    var numbers: [UInt32]

    func run() throws {
        try station.saying("station acknowledge") { () throws(ServiceFailure) in
            let list = JSON.Member("numbers", .list(numbers.map { .integer(Int64($0)) }))
            let link = try StationLink(.control, configuration: station.config)
            _ = try link.ask("acknowledge", [list, key.member], for: Nothing.self)
            writeLine("acknowledged: \(numbers.count)")
        }
    }
}
