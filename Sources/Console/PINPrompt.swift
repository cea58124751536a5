package import FuelPassbook
private import ISO7816
package import Threads

/// A PIN typed at the controlling terminal, without echo, for a tool that waits for it.
package struct PINPrompt: ~Copyable {
    private let terminal: SilentTerminal

    /// - Throws: when the process has no terminal.
    package init() throws(ServiceFailure) { terminal = try SilentTerminal(for: "PIN") }

    /// Asks until what is typed is a PIN.
    package borrowing func ask(_ question: String) throws(ServiceFailure) -> PIN {
        try terminal.ask(
            question,
            .digits(max: PIN.digitsMax),
            rule: "a PIN is \(PIN.digitsMin) to \(PIN.digitsMax) digits"
        ) { $0.pin() }
    }

    /// Asks twice, until both are the same.
    package borrowing func askNew() throws(ServiceFailure) -> PIN {
        while true {
            let pin = try ask("new PIN")
            let again = try ask("new PIN again")
            if pin.isSame(as: again) { return pin }
            terminal.say("these were two different PINs\n")
        }
    }
}

extension SecretLine {
    /// nil for too few digits.
    package consuming func pin() -> PIN? {
        let count = count
        do throws(ParseError) { return try PIN(digits: bytes, count: count) } catch { return nil }
    }
}

extension PIN {
    fileprivate borrowing func isSame(as other: borrowing PIN) -> Bool {
        guard byteCount == other.byteCount else { return false }
        return withBytes { bytes in
            other.withBytes { others in
                bytes.indices.reduce(0) { $0 | bytes[$1] ^ others[$1] } == 0
            }
        }
    }
}
