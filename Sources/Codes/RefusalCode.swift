/// Why a card is not served.
package enum RefusalCode: String, CaseIterable, Sendable {
    case notThisScheme = "not-this-scheme"
    case noSuchApplication = "no-such-application"
    case fileUnreadable = "file-unreadable"
    case notYetValid = "not-yet-valid"
    case expired
    case blacklisted
    case pinWrong = "pin-wrong"
    case pinBlocked = "pin-blocked"
    case pinNotTyped = "pin-not-typed"
    case pinMalformed = "pin-malformed"
    case pinCancelled = "pin-cancelled"
    case pinNotTried = "pin-not-tried"
    case consoleGone = "console-gone"
    case keypadGone = "keypad-gone"
    case lockedForGood = "locked-for-good"
    case greyElsewhere = "grey-elsewhere"
    case numbersUsedUp = "numbers-used-up"
    case notEnoughMoney = "not-enough-money"
    case targetTooSmall = "target-too-small"
    case clockNotSet = "clock-not-set"
    case clockBehind = "clock-behind"
    case journalFull = "journal-full"
    case journalNotCounted = "journal-not-counted"
    case noNumber = "no-number"
    case cardKind = "card-kind"
    case emergencyStop = "emergency-stop"
    case drained
    case blocked
    case sideLocked = "side-locked"
    case totalsNotKept = "totals-not-kept"
    case module
    case noKey = "no-key"
    case purchaseUnproven = "purchase-unproven"
    case debitUnproven = "debit-unproven"
    case earlierSaleOwed = "earlier-sale-owed"
    case servedElsewhere = "served-elsewhere"
    case refundedUndelivered = "refunded-undelivered"
    case noPetrolCommands = "no-petrol-commands"
    case petrolCommandsHidden = "petrol-commands-hidden"
    case purchaseRepeated = "purchase-repeated"
    case tornPurchases = "torn-purchases"
    case purchasesPaused = "purchases-paused"
    case answer
    case answerMalformed = "answer-malformed"
    case recordDamaged = "record-damaged"
}
