import Codes
import Console
package import Dispenser
import FuelPassbook
package import Logging
import Metering
package import Quantities
package import Records
import Words

/// The side's display in the service's log: each event, each standing notice once, and the running sale litre by
/// litre. No line has a whole card number.
package final class LogDisplay: SideDisplay {
    private let log: Logger
    private let vocabulary = Language.technical.vocabulary
    private var shown: (state: SideState, notice: Notice)?
    private var shownLitres = 0

    package init(log: Logger) { self.log = log }

    package func show(_ state: SideState, _ notice: Notice) {
        if let shown, shown.state == state, shown.notice == notice, notice.isStanding { return }
        shown = (state, notice)
        shownLitres = 0
        log.log(
            notice.level,
            notice.code,
            cause: notice.cause,
            "\(vocabulary.words(notice))",
            metadata: ["state": "\(state.rawValue)"]
        )
    }

    package func show(_ state: SideState, centilitres: Int, fen: Int, unitPrice: UnitPrice) {
        guard centilitres / 100 > shownLitres else { return }
        shownLitres = centilitres / 100
        log.info(
            "\(litres(centilitres: centilitres)) L, \(yuan(fen: fen)) yuan",
            metadata: ["state": "\(state.rawValue)"]
        )
    }

    package func printReceipt(_ record: Record, balance: Amount?) {
        var metadata: Logger.Metadata = [
            "ttc": "\(record.number.value)", "kind": "\(vocabulary.words(record.kind))",
            "card": "\(record.card.masked)",
            "litres": "\(litres(centilitres: record.reading.volume.shownCentilitres))",
            "yuan": "\(yuan(fen: Int(record.amount.fen)))",
            "\(record.mac2IsValid == nil ? "mac4" : "mac2")": record.answerIsAuthentic == true ? "valid" : "NOT VALID",
        ]
        if let balance { metadata["balance"] = "\(yuan(fen: Int(balance.fen)))" }
        if record.nonCardPart > .zero { metadata["not-paid-by-card"] = "\(yuan(fen: Int(record.nonCardPart.fen)))" }
        if record.undelivered > .zero { metadata["refund-due"] = "\(yuan(fen: Int(record.undelivered.fen)))" }
        if let settles = record.settles { metadata["settles-ttc"] = "\(settles.value)" }
        log.notice(.service(.paid), "paid", metadata: metadata)
    }
}

extension Notice {
    var level: Logger.Level {
        switch self {
        case .insertCard, .readingCard, .typePIN, .liftNozzle, .fuelling, .settling, .removeCard, .prepaying,
            .prepaid, .prepaidCardGone, .closed:
            .info
        case .emergencyOver, .identification, .program, .settlingEarlierSale, .earlierSaleSettled, .otherCard,
            .cardGone,
            .refused, .refund,
            .purchaseVoid,
            .releasedElsewhere, .totalsKeptAgain:
            .notice
        case .escaped, .recovered, .cardFault, .readerLost, .readerGone, .pumpMissing, .notArmed, .parametersRefused,
            .pulserFaults,
            .journalNearlyFull, .strayFlow, .strayFaults, .pulserWorn, .meterStopped, .emergency, .fuelDoesNotStop,
            .heldForCheckpoint, .interrupted, .waitForTheirCards, .damagedRow, .totalsDiffer,
            .totalsMadeAnew, .totalsNotWritten:
            .warning
        }
    }
}
