import CardCryptography
import Codes
import Configuration
import Console
import Files
import FuelPassbook
import GPIO
import ISO7816
import KeyCustody
import KeyFiles
import Quantities
import Station
import Threads

/// What the tools of a terminal's keys have in common.
enum KeyTool {
    /// EX_DATAERR of sysexits.h: nothing was changed.
    static let refused: Int32 = 65

    static func store(_ configuration: String) throws(ServiceFailure) -> TerminalKeyStore {
        try store(of: Service.configuration(at: configuration), configuration)
    }

    /// - Parameter file: of the settings.
    static func store(of settings: Configuration, _ file: String) throws(ServiceFailure) -> TerminalKeyStore {
        guard let keys = settings.keys else { throw noKeys(file) }
        try ProcessHardening.forbidDumps()
        return TerminalKeyStore(keys, of: settings.terminal)
    }

    /// - Parameter file: of the settings.
    static func noKeys(_ file: String) -> ServiceFailure {
        ServiceFailure(
            exitStatus: ServiceFailure.configuration,
            reason: "\(file): the demonstration has no keys of its own: set demonstration = false and [keys]"
        )
    }

    /// While the housing is open no key comes in. A running service looks after the line itself.
    static func requireClosedHousing(_ settings: Configuration) throws(ServiceFailure) {
        guard let wiring = settings.keys?.tamper else { return }
        let isOpen: Bool
        do throws(GPIOFault) { isOpen = try TamperLine(wiring).isActive() } catch .otherLineBusy {
            return
        } catch {
            throw ServiceFailure(exitStatus: ServiceFailure.unavailable, reason: "keys.tamper: \(error)")
        }
        guard !isOpen else {
            throw ServiceFailure(
                exitStatus: ServiceFailure.unavailable,
                reason: "the housing is open: close it, and begin again; nothing was changed"
            )
        }
    }

    static func stored<Value: ~Copyable>(_ call: () throws(FileFault) -> Value) throws(ServiceFailure) -> Value {
        do throws(FileFault) { return try call() } catch {
            throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: error.reason)
        }
    }

    /// A file that somebody named.
    static func bytes(of file: String, max: Int) throws(ServiceFailure) -> [UInt8] {
        try stored { () throws(FileFault) in
            guard let bytes = try WholeFile.contents(file, bytesMax: max) else {
                throw FileFault("there is no file \(file)")
            }
            return bytes
        }
    }

    static func now() throws(ServiceFailure) -> Int64 {
        guard let now = SystemClock().now else {
            throw ServiceFailure(exitStatus: ServiceFailure.unavailable, reason: "the clock is not set: set it first")
        }
        return now.utcSeconds
    }

    /// Changes the terminal's keys, whole or not at all.
    ///
    /// - Returns: the keys as they are now.
    @discardableResult
    static func change(
        _ store: TerminalKeyStore,
        of settings: Configuration,
        _ body: (inout TerminalKeys) throws(CustodyFault) -> Void
    ) throws(ServiceFailure) -> TerminalKeys {
        var change = try begin(store, of: settings)
        do throws(CustodyFault) { try body(&change.keys) } catch { throw refusal(error) }
        let changed = change.keys
        try finish(change, of: store, settings)
        return changed
    }

    static func refusal(_ fault: CustodyFault) -> ServiceFailure {
        refusal("\(fault.words); nothing was changed", fault.code)
    }

    /// With its code as in a line of the log.
    static func refusal(_ words: String, _ code: KeyCode) -> ServiceFailure {
        ServiceFailure(exitStatus: refused, reason: "\(words) [\(code.rawValue)]", code: .keys(code))
    }

    static func begin(_ store: TerminalKeyStore, of settings: Configuration) throws(ServiceFailure) -> KeyChange {
        let change = try stored { () throws(FileFault) in
            let change = try store.beginChange()
            try change.requireKnown(to: settings)
            return change
        }
        try warn(ofClockBehind: change.keys.lastChange)
        return change
    }

    /// It stops nothing: an earlier change may have been made while the clock was ahead.
    private static func warn(ofClockBehind last: Int64?) throws(ServiceFailure) {
        let now = try now()
        guard let last, now < last else { return }
        standardError(
            """
            warning: the clock shows \(TransactionTime(utc: now)) UTC, and the keys were last changed at \(TransactionTime(utc: last)) UTC: look which is \
            wrong before you go on
            """
        )
    }

    /// Stores what was changed, and tells the journal of it.
    static func finish(
        _ change: consuming KeyChange,
        of store: TerminalKeyStore,
        _ settings: Configuration
    ) throws(ServiceFailure) {
        if let fault = change.auditFault { standardError("warning: \(fault): another audit log is begun") }
        do throws(FileFault) {
            if let warning = try change.store() { standardError("warning: \(warning)") }
        } catch {
            throw ServiceFailure(
                exitStatus: ServiceFailure.inputOutput,
                reason: "\(error.reason); the store was not changed"
            )
        }
        if let untold = store.tellJournal(of: settings) { standardError("warning: \(untold)") }
    }

    /// nil of a text that is no check value.
    static func isEqual(_ line: consuming SecretLine, _ checkValue: [UInt8], digits: Int) -> Bool? {
        let count = line.count
        let text = line.bytes.withSpan { span in String(decoding: (0..<count).map { span[$0] }, as: UTF8.self) }
        do throws(ParseError) {
            let bytes = try Hex.bytes(text.filter { $0 != "-" })
            return bytes.count == digits / 2 ? bytes == checkValue : nil
        } catch {
            return nil
        }
    }
}

extension CustodyFault {
    var words: String {
        switch self {
        case .held(let name): "\(name.words) is held already"
        case .equal(let name): "this key is held already, as \(name.words)"
        case .older(let name, let made):
            "\(name.words) was held and erased, and this block is no newer than the one of then, which was made at \(made) UTC"
        case .future(let name, let made):
            """
            \(name.words) comes in a block that was made at \(made) UTC, later than now: set this machine's clock, or have the block \
            made again where the clock is right
            """
        case .recordKeyHeld(let name):
            "the records of this terminal are coded under \(name.words): erase that first, with all that it means"
        case .missing(let name): "\(name.words) is not held"
        case .sellsNothing(let usage):
            "a \(usage.name) key is in use from the moment it is loaded, and until it is erased"
        case .retired(let name): "\(name.words) is retired, for good"
        case .sells(let name): "\(name.words) sells: retire it first"
        case .retiredJustNow(let name):
            "\(name.words) was retired just now: give a running service \(TerminalKeys.retiringSeconds) seconds, and try again"
        case .full: "\(TerminalKeys.mastersMax) purchase masters are held: erase one that no open record needs"
        case .wornOut: "\(TerminalKeys.namesMax) keys were held here: begin a new store"
        }
    }
}
