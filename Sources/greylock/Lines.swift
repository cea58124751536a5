import ArgumentParser
import Configuration
import Console
import GPIO
import Quantities
import Station
import Threads

struct Lines: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the lines of a GPIO chip, and say which one moves.",
        discussion: """
            Lists each line's offset, name, direction, who holds it and what the configuration wires to it. Nothing is taken, so the \
            service may run.

            With --find the free input lines are looked at, and each that moves is named: lift the nozzle, turn the pulser, press the \
            emergency stop. Stop the service before, which holds them. Lines that somebody holds, and lines that are outputs or wired as \
            such, are left alone. Which lines a pump may have is what the board's profile says, --profile or the one that knows this \
            board, or --lines. On many boards the kernel does not say that another function of the chip uses a line, a bus to the disk \
            maybe, and looking takes it away: --lines all is for chips that have nothing else. A line that the configuration wires is \
            held as it says; of all others the resistor in the chip stays as it is.

            Exit status: 0; 69 when a chip or every line cannot be had; 74 when they fail; 78 when the configuration is wrong or does not fit the \
            chip. \(ExitStatusHelp.common)
            """
    )

    @Option(help: ArgumentHelp("The service's configuration, which names chips and lines.", valueName: "FILE"))
    var config: String?

    @Option(
        help: ArgumentHelp("A chip by label, name or device file; without it, the configuration's.", valueName: "CHIP")
    )
    var chip: String?

    @Flag(help: "Look at the free input lines, and say which one moves, until Ctrl-C.")
    var find = false

    @Option(
        help: ArgumentHelp("With --find, the board's profile, by name or as a file.", valueName: "PROFILE")
    )
    var profile: String?

    @Option(
        help: ArgumentHelp(
            "With --find, what is looked at: offsets, names and ranges, as 2-27,GPIO5; or all.",
            valueName: "LIST"
        )
    )
    var lines: LineList?

    func validate() throws {
        guard config != nil || chip != nil || profile != nil else {
            throw ValidationError("one of --config and --chip is needed, or --find with --profile")
        }
        guard find || profile == nil && lines == nil else {
            throw ValidationError("--profile and --lines have a meaning with --find only")
        }
        guard lines == nil || profile == nil else { throw ValidationError("--profile or --lines, not both") }
    }

    func run() throws {
        try runTool("lines") { () throws(ServiceFailure) in
            let configuration: Configuration? =
                if let config { try Service.configuration(at: config) } else { nil }
            if find {
                let profile = try boardProfile()
                let chip = try oneChip(configuration, profile)
                try LineSearch(
                    chip: try WiredChip(surveying: chip, configuration),
                    name: chip,
                    profile: profile,
                    list: lines
                ).run()
            } else {
                try list(configuration)
            }
        }
    }

    private func boardProfile() throws(ServiceFailure) -> BoardProfile? {
        guard lines == nil else { return nil }
        if let profile { return try BoardProfile.load(profile) }
        return try BoardProfile.ofThisBoard().map { name throws(ServiceFailure) in try BoardProfile.load(name) }
    }

    private static let noLines = ServiceFailure(
        exitStatus: ServiceFailure.unavailable,
        reason: "no side of the configuration has lines: give --chip"
    )

    private func oneChip(_ configuration: Configuration?, _ profile: BoardProfile?) throws(ServiceFailure) -> String {
        if let chip { return chip }
        let chips = configuration.map(WiredChip.chips) ?? profile?.chips ?? []
        guard let first = chips.first else { throw Self.noLines }
        guard chips.count == 1 else {
            throw ServiceFailure(
                exitStatus: 64,
                reason: "the lines are on several chips, \(chips.joined(separator: ", ")): give one of them with --chip"
            )
        }
        return first
    }

    private func list(_ configuration: Configuration?) throws(ServiceFailure) {
        let chips = chip.map { [$0] } ?? configuration.map(WiredChip.chips) ?? []
        guard !chips.isEmpty else { throw Self.noLines }
        var problems: [ServiceFailure] = []
        var shown: Set<String> = []
        for chip in chips {
            do throws(ServiceFailure) {
                let wired = try WiredChip(surveying: chip, configuration)
                // A configuration may name one chip in two ways.
                guard shown.insert(wired.survey.name).inserted else { continue }
                if shown.count > 1 { writeLine() }
                wired.write()
                problems += wired.problems
            } catch {
                problems.append(error)
            }
        }
        guard let first = problems.first else { return }
        throw ServiceFailure(
            exitStatus: first.exitStatus,
            reason: problems.map(\.reason).joined(separator: "\ngreylock lines: ")
        )
    }
}

/// What `--lines` says.
enum LineList: ExpressibleByArgument {
    case all
    case places([LinePlace])

