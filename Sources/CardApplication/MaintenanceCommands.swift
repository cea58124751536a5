import CardCryptography
import FuelPassbook
import ISO7816

// Challenge, authentication, and the issuer's block of the application (decision 0008).

extension CardApplication {
    /// The number serves the next command that needs one; a refused command and SELECT end it.
    mutating func getChallenge(_ command: CommandAPDU) throws(StatusWord) -> [UInt8] {
        guard let count = command.expectedLength else { throw .wrongLength }
        let drawn = try parsed { () throws(ParseError) in try Challenge(bytes: random.bytes(count)) }
        challenge = drawn
        return drawn.bytes
    }

    mutating func externalAuthenticate(_ command: CommandAPDU) throws(StatusWord) -> [UInt8] {
        let presented = try parsed { () throws(ParseError) in try ExternalAuthenticate(parsing: command.data) }
        let challenge = try takeChallenge()
        var next = try takeTry(from: .upkeep)
        guard keys.externalAuthentication.answer(to: challenge).isValid(presented.cryptogram) else {
            throw .verificationFailed(triesLeft: image.upkeepTriesLeft)
        }
        next.upkeepTriesLeft = CardImage.upkeepTriesMax
        try commit(next)
        return []
    }

    func internalAuthenticate(_ command: InternalAuthenticate) -> InternalAuthenticate.Response {
        InternalAuthenticate.Response(cryptogram: keys.internalAuthentication.answer(to: command.challenge))
    }

    mutating func blockApplication(_ command: CommandAPDU) throws(StatusWord) -> [UInt8] {
        let block = try parsed { () throws(ParseError) in try BlockApplication(parsing: command) }
        var next = try checkMaintenance(block.mac, command.header)
        next.upkeepTriesLeft = CardImage.upkeepTriesMax
        next.block = block.duration == .permanent ? .permanent : .temporary
        try commit(next)
        return []
    }

    mutating func unblockApplication(_ command: CommandAPDU) throws(StatusWord) -> [UInt8] {
        let unblock = try parsed { () throws(ParseError) in try UnblockApplication(parsing: command.data) }
        var next = try checkMaintenance(unblock.mac, command.header)
        guard image.block == .temporary else {
            try commit(next)
            throw .conditionsOfUseNotSatisfied
        }
        next.upkeepTriesLeft = CardImage.upkeepTriesMax
        next.block = .none
        try commit(next)
        return []
    }

    /// - Returns: what the command that goes on commits.
    private mutating func checkMaintenance(_ mac: MAC, _ header: CommandHeader) throws(StatusWord) -> CardImage {
        let challenge = try takeChallenge()
        let next = try takeTry(from: .upkeep)
        guard keys.maintenance.mac(header, challenge: challenge).isValid(mac) else { throw .macInvalid }
        return next
    }

    /// - Throws: `6985` when no challenge was asked for.
    mutating func takeChallenge() throws(StatusWord) -> Challenge {
        guard let drawn = challenge else { throw .conditionsOfUseNotSatisfied }
        challenge = nil
        return drawn
    }
}
