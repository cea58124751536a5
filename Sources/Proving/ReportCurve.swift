import Quantities

/// The errors over the flow rate as SVG: limits, each run, the means with their uncertainty, and what the new factors leave.
///
/// Floating point: places on paper.
struct ReportCurve {
    private static let (width, height) = (680.0, 300.0)
    private static let (left, right, top, bottom) = (58.0, 16.0, 14.0, 44.0)

    private let report: Report
    private let verdict: Verdict
    private let flowMax: Double
    /// In percent.
    private let errorMax: Double

    init(_ report: Report, _ verdict: Verdict) {
        self.report = report
        self.verdict = verdict
        flowMax = Double(verdict.points.map(\.point.litresPerMinute).max() ?? 1) * 1.12
        let reach = verdict.points.flatMap { result in
            [result.point.errorLimit.share * 1.1, result.mean.magnitude.share + result.budget.expanded]
                + result.errors.map(\.magnitude.share)
        }
        errorMax = (reach.max() ?? 0.01) * 100 * 1.08
    }

    var svg: String {
        let (width, height) = (Int(Self.width), Int(Self.height))
        let head =
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(width) \(height)\" role=\"img\" aria-label=\"error curve\">"
        return ([head] + axes + limits + verdict.points.flatMap(marks) + rests + ["</svg>"]).joined(separator: "\n")
    }

    private func x(_ flow: Double) -> String {
        number(Self.left + flow / flowMax * (Self.width - Self.left - Self.right))
    }

    /// Of an error in percent.
    private func y(_ error: Double) -> String {
        let middle = (Self.top + Self.height - Self.bottom) / 2
        return number(middle - error / errorMax * (Self.height - Self.top - Self.bottom) / 2)
    }

    /// The least quantity stands a little beside its flow, where another point may be.
    private func place(_ point: TestPoint) -> Double {
        Double(point.litresPerMinute) - (point.role == .leastQuantity ? flowMax / 30 : 0)
    }

    private func number(_ value: Double) -> String { decimal(Int((value * 10).rounded()), decimals: 1, shown: 0...1) }

    private var axes: [String] {
        var step = 0.05
        while errorMax / step >= 6 { step *= 2 }
        var parts: [String] = []
        for tick in stride(from: -(errorMax / step).rounded(.down), through: (errorMax / step).rounded(.down), by: 1) {
            let percent = RelativeError(billionths: Int((tick * step * 1e7).rounded()))
            parts.append(line(x(0), y(tick * step), x(flowMax), y(tick * step), tick == 0 ? "axis" : "grid"))
            let label = tick == 0 ? "0" : decimal(percent.billionths / 100_000, decimals: 2, shown: 2...2)
            parts.append(text(number(Self.left - 6), y(tick * step), (tick > 0 ? "+" : "") + label, "end", "dy=\"4\""))
        }
        let flowStep = [1.0, 2, 5, 10, 20, 50, 100, 200].first { flowMax / $0 < 11 } ?? 500
        for tick in stride(from: 0, through: flowMax, by: flowStep) {
            parts.append(line(x(tick), y(-errorMax), x(tick), y(errorMax), "grid"))
            parts.append(text(x(tick), number(Self.height - Self.bottom + 15), "\(Int(tick))", "middle"))
        }
        parts.append(text(x(flowMax / 2), number(Self.height - 8), "流量 flow / (L/min)", "middle"))
        let middle = number((Self.top + Self.height - Self.bottom) / 2)
        parts.append(
            "<text x=\"14\" y=\"\(middle)\" transform=\"rotate(-90 14 \(middle))\" text-anchor=\"middle\">误差 error / %</text>"
        )
        return parts
    }

    /// Over all flows those of the rates; at the least quantity its own, as brackets.
    private var limits: [String] {
        let limit = PracticeLimits.error.share * 100
        var parts = [limit, -limit].map { line(x(0), y($0), x(flowMax), y($0), "limit") }
        for result in verdict.points where result.point.role == .leastQuantity {
            let flow = place(result.point)
            let own = result.point.errorLimit.share * 100
            for error in [own, -own] {
                parts.append(line(x(flow - flowMax / 45), y(error), x(flow + flowMax / 45), y(error), "limit"))
            }
        }
        return parts
    }

    private func marks(_ result: PointResult) -> [String] {
        let isLeast = result.point.role == .leastQuantity
        let flow = place(result.point)
        let (mean, expanded) = (result.mean.share * 100, result.budget.expanded * 100)
        let wing = flowMax / 110
        var parts = result.errors.map {
            "<circle class=\"run\" cx=\"\(x(flow + wing * 1.6))\" cy=\"\(y($0.share * 100))\" r=\"2\"/>"
        }
        parts.append(line(x(flow), y(mean - expanded), x(flow), y(mean + expanded), "bar"))
        for end in [mean - expanded, mean + expanded] {
            parts.append(line(x(flow - wing), y(end), x(flow + wing), y(end), "bar"))
        }
        let shape =
            isLeast
            ? "<rect class=\"mean\" x=\"\(x(flow))\" y=\"\(y(mean))\" width=\"7\" height=\"7\" transform=\"translate(-3.5 -3.5)\"/>"
            : "<circle class=\"mean\" cx=\"\(x(flow))\" cy=\"\(y(mean))\" r=\"4\"/>"
        return parts + [shape]
    }

    private var rests: [String] {
        guard let proposed = report.session.proposed else { return [] }
        return proposed.proposal.lines.map {
            "<circle class=\"after\" cx=\"\(x(Double($0.litresPerMinute)))\" cy=\"\(y($0.rest.share * 100))\" r=\"4\"/>"
        }
    }

    private func line(_ x1: String, _ y1: String, _ x2: String, _ y2: String, _ name: String) -> String {
        "<line class=\"\(name)\" x1=\"\(x1)\" y1=\"\(y1)\" x2=\"\(x2)\" y2=\"\(y2)\"/>"
    }

    private func text(_ x: String, _ y: String, _ text: String, _ anchor: String, _ more: String = "") -> String {
        "<text x=\"\(x)\" y=\"\(y)\" text-anchor=\"\(anchor)\"\(more.isEmpty ? "" : " " + more)>\(text)</text>"
    }
}
