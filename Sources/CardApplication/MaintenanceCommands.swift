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
        guard keys.externalAuthentication.answer(to: challenge).isValid(presented.cryptogram) else {
            throw try countedUpkeepFailure(.verificationFailed(triesLeft: image.upkeepTriesLeft - 1))
        }
        if image.upkeepTriesLeft < CardImage.upkeepTriesMax {
            var next = image
            next.upkeepTriesLeft = CardImage.upkeepTriesMax
            try commit(next)
        }
        return []
    }

    func internalAuthenticate(_ command: InternalAuthenticate) -> InternalAuthenticate.Response {
        InternalAuthenticate.Response(cryptogram: keys.internalAuthentication.answer(to: command.challenge))
    }

    mutating func blockApplication(_ command: CommandAPDU) throws(StatusWord) -> [UInt8] {
        let block = try parsed { () throws(ParseError) in try BlockApplication(parsing: command) }
        try checkMaintenance(block.mac, command.header)
        var next = image
        next.upkeepTriesLeft = CardImage.upkeepTriesMax
        next.block = block.duration == .permanent ? .permanent : .temporary
        try commit(next)
        return []
    }

    mutating func unblockApplication(_ command: CommandAPDU) throws(StatusWord) -> [UInt8] {
        let unblock = try parsed { () throws(ParseError) in try UnblockApplication(parsing: command.data) }
        try checkMaintenance(unblock.mac, command.header)
        guard image.block == .temporary else { throw .conditionsOfUseNotSatisfied }
        var next = image
        next.upkeepTriesLeft = CardImage.upkeepTriesMax
        next.block = .none
        try commit(next)
        return []
    }

    private mutating func checkMaintenance(_ mac: MAC, _ header: CommandHeader) throws(StatusWord) {
        let challenge = try takeChallenge()
        guard keys.maintenance.mac(header, challenge: challenge).isValid(mac) else { throw try countedUpkeepFailure() }
    }

    /// - Throws: `6985` when no challenge was asked for.
    mutating func takeChallenge() throws(StatusWord) -> Challenge {
        guard let drawn = challenge else { throw .conditionsOfUseNotSatisfied }
        challenge = nil
        return drawn
    }

    /// Takes one upkeep try; the answer of the failed command.
    mutating func countedUpkeepFailure(_ answer: StatusWord = .macInvalid) throws(StatusWord) -> StatusWord {
        var next = image
        next.upkeepTriesLeft -= 1
        try commit(next)
        return answer
    }
}
