package import Dispenser
package import Records

/// All that is said in one language (<doc:0034-words>).
///
/// Each language switches over every case: a new notice or refusal does not compile before all of them have words for it.
package protocol Vocabulary: Sendable {
    // To whoever looks after the board.
    func words(_ state: SideState) -> String
    func words(_ notice: Notice) -> String
    func words(_ refusal: Refusal) -> String
    func words(_ kind: RecordKind) -> String

    // To the customer.
    /// Of ``Notice/typePIN`` the prompt; of any other that is not ``Notice/isForCustomer`` the same as for anybody.
    func customerWords(_ notice: Notice) -> String
    /// A call to the card has lasted too long.
    var cardDoesNotAnswer: String { get }
    /// While fuel flows.
    func meter(centilitres: Int, fen: Int) -> String
    func words(_ line: ReceiptLine) -> ReceiptWords
}
