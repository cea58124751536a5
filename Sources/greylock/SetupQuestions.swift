import Configuration
import Console
import Quantities
import Threads

/// One thing that a configuration has to say.
struct SetupQuestion {
    /// "--price"
    let option: String
    /// nil for a question of the whole board.
    let side: Int?
    let words: String
    /// Of the configuration, where it judges the answer.
    let keys: [String]
    /// What the command line says; nil where it does not.
    let given: String?
    /// What is meant by nothing; nil where there is no such thing.
    let usual: String?
    let answer: (inout SetupAnswers, String) throws(SetupRefusal) -> Void
}

/// Why an answer is not taken: what is expected.
struct SetupRefusal: Error {
    let expected: String
}

/// Somebody at the terminal, who is asked again until the answer can be meant.
final class SetupVoice {
    private let terminal: SilentTerminal

    init() throws(ServiceFailure) { terminal = try SilentTerminal(for: "answer", holding: HeldSignals()) }

    private var width: Int { max(20, terminal.columns - 1) }

    func say(_ text: String) { terminal.say(text.wrapped(toColumns: width) + "\n") }

    func ask<Value>(
        _ question: String,
        usual: String?,
        use: (String) throws(SetupRefusal) -> Value
    ) throws(ServiceFailure) -> Value {
        let usually = usual.map { $0.isEmpty ? "" : " [\($0)]" } ?? ""
        var early = SilentTerminal.Early.text
        while true {
            let asked = "\(question)\(usually)".wrapped(toColumns: width)
            let typed = try terminal.askOpenly(asked, early: early, rule: "type one line of text") { $0 }
            do throws(SetupRefusal) {
                if typed.contains(where: { $0 != " " }) { return try use(typed) }
                guard let usual else { throw SetupRefusal(expected: "an answer") }
                return try use(usual)
            } catch {
                say("  expected \(error.expected)")
                early = .discarded
            }
        }
    }
}

/// Takes each answer from the command line, from somebody at the terminal, or as usual.
struct SetupDialogue {
    /// nil where nobody is asked.
    let voice: SetupVoice?
    /// The file that is to be written, for errors.
    let file: String

    func take(_ question: SetupQuestion, into answers: inout SetupAnswers) throws(ServiceFailure) {
        guard question.given == nil, let voice else {
            let answer = question.given ?? question.usual ?? ""
            do throws(SetupRefusal) { answers = try judged(question, answer, answers) } catch {
                let side = question.side.map { " of side \($0)" } ?? ""
                throw ServiceFailure(
                    exitStatus: 64,
                    reason: "\(question.option)\(side): expected \(error.expected) (found \"\(answer.printable)\")"
                )
            }
            return
        }
        let side = question.side.map { "side \($0): " } ?? ""
        let before = answers
        answers = try voice.ask("\(side)\(question.words)", usual: question.usual) { typed throws(SetupRefusal) in
            try judged(question, typed, before)
        }
    }

    /// The parser of the configuration says what it expects of the answer, beside those that were taken before.
    private func judged(
        _ question: SetupQuestion,
        _ answer: String,
        _ answers: SetupAnswers
    ) throws(SetupRefusal) -> SetupAnswers {
        var candidate = answers
        try question.answer(&candidate, answer)
        do throws(ConfigurationError) {
            _ = try Configuration(toml: Array(candidate.judged.utf8), file: file)
        } catch {
            // Another answer's problem is that one's, and in the end the whole is judged.
            if question.keys.contains(where: { $0 == error.key }) { throw SetupRefusal(expected: error.expected) }
        }
        return candidate
    }
}

extension SetupAnswers {
    /// The text, with a side that stands in while none was asked for.
    fileprivate var judged: String {
        guard sides.isEmpty else { return text }
        var whole = self
        whole.sides = [Side(nozzle: "1", pin: "terminal")]
        return whole.text
    }
}
