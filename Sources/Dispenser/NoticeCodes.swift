// Stable names of what is said: a program reads them, and they never change (<doc:0061-line-protocol>).

package import Codes
package import ISO7816
package import Metering
package import Parameters
package import SecurityModule

extension Notice {
    /// Of a refusal, its own.
    package var code: EventCode {
        switch self {
        case .insertCard: .notice(.insertCard)
        case .readingCard: .notice(.readingCard)
        case .typePIN: .notice(.typePIN)
        case .liftNozzle: .notice(.liftNozzle)
        case .fuelling: .notice(.fuelling)
        case .cardGone: .notice(.cardGone)
        case .readerGone: .notice(.readerGone)
        case .otherCard: .notice(.otherCard)
        case .settling: .notice(.settling)
        case .settlingEarlierSale: .notice(.settlingEarlierSale)
        case .earlierSaleSettled: .notice(.earlierSaleSettled)
        case .removeCard: .notice(.removeCard)
        case .refused(let refusal): .refusal(refusal.code)
        case .cardFault: .notice(.cardFault)
        case .escaped: .notice(.escaped)
        case .readerLost: .notice(.readerLost)
        case .pumpMissing: .notice(.pumpMissing)
        case .parametersRefused: .notice(.parametersRefused)
        case .identification: .notice(.identification)
        case .program: .notice(.program)
        case .notArmed: .notice(.notArmed)
        case .pulserFaults: .notice(.pulserFaults)
        case .strayFaults: .notice(.strayFaults)
        case .pulserWorn: .notice(.pulserWorn)
        case .meterStopped: .notice(.meterStopped)
        case .emergency: .notice(.emergency)
        case .emergencyOver: .notice(.emergencyOver)
        case .strayFlow: .notice(.strayFlow)
        case .fuelDoesNotStop: .notice(.fuelDoesNotStop)
        case .heldForCheckpoint: .notice(.heldForCheckpoint)
        case .interrupted: .notice(.interrupted)
        case .journalNearlyFull: .notice(.journalNearlyFull)
        case .recovered: .notice(.recovered)
        case .waitForTheirCards: .notice(.waitForTheirCards)
        case .releasedElsewhere: .notice(.releasedElsewhere)
        case .prepaying: .notice(.prepaying)
        case .prepaid: .notice(.prepaid)
        case .prepaidCardGone: .notice(.prepaidCardGone)
        case .refund: .notice(.refund)
        case .purchaseVoid: .notice(.purchaseVoid)
        case .damagedRow: .notice(.damagedRow)
        case .totalsDiffer: .notice(.totalsDiffer)
        case .totalsMadeAnew: .notice(.totalsMadeAnew)
        case .totalsNotWritten: .notice(.totalsNotWritten)
        case .totalsKeptAgain: .notice(.totalsKeptAgain)
        case .closed: .notice(.closed)
        }
    }
}

extension Refusal {
    package var code: RefusalCode {
        switch self {
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

// What lies behind a notice's or refusal's own code, where there is more to be said than one code can.
extension Notice {
    package var cause: EventCode? {
        switch self {
        case .refused(.module(let error)): .card(error.code)
        case .cardFault(let fault): .card(fault.code)
        case .parametersRefused(let refusal): .parameters(refusal.code)
        case .meterStopped(let stop): .pump(stop.code)
        case .pumpMissing(_, let cause): .pump(cause)
        case .insertCard, .readingCard, .typePIN, .liftNozzle, .fuelling, .cardGone, .readerGone, .otherCard, .settling,
            .settlingEarlierSale, .earlierSaleSettled, .removeCard, .refused, .escaped, .readerLost,
            .identification, .program, .notArmed, .pulserFaults, .strayFaults, .pulserWorn, .emergency, .emergencyOver,
            .strayFlow, .fuelDoesNotStop, .heldForCheckpoint, .interrupted, .journalNearlyFull, .recovered,
            .waitForTheirCards, .releasedElsewhere, .prepaying, .prepaid, .prepaidCardGone, .refund, .purchaseVoid,
            .damagedRow, .totalsDiffer, .totalsMadeAnew, .totalsNotWritten, .totalsKeptAgain, .closed:
            nil
        }
    }
}

extension CardFault {
    package var code: CardCode {
        switch self {
        case .removed: .cardRemoved
        case .reader: .cardReaderFailed
        case .inUse: .cardInUse
        case .unresponsive: .cardUnresponsive
        case .malformed: .cardMalformed
        }
    }
}

extension SecurityModuleError {
    package var code: CardCode {
        switch self {
        case .keyNotLoaded: .keyNotLoaded
        case .keyNotInUse: .keyNotInUse
        case .holderFails: .keyHolderFails
        case .algorithmNotSupported: .algorithmNotSupported
        case .mac1Wrong: .mac1Wrong
        case .mac2Wrong: .mac2Wrong
        case .mac3Wrong: .mac3Wrong
        case .sealBroken: .sealBroken
        }
    }
}

extension ParameterRefusal {
    package var code: ParameterCode {
        switch self {
        case .missing: .parametersMissing
        case .unreadable: .parametersUnreadable
        case .broken: .parametersBroken
        case .otherTerminal: .parametersOtherTerminal
        case .noSet: .parametersNoSet
        case .otherBoard: .parametersOtherBoard
        case .wrongCode: .parametersWrongCode
        case .otherKey: .parametersOtherKey
        case .gone: .parametersGone
        case .older: .parametersOlder
        case .replaced: .parametersReplaced
        case .loweredCounter: .parametersLoweredCounter
        case .unknownHistory: .parametersUnknownHistory
        case .otherWiring: .parametersOtherWiring
        }
    }
}

extension MeterStop {
    package var code: PumpCode {
        switch self {
        case .reversed: .meterReversed
        case .swapped: .meterSwapped
        case .deadChannel: .meterDeadChannel
        case .frozen: .meterFrozen
        }
    }
}
