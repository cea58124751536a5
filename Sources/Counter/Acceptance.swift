package import FuelPassbook
package import Quantities

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
