import Dispenser

/// The cases of ``Refusal`` and ``Notice`` without what they carry: a new one does not compile here before it has a name, and
/// does not pass before ``WordsTests`` has words for it.
enum RefusalKind: CaseIterable {
    case notThisScheme
    case noSuchApplication
    case fileUnreadable
    case notYetValid
    case expired
    case blacklisted
    case pinWrong
    case pinBlocked
    case pinNotTyped
    case pinMalformed
    case pinCancelled
    case pinNotTried
    case consoleGone
    case keypadGone
    case lockedForGood
    case greyElsewhere
    case numbersUsedUp
    case notEnoughMoney
    case targetTooSmall
    case clockNotSet
    case clockBehind
    case journalFull
    case journalNotCounted
    case noNumber
    case cardKind
    case emergencyStop
    case drained
    case blocked
    case sideLocked
    case totalsNotKept
    case module
    case noKey
    case purchaseUnproven
    case debitUnproven
    case earlierSaleOwed
    case servedElsewhere
    case refundedUndelivered
    case noPetrolCommands
    case petrolCommandsHidden
    case purchaseRepeated
    case tornPurchases
    case purchasesPaused
    case answer
    case answerMalformed
    case recordDamaged

    init(_ refusal: Refusal) {
        self =
            switch refusal {
            case .notThisScheme: .notThisScheme
            case .noSuchApplication: .noSuchApplication
            case .fileUnreadable: .fileUnreadable
            case .notYetValid: .notYetValid
            case .expired: .expired
            case .blacklisted: .blacklisted
            case .pinWrong: .pinWrong
            case .pinBlocked: .pinBlocked
            case .pinNotTyped: .pinNotTyped
            case .pinMalformed: .pinMalformed
            case .pinCancelled: .pinCancelled
            case .pinNotTried: .pinNotTried
            case .consoleGone: .consoleGone
            case .keypadGone: .keypadGone
            case .lockedForGood: .lockedForGood
            case .greyElsewhere: .greyElsewhere
            case .numbersUsedUp: .numbersUsedUp
            case .notEnoughMoney: .notEnoughMoney
            case .targetTooSmall: .targetTooSmall
            case .clockNotSet: .clockNotSet
            case .clockBehind: .clockBehind
            case .journalFull: .journalFull
            case .journalNotCounted: .journalNotCounted
            case .noNumber: .noNumber
            case .cardKind: .cardKind
            case .emergencyStop: .emergencyStop
            case .drained: .drained
            case .blocked: .blocked
            case .sideLocked: .sideLocked
            case .totalsNotKept: .totalsNotKept
            case .module: .module
            case .noKey: .noKey
            case .purchaseUnproven: .purchaseUnproven
            case .debitUnproven: .debitUnproven
            case .earlierSaleOwed: .earlierSaleOwed
            case .servedElsewhere: .servedElsewhere
            case .refundedUndelivered: .refundedUndelivered
            case .noPetrolCommands: .noPetrolCommands
            case .petrolCommandsHidden: .petrolCommandsHidden
            case .purchaseRepeated: .purchaseRepeated
            case .tornPurchases: .tornPurchases
            case .purchasesPaused: .purchasesPaused
            case .answer: .answer
            case .answerMalformed: .answerMalformed
            case .recordDamaged: .recordDamaged
            }
    }
}

enum NoticeKind: CaseIterable {
    case insertCard
    case readingCard
    case typePIN
    case liftNozzle
    case fuelling
    case cardGone
    case readerGone
    case otherCard
    case settling
    case settlingEarlierSale
    case earlierSaleSettled
    case removeCard
    case refused
    case cardFault
    case escaped
    case readerLost
    case pumpMissing
    case notArmed
    case parametersRefused
    case identification
    case program
    case pulserFaults
    case strayFaults
    case pulserWorn
    case meterStopped
    case emergency
    case emergencyOver
    case strayFlow
    case fuelDoesNotStop
    case heldForCheckpoint
    case interrupted
    case journalNearlyFull
    case recovered
    case waitForTheirCards
    case releasedElsewhere
    case prepaying
    case prepaid
    case prepaidCardGone
    case refund
    case purchaseVoid
    case damagedRow
    case totalsDiffer
    case totalsMadeAnew
    case totalsNotWritten
    case totalsKeptAgain
    case closed

    init(_ notice: Notice) {
        self =
            switch notice {
            case .insertCard: .insertCard
            case .readingCard: .readingCard
            case .typePIN: .typePIN
            case .liftNozzle: .liftNozzle
            case .fuelling: .fuelling
            case .cardGone: .cardGone
            case .readerGone: .readerGone
            case .otherCard: .otherCard
            case .settling: .settling
            case .settlingEarlierSale: .settlingEarlierSale
            case .earlierSaleSettled: .earlierSaleSettled
            case .removeCard: .removeCard
            case .refused: .refused
            case .cardFault: .cardFault
            case .escaped: .escaped
            case .readerLost: .readerLost
            case .pumpMissing: .pumpMissing
            case .notArmed: .notArmed
            case .parametersRefused: .parametersRefused
            case .identification: .identification
            case .program: .program
            case .pulserFaults: .pulserFaults
            case .strayFaults: .strayFaults
            case .pulserWorn: .pulserWorn
            case .meterStopped: .meterStopped
            case .emergency: .emergency
            case .emergencyOver: .emergencyOver
            case .strayFlow: .strayFlow
            case .fuelDoesNotStop: .fuelDoesNotStop
            case .heldForCheckpoint: .heldForCheckpoint
            case .interrupted: .interrupted
            case .journalNearlyFull: .journalNearlyFull
            case .recovered: .recovered
            case .waitForTheirCards: .waitForTheirCards
            case .releasedElsewhere: .releasedElsewhere
            case .prepaying: .prepaying
            case .prepaid: .prepaid
            case .prepaidCardGone: .prepaidCardGone
            case .refund: .refund
            case .purchaseVoid: .purchaseVoid
            case .damagedRow: .damagedRow
            case .totalsDiffer: .totalsDiffer
            case .totalsMadeAnew: .totalsMadeAnew
            case .totalsNotWritten: .totalsNotWritten
            case .totalsKeptAgain: .totalsKeptAgain
            case .closed: .closed
            }
    }
}
