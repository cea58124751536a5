import ArgumentParser
import Configuration
import Console
import Foundation
import FuelPassbook
import ISO7816
import Journal
import Quantities
import Records
import SecurityModule
import Station
import Threads

struct ExportGreyRecords: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Open grey records as a file for another terminal, on standard output; the service may be running.",
        discussion: """
            The card of such a record then pays at whichever terminal has it. Sales of this terminal alone; those that \
            were prepaid are left out, because what their cards pay is refunded from this journal.

            Exit status: 0; 69 when there is nothing to export, or the terminal has no record key yet; 74 when the journal \
            cannot be read; 78 for a wrong configuration. \(ExitStatusHelp.common)
            """
    )

    @Option(help: ArgumentHelp("The service's configuration.", valueName: "FILE"))
    var config: String

    @Option(help: ArgumentHelp("Of one card only: the 20 digits of its serial number.", valueName: "NUMBER"))
    var card: CardNumber?

    func run() throws {
        try GreyRecordTool.run("export") { () throws(GreyRecordTool.Stop) in
            let configuration = try GreyRecordTool.configuration(config)
            let arms = try GreyRecordTool.arms(configuration)
            let reader = try GreyRecordTool.stored(configuration.journal.path) { () throws(StorageFault) in
                try JournalReader(path: configuration.journal.path, key: arms.recordKey)
            }
            let unjudged = try GreyRecordTool.stored(configuration.journal.path) { () throws(StorageFault) in
                try reader.unjudged
            }
            if let unjudged {
                throw GreyRecordTool.Stop(
                    ServiceFailure.inputOutput,
                    "no row of the journal can be judged: \(unjudged)"
                )
            }
            let records = try GreyRecordTool.stored(configuration.journal.path) { () throws(StorageFault) in
                try own(reader, configuration.terminal)
            }
            guard !records.isEmpty else {
                throw GreyRecordTool.Stop(ServiceFailure.unavailable, "no grey record is open that can be exported")
            }
            let file: [UInt8]
            do throws(GreyRecordFileFault) {
                file = try arms.module(of: configuration.terminal).greyRecordFile(records)
            } catch {
                throw GreyRecordTool.Stop(ServiceFailure.unavailable, error.reason)
            }
            for record in records {
                standardError("record \(record.number.value): \(record.amount), card \(record.card)")
            }
            writeLine(String(decoding: file.dropLast(), as: UTF8.self))
        }
    }

    private func own(_ reader: JournalReader, _ terminal: TerminalID) throws(StorageFault) -> [GreyRecord] {
        var records: [GreyRecord] = []
        for record in try reader.greyRecords() where record.state == .open && record.imported == nil {
            if let card, card.asn != record.card { continue }
            if let reason = try reasonToStay(record, reader, terminal) {
                standardError("record \(record.number.value): left out, \(reason)")
            } else {
                records.append(record)
            }
        }
        return records
    }

    /// Why a record is settled here alone; nil when it can travel.
    private func reasonToStay(
        _ record: GreyRecord,
        _ reader: JournalReader,
        _ terminal: TerminalID
    ) throws(StorageFault) -> String? {
        guard record.gmac.terminal == terminal else { return "this terminal was \(record.gmac.terminal) then" }
        guard let sale = try reader.record(record.number) else { return "the record of its sale is not believed" }
        return sale.kind == .prepaid ? "it was prepaid and is refunded from this journal" : nil
    }
}

