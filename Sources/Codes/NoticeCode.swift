/// What is shown at a side. Most of them are no fault.
package enum NoticeCode: String, CaseIterable, Sendable {
    case insertCard = "insert-card"
    case readingCard = "reading-card"
    case typePIN = "type-pin"
    case liftNozzle = "lift-nozzle"
    case fuelling
    case cardGone = "card-gone"
    case readerGone = "reader-gone"
    case otherCard = "other-card"
    case settling
    case settlingEarlierSale = "settling-earlier-sale"
    case earlierSaleSettled = "earlier-sale-settled"
    case removeCard = "remove-card"
    case cardFault = "card-fault"
    case escaped
    case readerLost = "reader-lost"
    case pumpMissing = "pump-missing"
    case parametersRefused = "parameters-refused"
    case identification
    case program
    case notArmed = "not-armed"
    case pulserFaults = "pulser-faults"
    case strayFaults = "stray-faults"
    case pulserWorn = "pulser-worn"
    case meterStopped = "meter-stopped"
    case emergency
    case emergencyOver = "emergency-over"
    case strayFlow = "stray-flow"
    case fuelDoesNotStop = "fuel-does-not-stop"
    case heldForCheckpoint = "held-for-checkpoint"
    case interrupted
    case journalNearlyFull = "journal-nearly-full"
    case recovered
    case waitForTheirCards = "wait-for-their-cards"
    case releasedElsewhere = "released-elsewhere"
    case prepaying
    case prepaid
    case prepaidCardGone = "prepaid-card-gone"
    case refund
    case purchaseVoid = "purchase-void"
    case damagedRow = "damaged-row"
    case totalsDiffer = "totals-differ"
    case totalsMadeAnew = "totals-made-anew"
    case totalsNotWritten = "totals-not-written"
    case totalsKeptAgain = "totals-kept-again"
    case closed
}
