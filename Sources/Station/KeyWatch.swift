import Codes
import Console
import Files
import KeyCustody
import KeyFiles
import Logging
import Quantities
import SecurityModule
import Threads
import Tokens

/// Looks once a second whether the terminal's keys were changed, or the day of one has come, and hands them to the module.
final class KeyWatch: Sendable {
    private static let lookNanoseconds: UInt64 = 1_000_000_000

    private let ended = MonotonicSemaphore()
    private let thread: NamedThread
    let progress = LoopProgress()

    /// - Parameters:
    ///   - keys: what the module has.
    ///   - token: nil where the store has all keys.
    ///   - admit: holds what is read to what is known besides.
    ///   - gone: called once, when the record key is another, or none.
    init(
        _ store: TerminalKeyStore,
        _ keys: TerminalKeys,
        _ module: SecurityModule,
        token: Token? = nil,
        log: Logger,
        admit: @escaping @Sendable (StoredKeys) throws(FileFault) -> Void,
        gone: @escaping @Sendable (String) -> Void
    ) {
        let look = KeyLook(store, keys, module, token, log: log, admit: admit, gone: gone)
        let (ended, progress) = (ended, progress)
        progress.works()
        thread = NamedThread("keys") {
            defer { progress.ends() }
            var look = look
            while look.goesOn,
                !ended.wait(until: MonotonicClock.nanoseconds + Self.lookNanoseconds, showing: progress)
            {
                look.look()
                look.lookAtToken()
            }
        }
    }

    func stop() {
        ended.signal()
        thread.join()
    }
}

private struct KeyLook: Sendable {
    private let store: TerminalKeyStore
    private let module: SecurityModule
    private let token: Token?
    private var tokenLook: TokenLook?
    private var tokenKeys: [TokenKey]
    private let log: Logger
    private let admit: @Sendable (StoredKeys) throws(FileFault) -> Void
    private let gone: @Sendable (String) -> Void
    private let recordKey: HeldKey.Coming?
    /// Of the file whose keys serve.
    private var stamp: FileStamp?
    /// Why the file that is there now does not serve.
    private var fault: String?
    private var schedule: KeySchedule
    private var selling: Set<HeldKeyName>
    private(set) var goesOn = true

    init(
        _ store: TerminalKeyStore,
        _ keys: TerminalKeys,
        _ module: SecurityModule,
        _ token: Token?,
        log: Logger,
        admit: @escaping @Sendable (StoredKeys) throws(FileFault) -> Void,
        gone: @escaping @Sendable (String) -> Void
    ) {
        self.store = store
        self.module = module
        self.token = token
        tokenLook = TokenLook(token, log: log)
        tokenKeys = Array(keys.tokenKeys.values)
        self.log = log
        self.admit = admit
        self.gone = gone
        recordKey = keys.only(.record)?.coming
        schedule = KeySchedule(keys)
        selling = schedule.selling(at: SystemClock().now?.utcSeconds)
        // What was written since the keys were read is seen at the first look.
        stamp = nil
    }

    mutating func look() {
        let now = SystemClock().now?.utcSeconds
        let stamp = FileStamp(store.path)
        guard stamp != self.stamp || schedule.selling(at: now) != selling else { return }
        let keys: TerminalKeys
        do throws(FileFault) {
            guard let stored = try store.read() else { return goneOrAway() }
            try admit(stored)
            for fault in stored.faults { log.error(.keys(.keysFault), "\(fault)") }
            keys = stored.keys
        } catch {
            return note("keys: \(error.reason)")
        }
        if stamp != self.stamp { tokenLook?.storeIsNew() }
        self.stamp = stamp
        fault = nil
        guard let recordKey, keys.only(.record)?.coming == recordKey else {
            goesOn = false
            module.replaceKeys(.lockedMemory(MasterKeys()))
            return gone("the record key was erased: the service ends, and serves no card before it has one again")
        }
        schedule = KeySchedule(keys)
        selling = schedule.selling(at: now)
        module.replaceKeys(keys.holder(at: now, token))
        tokenKeys = Array(keys.tokenKeys.values)
        log.notice(
            .keys(.keysInUse),
            "keys",
            metadata: ["selling": "\(selling.isEmpty ? "none" : selling.map(\.words).sorted().joined(separator: ", "))"]
        )
    }

    /// A disk that is away takes the folder with it; a store that is gone from its folder was erased.
    private mutating func goneOrAway() {
        guard store.folderIsThere else { return note("the keys' file is gone") }
        goesOn = false
        module.replaceKeys(.lockedMemory(MasterKeys()))
        gone("all keys were erased: the service ends, and serves no card before it has keys again")
    }

    mutating func lookAtToken() { tokenLook?.look(at: tokenKeys) }

    /// Once, though it is looked at again.
    private mutating func note(_ fault: String) {
        if fault != self.fault { log.error(.keys(.keysUnread), "\(fault); the keys that were read serve on") }
        self.fault = fault
    }
}

/// When which purchase masters sell.
private struct KeySchedule {
    private let masters: [(name: HeldKeyName, dates: HeldKey.Dates)]

    init(_ keys: TerminalKeys) {
        masters = keys.keys.filter { $0.name.usage == .purchaseMaster }.map { ($0.name, $0.dates) }
    }

    /// - Parameter now: nil where the clock was never set.
    func selling(at now: Int64?) -> Set<HeldKeyName> {
        Set(masters.filter { $0.dates.state(at: now) == .active }.map(\.name))
    }
}
