package import Files
package import Parameters

/// The serial number of the machine that this runs on: the board's own where its firmware says one, or else what the system that
/// was installed on it calls itself (machine-id(5)).
package enum ThisBoard {
    private static let places = ["/sys/firmware/devicetree/base/serial-number", "/etc/machine-id"]
    private static let bytesMax = 256

    /// - Throws: ``FileFault`` where neither is there.
    package static func serial() throws(FileFault) -> BoardSerial {
        for place in places {
            guard let bytes = try WholeFile.contents(place, bytesMax: bytesMax) else { continue }
            // The firmware's ends with a zero, the system's with a line's end.
            let text = String(decoding: bytes.prefix { $0 > UInt8(ascii: " ") }, as: UTF8.self)
            if let serial = BoardSerial(text) { return serial }
        }
        throw FileFault(
            "this board has no serial number, neither \(places[0]) nor \(places[1]): let systemd-machine-id-setup make one"
        )
    }
}
