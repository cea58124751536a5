import ISO7816
import Metering
import Quantities

/// The report as one HTML page: Chinese, and English beside it, for screen and A4.
struct ReportPage {
    let report: Report

    var text: String {
        let parts =
            [head, facts, result, curve, runs, spoilt, budget, factors, exceptions, signatures].filter { !$0.isEmpty }
            + [end]
        return parts.joined(separator: "\n") + "\n"
    }

    private var assignment: Assignment { report.assignment }
    private var running: Running { report.running }

    private var head: String {
        """
        <!DOCTYPE html>
        <html lang="zh-CN">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(escaped(report.title.chinese)) \(escaped(assignment.station.text)) \(assignment.begun)</title>
        <style>
        \(Self.style)
        </style>
        </head>
        <body>
        <main>
        <h1>\(report.title.html)</h1>
        <p class="outcome \(outcomeClass)">\(report.outcome.html)</p>
        <p>\(report.effect.html)</p>
        <p class="note">\(Self.practice.html)</p>
        """
    }

    private var outcomeClass: String {
        report.isPassed == true && report.abandonment == nil ? "passed" : "failed"
    }

    private static let practice = Pair(
        "限值与方法参照 JJG 443 的通行做法；本报告不是检定证书。",
        "Limits and method follow the practice of JJG 443; this is no certificate of verification."
    )

    private var facts: String {
        section(Pair("对象与条件", "What was measured, and how"), Self.facts(rows))
    }

    private var rows: [(Pair, String)] {
        let conditions = running.conditions
        var rows: [(Pair, String)] = [
            (Pair("加油站", "station"), escaped(assignment.station.text)),
            (Pair("主板", "board"), "\(escaped(assignment.board.text)), \(Pair("加油面", "side").html) \(assignment.side)"),
            (Pair("流量测量变换器编号", "meter, serial number"), escaped(assignment.meterSerial.text)),
            (Pair("编码器编号", "pulser, serial number"), escaped(assignment.pulserSerial.text)),
            (Pair("开始时间", "begun"), "\(assignment.begun)"),
            (Pair("校准人员", "technician"), escaped(assignment.technician.text)),
            (Pair("测量软件", "software that measured"), software(assignment.software)),
            (
                Pair("液体", "liquid"),
                "\(escaped(conditions.liquid.text)), β = \(conditions.expansion.words) ± \(decimal(conditions.expansionThousandths, decimals: 1, shown: 0...1)) %"
            ),
            (Pair("环境温度", "air"), conditions.air.words),
            (
                Pair("温度计允许误差", "thermometers, limit of error"),
                "± \(Temperature(milliCelsius: conditions.thermometerMilliKelvin).words)"
            ),
        ]
        for (index, prover) in running.equipped.provers.enumerated() {
            rows.append((Pair("标准金属量器 \(index + 1)", "prover \(index + 1)"), Self.words(prover)))
        }
        return rows
    }

    private static func words(_ prover: Prover) -> String {
        let accuracy =
            switch prover.accuracy {
            case .certificate(let expanded, let factor):
                "U = \(expanded.litresText) L (k = \(decimal(factor, decimals: 3, shown: 0...3)))"
            case .limit(let millionths): "MPE ± \(decimal(millionths, decimals: 4, shown: 2...4)) %"
            }
        return """
            \(decimal(prover.nominal.microlitres, decimals: 6, shown: 0...6)) L, № \(escaped(prover.serial.text)), \(accuracy), \
            \(Pair("修正值", "correction").html) \(prover.correction.litresText) L; \
            \(Pair("证书", "certificate").html) \(escaped(prover.certificate.text)), \
            \(Pair("有效期至", "valid until").html) \(prover.expires); β = \(prover.expansion.words); \
            \(Pair("湿润", "wetting").html) \(prover.wettingSeconds) s, \(Pair("滴流", "drip").html) \(prover.dripSeconds) s; \
            \(Pair("分度值", "division").html) \(prover.scaleDivision.litresText) L
            """
    }

    private var result: String {
        guard let verdict = report.verdict else { return "" }
        let head = [
            Pair("测量点", "point"), Pair("流量", "flow, L/min"), Pair("次数", "runs"), Pair("误差", "error, %"),
            Pair("限值", "limit, %"), Pair("扩展不确定度", "U, %"), Pair("包含因子", "k"), Pair("重复性", "spread, %"),
            Pair("限值", "limit, %"), Pair("结论", "verdict"),
        ]
        let rows = verdict.points.map { point -> [String] in
            let spreadLimit = point.isRepeatable == nil ? "–" : PracticeLimits.repeatability.percentUnsigned
            return [
                point.point.pair.html, "\(point.point.litresPerMinute)", "\(point.errors.count)", point.mean.percent,
                "± " + point.point.errorLimit.percentUnsigned, Self.percent(point.budget.expanded),
                point.budget.factor.hundredths, point.spread.percentUnsigned, spreadLimit, Self.words(point),
            ]
        }
        let note = Pair(
            "误差为各次平均值 E = (V_J − V)/V；U 的包含概率为 95 %。结论按平均误差作出；“临界”表示限值落在误差的不确定度之内。",
            "The error is the mean of E = (V_J − V)/V; U covers 95 %. The verdict is that of the mean; “close” says that the limit lies within its uncertainty."
        )
        return section(
            Pair("结果", "Result"),
            Self.table(head, rows, kind: "figures") + "\n<p class=\"note\">\(note.html)</p>"
        )
    }

