import ArgumentParser
import CardCryptography
import Console
import Files
import FuelPassbook
import ISO7816
import StationInterface
import Threads

struct StationBlacklist: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "blacklist",
        abstract: "Give the service the whole list of blocked cards; the one before it counts no more.",
        discussion: """
            Cards that are blocked in the configuration stay so. An empty file takes the list back. The list stands when the service is \
            started anew.

            \(stationExitStatus) 65 for a file that is no list, 74 for one that cannot be read.
            """
    )

    /// Of a file with blanks and line ends.
    private static let bytesMax = 64_000_000
    /// EX_DATAERR.
    private static let wrongData: Int32 = 65

    @OptionGroup var station: StationOptions
    @OptionGroup var key: StationKeyOption

    @Argument(help: "One card a line: the 20 digits of its serial number, blanks allowed; at most 1000000.")
    var file: String

    func run() throws {
        try station.saying("station blacklist") { () throws(ServiceFailure) in
            let bytes = try cards()
            let count = bytes.count / Command.cardBytesCount
            let link = try StationLink(.control, configuration: station.config)
            let partBytes = Command.cardsMax * Command.cardBytesCount
            for (part, start) in stride(from: 0, to: bytes.count, by: partBytes).enumerated() {
                let digits = Hex.string(Array(bytes[start..<min(start + partBytes, bytes.count)]))
                let members = [JSON.Member("part", .integer(part)), JSON.Member("cards", .text(digits))]
                _ = try link.ask("cards", members, for: Nothing.self)
            }
            let members = [
                JSON.Member("count", .integer(count)),
                JSON.Member("sha256", .text(Hex.string(SHA256.digest(of: bytes)))), key.member,
            ]
            _ = try link.ask("blacklist", members, for: Nothing.self, until: StationLink.deadline(seconds: 60))
            writeLine("\(count) cards are blocked by this list")
        }
    }

    /// Their serial numbers, each once.
    private func cards() throws(ServiceFailure) -> [UInt8] {
        let bytes: [UInt8]?
        do throws(FileFault) { bytes = try WholeFile.contents(file, bytesMax: Self.bytesMax) } catch {
            throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: error.reason)
        }
        guard let bytes else {
            throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: "\(file) is not there")
        }
        var known: Set<ApplicationSerialNumber> = []
        var cards: [UInt8] = []
        var number = 0
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            let digits = line.filter { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\r") }
            guard !digits.isEmpty else { continue }
            do throws(ParseError) {
                let card = try ApplicationSerialNumber(parsing: Hex.bytes(String(decoding: digits, as: UTF8.self)))
                if known.insert(card).inserted { cards += card.bytes }
            } catch {
                throw ServiceFailure(
                    exitStatus: Self.wrongData,
                    reason: "\(file):\(number): expected the 20 digits of a card's serial number"
                )
            }
        }
        guard known.count <= Order.blockedCardsMax else {
            throw ServiceFailure(
                exitStatus: Self.wrongData,
                reason: "\(file): more than \(Order.blockedCardsMax) cards"
            )
        }
        return cards
    }
}
