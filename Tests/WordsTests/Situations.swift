import Codes
import Dispenser
import FuelPassbook
import ISO7816
import Metering
import Parameters
import Quantities
import Records
import SecurityModule
import Words

/// Every notice and refusal, with what its English words must name.
enum Situations {
    static let amount = Amount(fen: 12_345)

    static let row = DamagedRow(table: "numbering", keyName: "journal", key: 1, column: nil, reason: "is gone")

    static let state = DamagedRow(
        table: "journal_state",
        keyName: "copy",
        key: 1,
        column: nil,
        reason: "is gone"
    )

    static func time() throws -> TransactionTime {
        try TransactionTime(date: CalendarDate(year: 2026, month: 5, day: 4), hour: 3, minute: 2, second: 1)
    }

    static func refusals() throws -> [(Refusal, String)] {
        let day = try CalendarDate(year: 2026, month: 5, day: 4)
        let lock = SideLock(side: 3, since: try time(), reason: "11 pulser faults in one sale")
        return [
            (.noSuchApplication([0xF0, 0x50, 0x45]), "no application F05045"),
            (.notThisScheme(.fileNotFound), "\(StatusWord.fileNotFound)"), (.fileUnreadable(.invalid("ASN")), "ASN"),
            (.notYetValid(from: day), "\(day)"), (.expired(on: day), "\(day)"), (.blacklisted, "issuer"),
            (.pinWrong(triesLeft: 2), "2 tries left"), (.pinBlocked, "issuer"), (.pinNotTyped, "PIN"),
            (.pinMalformed(.tooShort), "a PIN is 4 to 12 digits"), (.pinMalformed(.tooLong), "too long"),
            (.pinMalformed(.noDigit), "only digits"), (.pinMalformed(.keysLost), "keys were lost"),
            (.pinCancelled, "cancelled"), (.pinNotTried(triesLeft: 1), "1 try left"), (.consoleGone, "console"),
            (.keypadGone("no keypad K"), "no keypad K"),
            (.lockedForGood, "issuer"),
            (.greyElsewhere, "each of the other pumps"), (.numbersUsedUp, "issuer"),
            (.notEnoughMoney(balance: amount, needed: Amount(fen: 54_321)), "123.45"), (.clockNotSet, "clock"),
            (.targetTooSmall(centilitres: 150, least: 200), "1.50"),
            (.targetTooSmall(centilitres: 160, least: 200), "2.00"),
            (.clockBehind(last: try time()), "\(try time())"), (.journalFull(room: 15), "15"), (.cardKind(0x7A), "7A"),
            (.totalsNotKept("no room"), "no room"),
            (.emergencyStop, "emergency"), (.drained, "greylock undrain"),
            (.blocked(SideBlock(side: 3, at: nil, user: "1000", reason: "nozzle hose leaks")), "nozzle hose leaks"),
            (.sideLocked(lock), "11 pulser faults"), (.module(.mac1Wrong), "MAC1"),
            (
                .sideLocked(SideLock(side: 3, row)),
                "numbering, journal 1: is gone; a technician opens it with greylock position --accept-journal"
            ),
            (.sideLocked(SideLock(side: 3, state)), "--accept-journal"),
            (.journalNotCounted, "counted"), (.noNumber("no number follows 9"), "no number follows 9"),
            (.module(.keyNotLoaded(KeyReference(index: KeyIndex(8), version: KeyVersion(9)))), "index 8, version 9"),
            (.noKey(KeyIndex(8)), "index 8"),
            (
                .module(
                    .holderFails(
                        KeyReference(index: KeyIndex(4), version: KeyVersion(5)),
                        "token greylock is not there"
                    )
                ), "index 4, version 5"
            ),
            (.module(.keyNotInUse(KeyReference(index: KeyIndex(6), version: KeyVersion(7)))), "index 6, version 7"),
            (.module(.algorithmNotSupported(AlgorithmID(5))), "algorithm 5"), (.module(.mac2Wrong), "MAC2"),
            (.module(.mac3Wrong), "MAC3"), (.module(.sealBroken), "GMAC"),
            (.purchaseUnproven(amount), "is not known"),
            (.debitUnproven(amount), "did not prove that it paid 123.45"),
            (.earlierSaleOwed(amount), "123.45 yuan is owed"),
            (.servedElsewhere(side: 3), "position 3"),
            (.refundedUndelivered(amount), "the issuer refunds it"), (.noPetrolCommands, "paid before it flows"),
            (.petrolCommandsHidden, "hides its petrol commands"), (.purchaseRepeated, "repeats a purchase"),
            (.tornPurchases(5), "5 payments"), (.purchasesPaused(seconds: 40), "wait 40 s"),
            (.recordDamaged(row), "numbering, journal 1: is gone"),
            (.answer(.verify, .wrongLength), "\(StatusWord.wrongLength)"),
            (.answerMalformed(.verify, .invalid("field")), Instruction.verify.name),
        ]
    }

    private static let identification = SoftwareIdentification(
        version: "1.2.3",
        program: [UInt8](repeating: 0xA5, count: SoftwareIdentification.hashLength),
        parametersVersion: 7,
        parameters: [UInt8](repeating: 0x5A, count: SoftwareIdentification.hashLength)
    )

