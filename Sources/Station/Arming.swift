import CardCryptography
import Codes
package import Configuration
import Console
import Dispenser
import Files
package import FuelPassbook
package import KeyCustody
package import KeyFiles
package import Parameters
import Quantities
package import Records
package import SecurityModule
package import Threads
import Tokens

// Where a service has its keys from: the demonstration's, or the terminal's own store. A store that changes is read again, so
// that custodians change keys while it sells.

/// The keys of one terminal, in use.
package struct Arms {
    package let recordKey: RecordKey
    let keys: KeyHolder
    /// nil for the demonstration's.
    let stored: (store: TerminalKeyStore, keys: StoredKeys)?
    /// nil where the store has all keys.
    let token: Token?

    private static var demonstration: Arms { Arms(recordKey: .demonstration, keys: .demonstration) }

    /// nil where the terminal has no record key yet: no journal can be kept without it.
    package static func read(_ configuration: Configuration) throws(ServiceFailure) -> Arms? {
        try read(configuration.keys, of: configuration.terminal)
    }

    private static func read(
        _ settings: Configuration.KeySettings?,
        of terminal: TerminalID
    ) throws(ServiceFailure) -> Arms? {
        guard let settings else { return .demonstration }
        try ProcessHardening.forbidDumps()
        let store = TerminalKeyStore(settings, of: terminal)
        do throws(FileFault) {
            guard let stored = try store.read(), let recordKey = stored.keys.recordKey else { return nil }
            let now = SystemClock().now?.utcSeconds
            let token = settings.token.map { Token($0) }
            let holder = stored.keys.holder(at: now, token)
            return Arms(recordKey: recordKey, keys: holder, stored: (store, stored), token: token)
        } catch {
            throw ServiceFailure(
                exitStatus: ServiceFailure.inputOutput,
                reason: "keys: \(error.reason)",
                code: .keys(.keysFault)
            )
        }
    }

    /// For a tool, which does not wait.
    package init(of configuration: Configuration) throws(ServiceFailure) {
        try self.init(configuration.keys, of: configuration.terminal)
    }

    /// For a tool that looks after the parameters.
    package init(of seal: Configuration.Seal) throws(ServiceFailure) { try self.init(seal.keys, of: seal.terminal) }

    private init(_ settings: Configuration.KeySettings?, of terminal: TerminalID) throws(ServiceFailure) {
        guard let arms = try Arms.read(settings, of: terminal) else {
            throw ServiceFailure(
                exitStatus: ServiceFailure.unavailable,
                reason: "terminal \(terminal) has no record key yet: load it with greylock keys load",
                code: .notice(.notArmed)
            )
        }
        self = arms
    }

    package var parameterKey: ParameterKey { ParameterKey(recordKey.parameterKey(), as: recordKey.reference) }

    private init(
        recordKey: RecordKey,
        keys: KeyHolder,
        stored: (store: TerminalKeyStore, keys: StoredKeys)? = nil,
        token: Token? = nil
    ) {
        self.recordKey = recordKey
        self.keys = keys
        self.stored = stored
        self.token = token
    }

    package func module(of terminal: TerminalID) -> SecurityModule {
        SecurityModule(terminal: terminal, keys: keys, recordKey: recordKey, random: SystemRandom())
    }
}

extension TerminalKeyStore {
    package init(_ settings: Configuration.KeySettings, of terminal: TerminalID) {
        self.init(settings.store, of: terminal, storageKey: settings.storageKey, memory: settings.memory)
    }
}

extension TerminalKeys {
    package var recordKey: RecordKey? {
        only(.record).flatMap { key in
            key.secret.map { RecordKey($0.raw.part(0..<DoubleLengthKey.length), as: key.name.reference) }
        }
    }

    /// - Parameter now: nil where the clock was never set: nothing sells then.
    func holder(at now: Int64?, _ token: Token? = nil) -> KeyHolder {
        var masters = MasterKeys()
        for key in keys where key.name.usage == .purchaseMaster {
            guard let secret = key.secret else { continue }
            masters.load(
                secret.raw.part(0..<DoubleLengthKey.length),
                as: key.name.reference,
                sells: key.dates.state(at: now) == .active
            )
        }
        return holder(in: token, beside: masters, at: now)
    }
}

extension Service {
    private static let lookNanoseconds: UInt64 = 1_000_000_000

    /// Waits for custodians where the terminal has no keys yet.
    ///
    /// - Returns: nil when a stop was requested meanwhile.
    func arms(_ supervisor: Supervisor?, _ faces: Faces) throws(ServiceFailure) -> Arms? {
        var displays: [any SideDisplay] = []
        while true {
            if let arms = try Arms.read(configuration) { return arms }
            if displays.isEmpty {
                supervisor?.ready("without keys")
                displays = configuration.sides.map { faces($0, nil).display }
                for display in displays { display.show(.inoperative, .notArmed) }
            }
            if stopControl.comes(before: MonotonicClock.nanoseconds + Self.lookNanoseconds, showing: starting) {
                return nil
            }
        }
    }
}
