import Configuration
import Dispenser
import Files
import Glibc
import Journal
import Metering
import ParameterFiles
import Parameters
import Quantities
import Records
import Station
import Words

/// Journal and parameters of a configuration, read as any tool reads them beside the service.
struct DoctorBooks {
    /// So many of a hundred records are little room.
    private static let littleRoomPercent = 5

    let configuration: Configuration
    let account: Account
    /// nil where it cannot be had.
    let key: RecordKey?

    /// - Returns: the latest moment that the journal knows; nil where none is known.
    func examine(_ diagnosis: inout Diagnosis) -> StationTime? {
        let (reader, latest) = examineJournal(&diagnosis)
        examineParameters(reader, &diagnosis)
        return latest
    }

    private func examineJournal(_ diagnosis: inout Diagnosis) -> (JournalReader?, StationTime?) {
        let path = configuration.journal.path
        let files =
            ["", "-wal", "-shm"].map { path + $0 } + [configuration.totals.file, configuration.parameters.path]
        for file in files {
            if let refusal = account.refusal(.write, file) {
                diagnosis.find(.fileForbidden, refusal, mend: account.advice(toGive: file))
            }
        }
        switch Reach(path) {
        case .absent:
            diagnosis.see(.journal, "\(path) is made at the first start")
            return (nil, nil)
        case .forbidden:
            diagnosis.mayNotSee(.journal, "this user may not read \(path)")
            return (nil, nil)
        case .open: break
        }
        do throws(StorageFault) {
            let reader = try JournalReader(path: path, key: key)
            try examine(reader, &diagnosis)
            return (reader, try reader.latestTime())
        } catch {
            diagnosis.find(error.isOfNewerVersion ? .journalNewer : .journalUnreadable, "\(path): \(error)")
            return (nil, nil)
        }
    }

    private func examine(_ reader: JournalReader, _ diagnosis: inout Diagnosis) throws(StorageFault) {
        let path = configuration.journal.path
        if let row = try reader.damagedRows.first {
            let count = try reader.damagedRows.count
            diagnosis.find(.journalDamaged, "\(path): \(count == 1 ? "1 row" : "\(count) rows"), the first: \(row)")
        }
        if key != nil, try reader.isStateBelieved,
            let refusal = try reader.standing(markPath: configuration.journal.mark).refusal
        {
            diagnosis.find(.journalNotNewest, "\(path): \(refusal)")
        }
        for side in configuration.sides {
            guard let lock = try reader.lock(of: side.number) else { continue }
            diagnosis.find(.sideClosedItself, "\(lock.words)", side: side.number)
        }
        let (taken, capacity) = (try reader.takenRoom(), configuration.journal.capacity)
        let room = max(0, capacity - taken)
        let words = "\(path) has room for \(room) of \(capacity) records"
        if room < JournalRoom.refusedBelow {
            diagnosis.find(.journalFull, words)
        } else if room * 100 < capacity * Self.littleRoomPercent {
            diagnosis.find(.journalFilling, words)
        } else {
            diagnosis.see(.journal, words)
        }
    }

    private func examineParameters(_ reader: JournalReader?, _ diagnosis: inout Diagnosis) {
        let settings = configuration.parameters
        switch Reach(settings.path) {
        case .absent: return diagnosis.find(.parametersMissing, "there is no book \(settings.path)")
        case .forbidden: return diagnosis.mayNotSee(.parameters, "this user may not read \(settings.path)")
        case .open: break
        }
        let book: ParameterBook
        do throws(ParameterRefusal) {
            guard let read = try ParameterFile(settings.path).read() else {
                return diagnosis.find(.parametersMissing, "there is no book \(settings.path)")
            }
            book = read
        } catch {
            return diagnosis.find(.parametersRefused, "\(settings.path): \(error.words)")
        }
        let board: BoardSerial
        do throws(FileFault) { board = try settings.serial } catch {
            return diagnosis.find(.boardSerialMissing, error.reason)
        }
        guard let key else {
            return diagnosis.miss(.parameters, "who sealed \(settings.path) cannot be judged without the record key")
        }
        var marks: [ParameterMark] = []
        do throws(StorageFault) { marks = try reader?.parameterMarks() ?? [] } catch {
            diagnosis.find(.journalUnreadable, "\(configuration.journal.path): \(error)")
        }
        for side in configuration.sides {
            let mark = marks.first { $0.side == side.number }
            do throws(ParameterRefusal) {
                let set = try book.set(
                    of: side.number,
                    of: configuration.terminal,
                    on: board,
                    mark,
                    under: ParameterKey(key.parameterKey(), as: key.reference)
                )
                guard side.hasLines(of: set.meter.pulser) else { throw .otherWiring }
                diagnosis.see(
                    .parameters,
                    "position \(side.number): version \(set.version), checksum \(set.checksum)"
                )
            } catch .noSet {
                diagnosis.find(.parametersMissing, "\(settings.path) has none for it", side: side.number)
            } catch {
                diagnosis.find(.parametersRefused, error.words, side: side.number)
            }
        }
    }
}
