import CardCryptography
import Foundation
import Metering
import Proving
import Quantities
import Testing

/// The same figures by Python's standard library, from the report's inputs alone.
@Suite(.enabled(if: Python.isThere, "no python3 on the path: the independent calculation was not made"))
struct PeerTests {
    private struct Figures: Decodable {
        let mean: Double
        let spread: Double
        let lines: [Double]
        let standard: Double
        let expanded: Double
        let k: Double
        let t: Double
        let degrees: Int
        let factor: Double
    }

    private struct Share: Decodable {
        let scatter: Int
        let prover: Int
        let own: Double
        let pooled: Double
        let two: Double
    }

    private static func cases() throws -> [CalibrationSession] {
        var bench = Bench()
        bench.chance = Chance(seed: 77)
        bench.old = Bench.set(
            points: [(15, 997_310), (40, 1_002_120)].map {
                CalibrationPoint(litresPerMinute: $0.0, factorMillionths: $0.1)
            }
        )
        bench.factor = { 0.999 + 0.000_02 * $0 }
        var cases: [CalibrationSession] = []
        for index in 0..<20 {
            bench.scatter = Double(index) * 0.000_01
            (bench.meter, bench.prover) = (8 + Double(index), 9.3 + Double(index) * 0.9)
            let accuracy: ProverAccuracy =
                index % 3 == 0
                ? .limit(millionths: 250) : .certificate(Volume(microlitres: 3_300), factorThousandths: 2_130)
            let vessels = try [
                Bench.vessel(accuracy: accuracy, correction: 170 * index - 900),
                Bench.vessel(litres: 5, correction: 33),
            ]
            let running = try bench.running(index % 2 == 0 ? .calibrate : .verify, provers: vessels)
            cases.append(.judged(try bench.complete(running, runs: 3 + index % 3).judged()))
        }
        return cases
    }

    @Test func figuresAreThoseOfPython() throws {
        for session in try Self.cases() {
            let report = try ReportTests.report(session)
            let answer = try Python.answer(["results"], report.json(under: Bench.key))
            let peers = try JSONDecoder().decode([Figures].self, from: answer)
            let verdict = try #require(report.verdict)
            try #require(peers.count == verdict.points.count)
            for (peer, result) in zip(peers, verdict.points) {
                #expect(abs(peer.mean - result.mean.share) < 1.5e-9)
                #expect(abs(peer.spread - result.spread.share) < 2e-9)
                try #require(peer.lines.count == result.budget.lines.count)
                for (own, line) in zip(peer.lines, result.budget.lines) { #expect(abs(own - line.standard) < 1e-9) }
                #expect(abs(peer.standard - result.budget.standard) < 1e-9)
                #expect(abs(peer.expanded - result.budget.expanded) < 3e-9)
                #expect(abs(peer.k - result.budget.factor) < 1e-5)
                #expect(abs(peer.t - result.budget.scatterFactor) < 1e-6)
                #expect(peer.degrees == result.budget.degrees)
            }
            guard case .judged(let judged) = session, session.assignment.purpose == .calibrate else { continue }
            for line in try judged.proposal().lines {
                let index = try #require(verdict.points.firstIndex { $0.point.litresPerMinute == line.litresPerMinute })
                #expect(abs(peers[index].factor - Double(line.after) / 1e6) < 0.6e-6)
            }
        }
    }

    @Test func theUncertaintyCoversInPythonToo() throws {
        let shares = try JSONDecoder().decode([Share].self, from: Python.answer(["coverage", "10000"], ""))
        #expect(shares.count == 5)
        for share in shares {
            #expect((0.94...0.98).contains(share.own), "\(share.scatter), \(share.prover)")
            #expect((0.94...0.98).contains(share.pooled), "\(share.scatter), \(share.prover)")
        }
    }

    @Test func threeRunsWithKOfTwoCoverFarLessWhereScatterDominates() throws {
        let shares = try JSONDecoder().decode([Share].self, from: Python.answer(["coverage", "10000"], ""))
        #expect((0.80...0.84).contains(try #require(shares.last).two))
    }

    @Test func theSchemaAllowsEachReportAndNoOther() throws {
        for session in try SessionTests.phases() + Self.cases() {
            guard session.running?.runs.isEmpty == false else { continue }
            let json = try ReportTests.report(session).json(under: Bench.key)
            let faults = try Python.answer(["schema", Report.schema], json)
            #expect(String(decoding: faults, as: UTF8.self) == "")
        }
        let json = try ReportTests.report(Self.cases()[0]).json(under: Bench.key)
        for (old, new) in [
            ("\"side\": 1", "\"side\": \"1\""), ("\"counts\": true", "\"count\": true"),
            ("\"version\": 1,", "\"version\": 2,"),
            ("\"passed\": ", "\"more\": 1, \"passed\": "), ("\"role\": \"largest-flow\"", "\"role\": \"any\""),
        ] {
            let edited = json.replacingOccurrences(of: old, with: new)
            #expect(edited != json)
            #expect(try !Python.answer(["schema", Report.schema], edited).isEmpty, "\(new)")
        }
    }
}

private enum Python {
    private static let program = ProcessInfo.processInfo.environment["PATH", default: ""].split(separator: ":")
        .map { "\($0)/python3" }.first { FileManager.default.isExecutableFile(atPath: $0) }

    static var isThere: Bool { program != nil }

    static func answer(_ arguments: [String], _ text: String) throws -> Data {
        let process = Process()
        process.executableURL = URL(filePath: try #require(program))
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "proving_peer.py").path
        process.arguments = [script] + arguments
        let (input, output) = (Pipe(), Pipe())
        (process.standardInput, process.standardOutput) = (input, output)
        try process.run()
        // Python reads all of it before it writes.
        try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
        try input.fileHandleForWriting.close()
        let answer = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return answer
    }
}
