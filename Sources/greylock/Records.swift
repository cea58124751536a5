import ArgumentParser
import Configuration
import Console
import Dispenser
import Foundation
import FuelPassbook
import ISO7816
import Journal
import Metering
import Quantities
import Records
import SecurityModule
import Station
import Threads
import Words

struct Records: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Sales and grey records of a journal; grey records as files for other terminals.",
        subcommands: [ListRecords.self, ExportGreyRecords.self, ImportGreyRecords.self],
        defaultSubcommand: ListRecords.self
    )
}

struct ListRecords: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Sales and grey records of a journal; the service may be running.",
        discussion: """
            Reads and changes nothing: a running service is not disturbed, and a journal on a read-only medium or a copy of \
            one is as good. A copy of a journal that was in use needs its -wal file beside it: the last sales are there.

            A row that cannot be believed is named and in no list: an edited or rotten one, an older one that was put back, \
            one that is gone.

            The issuer judges a terminal's journal without the terminal: with --store and --terminal the record key is drawn from the \
            issuer's store, from masters of the index and version that the journal names. The passphrase is asked for.

            Exit status: 0; 1 when no passphrase was typed; 65 when no version of the issuer's store fits the journal; 69 when the \
            terminal has no record key yet, or there is no terminal for the passphrase; 74 when a row is damaged, or a file \
            cannot be read; 78 for a wrong configuration. \(ExitStatusHelp.common)
            """
    )

    @Option(help: ArgumentHelp("The journal's file.", valueName: "FILE"))
    var journal: String?

    @Option(help: ArgumentHelp("The service's configuration, which names the journal.", valueName: "FILE"))
    var config: String?

    @OptionGroup var issuer: IssuersJournal

    @Option(parsing: .unconditional, help: "The newest records only: how many.")
    var last = 100

    @Flag(
        help:
            "One JSON object: `count`, `room`, `sales`, `open`, `greyRecords`, `totalisers`, `damage`, `service`, `uncounted`, `acceptances`, `doubt`, with --store `recordKey`; local times, money in fen."
    )
    var json = false

    func validate() throws {
        guard (journal == nil) != (config == nil) else {
            throw ValidationError("give either --journal FILE or --config FILE")
        }
        guard issuer.store == nil || journal != nil else { throw ValidationError("--store is for --journal") }
        guard (1...10_000_000).contains(last) else { throw ValidationError("--last: expected 1 to 10000000") }
    }

    func run() throws {
        do {
            let configuration = try config.map { try Service.configuration(at: $0) }
            let settings = configuration?.journal
            guard let path = journal ?? settings?.path else { preconditionFailure("validated") }
            let judged = try issuer.reader(of: path)
            let reader =
                try judged?.reader
                ?? JournalReader(
                    path: path,
                    key: try configuration.map { try Arms(of: $0).recordKey } ?? .demonstration
                )
            let count = try reader.count()
            let checkpoints = try reader.checkpoints()
            func line(_ record: Record) -> SaleLine { SaleLine(record, checkpoint: checkpoints[record.number]) }
            let report = RecordReport(
                count: count,
                room: settings.map { max(0, $0.capacity - count) },
                sales: try reader.records(limit: last).map(line),
                open: try reader.openRecords().map(line),
                greyRecords: try reader.greyRecords().map(GreyLine.init),
                totalisers: try reader.totalisers().map(TotaliserLine.init),
                damage: DamageReport(try reader.damagedRows, unjudged: try reader.unjudged),
                service: try ServiceLine(reader),
                uncounted: try reader.runs(limit: JournalReader.runsShown).compactMap(UncountedLine.init),
                acceptances: try reader.acceptances().map(AcceptanceLine.init),
                doubt: try reader.standing(markPath: settings?.mark).refusal,
                recordKey: judged?.recordKey,
                serviceLines: try reader.serviceLines()
            )
            writeLine(json ? try report.json : report.text)
            if !report.damage.isNone { throw ExitCode(ServiceFailure.inputOutput) }
        } catch let fault as StorageFault {
            standardError("greylock records: \(journal ?? config ?? ""): \("\(fault)".printable)")
            throw ExitCode(ServiceFailure.inputOutput)
        } catch let failure as ServiceFailure {
            standardError("greylock records: \(failure.reason)")
            throw ExitCode(failure.exitStatus)
        }
    }
}

