import CardApplication
import CardCryptography
import Dispenser
import FuelPassbook
import ISO7816
import Metering
import Quantities
import Records
import SecurityModule
import Simulation
import Testing

@Suite("Prepaid against a customer with a shim")
struct ShimPrepaidTests {
    private let price = Amount(fen: 3_925)

    private func prepaid(_ plan: @escaping (CommandAPDU, Shim.Card) -> ResponseAPDU?) throws -> (TestStation, Shim) {
        let station = try prepaidStation(Preset(centilitres: 500))
        let shim = Shim(station)
        shim.plan = plan
        station.scheduleRefuel(centilitres: 500)
        station.run()
        station.rest()
        return (station, shim)
    }

    @Test("arbitrary bytes as the answer to the prepaid debit: no fuel, and the card then pays and is refunded all")
    func arbitraryDebit() throws {
        let (station, _) = try prepaid { command, _ in command.is(.debitForPetrol) ? Shim.arbitrary : nil }
        #expect(station.site.trueCounts == 0)
        #expect(station.records.map(\.phase) == [.escaped])
        station.expectOwed(price)
        station.reader.shim = nil
        station.visitAndStop()
        #expect(station.records.map(\.kind) == [.prepaid, .localUnlock, .refund])
        #expect(station.records.last?.amount == price && station.records.last?.settles == RecordNumber(1))
        #expect(station.reader.image.grey == nil)
        expectBalanced(station)
    }

    @Test("a prepaid debit that the card executed unheard: no fuel, and all of it is refunded once", arguments: 0..<3)
    func executedUnheard(way: Int) throws {
        let station = try prepaidStation(Preset(centilitres: 500))
        station.reader.faults[.debitForPetrol] = [
            [.pulledAfter, .status(.macInvalid), .answer { flipped($0, byte: 5, bit: 1) }][way]
        ]
        station.scheduleRefuel(centilitres: 500)
        station.run()
        #expect(station.site.trueCounts == 0)
        for _ in 0..<2 {
            station.rest()
            station.settings.payment = .greyLock
            station.visitAndStop()
        }
        #expect(station.records.first?.kind == .prepaid && station.records.first?.phase == .settled)
        #expect(station.records.filter { $0.kind == .refund }.map(\.amount) == [price])
        expectBalanced(station)
    }

    @Test("a lock that was not answered owes nothing, and takes nothing")
    func lockUnanswered() throws {
        for fault in [ExchangeFault.pulledBefore, .pulledAfter] {
            let station = try prepaidStation(Preset(centilitres: 500))
            station.reader.faults[.lockForPetrol] = [fault]
            station.scheduleRefuel(centilitres: 500)
            station.run()
            for _ in 0..<2 { station.visitAndStop() }
            #expect(station.reader.image.grey == nil)
            #expect(station.greyRecords.allSatisfy { $0.state != .open })
            expectBalanced(station)
        }
    }

    @Test("a GMAC of a sale is no payment of a prepaid one: the card with petrol commands is locked and debited")
    func gmacIsNoPayment() throws {
        let (station, _) = try prepaid { command, card in
            // He offers the ordinary purchase, and the GMAC that he hears as its MAC2.
            command.is(.debitForPetrol) ? ResponseAPDU(data: [0, 0, 0, 0] + command.data.suffix(4)) : nil
        }
        #expect(station.site.trueCounts == 0)
        #expect(!station.log.entries.contains("INITIALIZE FOR PURCHASE"))
        station.expectOwed(price)
    }

    @Test("a card that was locked here has petrol commands, whatever it says")
    func petrolCommandsHidden() throws {
        let station = try prepaidStation(Preset(centilitres: 500))
        station.scheduleRefuel(centilitres: 500)
        station.run()
        station.rest()
        let flowed = station.site.trueCounts
        station.reader.hasPetrolCommands = false
        station.scheduleRefuel(centilitres: 500)
        station.run()
        #expect(station.display.refusals == [.petrolCommandsHidden])
        #expect(station.site.trueCounts == flowed)
        station.settings.payment = .greyLock
        station.visitAndStop()
        #expect(station.display.refusals.last == .noPetrolCommands)
    }

    /// A shim that answers for a card of any number, without a card.
    private func foreign(_ station: TestStation, last: UInt8, ctc: UInt16 = 5) {
        station.reader.hasPetrolCommands = false
        station.reader.shim = { bytes, card in
            let answer = card(bytes)
            switch bytes[1] {
            case 0xB0: return ResponseAPDU(data: answer.data.prefix(19) + [last] + answer.data.suffix(10))
            case 0x50:
                let balance: [UInt8] = [0, 0, 0xFF, 0xFF]
                return ResponseAPDU(data: balance + ctc.bytes + [0, 0, 0, 1, 0, 9, 9, 9, 9])
            case 0x54: return Shim.arbitrary
            case _: return answer
            }
        }
    }

    @Test("MACs for foreign serial numbers: each purchase that is not proven makes the next wait longer")
    func foreignNumbers() throws {
        let station = try prepaidStation(Preset(centilitres: 100))
        var second = 1.0
        for visit in 0..<200 {
            station.site.after(second) { [unowned station] _ in
                let number = UInt8(10 + visit % 80)
                foreign(station, last: number / 10 << 4 | number % 10)
                station.reader.insert()
            }
            station.site.after(second + 4) { [unowned station] _ in station.reader.pull() }
            second += 5
        }
        station.stop(at: second + 5)
        station.run()
        let torn = station.records.filter { $0.phase == .torn }
        // 1,000 s: after 10, 20, 40, 80, 160, 320 s.
        #expect((1...8).contains(torn.count), "\(torn.count) torn records")
        let isPaused = station.display.refusals.contains { if case .purchasesPaused = $0 { true } else { false } }
        #expect(isPaused)
        #expect(station.site.trueCounts == 0)
    }

    @Test("one card has at most three torn purchases, and no number is bought with twice")
    func tornLimit() throws {
        let station = try prepaidStation(Preset(centilitres: 100))
        for ctc in UInt16(5)..<9 {
            foreign(station, last: 0x77, ctc: ctc)
            station.visitAndStop()
        }
        #expect(station.records.count == Self.tornMax)
        #expect(station.display.refusals.last == .tornPurchases(Self.tornMax))

        let honest = try prepaidStation(Preset(centilitres: 100), hasPetrolCommands: false)
        honest.scheduleRefuel(centilitres: 100)
        honest.run()
        honest.rest()
        var replayed: ResponseAPDU?
        honest.reader.shim = { bytes, card in
            let answer = card(bytes)
            guard bytes[0] == 0x80, bytes[1] == 0x50 else { return answer }
            replayed = ResponseAPDU(data: answer.data.prefix(4) + [0, 0] + answer.data.dropFirst(6))
            return replayed ?? answer
        }
        honest.scheduleRefuel(centilitres: 100)
        honest.run()
        #expect(replayed != nil)
        #expect(honest.display.refusals.last == .purchaseRepeated)
    }

    private static let tornMax = 3
}
