import Codes

extension ServiceCode {
    var explanation: Explanation {
        switch self {
        case .ready:
            Explanation(
                "A side is ready",
                "It takes cards.",
                money: .nothing
            )
        case .paid:
            Explanation(
                "A record is made",
                "Number, kind, card, litres and money of what was just written.",
                money: .paid
            )
        case .toldToStop:
            Explanation(
                "The service was told to stop",
                "The valves are off after so many milliseconds.",
                money: .onDisk
            )
        case .stoppedUnfinished:
            Explanation(
                "The service stopped, and something did not answer",
                "A card, a disk or the pump did not come back in time. It ended all the same, with the valves closed.",
                money: .onDisk,
                .technician("look at what is named; the next start settles what is open")
            )
        case .endedUncleanly:
            Explanation(
                "The service had not ended cleanly",
                "Power failed, or it was killed. Nobody counted from then until now.",
                money: .uncounted,
                .technician("compare the totals with the nozzle's own counter")
            )
        case .programExchanged:
            Explanation(
                "The program's file was exchanged",
                "What runs is not what lies there.",
                money: .nothing,
                .technician("it takes over when nobody is served: systemctl kill --signal=HUP greylockd")
            )
        case .takesOverSoon:
            Explanation(
                "A new version takes over soon",
                "Program, library or configuration is new, and it waits until nobody is served.",
                money: .nothing
            )
        case .takesOver:
            Explanation(
                "The new version begins",
                "Nobody is served.",
                money: .nothing
            )
        case .takesOverRefused:
            Explanation(
                "The new version would not serve",
                "The service goes on as it is.",
                money: .nothing,
                .integrator("the words behind it say what it refuses: greylockd --config FILE --check")
            )
        case .nothingNew:
            Explanation(
                "There is nothing new",
                "Program, libraries and configuration are what they were.",
                money: .nothing
            )
        case .noSignOfLife:
            Explanation(
                "A thread stands still",
                "The watchdog is not fed any more, and systemd kills and restarts the service. Valves are closed by the stop action.",
                money: .onDisk,
                .technician("keep the log; the words name the thread: a card, the disk or the pump")
            )
        case .logLinesLost:
            Explanation(
                "Lines of the log were lost",
                "Nobody read them in time.",
                money: .nothing,
                .technician("see whether journald runs: systemctl status systemd-journald")
            )
        case .orderCloses:
            Explanation(
                "A side was closed by order",
                "At the control socket.",
                money: .nothing
            )
        case .orderOpens:
            Explanation(
                "A side was opened by order",
                "At the control socket.",
                money: .nothing
            )
        case .orderDrains:
            Explanation(
                "A drain was ordered",
                "greylock drain, or the stop before an upgrade.",
                money: .nothing
            )
        case .orderSells:
            Explanation(
                "Sales begin again, by order",
                "greylock undrain.",
                money: .nothing
            )
        case .orderPrice:
            Explanation(
                "A price was ordered",
                "From now, or from a time on.",
                money: .nothing
            )
        case .orderCards:
            Explanation(
                "The list of blocked cards was exchanged",
                "At the control socket.",
                money: .nothing
            )
        case .allSidesIdle:
            Explanation(
                "Every side is idle",
                "The drain is done.",
                money: .nothing
            )
        case .orderNotKept:
            Explanation(
                "An order was not kept",
                "The journal did not take it, and it was not done.",
                money: .nothing,
                .technician("look at the journal's disk")
            )
        case .ordersUnread:
            Explanation(
                "The orders that were done cannot be read",
                "The same key would be done twice.",
                money: .nothing,
                .technician("look at the journal's disk")
            )
        case .figuresUnread:
            Explanation(
                "The journal's figures cannot be read",
                "Its room is not shown at the sockets.",
                money: .nothing,
                .technician("look at the journal's disk")
            )
        case .journalFailed:
            Explanation(
                "The journal failed",
                "It cannot be read or written, and the service ends: no card is locked without it. systemd starts it again.",
                money: .onDisk,
                .technician(
                    "look at the disk: room (df), errors (journalctl -k); greylock records reads the journal or says why not"
                )
            )
        case .journalStepRefused:
            Explanation(
                "A record does not take this step",
                "The program is at fault, not the disk.",
                money: .onDisk,
                .integrator("send a support archive: greylock report")
            )
        case .interfaceFailed:
            Explanation(
                "A socket cannot be had",
                "The system's own words stand behind it.",
                money: .noSale,
                .integrator("see [interface]: the folder, and the groups that the service's user must be in")
            )
        case .configurationUnread:
            Explanation(
                "The configuration cannot be read",
                "It may pass, and is tried again.",
                money: .noSale,
                .technician("see that the file is there, and its rights")
            )
        case .configurationSyntax:
            Explanation(
                "The configuration is no TOML",
                "The line is named.",
                money: .noSale,
                .integrator("correct it; greylockd --config FILE --check looks at it")
            )
        case .configurationUnknownKey:
            Explanation(
                "The configuration has an unknown key",
                "It is misspelt, or of another table.",
                money: .noSale,
                .integrator("the line names the nearest key; greylockd --config FILE --check looks at it")
            )
        case .configurationMissing:
            Explanation(
                "A setting is missing",
                "It has no default.",
                money: .noSale,
                .integrator("add it; greylock.toml of the examples says what each means")
            )
        case .configurationWrong:
            Explanation(
                "A setting is wrong",
                "The line says what is expected and what was found.",
                money: .noSale,
                .integrator("correct it; greylockd --config FILE --check looks at it")
            )
        case .configurationRefused:
            Explanation(
                "A new configuration is not taken",
                "The service goes on with what it was.",
                money: .nothing,
                .integrator("the words behind it say why: greylockd --config FILE --check")
            )
        }
    }
}
