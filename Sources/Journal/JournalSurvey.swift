import Records
import SQLite
import Synchronization
import Threads

/// Reads the whole file on a thread and a connection of its own, beside the journal's work: whether every page is sound,
/// and how many records there are (decision record 0012). Its owner calls ``end()``.
final class JournalSurvey: Sendable {
    /// The records with a number up to `lastNumber`.
    struct Count: Sendable {
        var records: Int
        var lastNumber: Int64
        /// What the journal's state counted then; nil where it is not believed.
        var stated: Int64?
        /// Each index says what its table does.
        var indexesAgree = true
    }

    private let state: State
    private let thread: NamedThread

    /// - Parameter damageFound: called on the survey's thread when there is a fault.
    init(path: String, key: RecordKey, damageFound: @escaping @Sendable () -> Void) throws {
        let state = State(try .reader(path))
        self.state = state
        thread = NamedThread("journal-survey") {
            if state.survey(key) == .damaged { damageFound() }
        }
    }

    /// Waits for the survey.
    ///
    /// - Throws: `StorageFault` when the file is damaged or cannot be read.
    func count() throws(StorageFault) -> Count { try state.wait() }

    /// The survey is over, or is soon, and ``count()`` neither waits nor throws.
    func isSound(nanosecondsMax: UInt64) -> Bool { state.isSound(nanosecondsMax) }

    /// nil while the survey goes on, and of a sound file.
    var fault: StorageFault? { state.fault }

    /// What the rows that recovery does not need have shown; nil while the survey goes on, and of a damaged file.
    var findings: Findings? { state.findings }

    /// Nothing is known while the survey goes on: false.
    var indexesAgree: Bool { state.indexesAgree }

    /// A survey that goes on ends without a verdict, and nobody may wait for one. The connection is closed.
    func end() {
        state.abandon()
        thread.join()
    }
}

private final class State: Sendable {
    enum Outcome { case sound, damaged, abandoned }

    /// nil when the survey has ended.
    private let connection: Mutex<Connection?>
    private let result = Mutex<Result<(JournalSurvey.Count, Findings), StorageFault>?>(nil)
    private let isAbandoned = Atomic(false)
    private let hasResult = MonotonicSemaphore()

    init(_ connection: Connection) { self.connection = Mutex(connection) }

    func survey(_ key: RecordKey) -> Outcome {
        defer { connection.withLock { $0.take() }?.close() }
        guard let reading = connection.withLock({ $0 }) else { preconditionFailure("a survey runs once") }
        guard !isAbandoned.load(ordering: .acquiring) else { return .abandoned }
        let result = Result { () throws(StorageFault) in try reading.view("check") { try Self.survey($0, key) } }
        // An interrupted check fails, which is no verdict.
        guard !isAbandoned.load(ordering: .acquiring) else { return .abandoned }
        self.result.withLock { $0 = result }
        hasResult.signal()
        return fault == nil ? .sound : .damaged
    }

    func wait() throws(StorageFault) -> JournalSurvey.Count {
        _ = hasResult.wait(until: nil)
        // For the next who waits.
        hasResult.signal()
        guard let result = result.withLock({ $0 }) else { preconditionFailure("signalled with the result") }
        return try result.get().0
    }

    var findings: Findings? {
        switch result.withLock({ $0 }) {
        case .success((_, let findings)): findings
        case .failure, nil: nil
        }
    }

    var indexesAgree: Bool {
        switch result.withLock({ $0 }) {
        case .success((let count, _)): count.indexesAgree
        case .failure, nil: false
        }
    }

    func isSound(_ nanosecondsMax: UInt64) -> Bool {
        if hasResult.wait(until: MonotonicClock.nanoseconds + nanosecondsMax) { hasResult.signal() }
        return switch result.withLock({ $0 }) {
        case .success: true
        case .failure, nil: false
        }
    }

    var fault: StorageFault? {
        switch result.withLock({ $0 }) {
        case .failure(let fault): fault
        case .success, nil: nil
        }
    }

    func abandon() {
        isAbandoned.store(true, ordering: .releasing)
        connection.withLock { $0?.interrupt() }
    }

    private static func survey(_ db: Database, _ key: RecordKey) throws -> (JournalSurvey.Count, Findings) {
        var indexFinding: String?
        switch try db.checkFile() {
        case .sound: break
        case .indexes(let finding): indexFinding = finding
        case .pages(let finding):
            throw StorageFault(operation: "check", reason: "the file is damaged: \(finding)")
        }
        let table = indexFinding == nil ? "sale" : "sale NOT INDEXED"
        let numbers = try db.numbers("SELECT (SELECT count(*) FROM \(table)), (SELECT max(ttc) FROM sale)")
        let reading = try db.journalState(key)
        let count = JournalSurvey.Count(
            records: Int(numbers.first.flatMap(\.self) ?? 0),
            lastNumber: numbers.last.flatMap(\.self) ?? 0,
            stated: reading.state?.records,
            indexesAgree: indexFinding == nil
        )
        var findings = try findings(db, reading)
        if let indexFinding { findings.damaged.append(.index(indexFinding)) }
        return (count, findings)
    }

    /// The rows that recovery relies on were read before.
    private static func findings(_ db: Database, _ reading: StateReading) throws -> Findings {
        let classes = Set(RowClass.allCases).subtracting(RowClass.ofRecovery)
        switch reading {
        case .uncoded: return Findings()
        case .believed(let state, let key, _): return try db.findings(classes, key, state)
        case .unbelieved(_, let key): return key == nil ? Findings() : try db.findings(classes, key, nil)
        }
    }
}
