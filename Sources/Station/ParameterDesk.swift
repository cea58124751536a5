package import Configuration
import Files
import FuelPassbook
import Journal
import Metering
import ParameterFiles
package import Parameters
import Records
import Synchronization
import Threads

/// Where the meter's parameters of each side come from: the book under seal, held to what the journal knows.
final class ParameterDesk: Sendable {
    private struct Copy {
        let stamp: FileStamp?
        let book: Result<ParameterBook?, ParameterRefusal>
    }

    private let file: ParameterFile
    private let terminal: TerminalID
    let board: BoardSerial
    private let key: ParameterKey
    private let journal: SQLiteJournal
    private let copy: Mutex<Copy>

    init(
        _ file: ParameterFile,
        _ terminal: TerminalID,
        _ board: BoardSerial,
        _ key: ParameterKey,
        _ journal: SQLiteJournal
    ) {
        self.file = file
        self.terminal = terminal
        self.board = board
        self.key = key
        self.journal = journal
        copy = Mutex(Self.read(file))
    }

    convenience init(
        of configuration: Configuration,
        _ key: ParameterKey,
        _ journal: SQLiteJournal
    ) throws(ServiceFailure) {
        let board: BoardSerial
        do throws(FileFault) { board = try configuration.parameters.serial } catch {
            throw ServiceFailure(exitStatus: ServiceFailure.unavailable, reason: error.reason)
        }
        self.init(ParameterFile(configuration.parameters.path), configuration.terminal, board, key, journal)
    }

    /// The set under which a side sells; the journal has noted it when this returns.
    ///
    /// - Throws: ``StorageFault`` when the journal fails.
    func set(of side: Configuration.Side) throws(StorageFault) -> Result<ParameterSet, ParameterRefusal> {
        let mark: ParameterMark?
        do throws(StorageFault) { mark = try journal.parameterMark(of: side.number) } catch {
            guard let row = error.row else { throw error }
            return .failure(.unknownHistory("\(row)"))
        }
        let set: ParameterSet
        do throws(ParameterRefusal) {
            guard let book = try copy.withLock(\.book).get() else {
                throw mark.map { .gone(known: $0.version) } ?? .missing
            }
            set = try book.set(of: side.number, of: terminal, on: board, mark, under: key)
            guard side.hasLines(of: set.meter.pulser) else { throw .otherWiring }
        } catch {
            return .failure(error)
        }
        try journal.note(ParameterMark(set))
        return .success(set)
    }

    /// - Returns: whether the file was read again.
    func look() -> Bool {
        guard file.stamp != copy.withLock(\.stamp) else { return false }
        let new = Self.read(file)
        copy.withLock { $0 = new }
        return true
    }

    /// One that is written meanwhile is seen at the next look.
    private static func read(_ file: ParameterFile) -> Copy {
        let stamp = file.stamp
        do throws(ParameterRefusal) { return Copy(stamp: stamp, book: .success(try file.read())) } catch {
            return Copy(stamp: stamp, book: .failure(error))
        }
    }
}

/// Looks once a second whether the book of parameters was changed.
final class ParameterWatch: Sendable {
    private static let lookNanoseconds: UInt64 = 1_000_000_000

    private let ended = MonotonicSemaphore()
    private let thread: NamedThread
    let progress = LoopProgress()

    /// - Parameter changed: called on another thread, after each change.
    init(_ desk: ParameterDesk, changed: @escaping @Sendable () -> Void) {
        let (ended, progress) = (ended, progress)
        progress.works()
        thread = NamedThread("parameters") {
            defer { progress.ends() }
            while !ended.wait(until: MonotonicClock.nanoseconds + Self.lookNanoseconds, showing: progress) {
                if desk.look() { changed() }
            }
        }
    }

    func stop() {
        ended.signal()
        thread.join()
    }
}

extension Configuration.ParameterSettings {
    /// What the board is called that these parameters are for.
    package var serial: BoardSerial {
        get throws(FileFault) { if let board { board } else { try ThisBoard.serial() } }
    }
}

extension Result {
    var success: Success? {
        switch self {
        case .success(let value): value
        case .failure: nil
        }
    }
}
