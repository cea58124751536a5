import Configuration
import Console
import Files
import Glibc
import KeyCustody
import KeyFiles
import Quantities
import Records
import SecurityModule
import Station
import Threads
import Tokens

/// The keys of a terminal and what opens them. Nothing is written, also not into the board's memory.
struct DoctorKeys {
    let configuration: Configuration
    let account: Account
    /// nil where systemd has no unit that reads this configuration.
    let unit: ServiceUnit?

    /// - Returns: the key that rows and parameters are coded with; nil where it cannot be had.
    func examine(_ diagnosis: inout Diagnosis) -> RecordKey? {
        guard let settings = configuration.keys else { return .demonstration }
        let opens = examineStorageKey(settings, &diagnosis)
        let memoryIsFine = examineMemory(settings, &diagnosis)
        if let token = settings.token { examineToken(token, &diagnosis) }
        if let refusal = account.refusal(.write, settings.store) { diagnosis.find(.fileForbidden, refusal) }
        guard FileStamp(settings.store) != nil else {
            diagnosis.find(
                .keysMissing,
                "there is no key store \(settings.store)",
                mend: "greylock keys load --config CONFIG, as \(account.name)"
            )
            return nil
        }
        guard opens, memoryIsFine else { return nil }
        if settings.memory != nil {
            diagnosis.miss(
                .keys,
                "the store is opened by the service alone: with [keys] nvmem, opening it may write there"
            )
            return nil
        }
        return examineStore(settings, &diagnosis)
    }

    private static let loadBlocks = "greylock keys load --config CONFIG BLOCKS"

    private func examineStore(_ settings: Configuration.KeySettings, _ diagnosis: inout Diagnosis) -> RecordKey? {
        let stored: StoredKeys
        do throws(ServiceFailure) { try ProcessHardening.forbidDumps() } catch {
            diagnosis.miss(.keys, error.reason)
            return nil
        }
        do throws(FileFault) {
            guard let read = try TerminalKeyStore(settings, of: configuration.terminal).read() else { return nil }
            stored = read
        } catch {
            diagnosis.find(.keysUnopened, error.reason)
            return nil
        }
        if let fault = stored.auditFault { diagnosis.find(.auditLogUnfit, fault) }
        guard let record = stored.keys.recordKey else {
            diagnosis.find(.keysMissing, "\(settings.store) has no record key", mend: Self.loadBlocks)
            return nil
        }
        let now = SystemClock().now?.utcSeconds
        let masters = stored.keys.keys.filter { $0.name.usage == .purchaseMaster }
        let selling = masters.filter { $0.dates.state(at: now) == .active }
        if selling.isEmpty {
            let there =
                masters.isEmpty ? "there is no purchase master" : "of \(masters.count) purchase masters none is active"
            diagnosis.find(
                .keysNotActive,
                "\(there)\(now == nil ? ", while the clock is not set" : "")",
                mend: masters.isEmpty ? Self.loadBlocks : nil
            )
        } else {
            diagnosis.see(
                .keys,
                "\(settings.store) opens: \(selling.count) of \(masters.count) purchase masters sell, and a record key"
            )
        }
        return record
    }

    /// - Returns: whether the store can be opened from here.
    private func examineStorageKey(_ settings: Configuration.KeySettings, _ diagnosis: inout Diagnosis) -> Bool {
        switch settings.storageKey {
        case .file(let path):
            guard examineSecret(path, "the storage key", missing: .storageKeyMissing, &diagnosis) else { return false }
            guard FileStatus(path)?.size == StorageKeyPlace.keyLength else {
                diagnosis.find(
                    .storageKeyMissing,
                    "\(path) has not \(StorageKeyPlace.keyLength) bytes",
                    mend: "put the right one back"
                )
                return false
            }
            return unsafe access(path, R_OK) == 0
        case .credential(let name):
            if let unit, unit.isThere {
                if !unit.hands(over: name) {
                    diagnosis.find(
                        .credentialMissing,
                        "[keys] credential is \"\(name)\", and \(ServiceUnit.name) has no LoadCredentialEncrypted=\(name)"
                    )
                } else if unit.exitStatus == 243, !unit.isActive {
                    diagnosis.find(.credentialUnopened, "\(ServiceUnit.name) ended with status 243")
                } else {
                    diagnosis.see(.keys, "\(ServiceUnit.name) hands over the credential \(name)")
                }
            }
            if let file = settings.credentialFile, FileStamp(file) == nil {
                diagnosis.find(.storageKeyMissing, "there is no \(file)", mend: FindingRow.of(.credentialUnopened).mend)
            }
            guard unsafe getenv("CREDENTIALS_DIRECTORY") != nil else {
                diagnosis.miss(.keys, "the store is opened by the unit alone: its storage key is a credential")
                return false
            }
            return true
        }
    }

    /// - Returns: whether it is there, and nobody else's.
    private func examineSecret(
        _ path: String,
        _ words: String,
        missing: FindingCode,
        _ diagnosis: inout Diagnosis
    ) -> Bool {
        guard let status = FileStatus(path) else {
            if errno == EACCES {
                diagnosis.mayNotSee(.keys, "this user may not look at \(path)")
            } else {
                diagnosis.find(missing, "there is no \(path), \(words)")
            }
            return false
        }
        if let refusal = FileGuard.refusal(of: status.whole, secret: true),
            status.mode & 0o077 != 0 || !status.isRegular
        {
            diagnosis.find(
                .storageKeyUnguarded,
                "\(path), \(words): \(refusal.expected) (\(status.words))",
                mend: status.isRegular ? "chmod 600 \(path)" : nil
            )
            return false
        }
        if let refusal = account.refusal(.read, path) {
            diagnosis.find(.storageKeyForbidden, refusal, mend: account.advice(toGive: path))
        }
        if unsafe access(path, R_OK) != 0 { diagnosis.mayNotSee(.keys, "this user may not read \(path)") }
        return true
    }

    private func examineMemory(_ settings: Configuration.KeySettings, _ diagnosis: inout Diagnosis) -> Bool {
        guard let memory = settings.memory else { return true }
        if let refusal = account.refusal(.write, memory.path) { diagnosis.find(.boardMemoryUnfit, refusal) }
        do throws(FileFault) {
            let held = try memory.read(of: configuration.terminal)
            if held == nil, FileStamp(settings.store) != nil {
                diagnosis.find(
                    .boardMemoryUnfit,
                    "\(memory.path) is empty, and \(settings.store) is there",
                    mend:
                        "put the board back that it was sealed on; or greylock keys erase --all --config CONFIG --reason TEXT, and load the keys again"
                )
                return false
            }
            diagnosis.see(.keys, "\(memory.path) \(held == nil ? "is blank" : "holds half of the storage key")")
            return true
        } catch {
            diagnosis.find(.boardMemoryUnfit, error.reason)
            return false
        }
    }

    /// Its module is not loaded: a PIN would be tried.
    private func examineToken(_ place: TokenPlace, _ diagnosis: inout Diagnosis) {
        guard let status = FileStatus(place.module), status.isRegular else {
            return diagnosis.find(.tokenUnfit, "there is no module \(place.module)")
        }
        if let refusal = account.refusal(.read, place.module) { diagnosis.find(.tokenUnfit, refusal) }
        if case .file(let path) = place.pin {
            _ = examineSecret(path, "the token's PIN", missing: .storageKeyMissing, &diagnosis)
        }
        diagnosis.see(.keys, "the module \(place.module) is there; whether the token answers, the service says")
    }
}
