import Codes

extension EndCode {
    var explanation: Explanation {
        switch self {
        case .status1:
            Explanation(
                "Refused, or not everything is in order",
                "A tool's word for no: see its help.",
                money: .nothing,
                .integrator("read what it printed")
            )
        case .status64:
            Explanation(
                "Wrong command line",
                "Nothing was done.",
                money: .nothing,
                .integrator("the program's --help")
            )
        case .status65:
            Explanation(
                "The data is not taken",
                "What a tool was given is refused, and nothing was changed.",
                money: .nothing,
                .integrator("read what it printed")
            )
        case .status69:
            Explanation(
                "Something that is needed is missing",
                "A chip, a reader, a terminal or the service. It may pass.",
                money: .noSale,
                .technician("the last line of the log names it")
            )
        case .status71:
            Explanation(
                "The system refuses what is needed",
                "Core dumps could not be forbidden, or a call failed.",
                money: .noSale,
                .technician("the last line of the log names the call")
            )
        case .status74:
            Explanation(
                "Input or output failed",
                "Journal, pump, or a file that cannot be read or written. It may pass, and systemd starts the service again.",
                money: .onDisk,
                .technician("the last line of the log names it; look at the disk")
            )
        case .status75:
            Explanation(
                "Told to stop, and something did not answer",
                "The next start settles what is open.",
                money: .onDisk,
                .technician("the last line of the log names it")
            )
        case .status77:
            Explanation(
                "Ended because the housing was opened",
                "The keys are destroyed, and the unit stays down.",
                money: .issuers,
                .technician("close the housing"),
                .custodian("load the keys again; then systemctl start greylockd")
            )
        case .status78:
            Explanation(
                "The configuration is wrong",
                "It does not mend itself, and the unit stays down.",
                money: .noSale,
                .integrator("greylockd --config FILE --check names the line; then systemctl start greylockd")
            )
        case .status243:
            Explanation(
                "systemd could not open the credential",
                "The storage key is sealed to another TPM state or board. The service was not begun.",
                money: .noSale,
                .custodian("see Sealing and recovery")
            )
        }
    }
}
