/// Why a request is not done. The code is for programs and never changes; the words are for people.
package struct RequestRefusal: Error, Equatable, Sendable {
    package enum Code: String, CaseIterable, Sendable {
        /// The line is no JSON object in UTF-8.
        case notAnObject = "not-an-object"
        case lineTooLong = "line-too-long"
        case memberTwice = "member-twice"
        case memberUnknown = "member-unknown"
        case memberMissing = "member-missing"
        case memberWrong = "member-wrong"
        case commandUnknown = "command-unknown"
        /// It is one for the control socket.
        case readOnly = "read-only"
        case tooManyClients = "too-many-clients"
        case tooManyOrders = "too-many-orders"
        /// The same key came before, with another order.
        case keyUsed = "key-used"
        /// Another order took it back before it was done.
        case takenBack = "taken-back"
        /// The service has not opened its journal yet.
        case starting
        case stopping
        case noSuchSide = "no-such-side"
        case noSuchRecord = "no-such-record"
        /// It is not finished, or its card still owes what it says.
        case recordOpen = "record-open"
        /// The parts of the list are not what was said of them, or did not come in their order.
        case listWrong = "list-wrong"
        /// The file of grey records was changed, is none, or is of another scheme.
        case greysWrong = "greys-wrong"
        /// The terminal has no master key.
        case noKey = "no-key"
        case storage
    }

    package let code: Code
    package let words: String

    package init(_ code: Code, _ words: String) {
        self.code = code
        self.words = words
    }

    var json: JSON { .object([JSON.Member("code", .text(code.rawValue)), JSON.Member("words", .text(words))]) }
}
