import Codes

extension PumpCode {
    var explanation: Explanation {
        switch self {
        case .chipMissing:
            Explanation(
                "A GPIO chip is not there",
                "No chip has this name or label. Its driver may load late: it is looked for again.",
                money: .sideClosed,
                .technician("gpiodetect lists the chips; load the driver or the overlay of the board"),
                .integrator("name one of them in [side.N.pump.gpio] chip")
            )
        case .chipAmbiguous:
            Explanation(
                "Several GPIO chips have this label",
                "It is not known which is meant.",
                money: .sideClosed,
                .integrator("name the chip by its name")
            )
        case .chipNotPermitted:
            Explanation(
                "The service may not open the GPIO chip",
                "Its device belongs to a group that the service's user is not in.",
                money: .sideClosed,
                .technician(
                    "install the package's udev rules and see that its user is in the group gpio; then udevadm trigger"
                )
            )
        case .lineMissing:
            Explanation(
                "A line is not there",
                "The chip has no line of this name or offset.",
                money: .sideClosed,
                .integrator("greylock lines --config FILE lists what there is; correct [side.N.pump.gpio]")
            )
        case .lineAmbiguous:
            Explanation(
                "Several lines have this name",
                "It is not known which is meant.",
                money: .sideClosed,
                .integrator("give the offset in place of the name")
            )
        case .lineWiredTwice:
            Explanation(
                "A line is wired twice",
                "Two roles have the same line of the same chip.",
                money: .sideClosed,
                .integrator("correct [side.N.pump.gpio]; greylock lines --find shows which line moves")
            )
        case .lineHeld:
            Explanation(
                "Another program holds a line",
                "The line behind it is taken. It is tried again by itself.",
                money: .sideClosed,
                .technician("end that program, or wire the pump to another line; greylock lines names the holder")
            )
        case .gpioFailed:
            Explanation(
                "A call to the GPIO chip failed",
                "The system's own words stand behind it.",
                money: .sideClosed,
                .technician("look into the kernel's log: journalctl -k; see whether the chip was unplugged")
            )
        case .pumpFailed:
            Explanation(
                "The pump's lines cannot be driven or read",
                "The valves of this side are closed as far as the chip lets it, and the side tries again.",
                money: .uncounted,
                .technician("look at chip, cable and supply; the words behind it name the call")
            )
        case .pumpTaken:
            Explanation(
                "The pump's lines are taken",
                "Chip, label and lines of this side, at its start.",
                money: .nothing
            )
        case .pumpWithoutRealTime:
            Explanation(
                "The pump's thread has no real-time priority",
                "Other programs of the board may delay it, and pulses may be missed then, which is counted and named.",
                money: .nothing,
                .integrator("give the service LimitRTPRIO=50, as its unit does")
            )
        case .chipByNumber:
            Explanation(
                "The chip is named by its number",
                "The number may be another chip's after an update.",
                money: .nothing,
                .integrator("name the chip by its label in [side.N.pump.gpio] chip")
            )
        case .missedEdges:
            Explanation(
                "Pulser fault: missed edges",
                "A level came twice in a row on one channel: an edge between was not seen.",
                money: .onDisk,
                .technician("look at the pulser's cable, and at the load of the board")
            )
        case .deadLeg:
            Explanation(
                "Pulser fault: one channel is dead",
                "One channel moves and the other does not.",
                money: .onDisk,
                .technician("look at the wire of the channel that is named")
            )
        case .sequenceGap:
            Explanation(
                "Pulser fault: the kernel dropped events",
                "The numbers of the kernel's events have a gap: nobody read them in time.",
                money: .onDisk,
                .technician("look at what loads the board; see that the pump's thread has real-time priority")
            )
        case .bothTogether:
            Explanation(
                "Pulser fault: both channels move together",
                "A and B changed as one, as when they are bridged or one source disturbs both.",
                money: .onDisk,
                .technician("look for a bridge between A and B, then at shield and earth")
            )
        case .silentEdges:
            Explanation(
                "Pulser fault: levels changed without an event",
                "The line's level is another than its last event says.",
                money: .onDisk,
                .technician("look at the chip's driver and the line's bias")
            )
        case .flowGap:
            Explanation(
                "Pulser fault: flow broke off and came back",
                "The flow fell away and returned within a time in which no valve moves.",
                money: .onDisk,
                .technician("look for a loose plug of the pulser")
            )
        case .tooFast:
            Explanation(
                "Pulser fault: edges too fast",
                "They came faster than the meter can turn.",
                money: .onDisk,
                .technician("look for disturbances: shield, earth, a motor near the cable")
            )
        case .noise:
            Explanation(
                "Pulser fault: noise",
                "A channel bounced where a sound pulser gives one edge.",
                money: .onDisk,
                .technician("look at shield and earth; set the line's bias")
            )
        case .reversed:
            Explanation(
                "Pulser fault: flow went backwards",
                "The pulser turned back, and it was worked off before forward flow counted again.",
                money: .onDisk,
                .technician("look at the check valve; when it comes with each sale, A and B are swapped")
            )
        case .switchGap:
            Explanation(
                "Pulser fault: a gap at the switching",
                "Edges were missing just when valves or motor switched.",
                money: .onDisk,
                .technician("look at the suppression of relays and valves")
            )
        case .meterReversed:
            Explanation(
                "The pump closed: flow went backwards",
                "More flowed back than may in one sale.",
                money: .uncounted,
                .technician("look at the check valve, and whether A and B are swapped")
            )
        case .meterSwapped:
            Explanation(
                "The pump closed: A and B are swapped",
                "The pulser turned back only while the valves were open.",
                money: .uncounted,
                .integrator("exchange the lines a and b in [side.N.pump.gpio]")
            )
        case .meterDeadChannel:
            Explanation(
                "The pump closed: a channel is dead",
                "One channel of the pulser gives nothing while the other counts.",
                money: .uncounted,
                .technician("look at the wire of the channel that is named")
            )
        case .meterFrozen:
            Explanation(
                "The pump closed: its thread stood still",
                "The valves were open and nobody counted for that time.",
                money: .uncounted,
                .technician("look at what loads the board: other programs, the disk, the supply")
            )
        case .keypadTaken:
            Explanation(
                "A keypad is in use",
                "Its name and device.",
                money: .nothing
            )
        case .keypadMissing:
            Explanation(
                "The keypad is not there",
                "No device has the path of [side.N.pin] device.",
                money: .sideClosed,
                .technician("plug it in; ls /dev/input/by-path lists what is there")
            )
        case .keypadUnplugged:
            Explanation(
                "The keypad was unplugged",
                "It was there, and its PIN's digits are forgotten.",
                money: .sideClosed,
                .technician("plug it in again")
            )
        case .keypadNotPermitted:
            Explanation(
                "The service may not read the keypad",
                "Its device belongs to root alone.",
                money: .sideClosed,
                .technician("write its path into udev/62-greylock-keypad.rules and install that")
            )
        case .keypadNotInput:
            Explanation(
                "The keypad's path is no input device",
                "What lies there gives no keys.",
                money: .sideClosed,
                .integrator("write a path under /dev/input/by-path")
            )
        case .keypadWithoutDigits:
            Explanation(
                "The keypad has not all digits",
                "Ten digits and Enter are needed.",
                money: .sideClosed,
                .integrator(
                    "write the path of a keypad; a keyboard has several devices, take the one that ends with -event-kbd"
                )
            )
        case .keypadHeld:
            Explanation(
                "Another program has the keypad",
                "It is held exclusively, so that nobody reads a PIN.",
                money: .sideClosed,
                .technician("fuser -v PATH names the program: end it")
            )
        case .keypadFailed:
            Explanation(
                "The keypad failed",
                "The system's own words stand behind it.",
                money: .sideClosed,
                .technician("unplug it and plug it in again; journalctl -k")
            )
        case .consoleMissing:
            Explanation(
                "There is no console",
                "A side's PIN is typed at a terminal, and the service has none.",
                money: .noSale,
                .technician("start the service at its console, as the unit does; or give the side a keypad")
            )
        }
    }
}
