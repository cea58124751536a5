import Metering

/// Edges a second through the pulser and the meter head, against ten million; the pulser also beside the same checks in C,
/// taking turns.
enum QuadratureBench {
    private static let turns = 5
    private static let edges = 4_000_000
    private static let name = "quadrature decoding"

    static func run(peers: String) -> [BenchResult] {
        [
            .rate(
                name: name,
                value: Double(edges) * 1_000 / Double(ownTurn()),
                unit: "M edges/s",
                reference: 10,
                of: "limit"
            ),
            .measured(name) { folder in
                let peer = try Peer("quadrature-peer", from: peers, into: folder)
                var ours: [UInt64] = []
                var theirs: [UInt64] = []
                for _ in 0..<turns {
                    ours.append(ownTurn())
                    let turn = try peer.run(["\(edges)"])
                    guard let line = turn.first, turn.count == 1, let elapsed = line.first.flatMap({ UInt64($0) }),
                        line.dropFirst() == ["\(edges)", "0"]
                    else { throw PeerFault("quadrature-peer.c counts otherwise than ours") }
                    theirs.append(elapsed)
                }
                return .figure(
                    name: name,
                    value: median(ours) / Double(edges),
                    unit: "ns/edge",
                    reference: median(theirs) / Double(edges),
                    of: "C, the same checks",
                    atMost: 1.2,
                    because: "it keeps what a repair needs"
                )
            },
            .rate(
                name: "meter head, cut-off included",
                value: meterHead(),
                unit: "M edges/s",
                reference: 0.02,
                of: "design rate (20,000 edges/s)"
            ),
        ]
    }

    /// - Returns: the nanoseconds of all edges together.
    private static func ownTurn() -> UInt64 {
        var pulser = Pulser(kind: .quadrature(.alarm), levels: (false, false))
        let start = benchClock()
        for index in 0..<edges {
            pulser.edge(
                index % 2 == 0 ? .a : .b,
                rising: index % 4 < 2,
                time: UInt64(index) * 50_000,
                sequence: UInt32(index / 2 + 1)
            )
        }
        let elapsed = benchClock() - start
        precondition(pulser.counts == edges && pulser.faults.total == 0)
        return elapsed
    }

    private static func meterHead() -> Double {
        let calibration = Calibration(
            countsPerLitre: 400,
            points: [CalibrationPoint(litresPerMinute: 40, factorMillionths: 1_000_000)]
        )
        var head = MeterHead(
            calibration: calibration,
            kind: .quadrature(.alarm),
            levels: (false, false),
            nozzleIsLifted: true
        )
        head.perform(.beginSale)
        head.perform(.open(CutOff(slowAtCounts: .max, stopAtCounts: .max, reportAtCounts: .max)))
        let start = benchClock()
        for index in 0..<edges {
            _ = head.receive(
                PumpEdge(
                    input: .pulser(index % 2 == 0 ? .a : .b),
                    rising: index % 4 < 2,
                    nanoseconds: UInt64(index) * 50_000,
                    sequence: UInt32(index / 2 + 1)
                )
            )
        }
        let elapsed = Double(benchClock() - start)
        precondition(head.snapshot.totalCounts == edges)
        return Double(edges) * 1_000 / elapsed
    }
}