    private static func words(_ point: PointResult) -> String {
        let verdict = point.isPassed ? Pair("合格", "within") : Pair("不合格", "outside")
        return verdict.html + (point.isCloseToLimit ? "<br>" + Pair("临界", "close").html : "")
    }

    private var curve: String {
        guard let verdict = report.verdict else { return "" }
        let isProposed = report.session.proposed != nil
        let legend = Pair(
            "● 平均误差及 U，■ 最小被测量，· 各次误差，虚线为限值\(isProposed ? "，○ 新系数下的剩余误差" : "")",
            "● mean error with U, ■ least quantity, · runs, dashed: limits\(isProposed ? ", ○ what the new factors leave" : "")"
        )
        return """
            <figure>
            \(ReportCurve(report, verdict).svg)
            <figcaption>\(legend.html)</figcaption>
            </figure>
            """
    }

    private var exceptions: String {
        let head = [
            Pair("规则", "rule"), Pair("测量序号", "run"), Pair("实际值", "found"), Pair("理由", "reason"), Pair("人员", "person"),
        ]
        var groups: [(override: Override, runs: [Int])] = []
        for (run, override) in report.overrides {
            let place = groups.firstIndex { $0.override == override } ?? groups.count
            if place == groups.count { groups.append((override, [])) }
            if let run { groups[place].runs.append(run) }
        }
        let rows = groups.map { override, runs in
            [
                override.rule.pair.html, runs.isEmpty ? "–" : runs.map(String.init).joined(separator: ", "),
                escaped(override.found), escaped(override.reason.text), escaped(override.person.text),
            ]
        }
        guard !rows.isEmpty else {
            return section(Pair("例外", "Exceptions"), "<p>\(Pair("无", "None").html)</p>")
        }
        return section(Pair("经说明理由后放行的例外", "Exceptions let stand with a reason"), Self.table(head, rows))
    }

    private var signatures: String {
        let lines = [
            (Pair("校准人员", "technician"), assignment.technician.text),
            (Pair("核验人员", "second person"), report.second?.text ?? ""),
            (Pair("检定员 / 监督员", "inspector"), ""),
        ]
        let boxes = lines.map { who, name in
            "<div><p>\(who.html)<br>\(name.isEmpty ? "&nbsp;" : escaped(name))</p><p class=\"line\">\(Pair("签字、日期", "signature, date").html)</p></div>"
        }
        return "<div class=\"end\">\n<section class=\"signatures\">\n" + boxes.joined(separator: "\n") + "\n</section>"
    }

    private var end: String {
        """
        <footer>
        <p>\(Pair("报告时间", "written").html) \(report.made); \(software(report.software))</p>
        <p>\(Pair("校验码（覆盖除其自身 32 位以外的全部字节），密钥", "code over every byte but its own 32 digits, under record key").html) \
        <code id="key">\(escaped(report.keyName.text))</code>: <code id="code">\(ReportCode.blank)</code></p>
        <p>\(Pair("核对方法：", "to check it:").html) greylock calibrate report --check</p>
        </footer>
        </div>
        </main>
        </body>
        </html>
        """
    }

    private func software(_ software: MeasuringProgram) -> String {
        "greylock \(escaped(software.version.text)), SHA-256 <span class=\"hash\">\(escaped(software.sha256.text))</span>"
    }
}

extension ReportPage {
    func section(_ title: Pair, _ content: String) -> String {
        "<section>\n<h2>\(title.html)</h2>\n\(content)\n</section>"
    }

    /// Cells are HTML.
    static func table(
        _ head: [Pair],
        _ rows: [[String]],
        kind: String = "words",
        marked: Set<Int> = []
    ) -> String {
        let heads = head.map { "<th>\($0.html)</th>" }.joined()
        let lines = rows.enumerated().map { index, row in
            "<tr\(marked.contains(index) ? " class=\"discarded\"" : "")>" + row.map { "<td>\($0)</td>" }.joined()
                + "</tr>"
        }
        return
            "<table class=\"\(kind)\">\n<thead><tr>\(heads)</tr></thead>\n<tbody>\n\(lines.joined(separator: "\n"))\n</tbody>\n</table>"
    }

    private static func facts(_ rows: [(Pair, String)]) -> String {
        let lines = rows.map { "<tr><th>\($0.0.html)</th><td>\($0.1)</td></tr>" }
        return "<table class=\"facts\">\n<tbody>\n\(lines.joined(separator: "\n"))\n</tbody>\n</table>"
    }

    /// A share in percent, without a sign.
    static func percent(_ share: Double) -> String {
        RelativeError(billionths: Int((share * 1e9).rounded())).percentUnsigned
    }
}

extension Double {
    var hundredths: String { decimal(Int((self * 100).rounded()), decimals: 2, shown: 2...2) }
}
