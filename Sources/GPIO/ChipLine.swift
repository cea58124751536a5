private import Quantities

/// How a configuration says which line of a chip it means.
package enum LinePlace: Hashable, Sendable {
    case offset(Int)
    /// As the board's device tree names it (`gpio-line-names`).
    case name(String)
}

extension LinePlace: CustomStringConvertible {
    package var description: String {
        switch self {
        case .offset(let offset): "\(offset)"
        case .name(let name): "\"\(name)\""
        }
    }
}

/// A line of a chip that is there.
package struct ChipLine: Hashable, Sendable {
    package let offset: Int
    /// nil where the device tree gives none.
    package let name: String?

    package init(offset: Int, name: String? = nil) {
        self.offset = offset
        self.name = name
    }
}

extension ChipLine: CustomStringConvertible {
    /// "22 (GPIO22)"
    package var description: String { name.map { "\(offset) (\($0))" } ?? "\(offset)" }
}

/// What the kernel says of a line.
package struct LineState: Equatable, Sendable {
    package let line: ChipLine
    /// Of a free line, how it was left; of one that another function of the chip uses, "no" says nothing.
    package let isOutput: Bool
    /// Of a line that is held.
    package let isActiveLow: Bool
    /// nil where the kernel does not know: of a free line it does not.
    package let bias: GPIOWiring.Bias?
    /// nil for a free line.
    package let holder: Holder?

    package struct Holder: Equatable, Sendable {
        /// nil when the holder gave none.
        package let name: String?
    }
}

/// A chip and what the kernel says of its lines; nothing is taken.
package struct ChipSurvey: Sendable {
    private static let nearNamesMax = 5

    /// As under `/dev`.
    package let name: String
    package let label: String
    /// By their offsets.
    package let lines: [LineState]

    /// - Parameter chip: as ``GPIOWiring/chip``.
    package init(chip: String) throws(GPIOFault) { self = try ChipDirectory.open(chip).survey() }

    fileprivate init(name: String, label: String, lines: [LineState]) {
        (self.name, self.label, self.lines) = (name, label, lines)
    }

    /// The line that is meant. The library's own search by name answers the first of several, so it cannot tell that a name stands
    /// twice.
    ///
    /// - Throws: when the chip has none, or several of that name.
    package func line(at place: LinePlace) throws(GPIOFault) -> ChipLine {
        switch place {
        case .offset(let offset):
            guard lines.indices.contains(offset) else {
                throw .noSuchOffset(offset: offset, chip: name, lineCount: lines.count)
            }
            return lines[offset].line
        case .name(let wanted):
            let named = lines.map(\.line).filter { $0.name == wanted }
            guard let line = named.first else {
                let names = Set(lines.compactMap(\.line.name))
                let near = nearNames(to: wanted, among: names).prefix(Self.nearNamesMax)
                throw .noLineOfName(wanted, chip: name, near: Array(near), isNamed: !names.isEmpty)
            }
            guard named.count == 1 else { throw .ambiguousLine(wanted, chip: name, offsets: named.map(\.offset)) }
            return line
        }
    }
}

extension Chip {
    func survey() throws(GPIOFault) -> ChipSurvey {
        var lines: [LineState] = []
        for offset in 0..<lineCount { lines.append(try state(of: offset)) }
        return ChipSurvey(name: name, label: label, lines: lines)
    }
}

/// The lines of a wiring on the chip that is there, each under its role.
package struct WiredLines: Sendable {
    package let inputs: [(role: GPIORole, line: ChipLine, settings: GPIOWiring.Input)]
    package let outputs: [(role: GPIORole, line: ChipLine, settings: GPIOWiring.Output)]

    /// - Throws: when a line is not there, or wired twice.
    package init(_ wiring: GPIOWiring, on chip: ChipSurvey) throws(GPIOFault) {
        var roles: [ChipLine: GPIORole] = [:]
        func line(_ role: GPIORole, _ place: LinePlace) throws(GPIOFault) -> ChipLine {
            let line: ChipLine
            do throws(GPIOFault) { line = try chip.line(at: place) } catch .noSuchOffset(let offset, _, let count) {
                throw .noSuchLine(role, offset: offset, chip: chip.name, lineCount: count)
            }
            if let other = roles.updateValue(role, forKey: line) { throw .wiredTwice(other, role, line: line) }
            return line
        }
        var inputs: [(GPIORole, ChipLine, GPIOWiring.Input)] = []
        for (role, input) in wiring.inputs { inputs.append((role, try line(role, input.place), input)) }
        var outputs: [(GPIORole, ChipLine, GPIOWiring.Output)] = []
        for (role, output) in wiring.outputs { outputs.append((role, try line(role, output.place), output)) }
        (self.inputs, self.outputs) = (inputs, outputs)
    }

    /// Inputs first.
    package var roles: [(role: GPIORole, line: ChipLine)] {
        inputs.map { ($0.role, $0.line) } + outputs.map { ($0.role, $0.line) }
    }
}
