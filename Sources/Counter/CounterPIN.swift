private import CardCryptography
package import FuelPassbook
import ISO7816
private import Issuer

// The card's PIN, by its holder and by the issuer. No money moves, so the book has no entry of it.

extension CounterVisit {
    /// CHANGE PIN. A wrong old one takes a try.
    package func changePIN(old: borrowing PIN, new: borrowing PIN) throws(CounterStop) {
        let command = ChangePIN(old: old, new: new)
        let status = try pinStatus { () throws(CardFault) in
            try command.withCommand { (bytes) throws(CardFault) in try exchange(bytes) }
        }
        if let left = status.triesLeft {
            guard left > 0 else { throw Self.pinBlocked }
            throw .refused("the old PIN is wrong, \(left) \(left == 1 ? "try" : "tries") left; nothing was changed")
        }
        guard status != .authenticationMethodBlocked else { throw Self.pinBlocked }
        guard status == .success else { throw .answered(.changePIN, status) }
    }

    /// RELOAD PIN. It can be played again, by whoever hears it: send it only where nobody listens.
    package func reloadPIN(_ new: borrowing PIN) throws(CounterStop) {
        let key = try genuineKey()
        let command = try reload(new, key)
        let status = try pinStatus { () throws(CardFault) in
            try command.withCommand { (bytes) throws(CardFault) in try exchange(bytes) }
        }
        guard status == .success else { throw .answered(.reloadPIN, status) }
    }

    private func reload(_ new: borrowing PIN, _ key: KeyReference) throws(CounterStop) -> ReloadPIN {
        do throws(IssuerError) {
            return try side.issuer.reloadPIN(new, card: card, keyIndex: key.index, keyVersion: key.version)
        } catch {
            throw .issuer(error)
        }
    }

    /// PIN UNBLOCK: a new PIN for a card that takes no more tries, or whose holder forgot it.
    package func unblockPIN(_ new: borrowing PIN) throws(CounterStop) {
        let key = try genuineKey()
        let drawn = try transmit(GetChallenge(count: Challenge.lengths[0]).apdu)
        guard drawn.status == .success else { throw .answered(.getChallenge, drawn.status) }
        let challenge: Challenge
        do throws(ParseError) { challenge = try Challenge(bytes: drawn.data) } catch {
            throw .malformed(.getChallenge, error)
        }
        let command: UnblockPIN
        do throws(IssuerError) {
            command = try side.issuer.unblockPIN(
                new,
                card: card,
                keyIndex: key.index,
                keyVersion: key.version,
                challenge: challenge
            )
        } catch {
            throw .issuer(error)
        }
        let status = try pinStatus { () throws(CardFault) in try exchange(command.apdu) }
        guard status == .success else { throw .answered(.unblockPIN, status) }
    }

    /// Whose keys the card has: a code under others would cost it one of its few tries.
    private func genuineKey() throws(CounterStop) -> KeyReference {
        let challenge: Challenge
        do throws(ParseError) {
            challenge = try Challenge(bytes: side.random.bytes(Challenge.lengths[1]))
        } catch {
            preconditionFailure("any eight bytes are a challenge")
        }
        let answer = try transmit(InternalAuthenticate(challenge: challenge).apdu)
        guard answer.status == .success else { throw .answered(.internalAuthenticate, answer.status) }
        let cryptogram: Cryptogram
        do throws(ParseError) {
            cryptogram = try InternalAuthenticate.Response(parsing: answer.data).cryptogram
        } catch {
            throw .malformed(.internalAuthenticate, error)
        }
        for reference in side.references
        where try issued({ () throws(IssuerError) in
            try side.issuer.isGenuine(cryptogram, challenge: challenge, card: card, reference)
        }) {
            return reference
        }
        throw .refused("the card was made with other keys than the store's: name its own store; nothing was changed")
    }

    private func pinStatus(_ send: () throws(CardFault) -> ResponseAPDU) throws(CounterStop) -> StatusWord {
        do throws(CardFault) { return try send().status } catch {
            throw .open(
                "the card's answer is lost (\(error)): its PIN is the old one or the new one; try the new one first"
            )
        }
    }
}
