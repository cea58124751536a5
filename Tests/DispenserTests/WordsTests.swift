import Dispenser
import FuelPassbook
import ISO7816
import Metering
import Quantities
import Records
import SecurityModule
import Testing

/// What is said tells two situations apart, and names the figure that somebody has to act on.
@Suite("The position's words")
struct WordsTests {
    private static let amount = Amount(fen: 12_345)

    private static let row = DamagedRow(table: "numbering", keyName: "journal", key: 1, column: nil, reason: "is gone")

    private static let state = DamagedRow(
        table: "journal_state",
        keyName: "copy",
        key: 1,
        column: nil,
        reason: "is gone"
    )

    private func time() throws -> TransactionTime {
        try TransactionTime(date: CalendarDate(year: 2026, month: 5, day: 4), hour: 3, minute: 2, second: 1)
    }

    private func refusals() throws -> [(Refusal, String)] {
        let day = try CalendarDate(year: 2026, month: 5, day: 4)
        let lock = PositionLock(position: 3, since: try time(), reason: "11 pulser faults in one sale")
        return [
            (.noSuchApplication([0xF0, 0x50, 0x45]), "no application F05045"),
            (.notThisScheme(.fileNotFound), "\(StatusWord.fileNotFound)"), (.fileUnreadable(.invalid("ASN")), "ASN"),
            (.notYetValid(from: day), "\(day)"), (.expired(on: day), "\(day)"), (.blacklisted, "issuer"),
            (.pinWrong(triesLeft: 2), "2 tries left"), (.pinBlocked, "issuer"), (.pinNotTyped, "PIN"),
            (.pinMalformed("at least 4 digits"), "at least 4 digits"),
            (.pinCancelled, "cancelled"), (.pinNotTried(triesLeft: 1), "1 try left"), (.consoleGone, "console"),
            (.lockedForGood, "issuer"),
            (.greyElsewhere, "each of the other pumps"), (.numbersUsedUp, "issuer"),
            (.notEnoughMoney(balance: Self.amount, needed: Amount(fen: 54_321)), "123.45"), (.clockNotSet, "clock"),
            (.clockBehind(last: try time()), "\(try time())"), (.journalFull(room: 15), "15"), (.cardKind(0x7A), "7A"),
            (.emergencyStop, "emergency"), (.positionLocked(lock), "11 pulser faults"), (.module(.mac1Wrong), "MAC1"),
            (
                .positionLocked(PositionLock(position: 3, Self.row)),
                "numbering, journal 1: is gone; a technician opens it with greylock position --accept-journal"
            ),
            (.positionLocked(PositionLock(position: 3, Self.state)), "--accept-journal"),
            (.journalNotCounted, "counted"), (.noNumber("no TTC follows 9"), "no TTC follows 9"),
            (.module(.keyNotLoaded(KeyReference(index: KeyIndex(8), version: KeyVersion(9)))), "index 8, version 9"),
            (.module(.algorithmNotSupported(AlgorithmID(5))), "algorithm 5"), (.module(.mac2Wrong), "MAC2"),
            (.module(.mac3Wrong), "MAC3"), (.module(.sealBroken), "GMAC"),
            (.purchaseUnproven(Self.amount), "is not known"),
            (.debitUnproven(Self.amount), "did not prove that it paid 123.45"),
            (.earlierSaleOwed(Self.amount), "123.45 yuan is owed"),
            (.servedElsewhere(position: 3), "position 3"),
            (.refundedUndelivered(Self.amount), "the issuer refunds it"), (.noPetrolCommands, "paid before it flows"),
            (.petrolCommandsHidden, "hides its petrol commands"), (.purchaseRepeated, "repeats a purchase"),
            (.tornPurchases(5), "5 payments"), (.purchasesPaused(seconds: 40), "wait 40 s"),
            (.recordDamaged(Self.row), "numbering, journal 1: is gone"),
            (.answer(.verify, .wrongLength), "\(StatusWord.wrongLength)"),
            (.answerMalformed(.verify, .invalid("field")), Instruction.verify.name),
        ]
    }

    private func notices() throws -> [(Notice, String)] {
        let faults: [(CardFault, String)] = [
            (.removed, "removed"), (.reader("no service"), "no service"), (.inUse("shared"), "another program"),
            (.unresponsive("no ATR"), "no ATR"),
            (.malformed(.invalid("answer")), "answer"),
        ]
        let plain: [(Notice, String)] = [
            (.insertCard, "card"), (.readingCard, "card"), (.typePIN, "PIN"),
            (.liftNozzle(balance: Self.amount), "123.45"),
            (.fuelling, "valves"), (.cardGone(graceSeconds: 15), "15"),
            (.readerGone("start pcscd", graceSeconds: 15), "start pcscd; the sale waits 15 s"),
            (.pumpMissing("no chip"), "no chip"), (.otherCard, "wait"), (.settling, "paying"),
            (.settlingEarlierSale(Self.amount), "123.45"), (.earlierSaleSettled(Self.amount), "123.45"),
            (.removeCard, "card"), (.escaped(Self.amount), "123.45"), (.readerLost("plug it in"), "plug it in"),
            (.pulserFaults(11), "11"), (.strayFaults(12), "12"), (.emergency, "EMERGENCY"),
            (.emergencyOver, "released"),
            (.meterStopped(.reversed(counts: 81)), "81"), (.meterStopped(.swapped), "swapped"),
            (.meterStopped(.deadChannel(.a)), "channel A"), (.meterStopped(.deadChannel(.b)), "channel B"),
            (.meterStopped(.frozen(milliseconds: 25_000)), "25 s"),
            (.strayFlow(ttc: TTC(78), centilitres: 250), "250 cl"),
            (.fuelDoesNotStop, "valve"), (.heldForCheckpoint, "disk"),
            (.interrupted(Self.amount), "123.45"), (.journalNearlyFull(room: 47), "47"),
            (.recovered(ttc: TTC(77), amount: Self.amount), "77"), (.prepaying(Self.amount), "123.45"),
            (.waitForTheirCards(3), "3 debits"), (.releasedElsewhere(Self.amount), "123.45"),
            (.damagedRow(Self.row), "numbering, journal 1: is gone"),
            (.prepaid(Self.amount), "123.45"), (.prepaidCardGone, "paid"), (.refund(Self.amount), "123.45"),
            (.purchaseVoid(Self.amount), "123.45"), (.closed, "closed"),
        ]
        return try plain + faults.map { (.cardFault($0.0), $0.1) } + refusals().map { (.refused($0.0), $0.1) }
    }

    @Test("each notice has words of its own, with its figures in them")
    func words() throws {
        var said: [String: Notice] = [:]
        for (notice, figure) in try notices() {
            let text = "\(notice)"
            #expect(text.contains(figure), "\(text): no \(figure)")
            #expect(said.updateValue(notice, forKey: text) == nil, "\(text)")
        }
    }

    @Test("no notice and no refusal is left out")
    func everyCase() throws {
        let notices = try notices().map(\.0)
        #expect(Set(notices.map(NoticeKind.init)) == Set(NoticeKind.allCases))
        #expect(Set(try refusals().map { RefusalKind($0.0) }) == Set(RefusalKind.allCases))
    }

    @Test("a fault of the journal names what was done and why it failed")
    func storage() {
        let fault = StorageFault(operation: "commit", reason: "no space is left")
        #expect("\(fault)" == "journal, commit: no space is left")
    }
}
