import CardCryptography
import FuelPassbook
import ISO7816

// The commands with a PIN. VERIFY, CHANGE PIN and RELOAD PIN carry it in clear: it is read where the command lies.

extension CardApplication {
    mutating func verify(_ presented: Span<UInt8>) throws(StatusWord) {
        try checkPIN(presented)
        if image.pinTriesLeft < image.pinTriesLimit {
            var next = image
            next.pinTriesLeft = next.pinTriesLimit
            try commit(next)
        }
        setPINVerified(true)
    }

    /// The old PIN counts as presented: a wrong one takes a try, a right one fills the counter and verifies.
    mutating func changePIN(_ data: Span<UInt8>) throws(StatusWord) {
        let (old, new) = try parsed { () throws(ParseError) in try ChangePIN.ranges(in: data) }
        try checkPIN(data.extracting(old))
        try commitPIN(data.extracting(new))
        setPINVerified(true)
    }

    /// The MAC covers nothing but the PIN, so that the command can be played again: it does not fill the upkeep counter.
    mutating func reloadPIN(_ data: Span<UInt8>) throws(StatusWord) {
        let pin = data.extracting(..<(data.count - MAC.length))
        let mac = MAC(bytes: [UInt8](copying: data.extracting((data.count - MAC.length)...)))
        guard keys.pinReload.mac(pin: pin).isValid(mac) else { throw try countedUpkeepFailure() }
        guard PIN.isWellFormed(pin) else { throw .incorrectData }
        try commitPIN(pin)
        setPINVerified(false)
    }

    mutating func unblockPIN(_ command: CommandAPDU) throws(StatusWord) -> [UInt8] {
        let unblock = try parsed { () throws(ParseError) in try UnblockPIN(parsing: command.data) }
        let challenge = try takeChallenge()
        let expected = keys.pinUnblock.mac(command.header, data: unblock.enciphered, challenge: challenge)
        guard expected.isValid(unblock.mac) else { throw try countedUpkeepFailure() }
        let card = image.file.asn
        let stored = keys.pinUnblock.withDeciphered(unblock.enciphered) { pin in
            StoredPIN(pin, sealing: keys.sealing, card: card, random: random)
        }
        guard let stored else { throw .incorrectData }
        var next = image
        next.sealedPIN = stored.sealed
        next.pinTriesLeft = next.pinTriesLimit
        next.upkeepTriesLeft = CardImage.upkeepTriesMax
        try commit(next)
        setPINVerified(false)
        return []
    }

    private mutating func checkPIN(_ presented: Span<UInt8>) throws(StatusWord) {
        guard image.pinTriesLeft > 0 else { throw .authenticationMethodBlocked }
        if StoredPIN(image.sealedPIN).matches(presented, keys.sealing, card: image.file.asn) { return }
        var next = image
        next.pinTriesLeft -= 1
        setPINVerified(false)
        try commit(next)
        throw .verificationFailed(triesLeft: next.pinTriesLeft)
    }

    private mutating func commitPIN(_ pin: Span<UInt8>) throws(StatusWord) {
        var next = image
        next.sealedPIN = StoredPIN(pin, sealing: keys.sealing, card: image.file.asn, random: random).sealed
        next.pinTriesLeft = next.pinTriesLimit
        try commit(next)
    }
}
