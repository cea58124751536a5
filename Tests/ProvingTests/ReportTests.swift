import CardCryptography
import Foundation
import Metering
import Proving
import Quantities
import Testing

struct ReportTests {
    static func report(_ session: CalibrationSession) throws -> Report {
        try Report(of: session, made: Bench.time(95), software: Bench.software("1.2.1"), keyName: Bench.text("00 01"))
    }

    private static func applied() throws -> CalibrationSession {
        try #require(SessionTests.phases().first { $0.stateIsApplied })
    }

    private static func abandoned() throws -> CalibrationSession {
        let judged = try #require(
            SessionTests.phases().first { phase in
                guard case .judged = phase else { return false }
                return !phase.isOver
            }
        )
        return try judged.abandoned(
            reason: Bench.text("the pump leaks"),
            person: Bench.text("Li"),
            at: Bench.time(90)
        )
    }

    @Test func eachPhaseWithRunsHasAReport() throws {
        for session in try SessionTests.phases() {
            guard session.running?.runs.isEmpty == false else {
                #expect(throws: ProvingFault.self) { try Self.report(session) }
                continue
            }
            let report = try Self.report(session)
            for text in [report.html(under: Bench.key), report.json(under: Bench.key)] {
                #expect(Report.check(Array(text.utf8), Bench.key) == .authentic)
                #expect(Report.keyName(of: Array(text.utf8)) == "00 01")
            }
        }
    }

    @Test func aByteThatChangedIsTold() throws {
        let report = try Self.report(Self.applied())
        for text in [report.html(under: Bench.key), report.json(under: Bench.key)] {
            let bytes = Array(text.utf8)
            for index in stride(from: 0, to: bytes.count, by: 41) {
                var edited = bytes
                edited[index] ^= 1
                #expect(Report.check(edited, Bench.key) != .authentic)
            }
            #expect(Report.check(bytes + [10], Bench.key) == .edited)
            #expect(Report.check(Array(bytes.dropLast()), Bench.key) == .edited)
            let lines = text.replacingOccurrences(of: "\n", with: "\r\n")
            #expect(Report.check(Array(lines.utf8), Bench.key) == .edited)
            let other = CodeKey(raw: LockedBuffer(hexadecimal: String(repeating: "5B", count: CodeKey.length)))
            #expect(Report.check(bytes, other) == .edited)
        }
        for text in ["", "{}", "<code id=\"code\">", "\"code\": \"00"] {
            #expect(Report.check(Array(text.utf8), Bench.key) == .noReport)
        }
    }

    /// The same digits in lower case would be the same code to a careless reader.
    @Test func theCodeStandsInOneForm() throws {
        let json = try Self.report(Self.applied()).json(under: Bench.key)
        let mark = try #require(json.range(of: "\"code\": \""))
        let digits = json[mark.upperBound...].prefix(32)
        let lower = json.replacingCharacters(in: digits.startIndex..<digits.endIndex, with: digits.lowercased())
        #expect(lower != json)
        #expect(Report.check(Array(lower.utf8), Bench.key) == .edited)
    }

    @Test func whatIsTypedIsEscaped() throws {
        let report = try Self.report(Self.applied())
        let html = report.html(under: Bench.key)
        #expect(!html.contains("<b>"))
        #expect(html.contains("第七 &lt;b&gt;&quot;&amp;&#39;&lt;/b&gt;"))
        #expect(html.contains("says &lt;he&gt;"))
        let json = try JSONSerialization.jsonObject(with: Data(report.json(under: Bench.key).utf8))
        let members = try #require(json as? [String: Any])
        #expect(members["station"] as? String == "第七 <b>\"&'</b> %25 code 站")
    }

    /// Somebody's station is called like the mark of the code.
    @Test func aTypedMarkIsNoMark() throws {
        for name in ["<code id=\"code\">00", "\"code\": \"00", "\"recordKey\": \"zz"] {
            var bench = Bench()
            let running = try bench.assignment(station: name).equipped(with: [Bench.vessel(), Bench.vessel(litres: 5)])
                .starting(Bench.conditions())
            let report = try Self.report(.running(bench.run(running, at: 0)))
            for text in [report.html(under: Bench.key), report.json(under: Bench.key)] {
                #expect(Report.check(Array(text.utf8), Bench.key) == .authentic)
                #expect(Report.keyName(of: Array(text.utf8)) == "00 01")
            }
        }
    }

    @Test func thePageNeedsNothingFromOutside() throws {
        let html = try Self.report(Self.applied()).html(under: Bench.key)
        for word in ["<script", "<link", "<img", "<iframe", "url(", "@import", "src=", "href=", "onload"] {
            #expect(!html.contains(word), "\(word)")
        }
        #expect(
            html.replacingOccurrences(of: "xmlns=\"http://www.w3.org/2000/svg\"", with: "").contains("http") == false
        )
        #expect(html.contains("@page { size: A4"))
    }

    /// A meter that counts a thousand times too much: the curve has few lines all the same.
    @Test func theCurveOfAnAbsurdErrorIsNoLargerThanAnother() throws {
        var bench = Bench()
        var running = try bench.running()
        for point in [0, 0, 0, 1, 1, 1, 2, 2, 2] {
            let (delivery, reading) = try bench.delivered(running, at: point)
            let many = try Delivery(
                kind: .free,
                counts: [delivery.totalCounts * 1_000],
                nanoseconds: delivery.nanoseconds * 1_000,
                ratedCounts: delivery.totalCounts * 1_000,
                ratedNanoseconds: delivery.nanoseconds * 1_000,
                faults: 0,
                displayedCentilitres: 2_000_000,
                record: 7,
                begun: delivery.begun
            )
            running = try running.adding(many, at: point, reading: reading, refused: [reading.scale])
        }
        let report = try Self.report(.judged(running.judged()))
        #expect(report.verdict?.isPassed == false)
        #expect(report.html(under: Bench.key).utf8.count < 40_000)
    }

    /// The page is well-formed but for the elements that HTML leaves open: so no cell swallows the next.
    @Test func eachElementIsClosed() throws {
        for session in try SessionTests.phases() where session.running?.runs.isEmpty == false {
            let html = try Self.report(session).html(under: Bench.key)
            let body = html.replacingOccurrences(of: "<!DOCTYPE html>\n", with: "")
                .replacingOccurrences(of: "<br>", with: "<br/>")
                .replacingOccurrences(of: "&nbsp;", with: " ")
                .replacing(#/<meta ([^>]*)>/#) { "<meta \($0.1)/>" }
            var open: [Substring] = []
            for tag in body.matches(of: #/<(\/?)([a-z0-9]+)[^>]*?(\/?)>/#) where tag.3.isEmpty {
                if tag.1.isEmpty {
                    open.append(tag.2)
                } else {
                    #expect(open.popLast() == tag.2)
                }
            }
            #expect(open.isEmpty)
        }
    }

    @Test func everyRunStandsInTheReport() throws {
        let session = try Self.applied()
        let html = try Self.report(session).html(under: Bench.key)
        let running = try #require(session.running)
        for run in running.runs { #expect(html.contains("<td>\(run.delivery.totalCounts)</td>")) }
        #expect(html.components(separatedBy: "<tr class=\"discarded\">").count - 1 == running.runs.count { !$0.counts })
        for word in ["滴流时间不足", "20.400 L", "脉冲故障 3 次", "A1B2-C3D4-4", "A1B2-C3D4-5", "李丽"] {
            #expect(html.contains(word), "\(word)")
        }
    }

    @Test func bothLanguagesSayWhoGaveItUpAndWhy() throws {
        let abandoned = try Self.abandoned()
        let html = try Self.report(abandoned).html(under: Bench.key)
        #expect(html.components(separatedBy: "the pump leaks").count - 1 == 2)
        #expect(html.contains("the old factors stay: the pump leaks (Li)"))
        #expect(html.contains("the pump leaks（Li）"))
    }

    /// Else whoever dislikes the next run has a report of a meter that passed.
    @Test func nothingIsPassedBeforeSomebodySaysThatTheRunsStand() throws {
        var bench = Bench()
        let running = try bench.complete(bench.running(.verify))
        let judged = try running.judged()
        try #require(judged.verdict.isPassed)
        let (before, after) = (try Self.report(.running(running)), try Self.report(.judged(judged)))
        #expect(after.html(under: Bench.key).contains("All points are within the limits"))
        #expect(after.json(under: Bench.key).contains("\"passed\": true"))
        let givenUp = try CalibrationSession.running(running).abandoned(
            reason: Bench.text("rain"),
            person: Bench.text("Li"),
            at: Bench.time(90)
        )
        for report in [before, try Self.report(givenUp)] {
            let page = report.html(under: Bench.key)
            #expect(!page.contains("points are within the limits") && !page.contains("class=\"outcome passed\""))
            #expect(report.json(under: Bench.key).contains("\"passed\": null"))
        }
        #expect(before.html(under: Bench.key).contains("nobody has said yet that the runs stand"))
    }

    @Test func everySpoiltDeliveryStandsInTheReport() throws {
        let report = try Self.report(Self.applied())
        let (page, json) = (report.html(under: Bench.key), report.json(under: Bench.key))
        for record in 200...203 {
            #expect(page.contains("<td>\(record)</td>"))
            #expect(json.contains("\"record\": \(record)") || json.contains("\"record\":\(record)"))
        }
        #expect(page.contains("上电, &quot;hung up&quot;: 50 %"))
        var bench = Bench()
        let running = try bench.running()
        let (delivery, _) = try bench.delivered(running, at: 0)
        let begun = SpoiltDelivery(point: 0, kind: .free, record: 9, begun: delivery.begun)
        let alone = try Self.report(.running(running.beginning(begun)))
        #expect(alone.html(under: Bench.key).contains("the program or the power ended during it"))
    }

    /// For a look at the pages: writes them where the variable says.
    @Test(.enabled(if: folder != nil, "GREYLOCK_REPORTS names no folder for the reports"))
    func reportsToLookAt() throws {
        let folder = URL(filePath: try #require(Self.folder))
        var bench = Bench()
        bench.chance = Chance(seed: 5)
        bench.scatter = 0.000_1
        bench.factor = { 1.001 + 0.000_02 * $0 }
        let verified = try bench.complete(bench.running(.verify)).judged()
        let incomplete = try bench.run(bench.running(), at: 0)
        let flows = [90, 70, 50, 35, 25, 18, 13, 9, 7, 5]
        bench.old = Bench.set(
            points: flows.reversed().map { CalibrationPoint(litresPerMinute: $0, factorMillionths: 1_000_000 + $0) }
        )
        let points = flows.enumerated().map { index, flow in
            TestPoint(index == 0 ? .largestFlow : index == 1 ? .lowerFlow : .further, litresPerMinute: flow, prover: 0)
        }
        let least = TestPoint(.leastQuantity, litresPerMinute: 5, prover: 1)
        let ten = try bench.complete(bench.running(points: points + [least])).judged().proposed()
        for (name, session) in try [
            ("ten", .proposed(ten)),
            ("abandoned", Self.abandoned()), ("applied", Self.applied()), ("verified", .judged(verified)),
            ("incomplete", .running(incomplete)),
        ] {
            let report = try Self.report(session)
            try Data(report.html(under: Bench.key).utf8).write(to: folder.appending(path: "\(name).html"))
            try Data(report.json(under: Bench.key).utf8).write(to: folder.appending(path: "\(name).json"))
        }
    }

    private static let folder = ProcessInfo.processInfo.environment["GREYLOCK_REPORTS"]
}

extension CalibrationSession {
    var stateIsApplied: Bool {
        guard case .applied = self else { return false }
        return true
    }
}
