package import CardCryptography
package import FuelPassbook
package import Quantities

/// MAC2 is made: the command that carries it may be on its way, and the card may have done it or not.
package struct Authorised<Command: PassbookCommand & Sendable>: ~Copyable, Sendable {
    package let command: Command
    private let balance: Amount
    private let expected: MAC
    private let otherwise: IssuerError

    init(command: Command, balance: Amount, expected: MAC, otherwise: IssuerError) {
        self.command = command
        self.balance = balance
        self.expected = expected
        self.otherwise = otherwise
    }

    /// Checks the card's MAC3 or TAC, answered or fetched by GET TRANSACTION PROVE: only then has the money moved.
    ///
    /// - Returns: the card's balance now.
    package consuming func verify(_ proof: MAC) throws(IssuerError) -> Amount {
        guard expected.isValid(proof) else { throw otherwise }
        return balance
    }
}
