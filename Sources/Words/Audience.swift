package import Dispenser

extension Notice {
    /// Whether it is said to the customer. What only a technician can use is in the log alone, and the PIN's prompt is shown
    /// by whoever reads what is typed.
    package var isForCustomer: Bool {
        switch self {
        case .typePIN, .pulserFaults, .strayFaults, .pulserWorn, .strayFlow, .journalNearlyFull, .recovered,
            .waitForTheirCards,
            .damagedRow, .totalsDiffer, .totalsMadeAnew, .totalsNotWritten, .totalsKeptAgain:
            false
        case .insertCard, .readingCard, .liftNozzle, .fuelling, .cardGone, .readerGone, .otherCard, .settling,
            .settlingEarlierSale, .earlierSaleSettled, .removeCard, .refused, .cardFault, .escaped, .readerLost,
            .pumpMissing, .parametersRefused, .identification, .program, .notArmed, .meterStopped, .emergency,
            .emergencyOver,
            .fuelDoesNotStop,
            .heldForCheckpoint,
            .interrupted, .releasedElsewhere, .prepaying, .prepaid, .prepaidCardGone, .refund, .purchaseVoid, .closed:
            true
        }
    }
}
