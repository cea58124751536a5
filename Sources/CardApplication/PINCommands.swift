import CardCryptography
import FuelPassbook
import ISO7816

// The commands with a PIN. VERIFY, CHANGE PIN and RELOAD PIN carry it in clear: it is read where the command lies.

extension CardApplication {
    mutating func verify(_ presented: Span<UInt8>) throws(StatusWord) -> [UInt8] {
        var next = try checkPIN(presented)
        next.pinTriesLeft = next.pinTriesLimit
        try commit(next)
        setPINVerified(true)
        return []
    }

    /// The old PIN counts as presented: a wrong one takes a try, a right one fills the counter and verifies.
    mutating func changePIN(_ data: Span<UInt8>) throws(StatusWord) -> [UInt8] {
        let (old, new) = try parsed { () throws(ParseError) in try ChangePIN.ranges(in: data) }
        let next = try checkPIN(data.extracting(old))
        try commitPIN(data.extracting(new), in: next)
        setPINVerified(true)
        return []
    }

    /// The MAC covers nothing but the PIN, so that the command can be played again: it does not fill the upkeep counter.
    mutating func reloadPIN(_ data: Span<UInt8>) throws(StatusWord) -> [UInt8] {
        let pin = data.extracting(..<(data.count - MAC.length))
        let mac = MAC(bytes: [UInt8](copying: data.extracting((data.count - MAC.length)...)))
        let next = try takeTry(from: .upkeep)
        guard keys.pinReload.mac(pin: pin).isValid(mac) else { throw .macInvalid }
        guard PIN.isWellFormed(pin) else {
            try commit(next)
            throw .incorrectData
        }
        try commitPIN(pin, in: next)
        setPINVerified(false)
        return []
    }

    mutating func unblockPIN(_ command: CommandAPDU) throws(StatusWord) -> [UInt8] {
        let unblock = try parsed { () throws(ParseError) in try UnblockPIN(parsing: command.data) }
        let challenge = try takeChallenge()
        let expected = keys.pinUnblock.mac(command.header, data: unblock.enciphered, challenge: challenge)
        var next = try takeTry(from: .upkeep)
        guard expected.isValid(unblock.mac) else { throw .macInvalid }
        let card = image.file.asn
        let stored = keys.pinUnblock.withDeciphered(unblock.enciphered) { pin in
            StoredPIN(pin, sealing: keys.sealing, card: card, random: random)
        }
        guard let stored else {
            try commit(next)
            throw .incorrectData
        }
        next.sealedPIN = stored.sealed
        next.pinTriesLeft = next.pinTriesLimit
        next.upkeepTriesLeft = CardImage.upkeepTriesMax
        try commit(next)
        setPINVerified(false)
        return []
    }

    /// - Returns: what the command that goes on commits.
    private mutating func checkPIN(_ presented: Span<UInt8>) throws(StatusWord) -> CardImage {
        guard image.pinTriesLeft > 0 else { throw .authenticationMethodBlocked }
        let next = try takeTry(from: .pin)
        guard StoredPIN(image.sealedPIN).matches(presented, keys.sealing, card: image.file.asn) else {
            setPINVerified(false)
            throw .verificationFailed(triesLeft: image.pinTriesLeft)
        }
        return next
    }

    private mutating func commitPIN(_ pin: Span<UInt8>, in card: CardImage) throws(StatusWord) {
        var next = card
        next.sealedPIN = StoredPIN(pin, sealing: keys.sealing, card: image.file.asn, random: random).sealed
        next.pinTriesLeft = next.pinTriesLimit
        try commit(next)
    }
}
