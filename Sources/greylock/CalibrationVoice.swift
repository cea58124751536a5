import Console
import Quantities
import Threads

/// Who answers a calibration: somebody at the terminal, or a script.
protocol CalibrationVoice: AnyObject {
    func say(_ text: String)

    /// Shows a line in the place of the one that was shown so before.
    func show(_ line: String)

    /// - Parameters:
    ///   - key: by which a script knows the question.
    ///   - usual: what is meant by nothing.
    ///   - isFresh: what was typed before the question is no answer to it, since it says that something was done or decided.
    ///   - use: throws ``CalibrationRefusal`` for what cannot be meant.
    func ask<Value>(
        _ key: String,
        _ question: String,
        usual: String?,
        isFresh: Bool,
        use: (String) throws(CalibrationRefusal) -> Value
    ) throws(ServiceFailure) -> Value

    /// What somebody pressed while something goes on; nil after that time.
    func key(withinMilliseconds limit: Int32) throws(ServiceFailure) -> UInt8?
}

/// Why an answer is not taken, and what is expected.
struct CalibrationRefusal: Error {
    let words: String

    init(_ words: String) { self.words = words }
}

extension CalibrationVoice {
    /// A text, which may be typed before its question.
    func ask<Value>(
        _ key: String,
        _ question: String,
        usual: String?,
        use: (String) throws(CalibrationRefusal) -> Value
    ) throws(ServiceFailure) -> Value {
        try ask(key, question, usual: usual, isFresh: false, use: use)
    }

    func confirms(_ key: String, _ question: String) throws(ServiceFailure) -> Bool {
        try ask(key, "\(question), yes or no", usual: nil, isFresh: true) { answer throws(CalibrationRefusal) in
            switch answer.lowercased() {
            case "yes", "y": true
            case "no", "n": false
            case _: throw CalibrationRefusal("type yes or no")
            }
        }
    }
}

/// Somebody at the terminal, who is asked again until the answer can be meant.
final class TypedVoice: CalibrationVoice {
    private let terminal: SilentTerminal
    private var shown = 0

    init() throws(ServiceFailure) { terminal = try SilentTerminal(for: "answer", holding: HeldSignals()) }

    /// The last column stays free: not every terminal waits there before it begins another row.
    private var width: Int { max(20, terminal.columns - 1) }

    func say(_ text: String) {
        terminal.say((shown > 0 ? "\n" : "") + text.wrapped(toColumns: width) + "\n")
        shown = 0
    }

    func show(_ line: String) {
        let line = String(line.prefix(width))
        terminal.say("\r" + line.padded(toColumns: shown))
        shown = line.columns
    }

    func ask<Value>(
        _ key: String,
        _ question: String,
        usual: String?,
        isFresh: Bool,
        use: (String) throws(CalibrationRefusal) -> Value
    ) throws(ServiceFailure) -> Value {
        if shown > 0 { say("") }
        let asked = (usual.map { $0.isEmpty ? question : "\(question) [\($0)]" } ?? question).wrapped(toColumns: width)
        var early: SilentTerminal.Early = isFresh ? .discarded : .text
        while true {
            let typed = try terminal.askOpenly(asked, early: early, rule: "type one line of text") { $0 }
            let blank = typed.allSatisfy { $0 == " " }
            do throws(CalibrationRefusal) { return try use(blank ? usual ?? "" : typed) } catch {
                terminal.say("  \(error.words)\n".wrapped(toColumns: width))
                early = .discarded
            }
        }
    }

    func key(withinMilliseconds limit: Int32) throws(ServiceFailure) -> UInt8? {
        do throws(ServiceFailure) {
            guard let key = try terminal.key(withinMilliseconds: limit) else { return nil }
            if [0x03, 0x04, 0x1C].contains(key) { throw terminal.cancelled() }
            return key
        } catch {
            if shown > 0 { say("") }
            throw error
        }
    }
}
