import Configuration
import KeyCustody
import Station
import Threads
import Tokens

/// What the tools of a terminal's keys do with its token.
enum TokenTool {
    /// Before anybody types a component for it.
    static func require(_ settings: Configuration) throws(ServiceFailure) {
        guard let token = token(of: settings) else { return }
        _ = try asked { () throws(TokenFault) in try token.words() }
    }

    /// Purchase masters that are in the store go into the token, where there is one: each is there, and proven by what it makes
    /// of zeros, before the store forgets it. What an interruption leaves in the token, the next load of that name replaces.
    ///
    /// - Returns: what was done, in words.
    static func take(
        _ keys: inout TerminalKeys,
        _ settings: Configuration,
        at now: Int64
    ) throws(ServiceFailure) -> [String] {
        guard let token = token(of: settings) else { return [] }
        var names: [String] = []
        let terminal = "\(keys.terminal)"
        try asked { () throws(TokenFault) in
            try keys.moveMasters(at: now) { (name, secret, mark) throws(TokenFault) in
                try token.put(secret, as: TokenKey(name, of: terminal, mark))
                names.append(name.words)
            }
        }
        guard !names.isEmpty else { return [] }
        let place = try asked { () throws(TokenFault) in try token.words() }
        return names.map { "in \(place): \($0)" }
    }

    /// - Returns: whether the token had it.
    @discardableResult
    static func destroy(_ name: HeldKeyName, _ settings: Configuration) throws(ServiceFailure) -> Bool {
        guard let token = token(of: settings) else {
            throw ServiceFailure(
                exitStatus: ServiceFailure.configuration,
                reason: "\(name.words) is in a token, and [keys.token] names none; nothing was changed"
            )
        }
        let key = TokenKey(name, of: "\(settings.terminal)")
        return try asked { () throws(TokenFault) in try token.destroy(key) }
    }

    /// What protects what, and what of it is missing.
    static func lines(_ keys: TerminalKeys, _ settings: Configuration) -> [String] {
        guard let place = settings.keys else { return [] }
        let tokenKeys = Array(keys.tokenKeys.values)
        guard let token = token(of: settings), !tokenKeys.isEmpty else {
            return [place.protection(of: keys, token: nil)]
        }
        do throws(TokenFault) {
            let faults = try token.faults(of: tokenKeys).sorted()
            return [place.protection(of: keys, token: try token.words())] + faults
        } catch {
            return [place.protection(of: keys, token: nil), error.reason]
        }
    }

    private static func token(of settings: Configuration) -> Token? { (settings.keys?.token).map { Token($0) } }

    private static func asked<Answer>(_ body: () throws(TokenFault) -> Answer) throws(ServiceFailure) -> Answer {
        do throws(TokenFault) { return try body() } catch {
            throw ServiceFailure(
                exitStatus: ServiceFailure.unavailable,
                reason: "\(error.reason); nothing was changed in the store"
            )
        }
    }
}