    init?(argument: String) {
        if argument == "all" {
            self = .all
            return
        }
        var places: [LinePlace] = []
        for word in argument.split(separator: ",", omittingEmptySubsequences: false) {
            let bounds = word.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            if let offset = Int(word) {
                places.append(.offset(offset))
            } else if bounds.count == 2, let first = bounds[0], let last = bounds[1] {
                guard 0 <= first, first <= last, last <= 511 else { return nil }
                places += (first...last).map { .offset($0) }
            } else if !word.isEmpty {
                places.append(.name(String(word)))
            } else {
                return nil
            }
        }
        self = .places(places)
    }
}

/// A chip's lines, and what a configuration wires to them.
struct WiredChip {
    struct Role {
        /// "side 1 nozzle"
        let words: String
        let isOutput: Bool
        let isActiveLow: Bool
        let bias: GPIOWiring.Bias
    }

    let survey: ChipSurvey
    /// By the lines' offsets.
    private(set) var roles: [Int: [Role]] = [:]
    /// What of the configuration does not fit the chip.
    private(set) var problems: [ServiceFailure] = []

    /// - Parameter chip: as ``GPIOWiring/chip``.
    init(surveying chip: String, _ configuration: Configuration?) throws(ServiceFailure) {
        do throws(GPIOFault) { survey = try ChipSurvey(chip: chip) } catch {
            throw ServiceFailure(
                exitStatus: error.isInSettings ? ServiceFailure.configuration : ServiceFailure.unavailable,
                reason: "\(error)"
            )
        }
        guard let configuration else { return }
        for side in configuration.sides {
            guard case .gpio(let wiring) = side.pump, means(wiring.chip) else { continue }
            for (role, line) in wiring.inputs {
                wire(line.place, "side \(side.number) \(role.rawValue)", line)
            }
            for (role, line) in wiring.outputs {
                let input = GPIOWiring.Input(line.place, isActiveLow: line.isActiveLow)
                wire(line.place, "side \(side.number) \(role.rawValue)", input, isOutput: true)
            }
        }
        if let tamper = configuration.keys?.tamper, means(tamper.chip) {
            wire(tamper.line.place, "housing opened", tamper.line)
        }
        for (offset, roles) in roles.sorted(by: { $0.key < $1.key }) where roles.count > 1 {
            let words = roles.map(\.words).joined(separator: " and as ")
            note("line \(survey.lines[offset].line) is wired twice, as \(words)")
        }
    }

    private mutating func wire(
        _ place: LinePlace,
        _ words: String,
        _ settings: GPIOWiring.Input,
        isOutput: Bool = false
    ) {
        do throws(GPIOFault) {
            let line = try survey.line(at: place)
            let role = Role(
                words: words,
                isOutput: isOutput,
                isActiveLow: settings.isActiveLow,
                bias: settings.bias
            )
            roles[line.offset, default: []].append(role)
        } catch {
            note("\(words): \(error)")
        }
    }

    private mutating func note(_ reason: String) {
        problems.append(ServiceFailure(exitStatus: ServiceFailure.configuration, reason: reason))
    }

    private func means(_ chip: String) -> Bool {
        [survey.label, survey.name, "/dev/\(survey.name)"].contains(chip)
    }

    /// Those that a configuration names, each once.
    static func chips(of configuration: Configuration) -> [String] {
        var chips: [String] = []
        for side in configuration.sides {
            if case .gpio(let wiring) = side.pump, !chips.contains(wiring.chip) { chips.append(wiring.chip) }
        }
        if let chip = configuration.keys?.tamper?.chip, !chips.contains(chip) { chips.append(chip) }
        return chips
    }

    func write() { for line in table { writeLine(line) } }

    var table: [String] {
        var table = ["\(survey.name) (\(survey.label)), \(survey.lines.count) lines"]
        let rows = [["line", "name", "direction", "held by", "wired as"]] + survey.lines.map(row)
        let widths = rows[0].indices.map { column in rows.map { $0[column].columns }.max() ?? 0 }
        for row in rows {
            let cells = zip(row, widths).enumerated().map { index, cell in
                index == 0 ? cell.0.indented(toColumns: cell.1) : cell.0.padded(toColumns: cell.1)
            }
            var line = cells.joined(separator: "  ")
            while line.hasSuffix(" ") { line.removeLast() }
            table.append(line)
        }
        return table
    }

    private func row(_ state: LineState) -> [String] {
        let wired = (roles[state.line.offset] ?? []).map { role in
            let pull = role.bias == .asIs ? "" : ", \(role.bias.rawValue)"
            return "\(role.words)\(role.isActiveLow ? ", active low" : "")\(pull)"
        }
        return [
            "\(state.line.offset)", (state.line.name ?? "-").printable, state.isOutput ? "out" : "in",
            state.holderWords ?? "-", wired.isEmpty ? "-" : wired.joined(separator: "; "),
        ]
    }
}

extension LineState {
    /// nil for a free line.
    var holderWords: String? {
        guard let holder else { return nil }
        return holder.name.map { "\"\($0.printable)\"" } ?? "the kernel, or a program without a name"
    }
}
