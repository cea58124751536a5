import Dispatch
import Dispenser
import Foundation
import ISO7816
import PCSC
import TestPrograms
import Testing
import VirtualCards

extension WithPCSCD {
    @Suite struct ReaderMonitorTests {
        private let events = EventLog()

        @Test func aCardThatComesGoesAndComesIsReported() throws {
            let daemon = try CardDaemon(port: CardDaemon.freePorts())
            let monitor = ReaderMonitor(name: "Virtual PCD", post: events.post)
            let first = try ServedCard(port: daemon.port, .t1)
            #expect(events.next() == .cardInserted)
            try first.pull()
            #expect(events.next() == .cardRemoved)
            let second = try ServedCard(port: daemon.port, .t0)
            #expect(events.next() == .cardInserted)
            monitor.stop()
            try second.pull()
            daemon.stop()
            #expect(events.isEmpty)
        }

        @Test func aCardThatIsThereAtTheStartIsReported() throws {
            let daemon = try CardDaemon(port: CardDaemon.freePorts())
            let earlier = ReaderMonitor(name: "Virtual PCD", post: events.post)
            let card = try ServedCard(port: daemon.port, .t1)
            #expect(events.next() == .cardInserted)
            earlier.stop()
            let later = ReaderMonitor(name: "Virtual PCD", post: events.post)
            #expect(events.next() == .cardInserted)
            later.stop()
            try card.pull()
            daemon.stop()
        }

        @Test func pcscdThatStartsLaterIsFound() throws {
            CardDaemon.nameSocket()
            let monitor = ReaderMonitor(name: "Virtual PCD", post: events.post)
            let loss = try events.nextLoss()
            #expect(loss.contains("start pcscd"), "\(loss)")
            let daemon = try CardDaemon(port: CardDaemon.freePorts())
            #expect(events.nextAfterLosses() == .back)
            let card = try ServedCard(port: daemon.port, .t1)
            #expect(events.next() == .cardInserted)
            try card.pull()
            #expect(events.next() == .cardRemoved)
            monitor.stop()
            daemon.stop()
        }

        @Test func pcscdThatCrashesIsLostOnceAndFoundAgain() throws {
            let port = try CardDaemon.freePorts()
            let daemon = try CardDaemon(port: port)
            let monitor = ReaderMonitor(name: "Virtual PCD", post: events.post)
            let card = try ServedCard(port: port, .t1)
            #expect(events.next() == .cardInserted)
            daemon.stop()
            let loss = try events.nextLoss()
            #expect(loss.contains("start pcscd"), "\(loss)")
            try card.pull()
            let again = try CardDaemon(port: port)
            #expect(events.nextAfterLosses() == .back)
            monitor.stop()
            again.stop()
            #expect(events.isEmpty)
        }

        @Test func pcscdWithoutAReaderIsALoss() throws {
            let port = try CardDaemon.freePorts()
            let daemon = try CardDaemon(port: port, withReaders: false)
            let monitor = ReaderMonitor(name: "Virtual PCD", post: events.post)
            #expect(try events.nextLoss() == "no card reader: plug it in")
            daemon.stop()
            let again = try CardDaemon(port: port)
            #expect(events.nextAfterLosses() == .back)
            monitor.stop()
            again.stop()
        }

        @Test func aReaderOfAnotherNameIsNamedInTheLoss() throws {
            let daemon = try CardDaemon(port: CardDaemon.freePorts())
            let monitor = ReaderMonitor(name: "Gemalto", post: events.post)
            let text = try events.nextLoss()
            #expect(text.contains("\"Gemalto\"") && text.contains("Virtual PCD 00 00, Virtual PCD 00 01"))
            monitor.stop()
            daemon.stop()
        }

        @Test(arguments: 0..<20)
        func stopReturnsWhereverTheThreadIs(round: Int) throws {
            let daemon = try round % 2 == 0 ? CardDaemon(port: CardDaemon.freePorts()) : nil
            let monitor = ReaderMonitor(name: "Virtual PCD", post: events.post)
            if round % 4 == 1 { _ = try events.nextLoss() }
            let stopped = DispatchSemaphore(value: 0)
            Thread.detachNewThread {
                monitor.stop()
                monitor.stop()
                stopped.signal()
            }
            try stopped.wait(for: "the end of the monitor")
            daemon?.stop()
        }
    }
}

struct ReaderPresenceTests {
    @Test func aCardThatLeftAndCameBetweenTwoLooksIsBoth() {
        var presence = ReaderPresence()
        #expect(presence.seen(isCardPresent: true, cardEvents: 7) == [.cardInserted])
        #expect(presence.seen(isCardPresent: true, cardEvents: 7) == [])
        #expect(presence.seen(isCardPresent: true, cardEvents: 9) == [.cardRemoved, .cardInserted])
        #expect(presence.seen(isCardPresent: false, cardEvents: 10) == [.cardRemoved])
        #expect(presence.seen(isCardPresent: false, cardEvents: 12) == [])
        #expect(presence.seen(isCardPresent: true, cardEvents: 13) == [.cardInserted])
    }

    @Test func aLossIsSaidOnceForEachCauseAndTakesTheCardAlong() {
        var presence = ReaderPresence()
        #expect(presence.lost("a") == [.lost("a")])
        #expect(presence.lost("a") == [])
        #expect(presence.lost("b") == [.lost("b")])
        #expect(presence.seen(isCardPresent: true, cardEvents: 0) == [.back, .cardInserted])
        #expect(presence.lost("c") == [.lost("c")])
        #expect(presence.seen(isCardPresent: false, cardEvents: 1) == [.back])
    }
}
