import ISO7816
import Metering
import Proving
import Quantities
import Testing

struct FiguresTests {
    @Test(arguments: [
        ("20.004", 20_004_000), ("20,004", 20_004_000), ("0", 0), ("19.9995", 19_999_500), ("+5", 5_000_000),
        ("0.000001", 1),
    ])
    func aTypedVolumeIsExact(_ typed: String, _ microlitres: Int) throws {
        #expect(try Volume(typedLitres: typed, "reading").microlitres == microlitres)
    }

    @Test(arguments: [
        "", "-", ".", "5.", ".5", "20.0000001", "2O.004", "1e3", "20.00.4", "-1", "1001", "２０", "999999999999",
    ])
    func anythingElseIsNoVolume(_ typed: String) {
        #expect(throws: ProvingFault.self) { try Volume(typedLitres: typed, "reading") }
    }

    @Test func aTemperatureIsOfADispenser() throws {
        #expect(try Temperature(typed: "-12.5", "air").milliCelsius == -12_500)
        #expect(throws: ProvingFault.self) { try Temperature(typed: "214", "air") }
        #expect(throws: ProvingFault.self) { try Temperature(typed: "21.40001", "air") }
    }

    @Test func typedTextIsOneLine() throws {
        #expect(try TypedText("  王 小明 ", "name").text == "王 小明")
        for text in ["", "   ", "a\nb", "a\u{202E}b", String(repeating: "x", count: 201)] {
            #expect(throws: ProvingFault.self) { try TypedText(text, "name") }
        }
    }

    /// By hand: 20.004 L x (1 + 50e-6 x 5.2 + 1.1e-3 x (-1.3)) = 20.004 x 0.99883 = 19.98059532 L.
    @Test func theReferenceVolumeIsThatOfTheFormula() throws {
        let reading = ProverReading(
            scale: Volume(microlitres: 20_000_000),
            meter: Temperature(milliCelsius: 23_900),
            prover: Temperature(milliCelsius: 25_200)
        )
        let volume = try Bench.vessel(correction: 4_000).reference(reading, liquid: .petrol)
        #expect(volume.microlitres == 19_980_595)
        // (20.04 - 19.980595) / 19.980595 = 0.297313...%, by bc.
        #expect(RelativeError(of: Volume(microlitres: 20_040_000), to: volume).billionths == 2_973_135)
        #expect(RelativeError(billionths: 2_973_135).percent == "+0.297")
    }

    @Test func roundingIsAwayFromZeroOnBothSides() {
        #expect(RelativeError.mean([1, 2].map { RelativeError(billionths: $0) }).billionths == 2)
        #expect(RelativeError.mean([-1, -2].map { RelativeError(billionths: $0) }).billionths == -2)
        #expect(RelativeError(billionths: -4_999).percent == "0.000")
    }
}

struct RunTests {
    @Test func aRunOfAnotherFlowDoesNotCountAndStays() throws {
        var bench = Bench()
        let running = try bench.run(bench.running(), at: 0, flow: 47)
        #expect(running.runs.map(\.flaws) == [[.flow(millilitresPerMinute: 47_000)]])
        #expect(try bench.run(bench.running(), at: 0, flow: 47.6).runs[0].counts)
        #expect(try bench.run(bench.running(), at: 0, flow: 52.4).runs[0].counts)
        #expect(try !bench.run(bench.running(), at: 0, flow: 52.6).runs[0].counts)
    }

    @Test func figuresAtTheirBoundsGiveAReport() throws {
        let running = try Bench().running()
        let (least, most) = (UInt64(1), Delivery.nanosecondsMax)
        let pairs = [
            (1, least), (1, most), (Delivery.countsMax, least), (Delivery.countsMax, most),
        ]
        for (counts, nanoseconds) in pairs {
            let delivery = try Delivery(
                kind: .free,
                counts: [counts],
                nanoseconds: nanoseconds,
                ratedCounts: counts,
                ratedNanoseconds: nanoseconds,
                faults: .max,
                displayedCentilitres: 0,
                record: .max,
                begun: Bench.time(5)
            )
            let cold = Temperature.typedRange.lowerBound
            let reading = ProverReading(scale: Volume(microlitres: 19_000_000), meter: cold, prover: cold)
            let next = try running.adding(delivery, at: 0, reading: reading, refused: [reading.scale])
            #expect(next.runs[0].flaws.contains(.pulserFaults(.max)))
            let report = try ReportTests.report(.running(next))
            #expect(Report.check(Array(report.html(under: Bench.key).utf8), Bench.key) == .authentic)
            #expect(Report.check(Array(report.json(under: Bench.key).utf8), Bench.key) == .authentic)
        }
    }

    @Test func aRunWithAPulserFaultDoesNotCount() throws {
        var bench = Bench()
        #expect(try bench.run(bench.running(), at: 0, faults: 2).runs[0].flaws == [.pulserFaults(2)])
    }

