import Dispenser
import FuelPassbook
import Glibc
import Quantities
import Station
import Testing

/// The board's clock in zones: each test runs in a process of its own, whose zone it sets.
@Suite("The board's clock in zones")
struct SystemClockTests {
    @Test("the hour that autumn repeats has one name for two moments, and the second is later")
    func autumn() async {
        await #expect(processExitsWith: .success) {
            // 02:30 in summer time, and in winter time: `TZ=Europe/Berlin date -d @1792888200`.
            let zone = "CET-1CEST,M3.5.0,M10.5.0/3"
            let first = try #require(moment(1_792_888_200, in: zone))
            let second = try #require(moment(1_792_891_800, in: zone))
            #expect(first.local == second.local && first.local.description == "2026-10-25 02:30:00")
            #expect(first.isBefore(second) && !second.isBefore(first))
            #expect("\(second)" == "2026-10-25 02:30:00, 2026-10-25 01:30:00 UTC")
            let later = try #require(moment(1_792_890_000, in: zone))
            #expect(first.isBefore(later) && later.local < first.local)
        }
    }

    @Test("the hour that spring leaves out is not shown")
    func spring() async {
        await #expect(processExitsWith: .success) {
            let zone = "CET-1CEST,M3.5.0,M10.5.0/3"
            #expect(moment(1_774_745_999, in: zone)?.local.description == "2026-03-29 01:59:59")
            #expect(moment(1_774_746_000, in: zone)?.local.description == "2026-03-29 03:00:00")
        }
    }

    @Test("a zone that is changed while the service runs holds from then on")
    func anotherZone() async {
        await #expect(processExitsWith: .success) {
            #expect(moment(1_792_888_200, in: "CST-8")?.local.description == "2026-10-25 08:30:00")
            #expect(moment(1_792_888_200, in: "XXX5")?.local.description == "2026-10-24 19:30:00")
            #expect(moment(1_792_888_200, in: "UTC0")?.local.description == "2026-10-25 00:30:00")
        }
    }

    @Test("a board without a clock that lasts is not set before its first year")
    func notSet() async {
        await #expect(processExitsWith: .success) {
            #expect(moment(0, in: "CST-8") == nil)
            #expect(moment(1_704_038_399, in: "CST-8") == nil)
            #expect(moment(1_704_038_400, in: "CST-8")?.local.description == "2024-01-01 00:00:00")
            #expect(moment(.max, in: "CST-8") == nil)
        }
    }

    @Test("it is now")
    func now() throws {
        let before = time(nil)
        let now = try #require(SystemClock().now)
        #expect((Int64(before)...Int64(time(nil))).contains(now.utcSeconds))
    }
}

private func moment(_ utcSeconds: Int64, in zone: String) -> StationTime? {
    unsafe setenv("TZ", zone, 1)
    return SystemClock.moment(utcSeconds: utcSeconds)
}
