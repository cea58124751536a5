package import FuelPassbook
package import ISO7816
package import Quantities

/// Who decided something by hand, and why; both as typed.
package struct Signature: Equatable, Sendable {
    package static let bytesMax = 200

    package let name: String
    package let reason: String

    /// - Throws: `.wrongLength` for one that is empty or longer than 200 bytes.
    package init(name: String, reason: String) throws(ParseError) {
        guard (1...Self.bytesMax).contains(name.utf8.count) else { throw .wrongLength("name") }
        guard (1...Self.bytesMax).contains(reason.utf8.count) else { throw .wrongLength("reason") }
        self.name = name
        self.reason = reason
    }
}

/// What stopped the counter, and somebody says that it is right. The counter goes on from there.
package struct Acceptance: Equatable, Sendable {
    package enum Subject: Equatable, Sendable {
        /// The clock, which is behind the book's last line.
        case clock
        /// The book, which is not the one that its mark saw last, or has no mark.
        case book
        /// The card's next online number, which the book does not account for.
        case card(ApplicationSerialNumber, OnlineNumber)
    }

    /// Of the same row as those of entries.
    package let id: UInt32
    package let subject: Subject
    package let time: TransactionTime
    package let signature: Signature
}
