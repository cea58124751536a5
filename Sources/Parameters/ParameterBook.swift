import CardCryptography
package import FuelPassbook
import ISO7816
package import Metering
import Quantities

// The book of a terminal's parameters: a text in UTF-8. The first line says whose it is, and each set follows as a block of lines
// with an empty one before it:
//
//     greylock-parameters 1 TERMINAL
//
//     set NUMBER
//     side SIDE
//     version VERSION
//     calibration_counter COUNTER
//     configuration_counter COUNTER
//     lost VERSION COUNTER COUNTER HASH       of a side whose book was lost: what the journal knew of its last set
//     board SERIAL
//     date YYYYMMDDhhmmss                     UTC
//     author NAME
//     second NAME
//     reason TEXT
//     FIELD VALUE                             each of ParameterField, in that order; no security with one channel
//     hash HASH
//     code INDEX.VERSION.CODE
//
// Numbers are decimal, without signs or leading zeros; what is binary is in upper-case hexadecimal digits. HASH is SHA-256 over
// the hash of the set before (of the first: 32 zeros), the terminal's id and the lines from "set" to the last field, each with its
// end. CODE is made of the hash under a key that is drawn from the terminal's record key; INDEX.VERSION names that key.
//
// Invariants, held at each reading:
// - a text has one form: what would be written otherwise is refused;
// - sets count from 1, and each side's versions from 1, or from what was lost, without a gap;
// - the calibration counter rises by one with the counts per litre or a factor, the configuration counter with anything else,
//   and neither does otherwise.

/// All sets of a terminal's sides, from the first; each is bound to all before it.
package struct ParameterBook: Sendable {
    package static let fileBytesMax = 1 << 22
    static let magic = "greylock-parameters"

    package let terminal: TerminalID
    package private(set) var sets: [ParameterSet] = []

    package init(of terminal: TerminalID) { self.terminal = terminal }

    /// The last set of a side; nil where it has none.
    package func newest(of side: Int) -> ParameterSet? { sets.last { $0.side == side } }

    /// From the first.
    package func sets(of side: Int) -> [ParameterSet] { sets.filter { $0.side == side } }

    /// By their numbers.
    package var sides: [Int] { Set(sets.map(\.side)).sorted() }

    /// Puts a set of a side into the book.
    ///
    /// - Parameter lost: what the journal knows of a side whose book was lost, which this one goes on from.
    /// - Throws: ``ParameterProblem`` for what is no set, and for one that changes nothing.
    @discardableResult
    package mutating func add(
        _ meter: MeterParameters,
        of side: Int,
        on board: BoardSerial,
        by change: ParameterChange,
        after lost: ParameterMark? = nil,
        under key: ParameterKey
    ) throws(ParameterProblem) -> ParameterSet {
        precondition(Self.sides.contains(side))
        do throws(ParameterFieldFault) { _ = try MeterParameters(meter.values) } catch {
            throw ParameterProblem(error.words)
        }
        let last = newest(of: side)
        precondition(lost == nil || last == nil && lost?.side == side)
        if let last, try isInForce(meter, of: side, on: board, under: key) {
            throw ParameterProblem("side \(side) has these parameters already, as version \(last.version)")
        }
        let content = ParameterSet.Content(
            number: sets.count + 1,
            side: side,
            version: (last?.version ?? lost?.version ?? 0) + 1,
            counters: last.map { ParameterSet.Counters(after: $0, meter, on: board) } ?? .first(after: lost),
            lost: lost,
            board: board,
            change: change,
            meter: meter
        )
        let hash = hash(of: content)
        let set = ParameterSet(content: content, hash: hash, code: key.code(hash))
        guard text.utf8.count + set.block.utf8.count <= Self.fileBytesMax else {
            throw ParameterProblem("the book is full: set its file aside, and begin another")
        }
        sets.append(set)
        return set
    }

    /// Whether a side has them already, on this board and under this key.
    ///
    /// - Throws: ``ParameterProblem`` where the code of the side's last set is wrong.
    package func isInForce(
        _ meter: MeterParameters,
        of side: Int,
        on board: BoardSerial,
        under key: ParameterKey
    ) throws(ParameterProblem) -> Bool {
        guard let last = newest(of: side) else { return false }
        guard key.isAuthentic(last) != false else {
            throw ParameterProblem("the code of set \(last.number) is wrong: nothing is added to an altered book")
        }
        return last.meter == meter && last.board == board && last.code.reference == key.reference
    }

    package static let sides = 1...99

    /// Of what comes after the sets that are there.
    private func hash(of content: ParameterSet.Content) -> [UInt8] {
        let before = sets.last?.hash ?? [UInt8](repeating: 0, count: SHA256.length)
        return SHA256.digest(of: before + terminal.bytes + Array(content.text.utf8))
    }

    /// The whole file.
    package var text: String { Self.firstLine(terminal) + "\n" + sets.map(\.block).joined() }

    private static func firstLine(_ terminal: TerminalID) -> String { "\(magic) 1 \(Hex.string(terminal.bytes))" }
}

