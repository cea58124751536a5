private import Glibc

/// The output lines that a pump holds: what it takes to switch them off without the settings that named them.
package struct HeldOutputs: Equatable, Sendable {
    package struct Line: Equatable, Sendable {
        package let offset: Int
        package let isActiveLow: Bool

        package init(offset: Int, isActiveLow: Bool) {
            self.offset = offset
            self.isActiveLow = isActiveLow
        }
    }

    /// The chip's name under `/dev`; another chip can have it after the chips were numbered anew.
    package let chip: String
    package let label: String
    package let lines: [Line]

    package init(chip: String, label: String, lines: [Line]) {
        self.chip = chip
        self.label = label
        self.lines = lines
    }

    /// The outputs of a wiring on the chip that has its name now.
    package init(of wiring: GPIOWiring) throws(GPIOFault) {
        let chip = try ChipDirectory.open(wiring.chip)
        self.init(of: try WiredLines(wiring, on: chip.survey()), on: chip)
    }

    init(of lines: WiredLines, on chip: borrowing Chip) {
        self.init(
            chip: chip.name,
            label: chip.label,
            lines: lines.outputs.map { Line(offset: $0.line.offset, isActiveLow: $0.settings.isActiveLow) }
        )
    }
}

// MARK: - As text

extension HeldOutputs {
    private static let head = "greylock outputs 1"
    private static let foot = "end"

    /// A line for each thing, and a last one that shows that nothing is missing.
    package var text: String {
        let lines = lines.map { "line \($0.offset) \($0.isActiveLow ? "active-low" : "active-high")" }
        return ([Self.head, "chip \(chip)", "label \(label)"] + lines + [Self.foot]).map { $0 + "\n" }.joined()
    }

    /// - Returns: nil for a text that ``text`` did not make.
    package init?(parsing text: String) {
        let rows = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard rows.count >= 5, rows[0] == Self.head, rows[rows.count - 2] == Self.foot, rows[rows.count - 1].isEmpty,
            let chip = Self.value(of: "chip", in: rows[1]), !chip.isEmpty, !chip.contains("/"),
            let label = Self.value(of: "label", in: rows[2])
        else { return nil }
        var lines: [Line] = []
        for row in rows[3..<rows.count - 2] {
            guard let line = Line(parsing: row) else { return nil }
            lines.append(line)
        }
        self.init(chip: String(chip), label: String(label), lines: lines)
    }

    /// What several texts say that stand behind each other, one for each pump.
    ///
    /// - Returns: nil for anything else.
    package static func all(parsing text: String) -> [HeldOutputs]? {
        let foot = "\n\(Self.foot)\n"
        var outputs: [HeldOutputs] = []
        var rest = text[...]
        repeat {
            guard let end = rest.firstRange(of: foot)?.upperBound, let one = HeldOutputs(parsing: String(rest[..<end]))
            else {
                return nil
            }
            outputs.append(one)
            rest = rest[end...]
        } while !rest.isEmpty
        return outputs
    }

    fileprivate static func value(of key: String, in row: Substring) -> Substring? {
        row.hasPrefix("\(key) ") ? row.dropFirst(key.count + 1) : nil
    }
}

extension HeldOutputs.Line {
    fileprivate init?(parsing row: Substring) {
        guard let value = HeldOutputs.value(of: "line", in: row) else { return nil }
        let words = value.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 2, let offset = UInt16(words[0]) else { return nil }
        switch words[1] {
        case "active-low": self.init(offset: Int(offset), isActiveLow: true)
        case "active-high": self.init(offset: Int(offset), isActiveLow: false)
        case _: return nil
        }
    }
}

// MARK: - Closing

/// An output that was switched off, and is held so until its owner ends.
package final class ClosedOutput {
    package let chip: String
    package let label: String
    package let line: ChipLine
    private let request: LineRequest

    fileprivate init(chip: borrowing Chip, line: ChipLine, request: consuming LineRequest) {
        self.chip = chip.name
        label = chip.label
        self.line = line
        self.request = request
    }
}

extension HeldOutputs {
    /// Switches each line off by itself: one that cannot be had keeps no other from it.
    ///
    /// - Returns: the lines that are off, and why others are not.
    package func close() -> (closed: [ClosedOutput], faults: [GPIOFault]) {
        var closed: [ClosedOutput] = []
        var faults: [GPIOFault] = []
        do throws(GPIOFault) {
            let chip = try ChipDirectory.open(name: self.chip, label: label)
            for line in lines {
                do throws(GPIOFault) {
                    closed.append(try Self.close(line, on: chip))
                } catch {
                    faults.append(error)
                }
            }
        } catch {
            faults.append(error)
        }
        return (closed, faults)
    }

    private static func close(_ line: Line, on chip: borrowing Chip) throws(GPIOFault) -> ClosedOutput {
        guard line.offset < chip.lineCount else {
            throw .noSuchOffset(offset: line.offset, chip: chip.name, lineCount: chip.lineCount)
        }
        let state = try chip.state(of: line.offset)
        var configuration = try LineConfiguration()
        try configuration.add(offset: line.offset, isActiveLow: line.isActiveLow)
        do throws(GPIOFault) {
            let request = try chip.request(configuration, consumer: "greylock-close", eventBufferMax: 0)
            return ClosedOutput(chip: chip, line: state.line, request: request)
        } catch .system(_, EBUSY) {
            throw .otherLineBusy(line: state.line, chip: chip.name, consumer: state.holder?.name)
        }
    }
}
