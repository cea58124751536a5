import ISO7816
import Metering
import Quantities

// The tables with all that was counted, read and worked out.

extension ReportPage {
    var runs: String {
        let running = report.running
        guard !running.runs.isEmpty else { return "" }
        let perLitre = report.assignment.old.calibration.countsPerLitre
        let head = [
            Pair("序号", "run"), Pair("记录", "record"), Pair("测量点", "point"), Pair("方式", "mode"),
            Pair("流量", "flow, L/min"),
            Pair("时间", "time, s"), Pair("计数", "counts"), Pair("显示", "display, L"), Pair("读数", "V_B, L"),
            Pair("油温", "t_J, °C"), Pair("量器", "t_B, °C"), Pair("V_J", "L"), Pair("V", "L"), Pair("误差", "E, %"),
        ]
        var rows: [[String]] = []
        var discarded: Set<Int> = []
        for (index, run) in running.runs.enumerated() {
            if !run.counts { discarded.insert(index) }
            let delivery = run.delivery
            let old = report.assignment.old.points
            let counts = zip(delivery.counts, old).filter { $0.0 > 0 }
                .map { old.count == 1 ? "\($0)" : "\($0) (\($1.litresPerMinute))" }.joined(separator: " + ")
            rows.append([
                "\(index + 1)\(run.counts ? "" : "*")", "\(delivery.record)",
                "\(report.assignment.plan.points[run.point].pair.html)",
                delivery.kind.pair.html,
                decimal(delivery.millilitresPerMinute(countsPerLitre: perLitre), decimals: 3, shown: 1...1),
                decimal(Int(delivery.nanoseconds / 100_000_000), decimals: 1, shown: 1...1), counts,
                litres(centilitres: delivery.displayedCentilitres), run.reading.scale.litresText,
                Self.degrees(run.reading.meter), Self.degrees(run.reading.prover), running.indicated(run).shortText,
                running.reference(run).shortText, running.error(run).percent,
            ])
        }
        let table = Self.table(head, rows, kind: "figures runs", marked: discarded)
        return section(Pair("全部测量", "All runs"), ([table] + remarks).joined(separator: "\n"))
    }

    /// Empty when there are none.
    var spoilt: String {
        let deliveries = report.running.spoilt
        guard !deliveries.isEmpty else { return "" }
        let head = [
            Pair("记录", "record"), Pair("测量点", "point"), Pair("流量", "flow, L/min"), Pair("方式", "mode"),
            Pair("开始时间", "begun"), Pair("原因", "why nothing was read"),
        ]
        let rows = deliveries.map { delivery in
            let point = delivery.point.map { report.assignment.plan.points[$0] }
            return [
                "\(delivery.record)", point?.pair.html ?? "—", point.map { "\($0.litresPerMinute)" } ?? "—",
                delivery.kind?.pair.html ?? "—",
                "\(delivery.begun)", delivery.cause.pair.html,
            ]
        }
        return section(Pair("未读数的出油", "Deliveries without a reading"), Self.table(head, rows))
    }

    private static func degrees(_ temperature: Temperature) -> String {
        decimal(temperature.milliCelsius, decimals: 3, shown: 1...3)
    }

    private var remarks: [String] {
        let formula = Pair(
            "V = V_B (1 + β_B (t_B − 20) + β_y (t_J − t_B))，V_B 已加证书修正值；V_J 由计数得出（核验时取显示值）；计数后括号内为其所属的原流量点。",
            "V = V_B (1 + β_B (t_B − 20) + β_y (t_J − t_B)), V_B with the certificate's correction; V_J is that of the counts, in a verification that of the display; in brackets behind counts the point of the old curve, L/min."
        )
        var parts = ["<p class=\"note\">\(formula.html)</p>"]
        for (index, run) in report.running.runs.enumerated() {
            for flaw in run.flaws {
                let pair = Pair(
                    "* 第 \(index + 1) 次不计入：\(flaw.pair.chinese)",
                    "run \(index + 1) does not count: \(flaw.pair.english)"
                )
                parts.append("<p class=\"note\">\(pair.html)</p>")
            }
            guard !run.refusedReadings.isEmpty else { continue }
            let readings = run.refusedReadings.map { "\($0.litresText) L" }.joined(separator: ", ")
            let pair = Pair(
                "第 \(index + 1) 次先前键入而与计数不符的读数：\(readings)",
                "run \(index + 1), typed before and not fitting the counts"
            )
            parts.append("<p class=\"note\">\(pair.html)</p>")
        }
        return parts
    }

