import Metering
import Quantities

/// The same in both languages of a report, which stand beside each other: one file is signed once.
struct Pair {
    let chinese: String
    let english: String

    init(_ chinese: String, _ english: String) {
        self.chinese = chinese
        self.english = english
    }

    /// The English as the beginning of a sentence.
    var begun: Pair { Pair(chinese, english.prefix(1).uppercased() + english.dropFirst()) }

    var html: String {
        "<span lang=\"zh-CN\">\(escaped(chinese))</span> <span lang=\"en\">\(escaped(english))</span>"
    }
}

/// For the text of an element and for a value in quotation marks.
func escaped(_ text: String) -> String {
    var result = ""
    for character in text.unicodeScalars {
        switch character {
        case "&": result += "&amp;"
        case "<": result += "&lt;"
        case ">": result += "&gt;"
        case "\"": result += "&quot;"
        case "'": result += "&#39;"
        case _: result.unicodeScalars.append(character)
        }
    }
    return result
}

extension TestPoint {
    var pair: Pair {
        switch role {
        case .largestFlow: Pair("最大流量", "largest flow")
        case .lowerFlow: Pair("较小流量", "lower flow")
        case .further: Pair("附加流量点", "further point")
        case .leastQuantity: Pair("最小被测量", "least quantity")
        }
    }
}

extension DeliveryKind {
    var pair: Pair {
        switch self {
        case .preset: Pair("定量", "preset")
        case .free: Pair("非定量", "free")
        }
    }
}

extension BudgetLine.Source {
    var pair: Pair {
        switch self {
        case .scatter: Pair("重复性 (A 类)", "scatter (type A)")
        case .prover: Pair("标准金属量器", "prover")
        case .meterThermometer: Pair("温度计 (加油机处)", "thermometer at the meter")
        case .proverThermometer: Pair("温度计 (量器内)", "thermometer in the prover")
        case .expansion: Pair("液体膨胀系数", "liquid's expansion")
        case .reading: Pair("量器读数", "reading of the prover")
        case .count: Pair("脉冲计数", "count")
        case .display: Pair("示值分辨力", "display")
        }
    }

    /// How its distribution is taken.
    func distribution(_ prover: Prover) -> Pair {
        switch self {
        case .scatter: Pair("t 分布", "Student")
        case .prover:
            switch prover.accuracy {
            case .certificate: Pair("正态", "normal")
            case .limit: Pair("均匀", "rectangular")
            }
        case .count: Pair("三角", "triangular")
        case .meterThermometer, .proverThermometer, .expansion, .reading, .display: Pair("均匀", "rectangular")
        }
    }
}

extension Rule {
    var pair: Pair {
        switch self {
        case .certificateExpired: Pair("量器证书已过期", "prover's certificate expired")
        case .liquidTooWarm: Pair("液体温度过高", "liquid too warm")
        case .temperaturesApart: Pair("加油机与量器温差过大", "meter and prover too far apart in temperature")
        case .uncertaintyTooLarge: Pair("不确定度过大", "uncertainty too large")
        case .factorFarOff: Pair("新旧系数相差过大", "factor far from the old one")
        case .pulsesOutOfRange: Pair("每升脉冲数超出范围", "pulses per litre out of range")
        case .pointNotRun: Pair("原有流量点未测", "point of the old curve not run")
        }
    }
}

extension RunFlaw {
    var pair: Pair {
        switch self {
        case .flow: Pair("平均流量不符", "mean flow not the asked one")
        case .littleAtRate: Pair("额定流量部分过少", "too little at the asked rate")
        case .pulserFaults(let count): Pair("脉冲故障 \(count) 次", "\(count) faults of the pulser")
        case .mixed: Pair("定量与非定量混用", "preset and free delivery mixed")
        case .byPerson(let reason, let person):
            Pair("人工剔除：\(reason.text)（\(person.text)）", "discarded by the person named, for the reason given")
        }
    }
}

extension SpoiltDelivery.Cause {
    var pair: Pair {
        switch self {
        case .interrupted: Pair("程序或电源中断", words)
        case .unread: Pair("未键入读数", words)
        case .notWhole: Pair("出油不完整", words)
        case .elsewhere: Pair("仅账本有记录：属另一次检定，或检定文件曾为旧副本", words)
        }
    }
}

extension Report {
    var title: Pair {
        switch assignment.purpose {
        case .calibrate: Pair("燃油加油机校准报告", "Calibration of a fuel dispenser")
        case .verify: Pair("燃油加油机核验报告", "Verification of a fuel dispenser")
        }
    }

    var outcome: Pair {
        if let abandonment {
            return Pair(
                "已于 \(abandonment.time) 中止，原系数不变：\(abandonment.reason.text)（\(abandonment.person.text)）",
                "Abandoned at \(abandonment.time), the old factors stay: \(abandonment.reason.text) (\(abandonment.person.text))"
            )
        }
        guard verdict != nil else { return Pair("未完成：有效次数不足", "Not complete: too few runs count") }
        guard let isPassed else {
            return Pair("未完成：尚无人确认各次测量有效", "Not complete: nobody has said yet that the runs stand")
        }
        let pair =
            isPassed
            ? Pair("各点均在限值内", "all points are within the limits")
            : Pair("有测量点超出限值", "some points are outside the limits")
        guard applied != nil else { return pair.begun }
        return Pair("调整前\(pair.chinese)", "Before the new factors \(pair.english)")
    }

    /// What became of the factors.
    var effect: Pair {
        if assignment.purpose == .verify { return Pair("按显示值核验，未作任何更改", "From the display; nothing was changed") }
        guard let applied else {
            return session.proposed == nil || abandonment != nil
                ? Pair("未更改系数", "No factor was changed")
                : Pair("新系数尚未生效", "The new factors are not in force yet")
        }
        return Pair(
            "新系数自 \(applied.time) 起生效；上述误差为调整前的误差",
            "New factors are in force since \(applied.time); the errors above are those before"
        )
    }
}
