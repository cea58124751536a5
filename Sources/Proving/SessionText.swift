package import CardCryptography
import ISO7816
import Metering
import Quantities

// A session on disk: a text of lines, written whole after each step.
//
//     greylock-calibration 1
//     begun TIME PURPOSE SIDE TECHNICIAN STATION BOARD METER PULSER VERSION SHA256
//     old VERSION CHECKSUM PULSES COUNTS-PER-PULSE LITRES-PER-MINUTE:FACTOR,...
//     plan RUNS LEAST PULSES PULSES ROLE:LITRES-PER-MINUTE:PROVER,...
//     prover ...  conditions ...  run ...  override ...  spoilt ...  judged  proposed  confirmed ...  applied ...  abandoned ...
//     code HEX
//
// An override stands behind what it let stand; a spoilt delivery from elsewhere has "-" for its point and kind. Volumes are in
// microlitres, temperatures in thousandths of a degree, coefficients in billionths, times YYYYMMDDhhmmss. Of a text, all bytes but
// letters, digits, "." and "_" of ASCII stand as "%" and two hexadecimal digits. The code covers every byte before its line, so an
// edited session is told. What is worked out is not stored.

extension CalibrationSession {
    package static let bytesMax = 1 << 23

    fileprivate static let title = "greylock-calibration 1"
    fileprivate static let codeMark = "code "

    /// - Parameter key: drawn from the record key; the same opens it.
    package func bytes(under key: borrowing CodeKey) -> [UInt8] {
        let body = body
        return body + Array("\(Self.codeMark)\(Hex.string(key.code(of: body).bytes))\n".utf8)
    }

    /// - Throws: ``ProvingFault`` for any other text than this program wrote under this key.
    package init(parsing bytes: [UInt8], under key: borrowing CodeKey) throws(ProvingFault) {
        guard bytes.count <= Self.bytesMax, let text = String(validating: bytes, as: UTF8.self) else {
            throw Self.noSession
        }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard lines.count >= 3, lines.last == "", lines[lines.count - 2].hasPrefix(Self.codeMark) else {
            throw Self.noSession
        }
        guard lines[0] == Self.title else {
            guard lines[0].hasPrefix("greylock-calibration ") else { throw Self.noSession }
            throw ProvingFault("another version of this program began the session: abandon it and begin again")
        }
        let last = lines[lines.count - 2]
        let body = Array(bytes.dropLast(last.utf8.count + 1))
        let code = SessionWords.hexadecimal(last.dropFirst(Self.codeMark.count))
        guard let code, key.code(of: body).isValid(code) else {
            throw ProvingFault("the session's code is wrong: the file was changed, or another terminal made it")
        }
        var reader = SessionReader(lines.dropFirst().dropLast(2))
        self = try reader.session()
        guard self.body == body else { throw Self.noSession }
    }

    fileprivate static let noSession = ProvingFault("it is no session that greylock calibrate wrote")

    private var body: [UInt8] { Array((([Self.title] + lines).joined(separator: "\n") + "\n").utf8) }

    private var lines: [String] {
        switch self {
        case .begun(let assignment): assignment.lines
        case .equipped(let equipped): equipped.lines
        case .running(let running): running.lines
        case .judged(let judged): judged.lines
        case .proposed(let proposed): proposed.lines
        case .confirmed(let confirmed): confirmed.lines
        case .applied(let applied):
            applied.confirmed.lines
                + [SessionWords.line("applied", [applied.time], [applied.new.checksum], [applied.new.version])]
        case .abandoned(let session, let end):
            session.lines + [SessionWords.line("abandoned", [end.time], [end.person, end.reason])]
        }
    }
}

enum SessionWords {
    static func line(_ name: String, _ words: [any SessionWord]...) -> String {
        ([name] + words.joined().map(\.word)).joined(separator: " ")
    }

    static func list(_ words: [String]) -> String { words.isEmpty ? "-" : words.joined(separator: ",") }

    static func hexadecimal(_ text: some StringProtocol) -> [UInt8]? {
        do throws(ParseError) { return try Hex.bytes(text) } catch { return nil }
    }

    private static let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._".utf8)

    static func encoded(_ text: String) -> String {
        text.utf8.map { plain.contains($0) ? String(UnicodeScalar($0)) : "%" + Hex.string([$0]) }.joined()
    }

