package import FuelPassbook
import ISO7816
package import Metering
package import Quantities

/// The parameters of one side's meter as they were put in force: by whom, why, when, for which board. What it says is read as its
/// own: `set.meter`.
@dynamicMemberLookup
package struct ParameterSet: Hashable, Sendable {
    package let content: Content
    /// Over the hash of the set before it in the book, the terminal's id and this set's text.
    package let hash: [UInt8]
    package let code: Code

    package struct Content: Hashable, Sendable {
        /// In the book, from 1.
        package let number: Int
        package let side: Int
        /// Of this side's sets, from 1.
        package let version: Int
        package let counters: Counters
        /// Of the first set of a side after its book was lost: what the journal knew of the last one; else nil.
        package let lost: ParameterMark?
        package let board: BoardSerial
        package let change: ParameterChange
        package let meter: MeterParameters
    }

    /// As inspectors know them: both only rise.
    package struct Counters: Hashable, Sendable {
        package static let first = Counters(calibration: 1, configuration: 1)

        /// Rises with the counts per litre and the factors.
        package let calibration: Int
        /// Rises with anything else.
        package let configuration: Int

        package init(calibration: Int, configuration: Int) {
            self.calibration = calibration
            self.configuration = configuration
        }
    }

    package struct Code: Hashable, Sendable {
        /// Of the record key.
        package let reference: KeyReference
        package let bytes: [UInt8]
    }

    package subscript<Value>(dynamicMember path: KeyPath<Content, Value>) -> Value { content[keyPath: path] }

    /// 8 digits, for a display and for paper: the first of the hash.
    package var checksum: String { String(Hex.string(hash).prefix(8)) }
}

extension ParameterSet.Counters {
    /// Of a side's first set. Nobody knows what a lost one said, so both rise.
    static func first(after lost: ParameterMark?) -> ParameterSet.Counters {
        guard let counters = lost?.counters else { return .first }
        return ParameterSet.Counters(
            calibration: counters.calibration + 1,
            configuration: counters.configuration + 1
        )
    }

    /// Of a set of the same side after `last`. One with the same parameters is for another board, or under another key.
    init(after last: ParameterSet, _ meter: MeterParameters, on board: BoardSerial) {
        let isCalibrated = last.meter.isCalibrated(as: meter)
        var others = meter
        others.pulsesPerLitre = last.meter.pulsesPerLitre
        others.points = last.meter.points
        let isConfigured = others == last.meter && board == last.board && !isCalibrated
        self.init(
            calibration: last.counters.calibration + (isCalibrated ? 0 : 1),
            configuration: last.counters.configuration + (isConfigured ? 0 : 1)
        )
    }
}

extension MeterParameters {
    /// A count is worth the same.
    package func isCalibrated(as other: MeterParameters) -> Bool {
        pulsesPerLitre == other.pulsesPerLitre && pulser.countsPerPulse == other.pulser.countsPerPulse
            && points == other.points
    }
}

/// Who changed a side's parameters, why and when.
package struct ParameterChange: Hashable, Sendable {
    package static let reasonMax = 200

    package let author: String
    /// Who looked at it too: another than the author.
    package let second: String
    package let reason: String
    /// UTC.
    package let date: TransactionTime

    /// - Throws: in words, what of it is none.
    package init(author: String, second: String, reason: String, date: TransactionTime) throws(ParameterProblem) {
        let name = "a name has 1 to \(PersonName.countMax) characters that can be seen"
        guard let author = PersonName.checked(author) else { throw ParameterProblem("the author: \(name)") }
        guard let second = PersonName.checked(second) else { throw ParameterProblem("the second person: \(name)") }
        guard !PersonName.areSame(author, second) else {
            throw ParameterProblem("the second person is the author: somebody else has to look at it too")
        }
        let reason = PersonName.trimmed(reason)
        guard (1...Self.reasonMax).contains(reason.count), reason.utf8.count <= 4 * Self.reasonMax,
            reason.printable == reason
        else {
            throw ParameterProblem("the reason has 1 to \(Self.reasonMax) characters that can be seen, in one line")
        }
        guard date.date != nil, date != .unknown else { throw ParameterProblem("the clock is not set: set it first") }
        (self.author, self.second, self.reason, self.date) = (author, second, reason, date)
    }
}

/// What a board calls itself.
package struct BoardSerial: Hashable, Sendable, CustomStringConvertible {
    package static let countMax = 64

    /// 1 to 64 letters and digits of ASCII, dots, dashes and underscores.
    package let text: String

    package init?(_ text: String) {
        let isLegal = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            case _: false
            }
        }
        guard isLegal, (1...Self.countMax).contains(text.utf8.count) else { return nil }
        self.text = text
    }

    package var description: String { text }
}

/// Why a set is not made, in words that say what to do.
package struct ParameterProblem: Error, Equatable, Sendable {
    package let words: String

    package init(_ words: String) { self.words = words }
}
