import Dispenser
import FuelPassbook
import Metering
import Quantities
import Records
import Simulation
import Testing

/// The pump closes by itself, or stood still: what the customer reads, what the record says, and whether the side sells on.
@Suite("When the pump ends a sale by itself")
struct MeterStopTests {
    /// 267 counts a second: 3.8 s fill the queue of 1,024 edges.
    @Test("frozen for 25 s: closed, settled at what was counted, said from when to when, with what was lost")
    func frozen() throws {
        let station = try TestStation()
        station.scheduleRefuel(centilitres: 3_000)
        var at = 0
        station.site.after(8) { site in
            at = site.trueCounts
            site.freeze(seconds: 25)
        }
        station.run()
        let record = try #require(station.records.first)
        let flowed = station.site.trueCounts - at
        #expect(flowed > 6_000)
        #expect(record.phase == .settled)
        #expect(record.reading.counts[0] <= at + 1_024 && record.reading.counts[0] >= at + 1_000)
        let lost = record.reading.faults.sequenceGaps.reduce(0, +)
        #expect(lost == flowed - 1_024)
        #expect(
            record.remark
                == "the service stood still from 00:00:08 to 00:00:33 with the valves open: settled at what was counted; "
                + "\(lost) edges of the pulser were lost"
        )
        #expect(station.display.notices.contains(.meterStopped(.frozen(milliseconds: 25_000))))
        // What was counted is right: the side sells on.
        #expect(try station.journal.edge.lock(of: 1) == nil)
        #expect(station.site.snapshot.outputs == [])
        expectBalanced(station)
    }

    @Test("frozen for 2 s: the queue held everything, and the sale ends all the same")
    func frozenShortly() throws {
        let station = try TestStation()
        station.scheduleRefuel(centilitres: 3_000)
        station.site.after(8) { $0.freeze(seconds: 2) }
        station.run()
        let record = try #require(station.records.first)
        #expect(record.reading.counts == [station.site.trueCounts] && record.reading.faults.total == 0)
        #expect(record.remark?.hasSuffix("settled at what was counted") == true)
    }

    @Test("half a second is no freeze")
    func hiccup() throws {
        let station = try TestStation()
        station.scheduleRefuel(centilitres: 3_000)
        station.site.after(8) { $0.freeze(seconds: 0.5) }
        station.run()
        #expect(station.records.map(\.reading.volume) == [Volume(centilitres: 3_000)])
        #expect(station.records.first?.remark == nil)
    }

    @Test("a prepaid sale that froze is refunded for what was not counted")
    func frozenPrepaid() throws {
        let station = try prepaidStation(Preset(centilitres: 3_000))
        station.scheduleRefuel(centilitres: 3_000)
        station.site.after(8) { $0.freeze(seconds: 25) }
        station.run()
        #expect(station.records.map(\.kind) == [.prepaid, .refund])
        #expect(station.records.first?.remark?.contains("stood still") == true)
        expectBalanced(station)
    }

    @Test("the nozzle is hung up while the service stands still: nothing is open afterwards")
    func hungUpMeanwhile() throws {
        let station = try TestStation()
        station.scheduleRefuel(centilitres: 6_000)
        station.site.after(8) { $0.freeze(seconds: 25) }
        station.site.after(10) { $0.setNozzle(lifted: false) }
        station.run()
        #expect(!station.site.snapshot.nozzleIsLifted && station.site.snapshot.outputs == [])
        #expect(station.records.first?.phase == .settled)
    }

    @Test("swapped channels: closed within 5 cl, nothing charged, locked under the name of the cause")
    func swapped() throws {
        let station = try TestStation()
        station.site.swapChannels()
        station.scheduleRefuel(centilitres: 1_000)
        station.run()
        let record = try #require(station.records.first)
        #expect(station.site.trueCounts <= 20 && record.amount == .zero)
        #expect(record.remark?.contains("A and B are swapped") == true)
        #expect(try station.journal.edge.lock(of: 1)?.reason.contains("A and B are swapped") == true)
        #expect(station.display.notices.contains(.meterStopped(.swapped)))
        station.scheduleRefuel(centilitres: 1_000)
        station.run()
        guard case .sideLocked = station.display.refusals.last else {
            Issue.record("the next card was served")
            return
        }
    }

    @Test("who asks a side what it is, is told; a closed one stays closed", arguments: [false, true])
    func asked(isClosed: Bool) throws {
        let station = try TestStation()
        let identification = SoftwareIdentification(
            version: "1.2.3",
            program: [UInt8](repeating: 0xA5, count: SoftwareIdentification.hashLength),
            parametersVersion: 7,
            parameters: [UInt8](repeating: 0x5A, count: SoftwareIdentification.hashLength)
        )
        station.settings.identification = identification
        if isClosed { station.site.swapChannels() }
        station.scheduleRefuel(centilitres: 1_000)
        station.run()
        station.site.post(.identificationAsked)
        station.site.post(.stopRequested)
        station.run()
        let shown = try #require(station.display.notices.firstIndex(of: .identification(identification)))
        #expect(station.display.states[shown] == (isClosed ? .closed : .idle))
    }

    @Test("edges that the queue dropped weigh what they are: 11 close and lock the side")
    func lostInQueue() throws {
        for (edges, locks) in [(10, false), (11, true)] {
            let station = try TestStation()
            station.scheduleRefuel(centilitres: 1_000)
            station.site.after(8) { $0.loseInQueue(edges: edges) }
            station.run()
            let record = try #require(station.records.first)
            #expect(record.reading.faults.total == edges)
            #expect(try (station.journal.edge.lock(of: 1) != nil) == locks)
            #expect(record.phase == .settled)
        }
    }

    @Test("a channel that loses pulses in flow is seen without numbers")
    func silentLosses() throws {
        let station = try TestStation()
        station.scheduleRefuel(centilitres: 1_000)
        for tenth in 0..<6 {
            station.site.after(6 + Double(tenth) / 2) { $0.loseSilently(edges: 2, of: .b) }
        }
        station.run()
        let record = try #require(station.records.first)
        #expect(record.reading.faults.silentEdges == [0, 12])
        #expect(record.remark?.contains("pulser faults") == true)
    }
}

@Suite("An emergency stop between two visits")
struct EmergencyNoticeTests {
    private func says(_ station: TestStation) -> [Notice] {
        station.display.notices.filter { [.insertCard, .emergency, .emergencyOver].contains($0) }
    }

    @Test("while it lasts nobody is asked for a card; when it is over, that is said")
    func idle() throws {
        let station = try TestStation()
        station.site.after(10) { $0.setEmergency(active: true) }
        station.site.after(200) { $0.setEmergency(active: false) }
        station.site.after(220) { $0.post(.stopRequested) }
        station.run()
        #expect(says(station) == [.insertCard, .emergency, .emergencyOver, .insertCard])
    }

    @Test("one that stands at the start is said at the start")
    func atTheStart() throws {
        let station = try TestStation()
        station.site.setEmergency(active: true)
        station.site.after(20) { $0.post(.stopRequested) }
        station.run()
        #expect(!says(station).isEmpty && says(station).allSatisfy { $0 == .emergency })
    }

    @Test("in mid-sale it is said at once, and goes on when the sale is paid")
    func inMidSale() throws {
        let station = try TestStation()
        station.scheduleRefuel(centilitres: 1_000)
        station.site.after(8) { $0.setEmergency(active: true) }
        station.run()
        #expect(station.records.first?.phase == .settled)
        #expect(says(station).first == .insertCard && says(station).dropFirst().allSatisfy { $0 == .emergency })
        #expect(says(station).count >= 3)
    }
}