    @Test func presetAndFreeAreNotMixedAtOneRate() throws {
        var bench = Bench()
        var running = try bench.run(bench.running(), at: 0, kind: .free)
        running = try bench.run(running, at: 0, kind: .preset)
        running = try bench.run(running, at: 1, kind: .preset)
        #expect(running.runs.map(\.counts) == [true, false, true])
        #expect(running.runs[1].flaws == [.mixed])
        running = try running.discarding(0, reason: Bench.text("hose moved"), person: Bench.text("王小明"))
        #expect(try bench.run(running, at: 0, kind: .preset).runs[3].counts)
    }

    @Test func aDeliveryIsSpoiltUntilItsReadingIsTyped() throws {
        var bench = Bench()
        let running = try bench.running()
        let (delivery, reading) = try bench.delivered(running, at: 0)
        let begun = SpoiltDelivery(point: 0, kind: .free, record: delivery.record, begun: delivery.begun)
        var next = try running.beginning(begun)
        #expect(next.spoilt.map(\.cause) == [.interrupted])
        #expect(throws: ProvingFault.self) { try next.beginning(begun) }
        #expect(throws: ProvingFault.self) { try next.spoiling(delivery.record + 1, .unread) }
        next = try next.spoiling(delivery.record, .unread)
        #expect(next.spoilt.map(\.cause) == [.unread])
        next = try next.adding(delivery, at: 0, reading: reading)
        #expect(next.spoilt.isEmpty)
        #expect(next.runs.count == 1)
        #expect(throws: ProvingFault.self) { try next.beginning(begun) }
    }

    @Test func aDiscardedRunStaysWithItsReason() throws {
        var bench = Bench()
        let reason = Bench.text("a drop hung at the spout")
        let running = try bench.run(bench.running(), at: 0)
            .discarding(0, reason: reason, person: Bench.text("王小明"))
        #expect(running.runs[0].flaws == [.byPerson(reason: reason, person: Bench.text("王小明"))])
        #expect(throws: ProvingFault.self) { try running.discarding(0, reason: reason, person: reason) }
        #expect(throws: ProvingFault.self) { try running.discarding(1, reason: reason, person: reason) }
    }

