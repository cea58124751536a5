import Dispenser
import FuelPassbook
import ISO7816
import Metering
import Quantities
import Records
import SecurityModule

/// What must hold of each record by itself, worked out again from its counts as anyone can who has the calibration.
struct RecordBooks {
    /// More than this beyond the card's money never flows: the cut-off stops before, and the overrun is small.
    private static let beyondMax = Volume(centilitres: 25)

    private(set) var calibrations: [RecordNumber: Calibration] = [:]
    private var refunded: Set<RecordNumber> = []

    /// Sales in which nobody was there to close at the target, or the meter could not know that it was reached.
    var beyondTarget: Set<RecordNumber> = []

    /// An older copy of the journal was put in its place.
    mutating func forgets(_ store: MemoryJournal) {
        refunded = Set(store.records.values.filter { $0.kind == .refund }.compactMap(\.settles))
    }

    /// The first entry of a number.
    mutating func begin(
        _ record: Record,
        _ entry: JournalEntry,
        _ store: MemoryJournal,
        under calibration: Calibration,
        _ fail: (String) -> Void
    ) {
        calibrations[record.number] = calibration
        guard record.kind == .refund, let settles = record.settles else { return }
        if !refunded.insert(settles).inserted { fail("sale \(settles.value) is refunded twice") }
        let sale = entry.records.first { $0.number == settles } ?? store.records[settles]
        if sale?.card != record.card { fail("sale \(settles.value) is refunded to another card") }
    }

    /// Fuel has flowed for the record, or it is over without.
    func check(_ record: Record, _ entry: JournalEntry, _ fail: (String) -> Void) {
        checkVolume(record, fail)
        let centilitres = (record.reading.volume.microlitres + 5_000) / 10_000
        let price = (centilitres * record.unitPrice.fenPerLitre + 50) / 100
        switch record.kind {
        case .noCard: checkParts(record, cardPays: 0, of: price, fail)
        case .test: checkParts(record, cardPays: 0, of: 0, fail)
        case .prepaid where record.phase != .settled: checkParts(record, cardPays: 0, of: price, fail)
        case .prepaid:
            let refund = entry.records.reduce(0) { $0 + ($1.settles == record.number ? Int($1.amount.fen) : 0) }
            let kept = Int(record.amount.fen) - refund
            if kept != min(price, Int(record.amount.fen)) {
                fail("sale \(record.number.value) keeps \(kept) of \(price) fen")
            }
            checkParts(record, cardPays: kept, of: price, fail)
        case .sale, .escape, .cardFault:
            let due = min(price, Int(record.balanceBefore.fen))
            if Int(record.amount.fen) != due {
                fail("sale \(record.number.value) asks \(record.amount.fen) for \(due) fen")
            }
            checkParts(record, cardPays: due, of: price, fail)
        case .localUnlock, .onlineUnlock, .refund: fail("fuel flows for record \(record.number.value)")
        }
    }

    /// A grey record that is given up has its notice, in the same entry.
    func check(_ grey: GreyRecord, _ entry: JournalEntry, _ fail: (String) -> Void) {
        guard grey.state == .elsewhere else { return }
        let notices = entry.records.filter { $0.kind == .onlineUnlock && $0.settles == grey.number }
        guard let notice = notices.first, notices.count == 1, notice.amount == grey.amount, notice.card == grey.card
        else {
            return fail("grey record \(grey.number.value) is given up without its notice")
        }
    }

    /// What a card paid before fuel flowed is what flowed, or owed to it.
    func checkRefund(of sale: Record, _ store: MemoryJournal, _ fail: (String) -> Void) {
        let refund = store.records.values.reduce(0) {
            $0 + ($1.kind == .refund && $1.settles == sale.number ? Int($1.amount.fen) : 0)
        }
        if Int(sale.amount.fen) != min(Int(sale.price.fen), Int(sale.amount.fen)) + refund {
            fail("sale \(sale.number.value) was paid, and what did not flow is not refunded")
        }
    }

    private func checkVolume(_ record: Record, _ fail: (String) -> Void) {
        guard let calibration = calibrations[record.number] else { return }
        guard record.reading.counts.count == calibration.points.count else {
            return fail("sale \(record.number.value) has not the counts of its calibration points")
        }
        let exact = zip(record.reading.counts, calibration.points).reduce(0) { sum, part in
            sum + part.0 * 1_000_000_000_000 / (calibration.countsPerLitre * part.1.factorMillionths)
        }
        if abs(exact - record.reading.volume.microlitres) > 2 {
            fail("the volume of sale \(record.number.value) is not counts over factor")
        }
    }

    private func checkParts(_ record: Record, cardPays: Int, of price: Int, _ fail: (String) -> Void) {
        let rest = Int(record.nonCardPart.fen)
        if cardPays + rest != price { fail("sale \(record.number.value) does not cost what its record says") }
        guard record.kind != .noCard, !beyondTarget.contains(record.number) else { return }
        if rest > record.unitPrice.fen(forCentilitres: Self.beyondMax.shownCentilitres) {
            fail("sale \(record.number.value) went on beyond what its card can pay")
        }
    }
}

extension Record {
    /// Fuel may still flow, or have flowed, for the record.
    var isBeforeEnd: Bool {
        switch phase {
        case .intent, .locked, .paid: true
        case .debitSent: kind == .prepaid
        case .flowing, .torn, .ended, .settled, .escaped, .void: false
        }
    }

    /// Whether it says that its card paid `amount`.
    var isPayment: Bool {
        guard phase == .settled else { return false }
        return switch kind {
        case .sale, .localUnlock, .prepaid: true
        case .escape, .cardFault, .refund, .noCard, .onlineUnlock, .test: false
        }
    }

    /// Everything in it that is not a number.
    var writtenBytes: [UInt8] {
        let codes = [
            gmac?.sealed, mac3, lock?.tac, debitTAC, purchaseTender?.purchase.icc.bytes, remark.map { Array($0.utf8) },
        ]
        return codes.compactMap(\.self).flatMap(\.self)
    }
}
