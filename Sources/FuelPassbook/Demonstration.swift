package import CardCryptography
import ISO7816
package import Quantities

/// The published values for the demonstration, the virtual card and tests (spec/grey-lock.md, section 7). They protect
/// nothing, so a service refuses them outside demonstration mode.
package enum Demonstration {
    package static let aid: [UInt8] = [0xF0, 0x50, 0x45, 0x54, 0x52, 0x4F, 0x4C, 0x01]
    package static let keyIndex = KeyIndex(1)
    package static let keyVersion = KeyVersion(1)
    package static let terminal = TerminalID(0x0011_2233_4455)
    package static let balance = Amount(fen: 50_000)
    package static let pinTries: UInt8 = 3
    package static let gmacTries: UInt8 = 3

    package static var schemeKeys: SchemeKeys {
        SchemeKeys(LockedBuffer(hexadecimal: MasterKey.allCases.map(\.demonstrationText).joined()))
    }

    package static var pin: PIN {
        var digits = Array("123456".utf8)
        let count = digits.count
        do throws(ParseError) {
            return try PIN(digits: LockedBuffer(wiping: &digits), count: count)
        } catch {
            preconditionFailure("the demonstration PIN is a PIN")
        }
    }

    package static var applicationFile: PublicApplicationFile {
        do throws(ParseError) {
            return PublicApplicationFile(
                issuer: Array("GREYLOCK".utf8),
                asn: try ApplicationSerialNumber(parsing: Hex.bytes("00010000000000000042")),
                validFrom: try CalendarDate(year: 2024, month: 1, day: 1),
                validTo: try CalendarDate(year: 2049, month: 12, day: 31)
            )
        } catch {
            preconditionFailure("the demonstration file is a file")
        }
    }
}

extension MasterKey {
    /// Its published value, in hexadecimal.
    package var demonstrationText: String {
        switch self {
        case .purchase: "11223344556677888877665544332211"
        case .tac: "00112233445566778899AABBCCDDEEFF"
        case .greyUnlock: "0123456789ABCDEFFEDCBA9876543210"
        case .load: "A0A1A2A3A4A5A6A7A8A9AAABACADAEAF"
        case .unload: "B0B1B2B3B4B5B6B7B8B9BABBBCBDBEBF"
        case .overdraft: "C0C1C2C3C4C5C6C7C8C9CACBCCCDCECF"
        // The specification names no values for the rest: these are this project's.
        case .pinReload: "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"
        case .pinUnblock: "E0E1E2E3E4E5E6E7E8E9EAEBECEDEEEF"
        case .applicationMaintenance: "F0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF"
        case .externalAuthentication: "808182838485868788898A8B8C8D8E8F"
        case .internalAuthentication: "909192939495969798999A9B9C9D9E9F"
        }
    }

    package var demonstration: LockedBuffer { LockedBuffer(hexadecimal: demonstrationText) }
}
