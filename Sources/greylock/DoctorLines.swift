import Configuration
import GPIO
import Threads

/// The pump's lines of a configuration, beside what the kernel says of the chips; no line is taken.
struct DoctorLines {
    /// What the service names its lines when it holds them.
    private static let ownHolders = [GPIOWiring.ownConsumer, TamperWiring.ownConsumer]

    /// A line as the configuration has it.
    private struct Wire {
        let side: Int?
        let words: String
        let role: GPIORole?
        let place: LinePlace
        let isOutput: Bool
        let isActiveLow: Bool
        let bias: GPIOWiring.Bias
    }

    let configuration: Configuration
    let account: Account
    /// Whether a service runs with this configuration: lines that are held by its name are its own.
    let isServing: Bool
    /// nil where none is this board's.
    let profile: BoardProfile?

    func examine(_ diagnosis: inout Diagnosis) {
        for chip in WiredChip.chips(of: configuration) { examine(chip, &diagnosis) }
    }

    private func examine(_ chip: String, _ diagnosis: inout Diagnosis) {
        let survey: ChipSurvey
        do throws(GPIOFault) { survey = try ChipSurvey(chip: chip) } catch {
            return note(error, nil, &diagnosis)
        }
        let path = "/dev/\(survey.name)"
        if let refusal = account.refusal(.write, path) { diagnosis.find(.chipForbidden, refusal) }
        if chip == survey.name || chip == path, chip != survey.label {
            diagnosis.find(
                .chipByNumber,
                "the configuration says \(chip), which now is \(survey.label)",
                mend: "name it by its label: chip = \"\(survey.label)\""
            )
        }
        diagnosis.see(.lines, "\(survey.name) (\(survey.label)), \(survey.lines.count) lines")
        var taken: [Int: String] = [:]
        for wire in wires(on: chip) {
            let line: ChipLine
            do throws(GPIOFault) { line = try survey.line(at: wire.place) } catch {
                note(error, wire, &diagnosis)
                continue
            }
            if let other = taken.updateValue(wire.words, forKey: line.offset) {
                diagnosis.find(
                    .lineWiredTwice,
                    "line \(line) of \(survey.name) is the \(other) and the \(wire.words)",
                    side: wire.side
                )
            }
            examine(survey.lines[line.offset], wire, survey.name, &diagnosis)
        }
    }

    private func examine(_ state: LineState, _ wire: Wire, _ chip: String, _ diagnosis: inout Diagnosis) {
        let isOwn = isServing && Self.ownHolders.contains(state.holder?.name ?? "")
        if let holder = state.holderWords, !isOwn {
            let mend: String? =
                state.holder?.name.map { Self.ownHolders.contains($0) } == true
                ? "another program of this project has it: end it, or give its configuration with --config" : nil
            diagnosis.find(
                .lineHeld,
                "line \(state.line) of \(chip), the \(wire.words), is held by \(holder), as an \(state.isOutput ? "output" : "input")",
                side: wire.side,
                mend: mend
            )
            return
        }
        let pull = wire.bias == .asIs ? "" : ", \(wire.bias.rawValue)"
        let polarity = wire.isActiveLow ? ", active low" : ""
        let held = isOwn ? ", held by the service" : ""
        diagnosis.see(
            .lines,
            "\(wire.words): line \(state.line) of \(chip), \(wire.isOutput ? "out" : "in")\(polarity)\(pull)\(held)"
        )
        if isOwn { compare(state, wire, chip, &diagnosis) }
        examinePull(state.line, wire, &diagnosis)
    }

    private func compare(_ state: LineState, _ wire: Wire, _ chip: String, _ diagnosis: inout Diagnosis) {
        var differences: [String] = []
        if state.isOutput != wire.isOutput { differences.append(state.isOutput ? "an output" : "an input") }
        if state.isActiveLow != wire.isActiveLow {
            differences.append(state.isActiveLow ? "active low" : "active high")
        }
        // Of one that was left as it was, the kernel says nothing that the configuration said.
        if !wire.isOutput, wire.bias != (state.bias ?? .asIs) {
            differences.append("of bias \((state.bias ?? .asIs).rawValue)")
        }
        guard !differences.isEmpty else { return }
        diagnosis.find(
            .lineOtherwise,
            "line \(state.line) of \(chip), the \(wire.words), is \(differences.joined(separator: " and ")) in the running service",
            side: wire.side
        )
    }

    private func examinePull(_ line: ChipLine, _ wire: Wire, _ diagnosis: inout Diagnosis) {
        guard !wire.isOutput, wire.bias == .asIs, let profile else { return }
        let wanted = profile.sides.flatMap(\.inputs).first { input in
            input.line.place == .offset(line.offset) || line.name.map { input.line.place == .name($0) } == true
        }
        guard let wanted, wanted.line.bias != .asIs else { return }
        diagnosis.find(
            .pullOtherThanProfile,
            "line \(line), the \(wire.words), is left as the firmware left it, and the profile of \(profile.board) says \(wanted.line.bias.rawValue)",
            side: wire.side
        )
    }

    private func wires(on chip: String) -> [Wire] {
        var wires: [Wire] = []
        for side in configuration.sides {
            guard case .gpio(let wiring) = side.pump, wiring.chip == chip else { continue }
            let place = configuration.sides.count > 1 ? " of position \(side.number)" : ""
            wires += wiring.inputs.map { role, line in
                Wire(
                    side: side.number,
                    words: "\(role.rawValue)\(place)",
                    role: role,
                    place: line.place,
                    isOutput: false,
                    isActiveLow: line.isActiveLow,
                    bias: line.bias
                )
            }
            wires += wiring.outputs.map { role, line in
                Wire(
                    side: side.number,
                    words: "\(role.rawValue)\(place)",
                    role: role,
                    place: line.place,
                    isOutput: true,
                    isActiveLow: line.isActiveLow,
                    bias: .asIs
                )
            }
        }
        if let tamper = configuration.keys?.tamper, tamper.chip == chip {
            wires.append(
                Wire(
                    side: nil,
                    words: "line of the housing",
                    role: nil,
                    place: tamper.line.place,
                    isOutput: false,
                    isActiveLow: tamper.line.isActiveLow,
                    bias: tamper.line.bias
                )
            )
        }
        return wires
    }

    private func note(_ fault: GPIOFault, _ wire: Wire?, _ diagnosis: inout Diagnosis) {
        let words = wire.map { "the \($0.words): \(fault)" } ?? "\(fault)"
        let code: FindingCode =
            switch fault {
            case .noSuchChip: .chipMissing
            case .ambiguousChip: .chipAmbiguous
            case .notPermitted: .chipForbidden
            case .noSuchLine, .noLineOfName, .noSuchOffset: .lineMissing
            case .ambiguousLine: .lineAmbiguous
            case .wiredTwice: .lineWiredTwice
            case .lineBusy, .otherLineBusy: .lineHeld
            case .system: .chipFailed
            }
        // What this user may not open the service's may.
        if case .notPermitted(let chip) = fault, account.user != Account.own.user,
            account.refusal(.write, chip) == nil
        {
            return diagnosis.mayNotSee(.lines, "this user may not open \(chip)")
        }
        diagnosis.find(code, words, side: wire?.side)
    }
}