/// What `records --json` prints.
private struct RecordReport: Encodable {
    let count: Int
    /// nil where no configuration names the capacity.
    let room: Int?
    let sales: [SaleLine]
    /// Of all records, whatever their age.
    let open: [SaleLine]
    let greyRecords: [GreyLine]
    let totalisers: [TotaliserLine]
    let damage: DamageReport
    /// nil where no service has run.
    let service: ServiceLine?
    let uncounted: [UncountedLine]
    let acceptances: [AcceptanceLine]
    /// Why this may not be the newest copy of the journal.
    let doubt: String?
    /// nil where nobody named the issuer's store.
    let recordKey: String?
    let serviceLines: [String]

    private enum CodingKeys: String, CodingKey {
        case count, room, sales, open, greyRecords, totalisers, damage, service, uncounted, acceptances, doubt
        case recordKey
    }

    var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }

    var text: String {
        var lines = [
            "record kind                  phase       begun                card                      litres       yuan"
        ]
        for sale in sales { lines.append(sale.text) }
        if sales.isEmpty { lines.append("no records") }
        lines.append("")
        lines.append("records: \(count)" + (room.map { ", \(roomText($0))" } ?? ""))
        lines.append("open records: \(open.count)")
        for sale in open { lines.append("  \(sale.ttc), \(sale.words), \(sale.phase): \(sale.awaited)\(sale.onDisk)") }
        let grey = greyRecords.filter { $0.state == GreyRecord.State.open.rawValue }
        lines.append("grey records: \(greyRecords.count), of which \(grey.count) wait for their card")
        for grey in grey {
            let whose = grey.origin.map { "record \(grey.ttc), \($0)" } ?? "sale \(grey.ttc)"
            lines.append("  \(whose), card \(grey.card), \(yuan(fen: Int(grey.amountFen))) yuan")
        }
        for totaliser in totalisers {
            lines.append(
                "nozzle \(totaliser.nozzle): \(litres(centilitres: Volume(microlitres: totaliser.volumeMicrolitres).shownCentilitres)) L,"
                    + " \(yuan(fen: totaliser.fen)) yuan in all"
            )
        }
        for acceptance in acceptances { lines.append("journal \(acceptance.words)") }
        if let doubt { lines.append("journal: \(doubt)") }
        if let recordKey { lines.append("codes of the rows: judged with \(recordKey)") }
        return (lines + damage.lines + serviceLines).joined(separator: "\n")
    }
}

/// How many more records the configured capacity takes, and what follows.
func roomText(_ room: Int) -> String {
    if room < JournalRoom.refusedBelow {
        "room for \(room) more: no card is served below \(JournalRoom.refusedBelow), raise journal.capacity"
    } else if room < JournalRoom.warnedBelow {
        "room for \(room) more: raise journal.capacity soon, no card is served below \(JournalRoom.refusedBelow)"
    } else {
        "room for \(room) more"
    }
}

private struct SaleLine: Encodable {
    let ttc: UInt32
    let kind: String
    let words: String
    let phase: String
    let position: Int
    let terminal: String
    let lockTime: String
    let endTime: String?
    let card: String
    let ctc: UInt16
    let balanceBeforeFen: UInt32
    let nozzle: Int
    let grade: String
    let unitPriceFen: Int
    let volumeMicrolitres: Int
    let shownCentilitres: Int
    let counts: [Int]
    let pulserFaults: Int
    let amountFen: UInt32
    let nonCardFen: UInt32
    let mac3: String?
    let lockTAC: String?
    let debitTAC: String?
    let mac4IsValid: Bool?
    let settles: UInt32?
    let remark: String?
    /// nil of an older version's.
    let identification: IdentificationLine?
    /// Volume and amount are those of the last checkpoint: the sale goes on, or the service's next start finishes it so.
    let isCheckpoint: Bool

    /// - Parameter checkpoint: the record's, if it has one.
    init(_ stored: Record, checkpoint: Checkpoint?) {
        let interrupted = stored.phase == .intent || stored.phase == .locked
        let measured = checkpoint.flatMap { interrupted ? stored.measured($0.reading) : nil }
        let record = measured ?? stored
        let checkpoint = measured == nil ? nil : checkpoint
        isCheckpoint = checkpoint != nil
        ttc = record.number.value
        kind = record.kind.rawValue
        words = Language.technical.vocabulary.words(record.kind)
        phase = record.phase.rawValue
        position = record.side
        terminal = record.terminal.description
        lockTime = record.begun.description
        endTime = record.ended?.description
        card = record.card.description
        ctc = record.ctc.number
        balanceBeforeFen = record.balanceBefore.fen
        nozzle = record.nozzle
        grade = record.grade.printable
        unitPriceFen = record.unitPrice.fenPerLitre
        volumeMicrolitres = record.reading.volume.microlitres
        shownCentilitres = record.reading.volume.shownCentilitres
        counts = record.reading.counts
        pulserFaults = record.reading.faults.total
        amountFen = (checkpoint?.amount ?? record.amount).fen
        nonCardFen = (checkpoint?.nonCardPart ?? record.nonCardPart).fen
        mac3 = record.mac3.map { Hex.string($0) }
        lockTAC = record.lock?.tac.map { Hex.string($0) }
        debitTAC = record.debitTAC.map { Hex.string($0) }
        mac4IsValid = record.mac4IsValid
        settles = record.settles?.value
        remark = record.remark?.printable
        identification = record.head.identification.map(IdentificationLine.init)
    }

