import CardApplication
import Dispenser
import FuelPassbook
import ISO7816
import Metering
import Quantities
import Records
import SecurityModule
import Simulation
import Testing

@Suite("A card's visit, up to the lock")
struct VisitTests {
    private static let validFrom = 20
    private static let validTo = 24

    /// Card and nozzle for 100 s, at most 1 L.
    private func visit(_ prepare: (TestStation) throws -> Void) throws -> (TestStation, SideFailure?) {
        let station = try TestStation()
        station.settings.limit = Preset(centilitres: 100)
        try prepare(station)
        station.site.after(1) { [unowned station] _ in station.reader.insert() }
        station.site.after(3) { $0.setNozzle(lifted: true) }
        station.site.after(100) { [unowned station] _ in station.reader.pull() }
        station.site.after(200) { $0.post(.stopRequested) }
        return (station, station.run())
    }

    private func expectUntouched(_ station: TestStation, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(station.site.trueCounts == 0, sourceLocation: sourceLocation)
        #expect(station.records.isEmpty, sourceLocation: sourceLocation)
        #expect(station.reader.image.grey == nil, sourceLocation: sourceLocation)
        #expect(station.reader.image.balance == Amount(fen: 50_000), sourceLocation: sourceLocation)
    }

    @Test("a clock behind the last record serves no card until it is set")
    func clockBehind() throws {
        let before = try TestStation()
        before.scheduleRefuel(centilitres: 100)
        before.run()
        let last = try #require(try before.journal.edge.latestTime()).local
        // The same journal, and a board whose clock begins again at midnight.
        let (station, failure) = try visit { $0.journalIsReplaced(by: before.journal) }
        #expect(failure == nil)
        // Between the visits, and at the visit.
        #expect(station.display.refusals == [.clockBehind(last: last), .clockBehind(last: last)])
        #expect(station.site.trueCounts == 0 && station.records.count == 1)
        station.site.after(1_000) { [unowned station] _ in station.reader.insert() }
        station.site.after(1_100) { $0.post(.stopRequested) }
        station.run()
        #expect(station.records.map(\.phase) == [.settled, .settled])
    }