    static func decoded(_ text: some StringProtocol) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let first = rest.popFirst() {
            guard first == UInt8(ascii: "%") else {
                guard plain.contains(first) else { return nil }
                bytes.append(first)
                continue
            }
            guard let byte = hexadecimal(String(decoding: rest.prefix(2), as: UTF8.self)), byte.count == 1 else {
                return nil
            }
            bytes += byte
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

/// What is one word of a session's line.
protocol SessionWord {
    var word: String { get }
}

extension TypedText: SessionWord { var word: String { SessionWords.encoded(text) } }
extension Volume: SessionWord { var word: String { "\(microlitres)" } }
extension Temperature: SessionWord { var word: String { "\(milliCelsius)" } }
extension Expansion: SessionWord { var word: String { "\(billionthsPerKelvin)" } }
extension TransactionTime: SessionWord { var word: String { Hex.string(bytes) } }
extension CalendarDate: SessionWord { var word: String { Hex.string(bytes) } }
extension Int: SessionWord { var word: String { "\(self)" } }
extension UInt64: SessionWord { var word: String { "\(self)" } }
extension String: SessionWord { var word: String { self } }

extension Override {
    fileprivate var line: String {
        SessionWords.line("override", [rule.rawValue, SessionWords.encoded(found)], [reason, person])
    }
}

extension Assignment {
    fileprivate var lines: [String] {
        [
            SessionWords.line(
                "begun",
                [begun, purpose.rawValue, side, technician, station, board, meterSerial, pulserSerial],
                [software.version, software.sha256]
            ),
            SessionWords.line(
                "old",
                [old.version, old.checksum, old.pulsesPerLitre, old.countsPerPulse],
                [SessionWords.list(old.points.map { "\($0.litresPerMinute):\($0.factorMillionths)" })]
            ),
            SessionWords.line(
                "plan",
                [plan.runsMin, plan.leastQuantity, plan.pulsesPerLitre.lowerBound, plan.pulsesPerLitre.upperBound],
                [SessionWords.list(plan.points.map { "\($0.role.rawValue):\($0.litresPerMinute):\($0.prover)" })]
            ),
        ]
    }
}

extension Equipped {
    fileprivate var lines: [String] {
        assignment.lines + provers.map(\.line) + overrides.map(\.line)
    }
}

extension Prover {
    fileprivate var line: String {
        let accuracy =
            switch accuracy {
            case .certificate(let expanded, let factor): "certificate:\(expanded.microlitres):\(factor)"
            case .limit(let millionths): "limit:\(millionths)"
            }
        return SessionWords.line(
            "prover",
            [serial, nominal, correction, accuracy, certificate, expires, expansion, wettingSeconds, dripSeconds],
            [scaleDivision]
        )
    }
}

extension Running {
    fileprivate var lines: [String] {
        let conditions = SessionWords.line(
            "conditions",
            [self.conditions.air, self.conditions.liquid, self.conditions.expansion],
            [self.conditions.expansionThousandths, self.conditions.thermometerMilliKelvin]
        )
        return equipped.lines + [conditions] + runs.flatMap { [$0.line] + $0.overrides.map(\.line) }
            + spoilt.map(\.line)
    }
}

extension Run {
    fileprivate var line: String {
        SessionWords.line(
            "run",
            [point, delivery.kind.rawValue, delivery.begun, delivery.record, delivery.nanoseconds],
            [delivery.ratedCounts, delivery.ratedNanoseconds, delivery.faults, delivery.displayedCentilitres],
            [reading.scale, reading.meter, reading.prover],
            [SessionWords.list(delivery.counts.map(String.init)), SessionWords.list(refusedReadings.map(\.word))],
            [SessionWords.list(flaws.map(\.word))]
        )
    }
}

extension SpoiltDelivery {
    fileprivate var line: String {
        SessionWords.line("spoilt", [point.map(\.word) ?? "-", kind?.rawValue ?? "-", begun, record], [cause])
    }
}

extension SpoiltDelivery.Cause: SessionWord {
    var word: String {
        switch self {
        case .interrupted: "interrupted"
        case .unread: "unread"
        case .notWhole(let reason): "reason:\(SessionWords.encoded(reason))"
        case .elsewhere: "elsewhere"
        }
    }
}

extension RunFlaw: SessionWord {
    var word: String {
        switch self {
        case .flow(let flow): "flow:\(flow)"
        case .littleAtRate: "little"
        case .pulserFaults(let count): "faults:\(count)"
        case .mixed: "mixed"
        case .byPerson(let reason, let person): "person:\(reason.word):\(person.word)"
        }
    }
}

extension Judged {
    fileprivate var lines: [String] { running.lines + ["judged"] }
}

extension Proposed {
    fileprivate var lines: [String] { judged.lines + ["proposed"] + overrides.map(\.line) }
}

extension Confirmed {
    fileprivate var lines: [String] { proposed.lines + [SessionWords.line("confirmed", [time], [second])] }
}
