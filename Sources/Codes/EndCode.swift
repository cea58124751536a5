/// The exit status of a program.
package enum EndCode: String, CaseIterable, Sendable {
    case status1 = "exit-1"
    case status64 = "exit-64"
    case status65 = "exit-65"
    case status69 = "exit-69"
    case status71 = "exit-71"
    case status74 = "exit-74"
    case status75 = "exit-75"
    case status77 = "exit-77"
    case status78 = "exit-78"
    case status243 = "exit-243"
}
