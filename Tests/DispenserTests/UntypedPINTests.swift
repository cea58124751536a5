import CardApplication
import Dispenser
import FuelPassbook
import ISO7816
import Records
import Simulation
import Testing

@Suite("A PIN that nobody has just typed")
struct UntypedPINTests {
    /// Visits of one card, a minute apart.
    private func station(visits: Int) throws -> TestStation {
        let station = try TestStation()
        station.settings.limit = Preset(centilitres: 100)
        station.site.after(3) { $0.setNozzle(lifted: true) }
        for visit in 0..<visits {
            station.site.after(Double(1 + 60 * visit)) { [unowned station] _ in station.reader.insert() }
            station.site.after(Double(50 + 60 * visit)) { [unowned station] _ in station.reader.pull() }
        }
        station.site.after(Double(60 * visits)) { $0.post(.stopRequested) }
        return station
    }

    private func presented(_ station: TestStation) -> Int {
        station.log.entries.filter { $0 == Instruction.verify.name }.count
    }

    @Test("a wrong one is presented once a visit, and not to a card with one try left")
    func onceAVisit() throws {
        let station = try station(visits: 5)
        station.pin.isTyped = false
        station.pin.typed = Array(repeating: "000000", count: 10)
        station.run()
        #expect(presented(station) == 2)
        #expect(station.reader.image.pinTriesLeft == 1)
        let notTried = Refusal.pinNotTried(triesLeft: 1)
        #expect(
            station.display.refusals
                == [.pinWrong(triesLeft: 2), .pinWrong(triesLeft: 1), notTried, notTried, notTried]
        )
        #expect(station.records.isEmpty)
    }

    @Test("a right one serves, also after a wrong one, and then nothing is known against the card")
    func right() throws {
        let station = try station(visits: 2)
        station.pin.isTyped = false
        station.pin.typed = ["000000"]
        station.run()
        #expect(station.display.refusals == [.pinWrong(triesLeft: 2)])
        #expect(station.reader.image.pinTriesLeft == 3)
        #expect(station.records.map(\.phase) == [.settled])
    }

    @Test("a typed one is asked for again down to the last try")
    func typed() throws {
        let station = try station(visits: 1)
        station.pin.typed = ["000000", "111111"]
        station.run()
        #expect(station.display.refusals == [.pinWrong(triesLeft: 2), .pinWrong(triesLeft: 1)])
        #expect(station.records.map(\.phase) == [.settled])
    }

    @Test("one that is kept for the sale is presented to its card once, when the card calls it wrong")
    func kept() throws {
        let station = try TestStation()
        station.settings.limit = Preset(centilitres: 1_000)
        var comings = 0
        station.display.onProgress = { [unowned station] shown in
            guard shown >= 500, comings == 0 else { return }
            comings = 1
            station.reader.pull()
            station.reader.faults[.verify] = Array(
                repeating: .status(.verificationFailed(triesLeft: 2)),
                count: 5
            )
            for second in 1...4 {
                station.site.after(Double(2 * second)) { [unowned station] _ in
                    station.reader.insert()
                    station.site.after(1) { [unowned station] _ in station.reader.pull() }
                }
            }
        }
        station.site.after(1) { [unowned station] _ in station.reader.insert() }
        station.site.after(3) { $0.setNozzle(lifted: true) }
        station.site.after(200) { $0.post(.stopRequested) }
        station.run()
        // The customer's own, and one by itself.
        #expect(presented(station) == 2)
        #expect(station.display.refusals.prefix(2) == [.pinWrong(triesLeft: 2), .pinNotTried(triesLeft: 2)])
        #expect(station.records.map(\.kind) == [.escape])
    }

    @Test("who cancels at the PIN gets the card back, and no try is taken")
    func cancelled() throws {
        let station = try station(visits: 1)
        var isFirst = true
        station.display.onNotice = { [unowned station] notice in
            guard notice == .typePIN, isFirst else { return }
            isFirst = false
            station.site.post(.pinCancelled)
        }
        station.run()
        #expect(presented(station) == 0)
        #expect(station.display.refusals == [.pinCancelled])
        #expect(station.display.notices.contains(.removeCard))
    }

    @Test("a console that is lost in mid-sale ends the service after the sale, not in it")
    func consoleLost() throws {
        let station = try station(visits: 2)
        var isLost = false
        station.display.onProgress = { [unowned station] shown in
            guard shown >= 50, !isLost else { return }
            isLost = true
            station.site.post(.consoleLost)
        }
        #expect(station.run() == nil)
        #expect(station.records.map(\.phase) == [.settled])
        #expect(station.display.notices.last == .closed)
        #expect(station.site.monotonicNanoseconds < 60_000_000_000)
    }

    @Test("a console that is lost while a PIN is asked for ends the visit")
    func consoleLostAtPIN() throws {
        let station = try station(visits: 2)
        station.display.onNotice = { [unowned station] notice in
            if notice == .typePIN { station.site.post(.consoleLost) }
        }
        #expect(station.run() == nil)
        #expect(station.display.refusals == [.consoleGone])
        #expect(station.records.isEmpty)
    }
}
