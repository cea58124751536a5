import Metering

/// Edges a second through the pulser and the meter head, against ten million.
enum QuadratureBench {
    private static let edges = 4_000_000

    static func run() -> [BenchResult] {
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
        let decoding = Double(benchClock() - start)
        precondition(pulser.counts == edges && pulser.faults.total == 0)
        return [
            .rate(
                name: "quadrature decoding",
                value: Double(edges) * 1_000 / decoding,
                unit: "M edges/s",
                reference: 10,
                of: "limit"
            ),
            .rate(
                name: "meter head, cut-off included",
                value: meterHead(),
                unit: "M edges/s",
                reference: 0.02,
                of: "design rate (20,000 edges/s)"
            ),
        ]
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