    var budget: String {
        guard let verdict = report.verdict else { return "" }
        let head =
            [Pair("来源", "source"), Pair("分布", "distribution")]
            + verdict.points.map {
                Pair("\($0.point.role == .leastQuantity ? "最小量" : "") \($0.point.litresPerMinute)", "L/min: u, %")
            }
        var rows = BudgetLine.Source.allCases.map { source in
            var kinds: [String] = []
            for prover in report.running.equipped.provers {
                let kind = source.distribution(prover).html
                if !kinds.contains(kind) { kinds.append(kind) }
            }
            return [source.pair.html, kinds.joined(separator: ", ")]
                + verdict.points.map { point in
                    point.budget.lines.first { $0.source == source }.map(Self.cell) ?? "–"
                }
        }
        func row(_ title: Pair, _ value: (Budget) -> String) -> [String] {
            [title.html, ""] + verdict.points.map { value($0.budget) }
        }
        rows += [
            row(Pair("合成标准不确定度", "combined u"), { Self.fine($0.standard) }),
            row(Pair("A 类自由度", "degrees of freedom of the scatter"), { "\($0.degrees)" }),
            row(Pair("A 类 t 因子", "Student's factor of the scatter"), { $0.scatterFactor.hundredths }),
            row(
                Pair("有效自由度", "effective degrees of freedom"),
                { $0.effectiveDegrees.map { $0 > 1_000 ? "∞" : $0.tenths } ?? "∞" }
            ),
            row(Pair("包含因子 k = U/u", "coverage factor"), { $0.factor.hundredths }),
            row(Pair("扩展不确定度 U (95 %)", "expanded"), { Self.percent($0.expanded) }),
        ]
        let note = Pair(
            "各流量点的重复性合并估计（自由度相加），最小被测量单独估计。U² = (t·u_A)² + (1.96·u_B)²：t 只用于由少数几次测量估计的 A 类分量。重复性与计数两项取较大者，另一项列于括号内。",
            "The scatter is pooled over the rates (their degrees of freedom add up), and is the least quantity's own there. U² = (t·u_A)² + (1.96·u_B)²: Student's t belongs to the part that few runs estimate. Of scatter and count the larger enters; the other stands in brackets."
        )
        return section(
            Pair("不确定度", "Uncertainty"),
            Self.table(head, rows, kind: "figures") + "\n<p class=\"note\">\(note.html)</p>"
        )
    }

    private static func cell(_ line: BudgetLine) -> String {
        line.enters ? fine(line.standard) : "(\(fine(line.standard)))"
    }

    /// A share in percent with four decimals.
    private static func fine(_ share: Double) -> String {
        decimal(Int((share * 1e6).rounded()), decimals: 4, shown: 4...4)
    }

    var factors: String {
        var parts: [String] = []
        if let proposed = report.session.proposed {
            let head = [
                Pair("流量", "flow, L/min"), Pair("原系数", "factor before"), Pair("新系数", "factor after"),
                Pair("调整前误差", "error before, %"), Pair("剩余误差", "error left, %"),
            ]
            parts.append(Self.table(head, proposed.proposal.lines.map(Self.row), kind: "figures"))
            let note = Pair(
                "体积 = Σ 计数 / (每升计数 × f)：计数按流量分属相邻流量点，起始与小流量段属低流量点。新系数使各流量点的平均误差同时为零；若全部计数属同一流量点，即 f_新 = f_旧 × V_J / V。",
                "Volume = Σ counts / (counts per litre × f): counts are shared between the neighbouring points by their flow, those of the slow begin and end too. Under the new factors no rate has a mean error; where all counts belong to one point, that is f new = f old × V_J / V."
            )
            parts.append("<p class=\"note\">\(note.html)</p>")
        }
        let head = [
            Pair("参数组", "set"), Pair("编号", "version"), Pair("校验和", "checksum"), Pair("每升脉冲数", "pulses per litre"),
            Pair("每脉冲计数", "counts per pulse"), Pair("系数", "factors"),
        ]
        var rows = [Self.row(Pair("原参数组", "old"), report.assignment.old)]
        if let applied = report.applied { rows.append(Self.row(Pair("新参数组", "new"), applied.new)) }
        parts.append(Self.table(head, rows))
        return section(Pair("系数与铅封参数", "Factors, and the set under seal"), parts.joined(separator: "\n"))
    }

