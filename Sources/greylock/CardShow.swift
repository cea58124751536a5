import ArgumentParser
import CardApplication
import CardWorkshop
import Console
import Dispenser
import Foundation
import FuelPassbook
import ISO7816
import Quantities
import Station
import Threads
import VirtualCards

struct CardShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "What a virtual card's file holds, without PIN and keys.",
        discussion: """
            The card may be in a reader meanwhile: the file is only read, and what is shown is the card's last \
            finished command.

            Exit status: 0; with --keys 1 when no passphrase was typed and 69 without a terminal; 74 when a file cannot be \
            read, is no card or does not open. \(ExitStatusHelp.common)
            """
    )

    @Option(help: ArgumentHelp("The file that keeps the card.", valueName: "FILE"))
    var state: String

    @Option(help: ArgumentHelp("Show it only if it was made with the keys of this key store.", valueName: "FILE"))
    var keys: String?

    @Flag(help: "One JSON object; money in fen, bytes in hexadecimal, the log newest first.")
    var json = false

    func run() throws {
        try runTool("card show") { () throws(ServiceFailure) in
            let image: CardImage
            do throws(CardMemoryFailure) {
                image = try CardSnapshot.read(state)
            } catch {
                throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: error.reason)
            }
            if let keys { try check(image, madeWith: keys) }
            let report = CardReport(image, today: SystemClock().localTime?.date)
            writeLine(json ? try report.json() : report.text)
        }
    }

    private func check(_ image: CardImage, madeWith store: String) throws(ServiceFailure) {
        let keys = CardKeys(card: image.file.asn, scheme: try CardKeySet.store(store, ofCard: image.keys).scheme)
        guard image.isSealed(under: keys) else {
            throw ServiceFailure(
                exitStatus: ServiceFailure.inputOutput,
                reason: "\(state): \(VirtualCardRefusal.otherKeys)"
            )
        }
    }
}

/// A virtual card's state. The holder's identity number stays out of it, with everything sealed or secret.
private struct CardReport: Encodable {
    let card: String
    let kind: String
    let issuer: String
    let validFrom: String
    let validTo: String
    let validity: String
    let holder: String
    let balanceFen: UInt32
    let overdraftLimitFen: UInt32
    let keyIndex: UInt8
    let keyVersion: UInt8
    let offlineNumber: UInt16
    let onlineNumber: UInt16
    let pinTries: Tries
    let gmacTries: Tries
    let upkeepTries: Tries
    /// `open`, `blocked`, `lockedForGood`
    let application: String
    let grey: Grey?
    let log: [Entry]
    let advice: [String]
    private let validityWords: String
    private let issuerWords: String

    struct Tries: Encodable {
        let left: UInt8
        let limit: UInt8

        var text: String { "\(left) of \(limit) tries left" }
    }

    struct Grey: Encodable {
        let terminal: String
        let terminalTransaction: UInt32
        let time: String
        /// Before the lock.
        let offlineNumber: UInt16
        let mac3: String
        let lockTAC: String
    }

    struct Entry: Encodable {
        let number: UInt16
        let type: String
        let typeCode: String
        let amountFen: UInt32
        let overdraftLimitFen: UInt32
        let terminal: String
        let time: String
    }

    private enum CodingKeys: String, CodingKey {
        case card, kind, issuer, validFrom, validTo, validity, holder, balanceFen, overdraftLimitFen, keyIndex
        case keyVersion, offlineNumber, onlineNumber, pinTries, gmacTries, upkeepTries, application, grey, log, advice
    }

    init(_ image: CardImage, today: CalendarDate?) {
        let validity = CardValidity(of: image.file, on: today)
        card = image.file.asn.description
        kind = CardKind.words(of: image.file.asn)
        issuer = Hex.string(image.file.issuer)
        issuerWords = image.file.issuerWords
        validFrom = image.file.validFrom.description
        validTo = image.file.validTo.description
        self.validity = validity.rawValue
        validityWords = validity.words
        holder = String(decoding: image.holder.name.prefix { $0 != 0 }, as: UTF8.self)
        balanceFen = image.balance.fen
        overdraftLimitFen = image.overdraftLimit.fen
        keyIndex = image.keyIndex.number
        keyVersion = image.keyVersion.number
        offlineNumber = image.ctc.number
        onlineNumber = image.online.number
        pinTries = Tries(left: image.pinTriesLeft, limit: image.pinTriesLimit)
        gmacTries = Tries(left: image.gmacTriesLeft, limit: image.gmacTriesLimit)
        upkeepTries = Tries(left: image.upkeepTriesLeft, limit: CardImage.upkeepTriesMax)
        application = image.isLockedForGood ? "lockedForGood" : image.block == .none ? "open" : "blocked"
        grey = image.grey.map(Grey.init)
        log = image.log.map(Entry.init)
        advice = Self.advice(on: image, validity)
    }

