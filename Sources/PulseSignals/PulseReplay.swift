package import Metering

/// What a decoder makes of a trace: each fault at its edge, and the counts in the end.
package struct PulseReplay: Equatable, Sendable {
    package struct Finding: Equatable, Sendable {
        /// In the trace, from 1.
        package let edge: Int
        /// Since the trace's begin.
        package let nanoseconds: UInt64
        package let faults: [PulserFault]
        /// What the edge did to the counts.
        package let gained: Int
    }

    package static let findingsMax = 10_000

    /// The first ``findingsMax``.
    package private(set) var findings: [Finding] = []
    /// Edges with faults beyond those.
    package private(set) var furtherFindings = 0
    package private(set) var counts = 0
    /// Not worked off.
    package private(set) var reverse = 0
    package private(set) var faults = PulserFaults()

    /// - Parameter security: what is done about a missing edge; of a pulser with one channel nothing can be.
    package init(_ trace: PulseTrace, _ security: PulserSecurity) {
        var limits = MeterLimits()
        limits.edgesPerSecondMax = trace.head.edgesPerSecondMax
        var pulser = Pulser(
            kind: trace.head.isQuadrature ? .quadrature(security) : .single,
            levels: (trace.head.levels.a, trace.head.levels.b),
            limits: limits
        )
        var before = pulser.faults
        for (index, edge) in trace.edges.enumerated() {
            guard case .pulser(let channel) = edge.input else { continue }
            let gained = pulser.edge(
                channel,
                rising: edge.rising,
                time: edge.nanoseconds &+ Self.begin,
                sequence: edge.sequence
            )
            guard pulser.faults != before else { continue }
            defer { before = pulser.faults }
            guard findings.count < Self.findingsMax else {
                furtherFindings += 1
                continue
            }
            findings.append(
                Finding(
                    edge: index + 1,
                    nanoseconds: edge.nanoseconds,
                    faults: pulser.faults.since(before).counts,
                    gained: gained
                )
            )
        }
        counts = pulser.counts
        reverse = pulser.reverse
        faults = pulser.faults
    }

    /// A decoder begins at some time of a clock that has run for a while.
    private static let begin: UInt64 = 1_000_000_000
}
