package import KeyCustody
import Synchronization
import Threads

/// A PKCS#11 token that holds purchase masters and encrypts blocks under them. Blocks for at most ``limitNanoseconds``; any thread
/// may call. One value a process: a module is for one user.
package final class Token: Sendable {
    /// A debit waits for it, and a customer for that.
    package static let limitNanoseconds: UInt64 = 3_000_000_000

    package let place: TokenPlace
    private let thread: TokenThread

    private final class Outcome<Answer: Sendable>: Sendable {
        let answer: Mutex<Result<Answer, TokenFault>?> = Mutex(nil)
    }

    package init(_ place: TokenPlace) {
        self.place = place
        thread = TokenThread(place)
    }

    deinit { end() }

    /// Leaves the module: what it does when the process ends is not to be relied on.
    package func end() { thread.end(before: deadline) }

    /// Triple DES in ECB of whole blocks.
    package func encrypted(_ blocks: [UInt8], under key: TokenKey) throws(TokenFault) -> SecretKey {
        try ask { session throws(TokenFault) in try session.encrypted(blocks, under: key) }
    }

    /// Puts the 16 bytes of a purchase master in the place of whatever has its name.
    ///
    /// - Throws: ``TokenFault`` also when the token then makes something else of zeros than the key does.
    package func put(_ raw: SecretKey, as key: TokenKey) throws(TokenFault) {
        try ask { session throws(TokenFault) in try session.put(raw, as: key) }
    }

    /// - Returns: whether there was such a key.
    package func destroy(_ key: TokenKey) throws(TokenFault) -> Bool {
        try ask { session throws(TokenFault) in try session.destroy(key) }
    }

    /// - Returns: whether the terminal had any key there.
    package func destroyAll(of terminal: String) throws(TokenFault) -> Bool {
        try ask { session throws(TokenFault) in try session.destroyAll(of: terminal) }
    }

    /// Opens the token unless it is open.
    ///
    /// - Returns: what of these keys it does not serve, in words.
    package func faults(of keys: [TokenKey]) throws(TokenFault) -> [String] {
        try ask { session throws(TokenFault) in try session.faults(of: keys) }
    }

    /// "token greylock (SoftHSM v2)"
    package func words() throws(TokenFault) -> String {
        try ask { session throws(TokenFault) in try session.words() }
    }

    /// A PIN that was refused may be tried once more: somebody changed something.
    package func forgiveRefusedPIN() throws(TokenFault) {
        try ask { session throws(TokenFault) in session.forgiveRefusedPIN() }
    }

    private var deadline: UInt64 { MonotonicClock.nanoseconds + Self.limitNanoseconds }

    private func ask<Answer: Sendable>(
        _ body: @escaping @Sendable (TokenSession) throws(TokenFault) -> Answer
    ) throws(TokenFault) -> Answer {
        let outcome = Outcome<Answer>()
        let isAnswered = thread.perform(before: deadline) { session in
            let answer: Result<Answer, TokenFault>
            do throws(TokenFault) { answer = .success(try body(session)) } catch { answer = .failure(error) }
            outcome.answer.withLock { $0 = answer }
        }
        guard isAnswered, let answer = outcome.answer.withLock(\.self) else {
            throw TokenFault("token \(place.label) does not answer")
        }
        return try answer.get()
    }
}
