import Metering
import PulseSignals
import Testing

@Suite
struct PulseTraceTests {
    private static let head = """
        greylock-pulses 1
        channels 2
        levels 0 0 1 0
        edges-per-second-max 1333

        """

    /// Of a pulser at 333 edges a second that loses its edge 201, on A.
    private static let steps = (0..<400).filter { $0 != 200 }

    private static func line(_ step: Int) -> String {
        let lost = step > 200 && step % 2 == 0 ? 1 : 0
        return "\(step * 3_000_000) \(step % 2 == 0 ? "a" : "b")\(step % 4 < 2 ? "+" : "-") \(step / 2 + 1 - lost)\n"
    }

    private static let oneLost = head + steps.map(line).joined() + "end 399 400\n"

    private func trace(_ text: String) throws(PulseTraceFault) -> PulseTrace { try PulseTrace(text: Array(text.utf8)) }

    private func fault(of text: String) -> PulseTraceFault? {
        do throws(PulseTraceFault) {
            _ = try trace(text)
            return nil
        } catch { return error }
    }

    @Test
    func whatIsReadIsWrittenAgainTheSame() throws {
        let trace = try trace(Self.oneLost)
        #expect(trace.edges.count == 399 && trace.end == PulseTraceEnd(edges: 399, trueCounts: 400))
        #expect(trace.head.levels == PumpLevels(a: false, b: false, nozzle: true, emergency: false))
        var text = Array(trace.head.text.utf8)
        for edge in trace.edges { edge.appendTraceLine(to: &text, since: 0) }
        text += Array((trace.end?.text ?? "").utf8)
        #expect(String(decoding: text, as: UTF8.self) == Self.oneLost)
    }

    @Test(arguments: [PulserSecurity.alarm, .correct])
    func aReplayNamesTheFaultAtItsEdge(security: PulserSecurity) throws {
        let replay = PulseReplay(try trace(Self.oneLost), security)
        #expect(replay.findings.map(\.edge) == [202] && replay.findings.map(\.nanoseconds) == [606_000_000])
        #expect(replay.faults.counts == [PulserFault(kind: .missedEdges, channel: .a, count: 1)])
        #expect(replay.counts == (security == .correct ? 400 : 396))
    }

    /// A power cut may end a trace anywhere.
    @Test
    func aTraceThatWasCutShortIsReadToItsLastWholeLine() throws {
        let bytes = Array(Self.oneLost.utf8)
        let edges = bytes.count - "end 399 400\n".utf8.count
        let places = Array((Self.head.utf8.count)...(Self.head.utf8.count + 60)) + Array((edges - 60)..<bytes.count)
        for place in places {
            let cut = try PulseTrace(text: Array(bytes.prefix(place)))
            #expect(cut.end == nil)
            #expect(cut.edges.count == bytes.prefix(place).filter { $0 == UInt8(ascii: "\n") }.count - 4)
        }
    }

    @Test(arguments: [
        ("greylock-pulses 2\n", 1), ("", 1), ("greylock-pulses 1\n", 2), ("greylock-pulses 1\nchannels 3\n", 2),
        ("greylock-pulses 1\nchannels 2\nlevels 0 0 0\n", 3), ("greylock-pulses 1\nchannels 2\nlevels 0 0 0 2\n", 3),
        ("greylock-pulses 1\nchannels 2\nlevels 0 0 0 0\nedges-per-second-max 0\n", 4),
        (head + "note \u{7}\n", 5), (head + "0 a+\n", 5), (head + "0 c+ 1\n", 5), (head + "0 a 1\n", 5),
        (head + "-1 a+ 1\n", 5), (head + "0 a+ 4294967296\n", 5), (head + "0 a+ 1 \n", 5), (head + "\n", 5),
        (head + "5 a+ 1\n4 b+ 1\n", 6), (head + "0 a+ 1\nend 2\n", 6), (head + "end\n", 5), (head + "end 0 1 2\n", 5),
        (head + "end 0\n0 a+ 1\n", 6), (head + "end 0\nx", 6), (head + "99999999999999999999 a+ 1\n", 5),
    ])
    func aTextThatIsNoTraceIsRefusedAtItsLine(text: String, line: Int) {
        #expect(fault(of: text)?.line == line)
    }

    @Test
    func thePictureShowsLevelsAndWhereTheyChanged() {
        var scope = PulseScope(levels: (false, false))
        scope.take(.a, rising: true, nanoseconds: 1_000_000_000, counts: 1)
        scope.take(.b, rising: true, nanoseconds: 1_050_000_000, counts: 1)
        scope.take(.a, rising: false, nanoseconds: 1_079_000_000, counts: 1)
        let end: UInt64 = 1_100_000_000
        #expect(scope.picture(of: .a, columns: 10, until: end, span: 200_000_000) == "_____|##|_")
        #expect(scope.picture(of: .b, columns: 10, until: end, span: 200_000_000) == "_______|##")
        #expect(scope.rate(at: end) == (3, 3))
        #expect(scope.rate(at: 2_060_000_000) == (1, 1))
        #expect(scope.rate(at: 9_000_000_000) == (0, 0))
    }
}
