package import KeyFiles

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

        /// nil where the demonstration's keys serve. A table that is there is held to its rules all the same.
        static func read(_ root: ConfigurationTable, demonstration: Bool) -> KeySettings? {
            guard demonstration else { return KeySettings(reading: root.table("keys")) }
            if root.entry("keys") != nil { _ = KeySettings(reading: root.table("keys")) }
            return nil
        }

        private init(reading table: ConfigurationTable) {
            store = table.value("store", .path)
            let file = table.optional("storage_key", .path)
            if let name = table.optional("credential", .credentialName) {
                if file != nil { table.noteConflict("credential", "nothing beside storage_key") }
                storageKey = .credential(name)
            } else {
                if file == nil { _ = table.required("storage_key", .path) }
                storageKey = .file(file ?? "/")
            }
        }
    }
}
