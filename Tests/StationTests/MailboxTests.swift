import Dispenser
import ISO7816
import Metering
import Station
import Testing
import Threads

@Suite("The mailbox")
struct MailboxTests {
    private func rest(_ mailbox: Mailbox) -> [SideEvent] {
        var events: [SideEvent] = []
        while let event = mailbox.next(until: MonotonicClock.nanoseconds) { events.append(event) }
        return events
    }

    @Test("a stop is not lost in a full mailbox, comes first and comes once")
    func stop() {
        let mailbox = Mailbox()
        for _ in 0..<3 * Mailbox.eventsMax { mailbox.post(.pump(.pulserFault)) }
        mailbox.post(.stopRequested)
        for _ in 0..<3 * Mailbox.eventsMax { mailbox.post(.pump(.strayFlow)) }
        for _ in 0..<6 { mailbox.requestStop() }
        let events = rest(mailbox)
        #expect(events.first == .stopRequested)
        #expect(events.filter { $0 == .stopRequested }.count == 1)
        #expect(events.count <= Mailbox.eventsMax + 1)
    }

    @Test("a full mailbox keeps how things are: the last of each kind, in their order")
    func fullOfEvents() {
        let mailbox = Mailbox()
        for _ in 0..<Mailbox.eventsMax / 2 {
            mailbox.post(.reader(.cardRemoved))
            mailbox.post(.reader(.cardInserted))
        }
        mailbox.post(.pump(.nozzle(lifted: true)))
        mailbox.post(.reader(.lost("gone")))
        for _ in 0..<Mailbox.eventsMax { mailbox.post(.pump(.pulserFault)) }
        mailbox.post(.pump(.nozzle(lifted: false)))
        mailbox.post(.pumpFailed(PumpFault(reason: "wire")))
        let events = rest(mailbox)
        #expect(events.last == .pumpFailed(PumpFault(reason: "wire")))
        #expect(events.last { if case .pump(.nozzle) = $0 { true } else { false } } == .pump(.nozzle(lifted: false)))
        let cards = events.filter { event in
            switch event {
            case .reader(.cardInserted), .reader(.cardRemoved), .reader(.lost): true
            case _: false
            }
        }
        #expect(cards.last == .reader(.lost("gone")))
        #expect(events.count <= Mailbox.eventsMax)
    }
}
