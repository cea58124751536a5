import CardCryptography
package import Codes
import ISO7816

/// By which journald finds the text of an event: 128 bits that follow from the event's code, so that no table of them has to be
/// kept (<doc:0067-the-journals-own-messages>). `uuidgen --sha1 --namespace NAMESPACE --name CODE` gives the same.
package struct MessageID: CustomStringConvertible, Sendable {
    /// Drawn once, for ever: 5edc485f-c562-4ff8-b50b-5707aa8bd587.
    private static let namespace: [UInt8] = [
        0x5E, 0xDC, 0x48, 0x5F, 0xC5, 0x62, 0x4F, 0xF8, 0xB5, 0x0B, 0x57, 0x07, 0xAA, 0x8B, 0xD5, 0x87,
    ]

    /// 32 hexadecimal digits, as journald writes them.
    package let description: String

    package init(of code: EventCode) {
        description = Hex.string(NameUUID.of(code.rawValue, in: Self.namespace)).lowercased()
    }
}