    /// The most pressing first; with one that nothing cures, nothing else matters.
    private static func advice(on image: CardImage, _ validity: CardValidity) -> [String] {
        guard !image.isLockedForGood else { return [CardAdvice.lockedForGood] }
        let advice: [String?] = [
            image.grey == nil ? nil : CardAdvice.grey,
            image.block == .none ? nil : CardAdvice.blocked,
            image.pinTriesLeft == 0 ? CardAdvice.pinBlocked : nil,
            image.upkeepTriesLeft == 0 ? CardAdvice.upkeepClosed : nil,
            image.ctc.next.map { $0 == .maximum } ?? true || image.online == .maximum ? CardAdvice.numbersUsedUp : nil,
            CardAdvice.validity(validity, image.file),
        ]
        let found = advice.compactMap(\.self)
        return found.isEmpty ? [CardAdvice.fine] : found
    }

    func json() throws(ServiceFailure) -> String { try jsonText(self) }

    var text: String {
        var table = WordTable()
        table.add("card", "\(card), \(kind)")
        table.add("issuer", issuerWords)
        table.add("valid", "\(validFrom) to \(validTo), \(validityWords)")
        if !holder.isEmpty { table.add("holder", holder.printable) }
        let limit = overdraftLimitFen > 0 ? ", with an overdraft limit of \(Amount(fen: overdraftLimitFen))" : ""
        table.add("balance", "\(Amount(fen: balanceFen))\(limit)")
        table.add("keys", "index \(keyIndex), version \(keyVersion)")
        table.add("next number", "offline \(offlineNumber), online \(onlineNumber)")
        table.add("PIN", pinTries.text)
        table.add("fuel debit", gmacTries.text)
        table.add("upkeep", upkeepTries.text)
        switch application {
        case "open": table.add("application", "open")
        case "blocked": table.add("application", "blocked by its issuer, until unblocked")
        case _: table.add("application", "locked for good")
        }
        if let grey {
            table.add("grey", "yes: locked \(grey.time) by terminal \(grey.terminal)")
            table.add("its transaction \(grey.terminalTransaction), the card's offline number \(grey.offlineNumber)")
            table.add("grey-lock code (MAC3) \(grey.mac3), lock TAC \(grey.lockTAC)")
        } else {
            table.add("grey", "no")
        }
        for (index, entry) in log.enumerated() {
            table.add(index == 0 ? "log" : "", entry.text)
        }
        if log.isEmpty { table.add("log", "empty") }
        for (index, line) in advice.enumerated() { table.add(index == 0 ? "next" : "", line) }
        return table.lines.joined(separator: "\n")
    }
}

extension CardReport.Grey {
    fileprivate init(_ lock: GreyLock) {
        terminal = lock.terminal.description
        terminalTransaction = lock.ttc.number
        time = lock.time.description
        offlineNumber = lock.ctc.number
        mac3 = Hex.string(lock.mac3)
        lockTAC = Hex.string(lock.lockTAC)
    }
}

extension CardReport.Entry {
    fileprivate init(_ record: LogRecord) {
        number = record.number
        type = record.type.words
        typeCode = Hex.string([record.type.code])
        amountFen = record.amount.fen
        overdraftLimitFen = record.overdraftLimit.fen
        terminal = record.terminal.description
        time = record.time.description
    }

    fileprivate var text: String {
        let isLimit = type == TransactionType.overdraft.words
        let money = isLimit ? "now \(Amount(fen: overdraftLimitFen))" : "\(Amount(fen: amountFen))"
        return "\(time)  \(type), \(money), number \(number), terminal \(terminal)"
    }
}

/// Keys sorted, so that two reports compare line by line.
func jsonText(_ report: some Encodable) throws(ServiceFailure) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    do {
        return String(decoding: try encoder.encode(report), as: UTF8.self)
    } catch {
        throw ServiceFailure(exitStatus: ServiceFailure.systemError, reason: "no JSON: \(error)")
    }
}
