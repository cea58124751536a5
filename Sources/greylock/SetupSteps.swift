import Configuration
import Console
import GPIO
import Quantities
import StationInterface

/// What is to be done once the file is there.
struct SetupSteps {
    private static let unitsFile = "/etc/greylock.toml"
    /// Of the package.

    let answers: SetupAnswers
    let config: String

    func write() {
        let count = answers.sides.count
        writeLine("\(config): \(answers.profile.board), \(count == 1 ? "1 side" : "\(count) sides").")
        writeLine()
        writeLine("Wire it while the board has no power:")
        for number in 1...count { for row in rows(number) { writeLine("  \(row)") } }
        writeLine()
        writeLine("Then, on the board:")
        for (index, step) in steps.enumerated() { writeLine("\(index + 1). \(step)".wrapped(toColumns: 100)) }
    }

    private func rows(_ number: Int) -> [String] {
        let wiring = answers.wiring(number)
        func row(_ role: GPIORole, _ place: LinePlace, _ words: [String]) -> String {
            let pin = answers.profile.pins[place] ?? ""
            let name =
                switch place {
                case .offset(let offset): "line \(offset)"
                case .name(let name): name
                }
            return "side \(number)  \(role.rawValue.padded(toColumns: 15))  \(name.padded(toColumns: 8))  "
                + "\(pin.padded(toColumns: 10))  \(words.joined(separator: ", "))"
        }
        return wiring.inputs.map { role, line in
            row(role, line.place, ["in", line.isActiveLow ? "active low" : "active high"])
        }
            + wiring.outputs.map { role, line in
                let resistor = "10 kilohm to \(line.isActiveLow ? "3.3 V" : "ground")"
                let needed = answers.profile.resistors.contains(role) ? [resistor] : []
                return row(role, line.place, ["out", line.isActiveLow ? "active low" : "active high"] + needed)
            }
    }

    private var steps: [String] {
        let profile = answers.profile
        var steps: [String] = []
        if let overlay = profile.overlay {
            steps.append(
                "Load the device-tree overlay \(BoardProfile.overlays)/\(overlay).dtbo, as Wiring-a-board.md says: it pulls the lines from the "
                    + "kernel's start on."
            )
        }
        if !profile.strictGPIOD.isEmpty {
            steps.append("Let the kernel let go of outputs. \(profile.strictGPIOD.joined(separator: ". ")).")
        }
        steps.append("greylock lines --config \(config) --find: lift the nozzle, and see whether that line moves.")
        if answers.sides.contains(where: { $0.pin.hasPrefix("/") }) {
            steps.append(
                "Let the service read the keypad: write its path into a copy of \(BoardProfile.examples)/62-greylock-keypad.rules in "
                    + "/etc/udev/rules.d, udevadm control --reload, and plug it in again."
            )
        }
        if !answers.isDemonstration { steps += keySteps }
        steps.append(
            "\(keyTool) parameters import FILE --config \(config) --name NAME --second NAME --reason \"first set\": what a count is "
                + "worth, FILE being a copy of \(BoardProfile.examples)/parameters.toml with what the meter's type plate says."
        )
        steps.append(
            "systemctl enable --now greylockd"
                + (config == Self.unitsFile ? "." : "; the unit reads \(Self.unitsFile), and this file is another.")
        )
        steps.append("greylock doctor --config \(config): what the board still lacks, and what mends it.")
        if answers.hasGroups {
            steps.append(
                "Members of the group \(SetupAnswers.group(of: .read)) may ask how the station is (greylock health --config \(config)), "
                    + "those of \(SetupAnswers.group(of: .control)) may order: adduser USER GROUP."
            )
        }
        return steps
    }

    /// What is started where the storage key is.
    private var keyTool: String {
        answers.hasCredential && !answers.isDemonstration ? "greylock-storage-key run greylock" : "greylock"
    }

    private var keySteps: [String] {
        let made =
            answers.hasCredential
            ? "Copy \(BoardProfile.examples)/greylockd-storage-key.conf to /etc/systemd/system/greylockd.service.d/storage-key.conf, systemctl "
                + "daemon-reload, and make the storage key, as root: greylock-storage-key new COPY."
            : "Make the storage key, as root, in bash: install -m 600 -o greylock -g greylock <(head -c 32 /dev/urandom) "
                + "\(SetupAnswers.storageKey)."
        return [
            made,
            "\(keyTool) keys load --config \(config) asks the custodians for the transport key; then \(keyTool) keys load --config "
                + "\(config) BLOCKS takes what the issuer made for it, and \(keyTool) keys activate --config \(config) INDEX VERSION lets "
                + "it sell (README.md, \"Keys\").",
        ]
    }
}
