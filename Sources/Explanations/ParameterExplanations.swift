import Codes

extension ParameterCode {
    var explanation: Explanation {
        switch self {
        case .parametersMissing:
            Explanation(
                "There is no book of parameters",
                "No set was ever put under seal.",
                money: .sideClosed,
                .technician("greylock parameters import FILE --config FILE --name NAME --second NAME --reason TEXT")
            )
        case .parametersUnreadable:
            Explanation(
                "The book of parameters cannot be read",
                "The system's own words stand behind it.",
                money: .sideClosed,
                .technician("look at the disk and at the rights of [parameters] path")
            )
        case .parametersBroken:
            Explanation(
                "The book of parameters is broken",
                "Chain, counters or text are not what this program wrote.",
                money: .sideClosed,
                .technician("greylock parameters verify says where; put the book back from a copy that fits")
            )
        case .parametersOtherTerminal:
            Explanation(
                "The book is another terminal's",
                "Its id is not [terminal] id.",
                money: .sideClosed,
                .technician("put this terminal's book back")
            )
        case .parametersNoSet:
            Explanation(
                "The book has no set of this side",
                "Other sides have one.",
                money: .sideClosed,
                .technician("greylock parameters import with a table of this side")
            )
        case .parametersOtherBoard:
            Explanation(
                "The book is another board's",
                "Its sets were sealed for another serial number.",
                money: .sideClosed,
                .technician("after a board was exchanged, import the parameters anew")
            )
        case .parametersWrongCode:
            Explanation(
                "The code of a set is wrong",
                "It was not made under this terminal's record key.",
                money: .sideClosed,
                .technician("greylock parameters verify; put the right book back")
            )
        case .parametersOtherKey:
            Explanation(
                "The set was coded under a key that is gone",
                "The terminal has another record key now.",
                money: .sideClosed,
                .technician("import the parameters anew")
            )
        case .parametersGone:
            Explanation(
                "The sets of this side are gone",
                "The journal knows that there were some.",
                money: .sideClosed,
                .technician("put the newest book back; else import anew, which is kept in the history")
            )
        case .parametersOlder:
            Explanation(
                "The book is an older one",
                "The journal knows a later version.",
                money: .sideClosed,
                .technician("put the newest book back")
            )
        case .parametersReplaced:
            Explanation(
                "The set was replaced",
                "The journal knows another set of the same version.",
                money: .sideClosed,
                .technician("put the right book back")
            )
        case .parametersLoweredCounter:
            Explanation(
                "A counter of the parameters fell",
                "Calibration and configuration counters only rise.",
                money: .sideClosed,
                .technician("put the newest book back")
            )
        case .parametersUnknownHistory:
            Explanation(
                "What the journal knows of the parameters is not believed",
                "Its row is damaged.",
                money: .sideClosed,
                .technician("greylock records --config FILE lists the row")
            )
        case .parametersOtherWiring:
            Explanation(
                "The parameters are of another wiring",
                "Channels of the set and lines of the configuration do not fit.",
                money: .sideClosed,
                .integrator("wire one channel or two, as the set says")
            )
        case .parametersInForce:
            Explanation(
                "Which parameters are in force",
                "Version, checksum and counters of the set under which this side sells.",
                money: .nothing
            )
        }
    }
}
