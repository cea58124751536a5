package import CardCryptography
package import ISO7816

/// How long an issuer blocks the application: P2 of APPLICATION BLOCK.
package enum BlockDuration: UInt8, Sendable {
    /// `00`: until APPLICATION UNBLOCK.
    case temporary = 0x00
    /// `01`: for good.
    case permanent = 0x01
}

/// APPLICATION BLOCK, secured by a MAC under DAMK over the card's challenge.
package struct BlockApplication: Sendable {
    package static let length = MAC.length

    package let duration: BlockDuration
    package let mac: MAC

    package init(_ duration: BlockDuration, challenge: Challenge, key: borrowing ApplicationMaintenanceKey) {
        self.duration = duration
        mac = key.mac(Self.header(duration), challenge: challenge)
    }

    package init(parsing command: CommandAPDU) throws(ParseError) {
        guard let duration = BlockDuration(rawValue: command.header.p2) else { throw .invalid("P2") }
        self.duration = duration
        mac = try MAC(parsing: command.data)
    }

    package static func header(_ duration: BlockDuration) -> CommandHeader {
        var header = Instruction.blockApplication.header
        header.p2 = duration.rawValue
        return header
    }

    package var apdu: CommandAPDU { CommandAPDU(Self.header(duration), data: mac.bytes) }
}

/// APPLICATION UNBLOCK, secured as APPLICATION BLOCK.
package struct UnblockApplication: PassbookCommand {
    package typealias Response = NoData
    package static let instruction = Instruction.unblockApplication

    package let mac: MAC

    package init(challenge: Challenge, key: borrowing ApplicationMaintenanceKey) {
        mac = key.mac(Instruction.unblockApplication.header, challenge: challenge)
    }

    private init(mac: MAC) { self.mac = mac }

    package static let layout = MessageLayout(Self.init(mac:), Field("MAC", \.mac))
}
