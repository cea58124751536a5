import CardCryptography
import Codes
package import Configuration
import Console
package import FuelPassbook
package import KeyCustody
import KeyFiles
import Logging
import SecurityModule
package import Tokens

// Purchase masters in a token, as the security module and the custodians see them.

extension TerminalKeys {
    /// Of the masters that are in a token.
    package var tokenKeys: [KeyReference: TokenKey] {
        var found: [KeyReference: TokenKey] = [:]
        for key in keys {
            guard case .token(let mark) = key.place else { continue }
            found[key.name.reference] = TokenKey(key.name, of: "\(terminal)", mark)
        }
        return found
    }

    /// - Parameters:
    ///   - beside: the masters that the store has.
    ///   - now: nil where the clock was never set: nothing sells then.
    func holder(in token: Token?, beside: MasterKeys, at now: Int64?) -> KeyHolder {
        let tokenKeys = tokenKeys
        guard !tokenKeys.isEmpty else { return .lockedMemory(beside) }
        var sells: [KeyReference: Bool] = [:]
        for key in keys where tokenKeys[key.name.reference] != nil && key.name.usage == .purchaseMaster {
            sells[key.name.reference] = key.dates.state(at: now) == .active
        }
        return .token(
            TokenKeys(sells, beside: beside) { (blocks, reference) throws(HolderFault) in
                guard let token, let key = tokenKeys[reference] else {
                    throw HolderFault("it is in a token, and [keys.token] names none")
                }
                do throws(TokenFault) {
                    let secret = try token.encrypted(blocks, under: key)
                    return secret.raw.part(0..<secret.raw.count)
                } catch {
                    throw HolderFault(error.reason)
                }
            }
        )
    }
}

extension Configuration.KeySettings {
    /// What protects what, in a line.
    ///
    /// - Parameter token: in words.
    package func protection(of keys: TerminalKeys, token: String?) -> String {
        let half = memory.map { " and its half in \($0.path)" } ?? ""
        let rest = "in \(store), opened by \(storageKey.words)\(half)"
        let names = keys.keys.filter { $0.secret == nil }.map(\.name.words).sorted()
        guard !names.isEmpty else { return "all keys \(rest)" }
        let place = self.token.map { "\(token ?? "token \($0.label)"), opened by the PIN in \($0.pin.words)" }
        return
            "\(names.joined(separator: ", ")) in \(place ?? "a token that [keys.token] does not name"); the rest \(rest)"
    }
}

/// Looks whether a token serves its keys, and says when that changes.
struct TokenLook: Sendable {
    private let token: Token
    private let log: Logger
    private var said: [String]?

    init?(_ token: Token?, log: Logger) {
        guard let token else { return nil }
        self.token = token
        self.log = log
    }

    /// Opens the token once it is there.
    mutating func look(at keys: some Collection<TokenKey>) {
        guard !keys.isEmpty else { return }
        var faults: [String]
        do throws(TokenFault) { faults = try token.faults(of: Array(keys)) } catch { faults = [error.reason] }
        faults.sort()
        guard faults != said else { return }
        for fault in faults where said?.contains(fault) != true {
            log.error(
                .keys(.tokenFailed),
                "\(fault): cards whose key it has are not served, and their sales settle later"
            )
        }
        if faults.isEmpty {
            log.notice(.keys(.tokenServes), "the token serves", metadata: ["token": "\(token.place.label)"])
        }
        said = faults
    }

    /// The store was changed: a PIN that was refused is tried once more.
    func storeIsNew() {
        // A token that does not answer has refused nothing.
        do throws(TokenFault) { try token.forgiveRefusedPIN() } catch {}
    }
}
