import Dispenser
import FuelPassbook
import Metering
import Quantities
import Records
import SecurityModule
import Station
import TestPrograms
import Testing
import Words

struct ReceiptTests {
    private func record(_ kind: RecordKind) throws -> Record {
        let time = try TransactionTime(date: CalendarDate(year: 2026, month: 6, day: 1), hour: 8, minute: 0, second: 0)
        let fields = RecordFields(
            number: RecordNumber(12),
            kind: kind,
            phase: kind == .escape || kind == .cardFault ? .escaped : .settled,
            side: 1,
            terminal: TerminalID(0x31),
            begun: time,
            standing: CardStanding(
                card: Demonstration.applicationFile.asn,
                key: KeyReference(index: KeyIndex(1), version: KeyVersion(1)),
                balance: Amount(fen: 50_000),
                ctc: CTC(3)
            ),
            mac3: nil,
            delivery: Delivery(
                nozzle: 1,
                grade: "92",
                unitPrice: UnitPrice(fenPerLitre: 785),
                reading: MeterReading(counts: [400], volume: Volume(centilitres: 100), faults: PulserFaults())
            ),
            amount: Amount(fen: kind == .noCard || kind == .test ? 0 : 785),
            gmac: nil
        )
        return try fields.completed()
    }

    @Test(arguments: [
        (RecordKind.sale, "sale", "paid             7.85 yuan"),
        (.escape, "escaped sale", "not paid         7.85 yuan"),
        (.localUnlock, "local unlock", "paid             7.85 yuan"),
        (.onlineUnlock, "online unlock notice", "not paid         7.85 yuan"),
        (.noCard, "no-card sale", "not by card      7.85 yuan"),
        (.cardFault, "card fault", "not paid         7.85 yuan"),
        (.prepaid, "prepaid sale", "paid             7.85 yuan"),
        (.refund, "refund", "refund           7.85 yuan"),
    ])
    func aReceiptSaysItsKindInWords(kind: RecordKind, words: String, amount: String) throws {
        let lines = try record(kind).receiptLines(balance: nil, Language.english.vocabulary)
        #expect(lines.contains(words))
        #expect(lines.contains(amount), "\(lines)")
        #expect(
            lines.count { $0.hasPrefix("paid") || $0.hasPrefix("not paid") || $0.hasPrefix("refund  ") }
                == (kind == .noCard || kind == .test ? 0 : 1)
        )
    }

    @Test func aChineseReceiptIsAlignedByColumns() throws {
        let lines = try record(.noCard).receiptLines(balance: Amount(fen: 49_215), Language.chinese.vocabulary)
        #expect(
            lines == [
                "终端 000000000031，加油位 1，记录 12", "非卡加油", "日期        2026-06-01 08:00:00", "卡号        ****0000",
                "油品 92，油枪 1", "油量             1.00 升", "单价             7.85 元/升", "非卡付款         7.85 元",
                "余额           492.15 元",
            ]
        )
    }
}
