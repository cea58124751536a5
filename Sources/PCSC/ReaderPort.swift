private import Files

/// What a reader's driver says of the channel to it (PC/SC part 3, SCARD_ATTR_CHANNEL_ID): 0xDDDDCCCC, its type before its
/// number, which is 0xBBAA for USB, the bus before the device's address (SCARDGETATTRIB.md of libccid).
enum ReaderChannel: Equatable {
    case usb(bus: UInt8, device: UInt8)
    case other(type: UInt16)

    private static let usbType: UInt32 = 0x0020

    /// - Parameter attribute: a DWORD as the board's memory has it, the low byte first: 32 bits from libccid, 64 where a driver takes
    ///   that type's width from pcsc-lite.
    /// - Returns: nil for anything else.
    init?(_ attribute: some BidirectionalCollection<UInt8>) {
        guard attribute.count == 4 || attribute.count == 8, attribute.dropFirst(4).allSatisfy({ $0 == 0 }) else {
            return nil
        }
        let word = attribute.prefix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard word >> 16 == Self.usbType else {
            self = .other(type: UInt16(truncatingIfNeeded: word >> 16))
            return
        }
        self = .usb(bus: UInt8(truncatingIfNeeded: word >> 8), device: UInt8(truncatingIfNeeded: word))
    }
}

/// The USB devices that the kernel has found, each a folder that is called after the port it is plugged into.
package struct USBDevices: Sendable {
    package static let folder = "/sys/bus/usb/devices"
    private static let numberBytesMax = 16

    private let folder: String

    package init(_ folder: String = Self.folder) { self.folder = folder }

    /// - Returns: "1-1.4" for the fourth port of the hub at the first bus's first port; nil where there is no such device.
    func port(bus: UInt8, device: UInt8) -> String? {
        Folder.names(in: folder).first { name in
            number("\(name)/devnum") == device && number("\(name)/busnum") == bus
        }
    }

    /// nil for what has none, as a device's interfaces, and for a device that has left in the meantime.
    private func number(_ name: String) -> UInt8? {
        do throws(FileFault) {
            let bytes = try WholeFile.contents("\(folder)/\(name)", bytesMax: Self.numberBytesMax) ?? []
            return UInt8(String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
        } catch {
            return nil
        }
    }
}

/// The USB port that a reader is plugged into, as far as it can be asked.
package enum ReaderPort: Equatable, Sendable {
    /// As the kernel names it.
    case known(String)
    /// A program is connected to it: pcscd would keep a question waiting as long as that program's transaction lasts.
    case inUse
    /// Why, and what to do.
    case unknown(String)

    /// Each reader once, those with one answer together.
    static func words(of readers: [(name: String, port: ReaderPort)]) -> String {
        var groups: [(port: ReaderPort, names: [String])] = []
        for (name, port) in readers {
            if let index = groups.firstIndex(where: { $0.port == port }) {
                groups[index].names.append(name)
            } else {
                groups.append((port, [name]))
            }
        }
        return groups.map { $0.port.words(of: $0.names) }.joined(separator: "; ")
    }

    private func words(of names: [String]) -> String {
        let names = names.map { "\"\($0)\"" }.joined(separator: ", ")
        return switch self {
        case .known(let port): "\(names) at \(port)"
        case .inUse: "\(names), whose port cannot be asked while another program uses it: end that program"
        case .unknown(let reason): "\(names), whose port cannot be asked: \(reason)"
        }
    }
}

extension PCSCContext {
    /// Which port a reader is plugged into. For a moment no other program can take its card for itself alone.
    ///
    /// What fails is an answer too: the reader is then not known to be the one that is looked for.
    borrowing func port(of reader: String, among devices: USBDevices) -> ReaderPort {
        let attribute: [UInt8]
        do throws(PCSCError) { attribute = try channelAttribute(of: reader) } catch {
            switch error.code {
            case PCSCCode.sharingViolation: return .inUse
            case PCSCCode.unsupportedFeature:
                return .unknown(
                    "its driver does not say it: use libccid from 1.4.32 on, or choose it by [card] reader alone"
                )
            case _: return .unknown(error.advice)
            }
        }
        switch ReaderChannel(attribute) {
        case .usb(let bus, let device):
            return devices.port(bus: bus, device: device).map(ReaderPort.known)
                ?? .unknown("the kernel shows no device \(device) on USB bus \(bus): look into \(USBDevices.folder)")
        case .other: return .unknown("it is at no USB port: choose it by [card] reader alone")
        case nil: return .unknown("its driver says it in no known form: choose it by [card] reader alone")
        }
    }
}
