import CardApplication
import Dispenser
import ISO7816
import Quantities
import Records
import Simulation
import Testing

/// A keypad that is unplugged and plugged in again.
struct LostKeypadTests {
    private static let reason = "plug it in again"
    private static let gone = Refusal.keypadGone(reason)

    private static func setKeypad(isThere: Bool, _ station: TestStation) {
        station.pin.obstacle = isThere ? nil : reason
        station.site.post(isThere ? .keypadBack : .keypadLost(reason))
    }

    private func station() throws -> TestStation {
        let station = try TestStation()
        station.settings.limit = Preset(centilitres: 100)
        return station
    }

    @Test func whileThePINIsTypedItIsARefusalAndNoTryIsTaken() throws {
        let station = try station()
        station.display.onNotice = { [unowned station] notice in
            if notice == .typePIN { Self.setKeypad(isThere: false, station) }
        }
        station.pin.typed = ["1"]
        station.scheduleRefuel(centilitres: 100)
        #expect(station.run() == nil)
        #expect(station.pin.asked == 1 && station.records.isEmpty)
        #expect(station.reader.image.grey == nil && station.reader.image.balance == Amount(fen: 50_000))
        // At the card, and when it is taken.
        #expect(station.display.refusals == [Self.gone, Self.gone])
    }

    @Test func betweenCardsTheSideIsOutOfOrderUntilItIsBack() throws {
        let station = try station()
        station.site.after(0.1) { [unowned station] _ in Self.setKeypad(isThere: false, station) }
        station.site.after(0.2) { [unowned station] _ in station.reader.insert() }
        station.site.after(0.4) { [unowned station] _ in station.reader.pull() }
        station.site.after(0.6) { [unowned station] _ in Self.setKeypad(isThere: true, station) }
        station.scheduleRefuel(centilitres: 100)
        #expect(station.run() == nil)
        #expect(station.display.refusals == [Self.gone, Self.gone, Self.gone])
        #expect(station.pin.asked == 1)
        #expect(station.records.map(\.phase) == [.settled])
    }

    @Test func whileFuelFlowsNothingEnds() throws {
        let station = try station()
        var isFirst = true
        station.display.onProgress = { [unowned station] centilitres in
            guard isFirst, centilitres >= 50 else { return }
            isFirst = false
            Self.setKeypad(isThere: false, station)
        }
        station.scheduleRefuel(centilitres: 100)
        #expect(station.run() == nil)
        #expect(station.records.map(\.phase) == [.settled])
        #expect(station.records.map(\.reading.volume.shownCentilitres) == [100])
        #expect(station.display.refusals == [Self.gone])
    }

    /// A hub with both was unplugged.
    @Test func whileTheReaderIsMissingTooNoCardIsAskedFor() throws {
        let station = try station()
        station.site.after(1) { $0.post(.reader(.lost("the reader"))) }
        station.site.after(2) { [unowned station] _ in Self.setKeypad(isThere: false, station) }
        station.site.after(3) { [unowned station] _ in Self.setKeypad(isThere: true, station) }
        station.site.after(4) { $0.post(.stopRequested) }
        #expect(station.run() == nil)
        #expect(station.display.notices.suffix(2) == [.readerLost("the reader"), .closed])
    }
}
