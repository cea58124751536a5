/// One entry in journald's own protocol: fields with names, of which a value may have line ends (systemd's JOURNAL_NATIVE_PROTOCOL).
package struct JournaldEntry: Sendable {
    /// journald takes no longer name.
    private static let nameBytesMax = 64

    package private(set) var datagram: [UInt8] = []

    package init() {}

    /// - Parameter name: of letters, digits and any others, which become an underscore.
    package mutating func add(_ name: String, _ value: String) {
        datagram += Self.name(name)
        let bytes = Array(value.utf8)
        if bytes.contains(UInt8(ascii: "\n")) {
            datagram.append(UInt8(ascii: "\n"))
            datagram += (0..<8).map { UInt8(truncatingIfNeeded: bytes.count >> (8 * $0)) }
        } else {
            datagram.append(UInt8(ascii: "="))
        }
        datagram += bytes
        datagram.append(UInt8(ascii: "\n"))
    }

    private static func name(_ text: String) -> [UInt8] {
        text.utf8.prefix(nameBytesMax).map { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
            case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - 0x20
            case _: UInt8(ascii: "_")
            }
        }
    }
}
