package import StationInterface

extension Configuration {
    /// Where other programs ask and order: `[interface]`.
    package struct InterfaceSettings: Equatable, Sendable {
        /// nil where nobody is told.
        package let read: SocketPlace?
        /// nil where no order is taken.
        package let control: SocketPlace?

        init(reading table: ConfigurationTable) {
            read = Self.place("read", table)
            control = Self.place("control", table)
        }

        private static func place(_ key: String, _ table: ConfigurationTable) -> SocketPlace? {
            guard let path = table.optional(key, .socketPath) else {
                table.refuse("\(key)_group", unless: "interface.\(key) is set")
                return nil
            }
            return SocketPlace(path: path, group: table.optional("\(key)_group", .groupName))
        }
    }
}

extension Setting where Value == String {
    fileprivate static var socketPath: Setting {
        let max = SocketPlace.pathBytesMax
        return Setting(expected: "a path of at most \(max) bytes that begins with /", standIn: "/") { value in
            guard case .text(let text) = value, text.utf8.first == UInt8(ascii: "/"), text.utf8.count <= max else {
                return nil
            }
            return text
        }
    }

    /// As Debian's adduser takes one.
    fileprivate static var groupName: Setting {
        Setting(expected: "the name of a group", standIn: "root") { value in
            guard case .text(let text) = value, (1...32).contains(text.utf8.count),
                text.utf8.allSatisfy({ Self.groupBytes.contains($0) }), text.utf8.first != UInt8(ascii: "-")
            else { return nil }
            return text
        }
    }

    private static var groupBytes: Set<UInt8> {
        Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.".utf8)
    }
}
