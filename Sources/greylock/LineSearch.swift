import Configuration
import Console
import GPIO
import Threads

/// Looks at the free inputs of a chip, and says which one moves.
struct LineSearch {
    private static let waitMilliseconds: Int32 = 50

    let chip: WiredChip
    /// As ``GPIOWiring/chip``.
    let name: String
    /// nil where none is known for this board, or where a list says what is looked at.
    let profile: BoardProfile?
    let list: LineList?

    func run() throws(ServiceFailure) {
        let isOver = StopFlag()
        for problem in chip.problems { standardError("greylock lines: \(problem.reason)") }
        var left: [(line: ChipLine, why: String)] = []
        var wanted: [LineWatch.Wanted] = []
        for state in try candidates() {
            let roles = chip.roles[state.line.offset] ?? []
            if let holder = state.holderWords {
                left.append((state.line, "held by \(holder)"))
            } else if let output = roles.first(where: \.isOutput) {
                left.append((state.line, "an output, \(output.words)"))
            } else if state.isOutput {
                left.append((state.line, "an output"))
            } else {
                wanted.append(LineWatch.Wanted(state.line, bias: roles.first?.bias ?? .asIs))
            }
        }
        let watch: LineWatch
        do throws(GPIOFault) { watch = try LineWatch(wanted, on: name) } catch { throw failure(error) }
        left += watch.refused.map { ($0.line, "\($0.fault)") }
        guard !watch.lines.isEmpty else {
            throw ServiceFailure(
                exitStatus: ServiceFailure.unavailable,
                reason: left.isEmpty ? "there is no line to look at" : noneFree(left)
            )
        }
        let count = watch.lines.count
        writeLine("\(chip.survey.name) (\(chip.survey.label)): looking at \(count == 1 ? "1 line" : "\(count) lines").")
        if !left.isEmpty { writeLine("Left alone:") }
        for (line, why) in left { writeLine("  line \(line)\(pin(line)): \(why)") }
        writeLine("Lift the nozzle, turn the pulser by hand, press the emergency stop. Ctrl-C ends it.")
        try say(watch, until: isOver)
    }

    /// A running service has all of them.
    private func noneFree(_ left: [(line: ChipLine, why: String)]) -> String {
        let lines = left.map { "  line \($0.line): \($0.why)" }.joined(separator: "\n")
        let isOwn = left.contains { $0.why.contains("\"\(GPIOWiring.ownConsumer)\"") }
        return "no line is free:\n\(lines)" + (isOwn ? "\nThe service holds them: systemctl stop greylockd" : "")
    }

    private func say(_ watch: LineWatch, until isOver: StopFlag) throws(ServiceFailure) {
        var movements = LineMovements()
        while !isOver.isSet {
            do throws(GPIOFault) {
                for edge in try watch.edges(withinMilliseconds: Self.waitMilliseconds) { movements.take(edge) }
            } catch {
                throw failure(error, ServiceFailure.inputOutput)
            }
            for movement in movements.told(at: MonotonicClock.nanoseconds) { writeLine(words(movement)) }
        }
    }

    /// The lines that may be looked at, by offsets.
    private func candidates() throws(ServiceFailure) -> [LineState] {
        let lines = chip.survey.lines
        switch list {
        case .all: return lines
        case .places(let places):
            var chosen: Set<Int> = []
            for place in places {
                do throws(GPIOFault) { chosen.insert(try chip.survey.line(at: place).offset) } catch {
                    throw ServiceFailure(exitStatus: 64, reason: "--lines: \(error)")
                }
            }
            return lines.filter { chosen.contains($0.line.offset) }
        case nil:
            let isProfiles = profile?.chips.contains(chip.survey.label) ?? false
            if !isProfiles, chip.roles.isEmpty {
                throw ServiceFailure(
                    exitStatus: 64,
                    reason: profile.map {
                        "the profile of \($0.board) knows no line of \(chip.survey.label): give --lines"
                    }
                        ?? "no profile knows this board: give --profile or --lines"
                )
            }
            if !isProfiles {
                writeLine(
                    "No profile knows this board: the lines of the configuration alone are looked at; --lines adds others."
                )
            }
            return lines.filter {
                chip.roles[$0.line.offset] != nil || isProfiles && profile?.pin(of: $0.line) != nil
            }
        }
    }

    /// "line 22 (GPIO22), J8 pin 15, fell: side 1 nozzle, now active"
    private func words(_ movement: LineMovements.Movement) -> String {
        let went = movement.isHigh ? "rose" : "fell"
        let how =
            movement.count == 1
            ? went
            : movement.count.isMultiple(of: 2)
                ? "moved \(movement.count) times and is \(movement.isHigh ? "high" : "low") again"
                : "\(went), with \(movement.count) edges"
        let roles = (chip.roles[movement.line.offset] ?? []).map {
            "\($0.words), now \(movement.isHigh != $0.isActiveLow ? "active" : "inactive")"
        }
        let pin = pin(movement.line)
        return "line \(movement.line)\(pin.isEmpty ? "" : "\(pin),") \(how): "
            + (roles.isEmpty ? "not wired in a configuration" : roles.joined(separator: "; "))
    }

    private func pin(_ line: ChipLine) -> String {
        guard let profile, profile.chips.contains(chip.survey.label) else { return "" }
        return profile.pin(of: line).map { ", \($0)" } ?? ""
    }

    private func failure(_ fault: GPIOFault, _ status: Int32 = ServiceFailure.unavailable) -> ServiceFailure {
        ServiceFailure(exitStatus: status, reason: "\(fault)")
    }
}
