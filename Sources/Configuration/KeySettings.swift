package import GPIO
package import KeyFiles
package import Tokens

extension Setting where Value == String {
    /// A file's name (systemd.exec(5)).
    fileprivate static var credentialName: Setting {
        let name = text(1...255)
        return Setting(expected: "the name of a credential of the unit", standIn: "-") { value in
            name.read(value).flatMap { $0.contains("/") || $0.hasPrefix(".") ? nil : $0 }
        }
    }
}

extension Configuration {
    /// The terminal's own keys: `[keys]`.
    package struct KeySettings: Equatable, Sendable {
        package let store: String
        package let storageKey: StorageKeyPlace
        /// The file that a credential is sealed in, to be destroyed with the keys; nil where it is not named.
        package let credentialFile: String?
        /// nil on a board that has none.
        package let memory: BoardMemory?
        /// nil on a board whose housing tells nothing.
        package let tamper: TamperWiring?
        /// nil where the store has all keys.
        package let token: TokenPlace?

        /// nil where the demonstration's keys serve. A table that is there is held to its rules all the same.
        static func read(_ root: ConfigurationTable, demonstration: Bool) -> KeySettings? {
            guard demonstration else { return KeySettings(reading: root.table("keys")) }
            if root.entry("keys") != nil { _ = KeySettings(reading: root.table("keys")) }
            return nil
        }

        private init(reading table: ConfigurationTable) {
            store = table.value("store", .path)
            storageKey = StorageKeyPlace(reading: table, file: "storage_key", credential: "credential")
            credentialFile = table.optional("credential_file", .path)
            if table.entry("credential") == nil { table.refuse("credential_file", unless: "credential is set") }
            token = table.entry("token") == nil ? nil : TokenPlace(reading: table.table("token"))
            if let path = table.optional("nvmem", .path) {
                let offset = table.value("nvmem_offset", .integer(0...BoardMemory.offsetMax), default: 0)
                memory = BoardMemory(path, offset: offset)
            } else {
                table.refuse("nvmem_offset", unless: "nvmem is set")
                memory = nil
            }
            tamper = table.entry("tamper") == nil ? nil : TamperWiring(reading: table.table("tamper"))
        }
    }
}

extension TamperWiring {
    private enum Level: String, CaseIterable {
        case high
        case low
    }

    fileprivate init(reading table: ConfigurationTable) {
        self.init(
            chip: table.value("chip", .text(1...255)),
            line: GPIOWiring.Input(
                table.value("line", .line),
                isActiveLow: table.value("active", Setting<Level>.word) == .low,
                bias: table.value("bias", .word, default: .asIs)
            )
        )
        table.read("debounce_milliseconds", Setting.integer(0...100).map { $0 * 1_000 }, into: &debounceMicroseconds)
    }

    /// The line is no pump's.
    func requireOwnLine(_ sides: [Configuration.Side], _ root: ConfigurationTable) {
        guard root.isSound else { return }
        for side in sides {
            guard case .gpio(let wiring) = side.pump, wiring.chipName == chipName,
                let taken = wiring.places.first(where: { $0.place == line.place })
            else { continue }
            root.table("keys").table("tamper")
                .noteConflict("line", "another line than side \(side.number)'s \(taken.role.rawValue)")
        }
    }

    private var chipName: Substring { chip.hasPrefix("/dev/") ? chip.dropFirst(5) : chip[...] }
}

extension StorageKeyPlace {
    /// One of the two.
    fileprivate init(reading table: ConfigurationTable, file: String, credential: String) {
        let path = table.optional(file, .path)
        if let name = table.optional(credential, .credentialName) {
            if path != nil { table.noteConflict(credential, "nothing beside \(file)") }
            self = .credential(name)
        } else {
            if path == nil { _ = table.required(file, .path) }
            self = .file(path ?? "/")
        }
    }
}

extension TokenPlace {
    fileprivate init(reading table: ConfigurationTable) {
        self.init(
            module: table.value("module", .path),
            label: table.value("label", .text(1...32)),
            pin: StorageKeyPlace(reading: table, file: "pin_file", credential: "pin_credential")
        )
    }
}
