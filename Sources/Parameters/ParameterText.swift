import CardCryptography
import FuelPassbook
import ISO7816
import Metering
import Quantities

extension ParameterSet.Content {
    /// What the hash covers.
    var text: String {
        var lines = [
            "set \(number)", "side \(side)", "version \(version)", "calibration_counter \(counters.calibration)",
            "configuration_counter \(counters.configuration)",
        ]
        if let lost {
            let counters = "\(lost.counters.calibration) \(lost.counters.configuration)"
            lines.append("lost \(lost.version) \(counters) \(Hex.string(lost.hash))")
        }
        lines += [
            "board \(board)", "date \(Hex.string(change.date.bytes))",
            "author \(change.author)", "second \(change.second)", "reason \(change.reason)",
        ]
        let values = meter.values
        for field in ParameterField.allCases {
            if let value = values[field] { lines.append("\(field.rawValue) \(value.text)") }
        }
        return lines.map { $0 + "\n" }.joined()
    }
}

extension ParameterSet {
    /// As it stands in the file.
    var block: String {
        let name = "\(code.reference.index.number).\(code.reference.version.number)"
        return "\n\(content.text)hash \(Hex.string(hash))\ncode \(name).\(Hex.string(code.bytes))\n"
    }
}

/// The lines of a book while it is read.
struct ParameterLines {
    private let lines: [Substring]
    /// Whether the last line has its end.
    let isWhole: Bool
    /// Of the line that was read last, from 1.
    private(set) var number = 0

    init(_ text: String) {
        // By bytes: other characters that end a line are refused where they stand.
        var lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map {
            Substring($0)
        }
        isWhole = lines.last?.isEmpty ?? false
        if isWhole { lines.removeLast() }
        self.lines = lines
    }

    mutating func next() -> String? {
        guard number < lines.count else { return nil }
        number += 1
        return String(lines[number - 1])
    }

    func fault(_ reason: String) -> ParameterFault { ParameterFault(line: max(1, number), reason: reason) }

    mutating func set() throws(ParameterFault) -> ParameterSet {
        let number = try count("set")
        let side = try count("side")
        guard ParameterBook.sides.contains(side) else {
            throw fault(
                "a side has a number from \(ParameterBook.sides.lowerBound) to \(ParameterBook.sides.upperBound)"
            )
        }
        let version = try count("version")
        let counters = ParameterSet.Counters(
            calibration: try count("calibration_counter"),
            configuration: try count("configuration_counter")
        )
        let lost = try lost(of: side)
        guard let board = BoardSerial(try value("board")) else {
            throw fault("the board's serial number cannot be read")
        }
        let change = try change()
        let meter = try meter()
        let hash = try bytes("hash", SHA256.length)
        let code = try code()
        return ParameterSet(
            content: ParameterSet.Content(
                number: number,
                side: side,
                version: version,
                counters: counters,
                lost: lost,
                board: board,
                change: change,
                meter: meter
            ),
            hash: hash,
            code: code
        )
    }

    private mutating func lost(of side: Int) throws(ParameterFault) -> ParameterMark? {
        guard number < lines.count, lines[number].hasPrefix("lost ") else { return nil }
        let parts = try value("lost").split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        let numbers = parts.prefix(3).compactMap(Self.count)
        guard parts.count == 4, numbers.count == 3, let hash = Self.bytes(parts[3]), hash.count == SHA256.length else {
            throw fault("what was lost cannot be read")
        }
        let counters = ParameterSet.Counters(calibration: numbers[1], configuration: numbers[2])
        return ParameterMark(side: side, version: numbers[0], hash: hash, counters: counters)
    }

    private mutating func change() throws(ParameterFault) -> ParameterChange {
        let date: TransactionTime
        let digits = try bytes("date", TransactionTime.length)
        do throws(ParseError) { date = try TransactionTime(digits: digits) } catch { throw fault("the date is none") }
        let (author, second, reason) = (try value("author"), try value("second"), try value("reason"))
        let change: ParameterChange
        do throws(ParameterProblem) {
            change = try ParameterChange(author: author, second: second, reason: reason, date: date)
        } catch {
            throw fault(error.words)
        }
        guard (change.author, change.second, change.reason) == (author, second, reason) else {
            throw fault("blanks stand around a name or the reason")
        }
        return change
    }

    private mutating func meter() throws(ParameterFault) -> MeterParameters {
        var values: [ParameterField: ParameterValue] = [:]
        for field in ParameterField.allCases {
            if field == .security, values[.channels] == .integer(1) { continue }
            let text = try value(field.rawValue)
            guard let value = ParameterValue(text, of: field), field.accepts(value) else {
                throw fault(ParameterFieldFault(field, found: text).words)
            }
            values[field] = value
        }
        do throws(ParameterFieldFault) { return try MeterParameters(values) } catch { throw fault(error.words) }
    }

    private mutating func code() throws(ParameterFault) -> ParameterSet.Code {
        let parts = try value("code").split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let index = UInt8(parts[0]), let version = UInt8(parts[1]), "\(index)" == parts[0],
            "\(version)" == parts[1], let bytes = Self.bytes(String(parts[2])), bytes.count == StoredCode.length
        else { throw fault("the code cannot be read") }
        return ParameterSet.Code(
            reference: KeyReference(index: KeyIndex(index), version: KeyVersion(version)),
            bytes: bytes
        )
    }

    private mutating func value(_ name: String) throws(ParameterFault) -> String {
        let line = next()
        guard let line, line.hasPrefix(name + " ") else { throw fault("expected \"\(name)\" and its value") }
        return String(line.dropFirst(name.count + 1))
    }

    /// From 1.
    private mutating func count(_ name: String) throws(ParameterFault) -> Int {
        guard let number = Self.count(try value(name)) else { throw fault("\(name) is a number from 1 on") }
        return number
    }

    private static func count(_ text: String) -> Int? {
        guard let number = Int(text), number >= 1, number < 1 << 31, "\(number)" == text else { return nil }
        return number
    }

    private mutating func bytes(_ name: String, _ count: Int) throws(ParameterFault) -> [UInt8] {
        guard let bytes = Self.bytes(try value(name)), bytes.count == count else {
            throw fault("\(name) has \(2 * count) digits")
        }
        return bytes
    }

    /// nil where they would be written otherwise.
    private static func bytes(_ text: String) -> [UInt8]? {
        do throws(ParseError) {
            let bytes = try Hex.bytes(text)
            return Hex.string(bytes) == text ? bytes : nil
        } catch {
            return nil
        }
    }
}
