import ArgumentParser
import Console
import Dispenser
import FuelPassbook
import ISO7816
import Quantities
import Station
import Threads

struct CardStatus: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "What the card in a reader is, whether it is grey, and what to do about it.",
        discussion: """
            Reads only: SELECT, READ BINARY, GET BALANCE and GET GREY STATUS. No PIN is asked for, no counter moves and \
            nothing on the card changes. The tries left, and a block that the issuer can undo, cannot be seen this way. \
            The card must not be in use by another program.

            Exit status: 0 when there is nothing to do, 1 when the card needs attention, 69 when there is no card \
            service, reader or card, or the card does not answer. \(ExitStatusHelp.common)
            """
    )

    @OptionGroup var place: ReaderOptions

    @Flag(help: "One JSON object; money in fen, bytes in hexadecimal.")
    var json = false

    func run() throws {
        var isFine = false
        try runTool("card status") { () throws(ServiceFailure) in
            let card = try CardTarget.realReader(place.reader)
            try card.powerUp()
            defer { card.disconnect() }
            let report = try StatusReading(card: card, aid: place.aid.bytes).report()
            writeLine(json ? try jsonText(report) : report.text)
            isFine = report.finding == .fine
        }
        guard isFine else { throw ExitCode(1) }
    }
}

/// A card in a reader, and its application.
struct ReaderOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The card reader's name or a part of it; without it, the first reader.", valueName: "NAME")
    )
    var reader: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The card application, 10 to 32 hexadecimal digits.", valueName: "HEX")
    )
    var aid = ApplicationArgument(bytes: Demonstration.aid)
}

/// An AID on the command line.
struct ApplicationArgument: ExpressibleByArgument {
    let bytes: [UInt8]

    init(bytes: [UInt8]) { self.bytes = bytes }

    init?(argument: String) {
        do throws(ParseError) { bytes = try Hex.bytes(argument) } catch { return nil }
        guard Instruction.select.dataLengths.contains(bytes.count) else { return nil }
    }

    var defaultValueDescription: String { Hex.string(bytes) }
}

/// What a card said of itself.
private struct StatusReport: Encodable {
    enum Finding: String, Encodable {
        case fine
        case grey
        case notValidToday
        case dateUnknown
        case lockedForGood
        case foreign
    }

    struct Identity: Encodable {
        let card: String
        let kind: String
        let issuer: String
        let validFrom: String
        let validTo: String
        let validity: String

        init(_ file: PublicApplicationFile, _ validity: CardValidity) {
            card = file.asn.description
            kind = CardKind.words(of: file.asn)
            issuer = Hex.string(file.issuer)
            validFrom = file.validFrom.description
            validTo = file.validTo.description
            self.validity = validity.rawValue
        }
    }

    struct Grey: Encodable {
        /// Of the locked sale: the card's number is one further.
        let offlineNumber: Int
        let onlineNumber: UInt16
        let mac3: String
        let lockTAC: String
    }

    var finding: Finding
    /// What was read, for people.
    var table: WordTable
    var advice: String
    var identity: Identity?
    var balanceFen: UInt32?
    var grey: Grey?

    var text: String {
        var table = table
        table.add("next", advice)
        return table.lines.joined(separator: "\n")
    }

    private enum CodingKeys: String, CodingKey {
        case finding, advice, identity, balanceFen, grey
    }
}

/// The exchanges of a look at a card.
private struct StatusReading {
    let card: any CardReader
    let aid: [UInt8]

    func report() throws(ServiceFailure) -> StatusReport {
        switch try Selection.identify(aid, transmit) {
        case .success(let file): return try report(on: file)
        case .failure(.lockedForGood): return told(.lockedForGood, "of this scheme", CardAdvice.lockedForGood)
        case .failure(.notSelected(let status)): return foreign("has no application \(Hex.string(aid)) (\(status))")
        case .failure(.fileNotRead(let status)): return foreign("its public file cannot be read (\(status))")
        case .failure(.fileMalformed(let error)): return foreign("its public file has another content: \(error)")
        }
    }

    private func transmit(_ command: CommandAPDU) throws(ServiceFailure) -> ResponseAPDU {
        try card.exchange(command.bytes)
    }

    private func report(on file: PublicApplicationFile) throws(ServiceFailure) -> StatusReport {
        let validity = CardValidity(of: file, on: SystemClock().localTime?.date)
        let balance = try balance()
        let grey = try greyStatus()
        var table = WordTable()
        table.add("card", "\(file.asn), \(CardKind.words(of: file.asn))")
        table.add("issuer", file.issuerWords)
        table.add("valid", "\(file.validFrom) to \(file.validTo), \(validity.words)")
        table.add("balance", "\(balance)")
        var report = StatusReport(finding: .fine, table: table, advice: CardAdvice.fine)
        report.identity = StatusReport.Identity(file, validity)
        report.balanceFen = balance.fen
        if let advice = CardAdvice.validity(validity, file) {
            report.finding = validity == .unknown ? .dateUnknown : .notValidToday
            report.advice = advice
        }
        guard let grey else {
            report.table.add("grey", "no")
            return report
        }
        let number = Int(grey.ctc.number) - 1
        report.table.add("grey", "yes, since the card's offline number \(number)")
        report.table.add(
            "grey-lock code (MAC3) \(Hex.string(grey.mac3.bytes)), lock TAC \(Hex.string(grey.lockTAC.bytes))"
        )
        report.finding = .grey
        report.advice = CardAdvice.grey
        report.grey = StatusReport.Grey(
            offlineNumber: number,
            onlineNumber: grey.online.number,
            mac3: Hex.string(grey.mac3.bytes),
            lockTAC: Hex.string(grey.lockTAC.bytes)
        )
        return report
    }

    /// nil when the purse is not grey (D18).
    private func greyStatus() throws(ServiceFailure) -> GetGreyStatus.Response? {
        switch try Selection.purse(transmit) {
        case .success(.grey(let status)): status
        case .success(.free): nil
        case .success(.noPetrolCommands(let status)), .failure(.answer(let status)):
            throw answered(.getGreyStatus, status)
        case .failure(.malformed(let error)): throw malformed(.getGreyStatus, error)
        }
    }

    private func balance() throws(ServiceFailure) -> Amount {
        let answer = try transmit(GetBalance().apdu)
        guard answer.status == .success else { throw answered(.getBalance, answer.status) }
        do throws(ParseError) {
            return try GetBalance.Response(parsing: answer.data).balance
        } catch {
            throw malformed(.getBalance, error)
        }
    }

    private func answered(_ instruction: Instruction, _ status: StatusWord) -> ServiceFailure {
        let words = status.words.map { ", \($0)" } ?? ""
        return ServiceFailure(exitStatus: 1, reason: "the card answered \(instruction.name) with \(status)\(words)")
    }

    private func malformed(_ instruction: Instruction, _ error: ParseError) -> ServiceFailure {
        ServiceFailure(exitStatus: 1, reason: "the card's answer to \(instruction.name): \(error)")
    }

    private func foreign(_ reason: String) -> StatusReport {
        told(
            .foreign,
            "foreign: \(reason)",
            "use a card of this scheme, or name this card's application with --aid if it is of another"
        )
    }

    private func told(_ finding: StatusReport.Finding, _ card: String, _ advice: String) -> StatusReport {
        var table = WordTable()
        table.add("card", card)
        return StatusReport(finding: finding, table: table, advice: advice)
    }
}
