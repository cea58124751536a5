import Codes

extension InterfaceCode {
    var explanation: Explanation {
        switch self {
        case .notAnObject:
            Explanation(
                "The line is no JSON object",
                "It is not UTF-8, no JSON, or no object.",
                money: .nothing,
                .integrator("send one object a line")
            )
        case .lineTooLong:
            Explanation(
                "The line is too long",
                "More than the interface takes in one line.",
                money: .nothing,
                .integrator("send lists in parts")
            )
        case .memberTwice:
            Explanation(
                "A member is there twice",
                "Which one counts is not guessed.",
                money: .nothing,
                .integrator("send each once")
            )
        case .memberUnknown:
            Explanation(
                "A member is not known",
                "The command has no such one.",
                money: .nothing,
                .integrator("see record 0061")
            )
        case .memberMissing:
            Explanation(
                "A member is missing",
                "The command needs it.",
                money: .nothing,
                .integrator("see record 0061")
            )
        case .memberWrong:
            Explanation(
                "A member is wrong",
                "Its kind or its value is not what the command takes.",
                money: .nothing,
                .integrator("the words say what is expected")
            )
        case .commandUnknown:
            Explanation(
                "The command is not known",
                "It is misspelt, or of a newer version.",
                money: .nothing,
                .integrator("see record 0061")
            )
        case .readOnly:
            Explanation(
                "The command is one for the control socket",
                "The read socket changes nothing.",
                money: .nothing,
                .integrator("connect to [interface] control")
            )
        case .tooManyClients:
            Explanation(
                "Too many clients",
                "No other is taken now.",
                money: .nothing,
                .integrator("close connections that are not used")
            )
        case .tooManyOrders:
            Explanation(
                "Too many orders wait",
                "None is taken until some are done.",
                money: .nothing,
                .integrator("wait for answers")
            )
        case .keyUsed:
            Explanation(
                "The key came before with another order",
                "A key stands for one order for ever.",
                money: .nothing,
                .integrator("take a new key for each order, and the same when it is repeated")
            )
        case .takenBack:
            Explanation(
                "Another order took it back",
                "It was not done.",
                money: .nothing,
                .integrator("look at the status")
            )
        case .starting:
            Explanation(
                "The service starts",
                "It has not opened its journal yet.",
                money: .nothing,
                .integrator("the same again in a second")
            )
        case .stopping:
            Explanation(
                "The service stops",
                "It takes no order any more.",
                money: .nothing,
                .integrator("the same key again when it is back")
            )
        case .orderNeedsClock:
            Explanation(
                "The order needs the board's clock",
                "It is not set, so nobody knows which orders for a later time have had it. It was not done, and no card is served.",
                money: .nothing,
                .integrator("the same key again once the clock is set")
            )
        case .noSuchSide:
            Explanation(
                "There is no such side",
                "The configuration names no side of that number.",
                money: .nothing,
                .integrator("status lists the sides")
            )
        case .noSuchRecord:
            Explanation(
                "There is no such record",
                "The journal has none of that number.",
                money: .nothing,
                .integrator("ask for records by cursor")
            )
        case .recordOpen:
            Explanation(
                "The record is not finished",
                "Or its card still owes what it says: it is not acknowledged.",
                money: .unproven,
                .integrator("acknowledge it later")
            )
        case .listWrong:
            Explanation(
                "The list is not what was said of it",
                "Its parts did not come in order, or count or SHA-256 differ. The old list holds.",
                money: .nothing,
                .integrator("send it again from the start")
            )
        case .greysWrong:
            Explanation(
                "The grey records are not to be read",
                "The file was changed on its way, is of another scheme, or is no file of grey records. None was taken.",
                money: .nothing,
                .integrator("have the other board give it again, and send it as it was given")
            )
        case .noMasterKey:
            Explanation(
                "The terminal has no master key",
                "Grey records are proven with it: none can be given or taken.",
                money: .nothing,
                .custodian("load the terminal's keys")
            )
        case .storage:
            Explanation(
                "The journal did not take it",
                "The order was not done.",
                money: .nothing,
                .technician("look at the journal's disk"),
                .integrator("the same key again later")
            )
        }
    }
}