    private static func row(_ line: Proposal.Line) -> [String] {
        [
            "\(line.litresPerMinute)", decimal(line.before, decimals: 6, shown: 6...6),
            decimal(line.after, decimals: 6, shown: 6...6), line.error.percent, line.rest.percent,
        ]
    }

    private static func row(_ name: Pair, _ set: SealedSet) -> [String] {
        let points = set.points.map {
            "\($0.litresPerMinute) L/min: \(decimal($0.factorMillionths, decimals: 6, shown: 6...6))"
        }
        return [
            name.html, "\(set.version)", "<span class=\"hash\">\(escaped(set.checksum.text))</span>",
            "\(set.pulsesPerLitre)", "\(set.countsPerPulse)", points.joined(separator: "<br>"),
        ]
    }

    static let style = """
        @page { size: A4; margin: 14mm 13mm 16mm; }
        * { box-sizing: border-box; }
        html { background: #e8e8e8; }
        body { margin: 0; color: #111; font: 13px/1.45 "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", sans-serif; }
        main { max-width: 900px; margin: 16px auto; padding: 28px 32px; background: #fff; }
        h1 { font-size: 21px; margin: 0 0 8px; border-bottom: 2px solid #111; padding-bottom: 6px; }
        h2 { font-size: 15px; margin: 18px 0 6px; break-after: avoid; }
        p { margin: 4px 0; }
        [lang=en] { color: #444; }
        h1 [lang=en], h2 [lang=en] { font-weight: normal; }
        .outcome { font-size: 16px; font-weight: bold; padding: 6px 10px; border: 2px solid; }
        .outcome [lang=en] { color: inherit; }
        .passed { border-color: #1b5e20; color: #1b5e20; }
        .failed { border-color: #9b1c1c; color: #9b1c1c; }
        .note { font-size: 11.5px; }
        table { border-collapse: collapse; width: 100%; font-size: 11.5px; margin: 4px 0; }
        th, td { border: 1px solid #888; padding: 2px 5px; vertical-align: top; text-align: left; overflow-wrap: anywhere; }
        .figures th, .figures td { overflow-wrap: normal; padding: 2px 4px; }
        .figures td:not(:first-child) { white-space: nowrap; } .runs td:nth-child(3), .runs td:nth-child(7) { white-space: normal !important; }
        .figures td:first-child { min-width: 9em; } .runs td:first-child { min-width: 0; }
        thead { display: table-header-group; }
        thead th { background: #f0f0f0; font-weight: 600; }
        thead th [lang=en] { display: block; font-weight: normal; }
        tr { break-inside: avoid; }
        td { font-variant-numeric: tabular-nums; }
        .facts th { width: 30%; font-weight: normal; background: #f7f7f7; }
        .discarded td { color: #666; background: #f3f3f3; font-style: italic; }
        .hash { font-family: monospace; font-size: 10.5px; overflow-wrap: anywhere; }
        figure { margin: 10px 0; break-inside: avoid; }
        figcaption { font-size: 11.5px; }
        svg { width: 100%; height: auto; font: 11px sans-serif; }
        svg .grid { stroke: #ddd; } svg .axis { stroke: #555; }
        svg .limit { stroke: #9b1c1c; stroke-width: 1.3; stroke-dasharray: 7 4; }
        svg .bar { stroke: #111; stroke-width: 1.4; } svg .mean { fill: #111; } svg .run { fill: #666; }
        svg .after { fill: none; stroke: #1b5e20; stroke-width: 1.6; }
        .signatures { display: flex; gap: 24px; margin-top: 26px; }
        .signatures div { flex: 1; } .line { border-top: 1px solid #111; margin-top: 44px; font-size: 11.5px; }
        footer { margin-top: 18px; border-top: 1px solid #888; padding-top: 6px; font-size: 11px; }
        .end { break-inside: avoid; break-before: avoid; }
        code { font-family: monospace; font-weight: bold; }
        @media print {
          html { background: none; } main { max-width: none; margin: 0; padding: 0; }
          body { font-size: 11px; } h1 { font-size: 18px; } h2 { font-size: 13px; margin-top: 12px; } .outcome { font-size: 14px; }
          table, .note, figcaption, footer { font-size: 9.5px; } .runs { font-size: 9px; } .hash { font-size: 8.5px; } svg { max-height: 62mm; }
          * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
        }
        """
}

extension Volume {
    /// Litres with four decimals, rounded.
    fileprivate var shortText: String {
        decimal(Int(rounded(Int128(microlitres), over: 100)), decimals: 4, shown: 4...4)
    }
}