    @Test(
        "a card is served from its first day to its last, both included",
        arguments: [
            (validFrom, [0x20, 0x26, 0x06, 0x01], true), (validFrom, [0x20, 0x26, 0x06, 0x02], false),
            (validTo, [0x20, 0x26, 0x06, 0x01], true), (validTo, [0x20, 0x26, 0x05, 0x31], false),
        ] as [(Int, [UInt8], Bool)]
    )
    func validity(offset: Int, date: [UInt8], isServed: Bool) throws {
        let (station, _) = try visit { station in
            station.reader.faults[.readBinary] = [
                .answer { $0.prefix(offset) + date + $0.dropFirst(offset + date.count) }
            ]
        }
        let day = try CalendarDate(parsing: date)
        guard isServed else {
            expectUntouched(station)
            #expect(
                station.display.refusals == [offset == Self.validFrom ? .notYetValid(from: day) : .expired(on: day)]
            )
            return
        }
        #expect(station.records.map(\.phase) == [.settled])
    }

    @Test("a card of a kind that does not refuel here is refused before its PIN")
    func cardKind() throws {
        let (station, _) = try visit { $0.settings.cardKinds = [0x77] }
        expectUntouched(station)
        #expect(station.display.refusals == [.cardKind(station.reader.image.file.asn.kind)])
        #expect(station.pin.asked == 0)
    }

    @Test("below 48 free records it warns and sells, below 16 it does not sell", arguments: [48, 47, 16, 15])
    func journalRoom(room: Int) throws {
        let (station, _) = try visit { $0.journal.edge.roomIs = room }
        #expect(station.display.notices.contains(.journalNearlyFull(room: room)) == (room < 48))
        #expect(station.records.map(\.phase) == (room < 16 ? [] : [.settled]))
    }

    @Test(
        "a status word in place of an answer is named, and nothing is locked",
        arguments: [
            (.select, .applicationLockedForGood, .lockedForGood),
            (.select, .fileNotFound, .noSuchApplication(Demonstration.aid)),
            (.select, .functionNotSupported, .notThisScheme(.functionNotSupported)),
            (.readBinary, .fileNotFound, .notThisScheme(.fileNotFound)),
            (.getGreyStatus, .conditionsOfUseNotSatisfied, .answer(.getGreyStatus, .conditionsOfUseNotSatisfied)),
            (.verify, .authenticationMethodBlocked, .pinBlocked),
            (.verify, .applicationLockedForGood, .lockedForGood),
            (.verify, .wrongLength, .answer(.verify, .wrongLength)),
            (.initializeForPetrol, .counterAtMaximum, .numbersUsedUp),
            (.initializeForPetrol, .keyIndexNotSupported, .noKey(Demonstration.keyIndex)),
        ] as [(Instruction, StatusWord, Refusal)]
    )
    func status(instruction: Instruction, status: StatusWord, refusal: Refusal) throws {
        let (station, _) = try visit { $0.reader.faults[instruction] = [.status(status)] }
        expectUntouched(station)
        #expect(station.display.refusals == [refusal])
    }

    @Test("a purchase that the card refuses to begin is named, and nothing is paid")
    func purchaseRefused() throws {
        let (station, _) = try visit { station in
            station.settings.payment = .prepaid(Preset(centilitres: 100))
            station.reader.hasPetrolCommands = false
            station.reader.faults[.initializeForPurchase] = [.status(.conditionsOfUseNotSatisfied)]
        }
        expectUntouched(station)
        #expect(station.display.refusals == [.answer(.initializeForPurchase, .conditionsOfUseNotSatisfied)])
    }

    @Test("an ordinary purchase names the index that the card has no key of")
    func purchaseKeyMissing() throws {
        let (station, _) = try visit { station in
            station.settings.payment = .prepaid(Preset(centilitres: 100))
            station.reader.hasPetrolCommands = false
            station.reader.faults[.initializeForPurchase] = [.status(.keyIndexNotSupported)]
        }
        expectUntouched(station)
        #expect(station.display.refusals == [.noKey(Demonstration.keyIndex)])
    }

    @Test("without a preset and a limit the card's balance is the limit")
    func balanceIsTheLimit() throws {
        let station = try TestStation(balance: 2_000)
        station.settings.limit = Preset()
        station.scheduleRefuel(centilitres: 1_000)
        station.run()
        // 2.54 L are 19.94 yuan, 2.55 L are 20.02.
        #expect(station.records.map(\.reading.volume.shownCentilitres) == [254])
        #expect(station.reader.image.balance == Amount(fen: 2_000 - 1_994))
    }

    @Test("a card that waits for the sale before it is not served when the service stops")
    func stopWithACardWaiting() throws {
        let (station, failure) = try visitInterrupted { station in
            station.site.post(.stopRequested)
            station.site.post(.reader(.cardInserted))
        }
        expectUntouched(station)
        #expect(failure == nil)
        #expect(station.pin.asked == 1)
        #expect(station.display.notices.last == .closed)
    }

    // MARK: - While the PIN is asked for

    /// What comes between the question and the answer, the first time.
    private func visitInterrupted(
        atPIN event: @escaping (TestStation) -> Void
    ) throws -> (TestStation, SideFailure?) {
        try visit { station in
            var isFirst = true
            station.display.onNotice = { [unowned station] notice in
                guard notice == .typePIN, isFirst else { return }
                isFirst = false
                event(station)
            }
        }
    }

    @Test("a PIN that is none is said so and asked for again")
    func pinRefused() throws {
        let (station, _) = try visitInterrupted { $0.site.post(.pinRefused(.tooShort)) }
        #expect(station.display.refusals == [.pinMalformed(.tooShort)])
        #expect(station.pin.asked == 2)
        #expect(station.records.map(\.phase) == [.settled])
    }

    @Test("without a PIN in time the visit ends")
    func pinNotTyped() throws {
        let (station, _) = try visit { $0.pin.typed = ["1"] }
        expectUntouched(station)
        #expect(station.display.refusals == [.pinNotTyped])
    }

    @Test("a card that leaves, a stop and a pump that fails end the question", arguments: 0..<3)
    func pinInterrupted(event: Int) throws {
        let broken = PumpFault(reason: "the line is gone")
        let (station, failure) = try visitInterrupted { station in
            switch event {
            case 0: station.reader.pull()
            case 1: station.site.post(.stopRequested)
            case _: station.site.post(.pumpFailed(broken))
            }
        }
        expectUntouched(station)
        #expect(failure == (event == 2 ? .pump(broken) : nil))
        #expect(station.display.notices.contains(.cardFault(.removed)) == (event == 0))
    }

    @Test("a pump that fails between sales ends the side")
    func pumpFailsWhenIdle() throws {
        let broken = PumpFault(reason: "the line is gone")
        let (station, failure) = try visit { $0.site.post(.pumpFailed(broken)) }
        expectUntouched(station)
        #expect(failure == .pump(broken))
    }
}