    @Test func aReadingFarFromTheCountsIsAskedAgainAndTakenWhenTypedTwice() throws {
        var bench = Bench()
        let running = try bench.running()
        let (delivery, right) = try bench.delivered(running, at: 0)
        func typed(_ microlitres: Int) -> ProverReading {
            ProverReading(scale: Volume(microlitres: microlitres), meter: right.meter, prover: right.prover)
        }
        let wrong = typed(right.scale.microlitres + 400_000)
        guard case .askAgain = running.check(wrong, of: delivery, at: 0, refused: []) else {
            Issue.record("it was taken")
            return
        }
        #expect(throws: ProvingFault.self) { try running.adding(delivery, at: 0, reading: wrong) }
        #expect(running.check(typed(2_004_000), of: delivery, at: 0, refused: []) == .offScale)
        #expect(running.check(right, of: delivery, at: 0, refused: [wrong.scale]) == .fits)
        let taken = try running.adding(delivery, at: 0, reading: wrong, refused: [wrong.scale])
        #expect(taken.runs[0].refusedReadings == [wrong.scale])
        #expect(throws: ProvingFault.self) {
            try running.adding(delivery, at: 0, reading: typed(2_004_000), refused: [Volume(microlitres: 2_004_000)])
        }
    }

    @Test func warmLiquidIsRefusedUntilAReasonIsGiven() throws {
        var bench = Bench()
        (bench.meter, bench.prover) = (31.2, 26.9)
        let running = try bench.running()
        let (delivery, reading) = try bench.delivered(running, at: 0)
        let refusals = PracticeLimits.refusals(reading)
        #expect(refusals.map(\.rule) == [.liquidTooWarm, .temperaturesApart])
        #expect(throws: ProvingFault(refusals)) { try running.adding(delivery, at: 0, reading: reading) }
        let one = Override(refusals[0], reason: Bench.text("no shade"), person: Bench.text("王小明"))
        #expect(throws: ProvingFault([refusals[1]])) {
            try running.adding(delivery, at: 0, reading: reading, overrides: [one])
        }
        let overrides = [one, Override(refusals[1], reason: Bench.text("no time"), person: Bench.text("王小明"))]
        #expect(
            try running.adding(delivery, at: 0, reading: reading, overrides: overrides).runs[0].overrides == overrides
        )
    }

    @Test func atTheLimitsOfPracticeNothingIsRefused() {
        func refusals(_ meter: Int, _ prover: Int) -> [Rule] {
            PracticeLimits.refusals(
                ProverReading(
                    scale: .zero,
                    meter: Temperature(milliCelsius: meter),
                    prover: Temperature(milliCelsius: prover)
                )
            )
            .map(\.rule)
        }
        #expect(refusals(30_000, 26_000).isEmpty)
        #expect(refusals(30_001, 30_000) == [.liquidTooWarm])
        #expect(refusals(10_000, 14_001) == [.temperaturesApart])
    }

    @Test func anExpiredCertificateIsRefused() throws {
        let bench = Bench()
        let vessels = try [Bench.vessel(expires: 2026), Bench.vessel(litres: 5)]
        let assignment = try bench.assignment()
        let refusals = vessels[0].refusals(on: try #require(assignment.begun.date))
        #expect(refusals.map(\.rule) == [.certificateExpired])
        #expect(throws: ProvingFault(refusals)) { try assignment.equipped(with: vessels) }
        let override = Override(refusals[0], reason: Bench.text("new one is on its way"), person: Bench.text("李"))
        #expect(try assignment.equipped(with: vessels, overrides: [override]).overrides == [override])
        let last = try CalendarDate(year: 2026, month: 1, day: 31)
        #expect(vessels[0].refusals(on: last).isEmpty)
    }

    /// A session that goes on after an interruption may outlast the certificate.
    @Test func aCertificateThatExpiresBetweenRunsIsRefused() throws {
        var bench = Bench()
        let running = try bench.run(bench.running(), at: 0)
        let (delivery, reading) = try bench.delivered(running, at: 0, year: 2028)
        let refusals = running.refusals(reading, of: delivery, at: 0)
        #expect(refusals.map(\.rule) == [.certificateExpired])
        #expect(throws: ProvingFault(refusals)) { try running.adding(delivery, at: 0, reading: reading) }
        let override = Override(refusals[0], reason: Bench.text("no other was there"), person: Bench.text("李"))
        let next = try running.adding(delivery, at: 0, reading: reading, overrides: [override])
        #expect(next.runs[1].overrides == [override])
    }

    @Test func whatWasLetStandOfAProverIsNotAskedAtEachRun() throws {
        var bench = Bench()
        let vessels = try [Bench.vessel(expires: 2026), Bench.vessel(litres: 5)]
        let assignment = try bench.assignment()
        let refusals = vessels[0].refusals(on: try #require(assignment.begun.date))
        let override = Override(refusals[0], reason: Bench.text("no other was there"), person: Bench.text("李"))
        let running = try assignment.equipped(with: vessels, overrides: [override]).starting(Bench.conditions())
        #expect(try bench.run(running, at: 0).runs[0].overrides.isEmpty)
        let (delivery, reading) = try bench.delivered(running, at: 0, year: 2027)
        #expect(running.refusals(reading, of: delivery, at: 0).map(\.rule) == [.certificateExpired])
    }

    @Test func aProverOfAnotherSizeIsNotTakenForTheLeastQuantity() throws {
        let assignment = try Bench().assignment()
        #expect(throws: ProvingFault.self) {
            try assignment.equipped(with: [Bench.vessel(), Bench.vessel(litres: 20)])
        }
        #expect(throws: ProvingFault.self) { try assignment.equipped(with: [Bench.vessel()]) }
    }

    @Test func theUsualPlanRunsEachPointOfTheCurve() throws {
        func plan(_ flows: [Int], largest: Int? = nil) throws -> [String] {
            let parameters = MeterParameters(
                meterSerial: "M-1",
                pulserSerial: "P-1",
                pulser: .quadrature(.alarm),
                pulsesPerLitre: 100,
                points: flows.map { CalibrationPoint(litresPerMinute: $0, factorMillionths: 1_000_000) },
                litresPerMinute: 5...90,
                minimumQuantity: Volume(microlitres: 5_000_000),
                reverseCentilitresMax: 20,
                pulserFaultsMax: 5,
                slowFlow: Volume(microlitres: 500_000)
            )
            return try Plan(usualFor: parameters, largest: largest, pulsesPerLitre: 90...110).points.map(\.words)
        }
        #expect(try plan([50]) == ["90 L/min", "50 L/min", "the least quantity at 50 L/min"])
        #expect(try plan([90]) == ["90 L/min", "36 L/min", "the least quantity at 36 L/min"])
        #expect(
            try plan([10, 40, 70], largest: 72)
                == ["72 L/min", "40 L/min", "10 L/min", "the least quantity at 10 L/min"]
        )
        #expect(throws: ProvingFault.self) { try plan([50], largest: 91) }
    }

    @Test func aPlanNeedsItsThreePoints() {
        func plan(_ points: [TestPoint], runs: Int = 3) throws -> Plan {
            try Plan(
                points: points,
                runsMin: runs,
                leastQuantity: Volume(microlitres: 5_000_000),
                pulsesPerLitre: 90...110
            )
        }
        for index in Bench.points.indices {
            var points = Bench.points
            points.remove(at: index)
            #expect(throws: ProvingFault.self) { try plan(points) }
        }
        #expect(throws: ProvingFault.self) { try plan(Bench.points, runs: 2) }
        #expect(throws: ProvingFault.self) {
            try plan(Bench.points + [TestPoint(.further, litresPerMinute: 49, prover: 0)])
        }
        #expect(throws: ProvingFault.self) {
            try plan(Bench.points + [TestPoint(.further, litresPerMinute: 60, prover: 0)])
        }
    }
}