    private static func difference(_ keeper: TotaliserKeeper) -> TotaliserDifference {
        func total(_ litres: Int) -> NozzleTotal {
            NozzleTotal(nozzle: 4, volume: Volume(centilitres: 100 * litres), fen: 700 * litres)
        }
        return TotaliserDifference(at: nil, keeper, from: total(900), to: total(1_000))
    }

    static func notices() throws -> [(Notice, String)] {
        let faults: [(CardFault, String)] = [
            (.removed, "removed"), (.reader("no service"), "no service"), (.inUse("shared"), "another program"),
            (.unresponsive("no ATR"), "no ATR"),
            (.malformed(.invalid("answer")), "answer"),
        ]
        let plain: [(Notice, String)] = [
            (.insertCard, "card"), (.readingCard, "card"), (.typePIN, "PIN"),
            (.liftNozzle(balance: amount), "123.45"),
            (.fuelling, "valves"), (.cardGone(graceSeconds: 15), "15"),
            (.readerGone("start pcscd", graceSeconds: 15), "start pcscd; the sale waits 15 s"),
            (.pumpMissing("no chip", cause: .chipMissing), "no chip"), (.notArmed, "greylock keys load"),
            (.identification(identification), "version 7, checksum 5A5A5A5A"),
            (.program(version: "9.8", hash: Array(repeating: 0xA5, count: 32)), String(repeating: "A5", count: 32)),
            (.parametersRefused(.missing), "greylock parameters import"),
            (.parametersRefused(.older(version: 2, known: 34)), "34"),
            (.parametersRefused(.gone(known: 56)), "--after-loss"), (.otherCard, "wait"),
            (.settling, "paying"),
            (.settlingEarlierSale(amount), "123.45"), (.earlierSaleSettled(amount), "123.45"),
            (.removeCard, "card"), (.escaped(amount), "123.45"), (.readerLost("plug it in"), "plug it in"),
            (.pulserFaults(11), "11"), (.strayFaults(12), "12"), (.pulserWorn(marginPercent: 21), "21"),
            (.emergency, "EMERGENCY"),
            (.emergencyOver, "released"),
            (.meterStopped(.reversed(counts: 81)), "81"), (.meterStopped(.swapped), "swapped"),
            (.meterStopped(.deadChannel(.a)), "channel A"), (.meterStopped(.deadChannel(.b)), "channel B"),
            (.meterStopped(.frozen(milliseconds: 25_000)), "25 s"),
            (.strayFlow(number: RecordNumber(78), centilitres: 250), "250 cl"),
            (.fuelDoesNotStop, "valve"), (.heldForCheckpoint, "disk"),
            (.interrupted(amount), "123.45"), (.journalNearlyFull(room: 47), "47"),
            (.recovered(number: RecordNumber(77), amount: amount), "77"), (.prepaying(amount), "123.45"),
            (.waitForTheirCards(3), "3 debits"), (.releasedElsewhere(amount), "123.45"),
            (.damagedRow(row), "numbering, journal 1: is gone"), (.totalsDiffer(difference(.journal)), "1000.00 L"),
            (.totalsDiffer(difference(.file)), "nozzle 4"), (.totalsDiffer(difference(.boardMemory)), "memory"),
            (.totalsMadeAnew(place: "file F", reason: nil), "file F"),
            (.totalsMadeAnew(place: "file F", reason: "no room"), "no room"),
            (.totalsNotWritten("no room"), "no room"), (.totalsKeptAgain("file F"), "file F"),
            (.prepaid(amount), "123.45"), (.prepaidCardGone, "paid"), (.refund(amount), "123.45"),
            (.purchaseVoid(amount), "123.45"), (.closed, "closed"),
        ]
        return try plain + faults.map { (.cardFault($0.0), $0.1) } + refusals().map { (.refused($0.0), $0.1) }
    }

    /// What other programs, the disk and the card say: it is quoted as it is.
    static let quoted = [
        "\(row)", "\(state)",
        "11 pulser faults in one sale", "nozzle hose leaks", "no number follows 9", "no service", "shared", "no ATR",
        "start pcscd",
        "no chip", "no room", "no keypad K", "file F",
        "plug it in", "journal_state", "numbering", "is gone", "copy", "journal 1", "ASN", "field", "answer", "F05045",
        "7A",
        "6A82", Instruction.verify.name,
    ]

    static func receipt() throws -> [ReceiptLine] {
        [
            .record(TerminalID(0x31), side: 2, RecordNumber(77)), .time(try time()), .card("****0042"),
            .settles(RecordNumber(12)),
            .fuel(grade: "92", nozzle: 4), .volume(centilitres: 1_234), .unitPrice(UnitPrice(fenPerLitre: 785)),
            .paid(amount), .notPaid(amount), .refund(amount), .refundDue(amount), .notByCard(amount), .balance(amount),
            .tac("0123"), .notAuthentic,
        ] + RecordKind.allCases.map { .kind($0) }
    }
}