    /// What an open sale has on disk.
    var onDisk: String {
        guard isCheckpoint else { return "" }
        return
            ", \(litres(centilitres: shownCentilitres)) L and \(yuan(fen: Int(amountFen))) yuan at its last checkpoint"
    }

    /// Who finishes an open record.
    var awaited: String {
        switch RecordPhase(rawValue: phase) {
        case .debitSent where kind == RecordKind.localUnlock.rawValue: "waits for card \(card), which may have paid"
        case .torn: "waits for card \(card), which may have paid"
        case .flowing where kind == RecordKind.test.rawValue: "goes on, or finished by the service's next start"
        case .flowing: "fuel outside any sale, until it rests"
        case .intent, .locked, .paid, .ended, .debitSent: "running, or finished by the service's next start"
        case .settled, .escaped, .void, nil: "finished"
        }
    }

    var text: String {
        func left(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(1, width - text.utf8.count))
        }
        func right(_ text: String, _ width: Int) -> String {
            String(repeating: " ", count: max(0, width - text.utf8.count)) + text
        }
        let line =
            left("\(ttc)", 7) + left(words, 22) + left(phase, 12) + left(lockTime, 21) + left(card, 21)
            + right(litres(centilitres: shownCentilitres), 11) + right(yuan(fen: Int(amountFen)), 11)
        let settled = settles.map { kind == RecordKind.onlineUnlock.rawValue ? "of sale \($0)" : "settles \($0)" }
        let notOfCard = nonCardFen > 0 ? "not by card \(yuan(fen: Int(nonCardFen)))" : nil
        let checkpoint = isCheckpoint ? "so far, at its last checkpoint" : nil
        let notes = [checkpoint, settled, notOfCard, remark]
        return ([line] + notes.compactMap(\.self)).joined(separator: "  ")
    }
}

private struct GreyLine: Encodable {
    let ttc: UInt32
    let state: String
    let card: String
    let ctc: UInt16
    let amountFen: UInt32
    let mac3: String
    /// nil of this terminal's own.
    let origin: String?

    init(_ record: GreyRecord) {
        ttc = record.number.value
        state = record.state.rawValue
        card = record.card.description
        ctc = record.ctc.number
        amountFen = record.amount.fen
        mac3 = Hex.string(record.mac3)
        origin = record.origin
    }
}

private struct TotaliserLine: Encodable {
    let nozzle: Int
    let counts: [Int]
    let volumeMicrolitres: Int
    let fen: Int

    init(_ totaliser: Totaliser) {
        nozzle = totaliser.nozzle
        counts = totaliser.counts
        volumeMicrolitres = totaliser.volume.microlitres
        fen = totaliser.fen
    }
}

/// Of the last run of the service.
private struct ServiceLine: Encodable {
    let begun: String?
    /// The outputs were off and everything on disk.
    let endedCleanly: Bool
    let ended: String?
    /// As far as the user who asks can see.
    let isRunning: Bool
    let lastCounted: String?

    init?(_ reader: JournalReader) throws(StorageFault) {
        guard let run = try reader.runs(limit: 1).last else { return nil }
        begun = run.begun?.description
        endedCleanly = run.hasEnded
        ended = run.ended?.description
        isRunning = reader.goesOn(run)
        lastCounted = reader.lastCounted(run)?.description
    }
}

/// Nobody counted; nil for a time that no clock told.
private struct UncountedLine: Encodable {
    let from: String?
    let until: String?

    init?(_ run: ServiceRun) {
        guard run.followsUncleanEnd else { return nil }
        from = run.uncountedSince?.description
        until = run.begun?.description
    }
}

private struct AcceptanceLine: Encodable {
    let time: String?
    let reason: String
    let standing: String
    let lastBefore: UInt32
    let goesOnAfter: UInt32
    let words: String

    private enum CodingKeys: String, CodingKey {
        case time, reason, standing, lastBefore, goesOnAfter
    }

    init(_ acceptance: JournalAcceptance) {
        time = acceptance.time?.description
        reason = acceptance.reason
        standing = acceptance.standing
        lastBefore = acceptance.reserved
        goesOnAfter = acceptance.after
        words = acceptance.words
    }
}