// MARK: - Reading

/// What is wrong with a book.
package struct ParameterFault: Error, Hashable, Sendable {
    /// From 1.
    package let line: Int
    package let reason: String

    package var words: String { "line \(line): \(reason)" }
}

extension ParameterBook {
    /// - Throws: the first thing that is wrong with the chain or the text. Codes are judged by ``ParameterKey``.
    package init(parsing bytes: [UInt8]) throws(ParameterFault) {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ParameterFault(line: 1, reason: "it is no text in UTF-8")
        }
        var lines = ParameterLines(text)
        let first = lines.next() ?? ""
        let words = first.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, words[0] == Self.magic else {
            throw ParameterFault(line: 1, reason: "it is no book of parameters of this program")
        }
        guard words[1] == "1" else { throw ParameterFault(line: 1, reason: "another version of this program wrote it") }
        guard let id = Self.terminal(words[2]), Self.firstLine(id) == first else {
            throw ParameterFault(line: 1, reason: "the terminal's id cannot be read")
        }
        self.init(of: id)
        while let line = lines.next() {
            let start = lines.number
            guard line.isEmpty else { throw lines.fault("expected an empty line before a set") }
            let set = try lines.set()
            try require(set, at: start + 1)
            sets.append(set)
        }
        guard lines.isWhole else { throw lines.fault("the file is cut short") }
    }

    private static func terminal(_ text: Substring) -> TerminalID? {
        do throws(ParseError) { return try TerminalID(parsing: Hex.bytes(text)) } catch { return nil }
    }

    private func require(_ set: ParameterSet, at line: Int) throws(ParameterFault) {
        func fault(_ reason: String) -> ParameterFault { ParameterFault(line: line, reason: reason) }
        guard set.number == sets.count + 1 else {
            throw fault("it is set \(set.number), and \(sets.count + 1) is missing")
        }
        guard hash(of: set.content) == set.hash else {
            throw fault("set \(set.number) does not fit the sets before it: one of them, or this, was altered")
        }
        let last = newest(of: set.side)
        guard last == nil || set.lost == nil else { throw fault("set \(set.number) goes on from a book that is there") }
        let before = last?.version ?? set.lost?.version ?? 0
        guard set.version == before + 1 else {
            throw fault("set \(set.number) is version \(set.version) of side \(set.side) after version \(before)")
        }
        let counters =
            last.map { ParameterSet.Counters(after: $0, set.meter, on: set.board) } ?? .first(after: set.lost)
        guard set.counters.calibration == counters.calibration else {
            throw fault(
                "the calibration counter of set \(set.number) is \(set.counters.calibration) and not \(counters.calibration)"
            )
        }
        guard set.counters.configuration == counters.configuration else {
            throw fault(
                "the configuration counter of set \(set.number) is \(set.counters.configuration) and not \(counters.configuration)"
            )
        }
    }
}
