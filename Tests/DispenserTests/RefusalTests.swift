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

@Suite("What is refused before fuel flows")
struct RefusalTests {
    private func visit(_ prepare: (TestStation) throws -> Void) throws -> TestStation {
        let station = try TestStation()
        try prepare(station)
        station.site.after(1) { [unowned station] _ in station.reader.insert() }
        station.site.after(3) { $0.setNozzle(lifted: true) }
        station.site.after(100) { [unowned station] _ in station.reader.pull() }
        station.site.after(200) { $0.post(.stopRequested) }
        #expect(station.run() == nil)
        return station
    }

    private func expectNoFuel(_ station: TestStation) {
        #expect(!station.log.entries.contains("valve opens"))
        #expect(station.site.trueCounts == 0)
        #expect(station.reader.image.balance == Amount(fen: 50_000))
    }

    @Test("a wrong MAC1 ends the sale before the lock", arguments: 0..<32)
    func mac1(bit: Int) throws {
        let station = try visit { station in
            station.reader.faults[.initializeForPetrol] = [
                .answer { bytes in flipped(bytes, byte: 12 + bit / 8, bit: bit % 8) }
            ]
        }
        expectNoFuel(station)
        #expect(station.display.refusals == [.module(.mac1Wrong)])
        #expect(station.records.isEmpty)
        #expect(station.reader.image.grey == nil)
    }

    @Test("a wrong MAC3 ends the sale before the valve opens, and the card can be released", arguments: 0..<32)
    func mac3(bit: Int) throws {
        let station = try visit { station in
            station.reader.faults[.lockForPetrol] = [
                .answer { bytes in flipped(bytes, byte: 4 + bit / 8, bit: bit % 8) }
            ]
        }
        expectNoFuel(station)
        #expect(station.display.refusals == [.module(.mac3Wrong)])
        #expect(station.records.map(\.kind) == [.cardFault])
        #expect(station.greyRecords.map(\.state) == [.open])
        station.site.after(10) { [unowned station] _ in station.reader.insert() }
        station.site.after(100) { $0.post(.stopRequested) }
        station.run()
        #expect(station.reader.image.grey == nil)
    }

    @Test(
        "an answer cut short ends the sale before the valve opens, with the reason shown",
        arguments: [Instruction.readBinary, .initializeForPetrol, .lockForPetrol, .getGreyStatus, .select, .verify]
    )
    func cutShort(instruction: Instruction) throws {
        // The longest answer is that of READ BINARY, 30 bytes and the status word.
        for length in 0..<32 {
            let station = try visit { station in
                station.reader.faults[instruction] = [.answer { Array($0.prefix(min(length, $0.count - 1))) }]
            }
            expectNoFuel(station)
            let isShown = station.display.notices.contains {
                switch $0 {
                case .refused, .cardFault: true
                case _: false
                }
            }
            #expect(isShown, "\(instruction.name), \(length) bytes")
        }
    }

    @Test("a wrong PIN is asked for again until none is left, and the card is not locked")
    func wrongPIN() throws {
        let station = try visit { $0.pin.typed = ["000000", "111111", "222222"] }
        expectNoFuel(station)
        #expect(
            station.display.refusals == [.pinWrong(triesLeft: 2), .pinWrong(triesLeft: 1), .pinBlocked]
        )
        #expect(station.reader.image.pinTriesLeft == 0)
    }

    @Test("a second try with the right PIN sells")
    func secondPIN() throws {
        let station = try visit { station in
            station.pin.typed = ["000000"]
            station.settings.limit = Preset(centilitres: 500)
        }
        #expect(station.display.refusals == [.pinWrong(triesLeft: 2)])
        #expect(station.records.first?.phase == .settled)
    }

    @Test("a card on the list of blocked cards is refused before its PIN is asked for")
    func blacklisted() throws {
        let station = try visit { $0.settings.blacklist = [$0.reader.image.file.asn] }
        expectNoFuel(station)
        #expect(station.display.refusals == [.blacklisted])
        #expect(station.pin.asked == 0)
    }

    @Test("less than one litre's price is not enough")
    func noMoney() throws {
        let station = try TestStation(balance: 784)
        station.site.after(1) { [unowned station] _ in station.reader.insert() }
        station.site.after(100) { $0.post(.stopRequested) }
        station.run()
        #expect(
            station.display.refusals == [.notEnoughMoney(balance: Amount(fen: 784), needed: Amount(fen: 785))]
        )
        #expect(station.reader.image.grey == nil)
    }

    @Test("less than the least quantity's price is not enough where that is more than a litre's")
    func noMoneyForTheLeastQuantity() throws {
        for (balance, isServed) in [(3_924 as UInt32, false), (3_925, true)] {
            let station = try TestStation(balance: balance)
            station.settings.minimumQuantity = Volume(centilitres: 500)
            station.scheduleRefuel(centilitres: 500)
            station.run()
            let refusal = Refusal.notEnoughMoney(balance: Amount(fen: balance), needed: Amount(fen: 3_925))
            #expect(station.display.refusals == (isServed ? [] : [refusal]))
            #expect(station.reader.image.balance == (isServed ? .zero : Amount(fen: balance)))
        }
    }

    @Test(
        "a preset below the least quantity refuses every card",
        arguments: [
            (Preset(centilitres: 499), 499), (Preset(amount: Amount(fen: 3_924)), 499),
            (Preset(amount: Amount(fen: 10_000), centilitres: 200), 200),
        ]
    )
    func presetTooSmall(preset: Preset, centilitres: Int) throws {
        for payment in [PaymentMode.greyLock, .prepaid(preset)] {
            let station = try visit {
                $0.settings.minimumQuantity = Volume(centilitres: 500)
                $0.settings.payment = payment
                if payment == .greyLock { $0.settings.preset = preset }
            }
            expectNoFuel(station)
            let refusal = Refusal.targetTooSmall(centilitres: centilitres, least: 500)
            #expect(!station.display.refusals.isEmpty && station.display.refusals.allSatisfy { $0 == refusal })
        }
    }

    @Test("a limit of the side below the least quantity refuses every card")
    func limitTooSmall() throws {
        let station = try visit {
            $0.settings.minimumQuantity = Volume(centilitres: 500)
            $0.settings.limit = Preset(centilitres: 499)
        }
        expectNoFuel(station)
        #expect(station.display.refusals.first == .targetTooSmall(centilitres: 499, least: 500))
    }

    @Test("a sale that ended below the least quantity says so", arguments: [0, 1, 499, 500])
    func endedBelowTheLeastQuantity(centilitres: Int) throws {
        let station = try TestStation()
        station.settings.minimumQuantity = Volume(centilitres: 500)
        station.scheduleRefuel(centilitres: centilitres)
        station.run()
        let record = try #require(station.records.first)
        #expect(record.phase == .settled && record.reading.volume == Volume(centilitres: centilitres))
        let remark = "less than the least quantity, 5.00 L"
        #expect(record.remark == ((1..<500).contains(centilitres) ? remark : nil))
    }

    @Test("a journal with less room than 16 records refuses cards")
    func journalFull() throws {
        let station = try visit { $0.journal.edge.roomIs = 15 }
        expectNoFuel(station)
        #expect(station.display.refusals.allSatisfy { $0 == .journalFull(room: 15) })
        // At the start, at the visit, and when the card is gone.
        #expect(station.display.refusals.count == 3)
    }
}