struct ImportGreyRecords: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Take the grey records of another terminal's file into the journal; the service is stopped.",
        discussion: """
            Run this as the service's user. A record that is here already stays as it is. A file that was changed, or is of \
            another scheme, is refused whole.

            Exit status: 0; 65 for a file that is refused; 69 when the terminal has no record key yet; 74 when the journal is in \
            use or cannot be written, or the file not read; 78 for a wrong configuration. \(ExitStatusHelp.common)
            """
    )

    @Argument(help: ArgumentHelp("A file that greylock records export made.", valueName: "FILE"))
    var file: String

    @Option(help: ArgumentHelp("The service's configuration.", valueName: "FILE"))
    var config: String

    func run() throws {
        try GreyRecordTool.run("import") { () throws(GreyRecordTool.Stop) in
            let configuration = try GreyRecordTool.configuration(config)
            let arms = try GreyRecordTool.arms(configuration)
            let grey = try parsed(with: arms.module(of: configuration.terminal))
            try GreyRecordTool.stored(configuration.journal.path) { () throws(StorageFault) in
                try take(grey, configuration.journal, arms.recordKey)
            }
        }
    }

    private func parsed(with module: SecurityModule) throws(GreyRecordTool.Stop) -> GreyRecordFile {
        let bytes: [UInt8]
        do {
            // One byte more than may be there tells a file that is too long, of whatever kind.
            let handle = try FileHandle(forReadingFrom: URL(filePath: file))
            bytes = try Array(handle.read(upToCount: GreyRecordFile.bytesMax + 1) ?? Data())
        } catch {
            throw GreyRecordTool.Stop(ServiceFailure.inputOutput, "\(file): it cannot be read")
        }
        do throws(GreyRecordFileFault) {
            return try module.greyRecordFile(parsing: bytes)
        } catch {
            throw GreyRecordTool.Stop(GreyRecordTool.dataRefused, "\(file): \(error.reason)")
        }
    }

    private func take(
        _ grey: GreyRecordFile,
        _ settings: Configuration.JournalFile,
        _ key: RecordKey
    ) throws(StorageFault) {
        let journal = try SQLiteJournal(
            path: settings.path,
            capacity: settings.capacity,
            key: key,
            mark: settings.mark
        )
        for taken in try journal.take(grey, at: SystemClock().localTime ?? .unknown) {
            writeLine(taken.words(from: grey.terminal))
        }
    }
}

extension TakenGrey {
    fileprivate func words(from terminal: TerminalID) -> String {
        let words = "record \(entry.gmac.ttc.number) of terminal \(terminal)"
        return isNew
            ? "\(words): \(record.amount), card \(record.card), is record \(record.number.value) here"
            : "\(words): is here already, \(record.state.rawValue)"
    }
}

/// What both have in common.
private enum GreyRecordTool {
    /// EX_DATAERR of sysexits.h.
    static let dataRefused: Int32 = 65

    struct Stop: Error {
        let exitStatus: Int32
        let reason: String

        init(_ exitStatus: Int32, _ reason: String) {
            self.exitStatus = exitStatus
            self.reason = reason
        }
    }

    static func run(_ name: String, _ body: () throws(Stop) -> Void) throws {
        do throws(Stop) { try body() } catch {
            standardError("greylock records \(name): \(error.reason.printable)")
            throw ExitCode(error.exitStatus)
        }
    }

    static func configuration(_ path: String) throws(Stop) -> Configuration {
        do throws(ServiceFailure) { return try Service.configuration(at: path) } catch {
            throw Stop(error.exitStatus, error.reason)
        }
    }

    static func arms(_ configuration: Configuration) throws(Stop) -> Arms {
        do throws(ServiceFailure) { return try Arms(of: configuration) } catch {
            throw Stop(error.exitStatus, error.reason)
        }
    }

    static func stored<Value>(_ journal: String, _ call: () throws(StorageFault) -> Value) throws(Stop) -> Value {
        do throws(StorageFault) { return try call() } catch {
            throw Stop(ServiceFailure.inputOutput, "\(journal): \(error)")
        }
    }
}

/// A card by its serial number.
struct CardNumber: ExpressibleByArgument {
    let asn: ApplicationSerialNumber

    init?(argument: String) {
        do {
            asn = try ApplicationSerialNumber(parsing: Hex.bytes(argument))
        } catch {
            return nil
        }
    }
}
