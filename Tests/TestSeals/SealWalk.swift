import CardCryptography
import FuelPassbook
import ISO7816
package import Metering
import Parameters
import Quantities
import Records

/// What somebody does to a book of parameters who has its file, some of it with the terminal's own key: nothing of it may sell.
package struct SealWalk {
    private struct Attempt {
        let name: String
        let text: String
        var terminal = SealWalk.terminal
        var board = "this-board"
        var mark: ParameterMark?
    }

    private static let terminal = TerminalID(0x3100_0000_0017)
    private static let reference = KeyReference(index: KeyIndex(1), version: KeyVersion(2))

    /// How many were tried.
    package private(set) var ways = 0
    private let meter: MeterParameters

    package init(_ meter: MeterParameters = .demonstration) { self.meter = meter }

    /// - Returns: the first that sells; nil when none does.
    package mutating func run() throws -> String? {
        let honest = try book(factors: 1_000_000, 1_000_900)
        guard let newest = honest.newest(of: 1),
            sells(Attempt(name: "", text: honest.text, mark: ParameterMark(newest)))
        else { return "the book as it was written does not sell" }
        for attempt in try attempts(honest, newest) {
            ways += 1
            if sells(attempt) { return attempt.name }
        }
        return nil
    }

    private func attempts(_ book: ParameterBook, _ newest: ParameterSet) throws -> [Attempt] {
        let mark = ParameterMark(newest)
        let text = book.text
        func resealed(_ old: String, _ new: String, withKey: Bool = true) -> String {
            Self.resealed(text.replacing(old, with: new), after: book.sets[0].hash, withKey: withKey)
        }
        let older = try self.book(factors: 1_000_000)
        return [
            Attempt(name: "a factor is altered", text: text.replacing("50:1000900", with: "50:1009000")),
            Attempt(
                name: "a factor is altered, and the hash made anew",
                text: resealed("50:1000900", "50:1009000", withKey: false)
            ),
            Attempt(
                name: "a calibration counter is lowered",
                text: resealed("calibration_counter 2", "calibration_counter 1")
            ),
            Attempt(
                name: "a configuration counter is raised",
                text: resealed(
                    "version 2\ncalibration_counter 2\nconfiguration_counter 1",
                    "version 2\ncalibration_counter 2\nconfiguration_counter 2"
                )
            ),
            Attempt(name: "a version is left out", text: resealed("version 2", "version 3")),
            Attempt(name: "an older book", text: older.text, mark: mark),
            Attempt(
                name: "another set of the same version",
                text: resealed("reason test 2", "reason other"),
                mark: mark
            ),
            Attempt(name: "another board's book", text: text, board: "that-board"),
            Attempt(name: "another terminal's book", text: text, terminal: TerminalID(0x3100_0000_0018)),
            Attempt(
                name: "a set under another key",
                text: try self.book(factors: 1_000_000, 1_000_900, foreign: true).text
            ),
        ]
    }

    private func sells(_ attempt: Attempt) -> Bool {
        guard let board = BoardSerial(attempt.board) else { return false }
        do throws(ParameterFault) {
            let book = try ParameterBook(parsing: Array(attempt.text.utf8))
            do throws(ParameterRefusal) {
                _ = try book.set(
                    of: 1,
                    of: attempt.terminal,
                    on: board,
                    attempt.mark,
                    under: Self.key(0x11, Self.reference)
                )
                return true
            } catch {
                return false
            }
        } catch {
            return false
        }
    }

    private func book(factors: Int..., foreign: Bool = false) throws -> ParameterBook {
        var book = ParameterBook(of: Self.terminal)
        guard let board = BoardSerial("this-board") else { preconditionFailure("a name of letters") }
        let other = KeyReference(index: KeyIndex(1), version: KeyVersion(3))
        for (index, factor) in factors.enumerated() {
            var meter = meter
            meter.points = [CalibrationPoint(litresPerMinute: 50, factorMillionths: factor)]
            let date = TransactionTime(utc: 1_790_000_000)
            let change = try ParameterChange(author: "A", second: "B", reason: "test \(index + 1)", date: date)
            let isForeign = foreign && index == factors.count - 1
            let key = isForeign ? Self.key(0x22, other) : Self.key(0x11, Self.reference)
            try book.add(meter, of: 1, on: board, by: change, under: key)
        }
        return book
    }

    /// The last set of a book with its hash, and with a key its code, made anew.
    private static func resealed(_ text: String, after last: [UInt8], withKey: Bool) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard let start = lines.lastIndex(where: { $0.hasPrefix("set ") }),
            let end = lines.lastIndex(where: { $0.hasPrefix("hash ") })
        else { preconditionFailure("the book has a set") }
        let covered = lines[start..<end].map { $0 + "\n" }.joined()
        let hash = SHA256.digest(of: last + terminal.bytes + Array(covered.utf8))
        var code = lines[end + 1]
        if withKey { code = "code 1.2.\(Hex.string(recordKey(0x11).parameterKey().code(of: hash).bytes))" }
        return (lines[..<end] + ["hash \(Hex.string(hash))", code, ""]).joined(separator: "\n")
    }

    private static func key(_ byte: UInt8, _ reference: KeyReference) -> ParameterKey {
        ParameterKey(recordKey(byte).parameterKey(), as: reference)
    }

    private static func recordKey(_ byte: UInt8) -> RecordKey {
        let digits = Hex.string((0..<16).map { byte &+ $0 })
        return RecordKey(LockedBuffer(hexadecimal: digits), as: reference)
    }
}
