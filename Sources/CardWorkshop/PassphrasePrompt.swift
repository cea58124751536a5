package import CardCryptography
import Console
private import Issuer
package import Threads

/// A key store's passphrase typed at the controlling terminal, without echo.
package struct PassphrasePrompt: ~Copyable {
    private let terminal: SilentTerminal

    /// - Throws: when the process has no terminal.
    package init() throws(ServiceFailure) { terminal = try SilentTerminal(for: "passphrase") }

    /// Asks until something that a passphrase can be is typed.
    package borrowing func ask(_ question: String) throws(ServiceFailure) -> LockedBuffer {
        try terminal.ask(
            question,
            .text(bytesMax: KeyStore.passphraseBytesMax),
            rule: """
                a passphrase has at least \(KeyStore.passphraseCharactersMin) characters, \
                and at most \(KeyStore.passphraseBytesMax) bytes
                """
        ) { line in
            line.bytes.characters(line.count) >= KeyStore.passphraseCharactersMin
                ? line.bytes.part(0..<line.count) : nil
        }
    }

    /// Asks twice, until both are the same.
    package borrowing func askNew() throws(ServiceFailure) -> LockedBuffer {
        while true {
            let passphrase = try ask("new passphrase")
            let again = try ask("new passphrase again")
            if passphrase.isEqual(to: again) { return passphrase }
            terminal.say("these were two different passphrases\n")
        }
    }
}

extension LockedBuffer {
    /// How many characters of UTF-8 begin in the first `count` bytes.
    fileprivate borrowing func characters(_ count: Int) -> Int {
        withSpan { bytes in (0..<count).count { bytes[$0] & 0xC0 != 0x80 } }
    }
}
