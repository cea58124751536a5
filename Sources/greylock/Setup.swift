import ArgumentParser
import Configuration
import Console
import Files
import GPIO
import Glibc
import ISO7816
import PCSC
import StationInterface
import Threads

struct Setup: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a configuration from a board's profile and a few answers.",
        discussion: """
            What no option says is asked at the terminal; a script gives at least --profile, --terminal and --aid or --demonstration, and \
            for each side --grade and --price, and is asked nothing. Options of a side stand once for each, in the order of the sides. \
            The file is judged by the parser of the service, before and after it is written.

            A profile is the name of one in \(BoardProfile.folder), or the path of a file; without it, the one that knows this \
            board.

            Exit status: 0; 64 for an answer that cannot be meant; 69 when nobody can be asked; 74 when the file is there \
            already or cannot be written; 78 for a wrong profile. \(ExitStatusHelp.common)
            """
    )

    @Option(help: ArgumentHelp("The configuration to write; the unit reads /etc/greylock.toml.", valueName: "FILE"))
    var config: String

    @Flag(help: "Replace a file that is there.")
    var force = false

    @Option(help: ArgumentHelp("The board's profile.", valueName: "PROFILE"))
    var profile: String?

    @Flag(help: "Sell with the published keys, which protect nothing: for the bench.")
    var demonstration = false

    @Option(help: ArgumentHelp("The terminal's id in the scheme, 12 hexadecimal digits.", valueName: "ID"))
    var terminal: String?

    @Option(help: ArgumentHelp("The card application, 10 to 32 hexadecimal digits.", valueName: "AID"))
    var aid: String?

    @Option(help: ArgumentHelp("How many fuelling sides; 1 without it.", valueName: "N"))
    var sides: String?

    @Option(help: ArgumentHelp("Lines that are not wired: b, emergency, slow_valve.", valueName: "LINES"))
    var without: String?

    @Option(help: ArgumentHelp("Of a side: its nozzle's number; without it, the side's.", valueName: "N"))
    var nozzle: [String] = []

    @Option(help: ArgumentHelp("Of a side: what it sells, 1 to 8 characters.", valueName: "GRADE"))
    var grade: [String] = []

    @Option(help: ArgumentHelp("Of a side: fen per litre.", valueName: "FEN"))
    var price: [String] = []

    @Option(
        help: ArgumentHelp(
            "Of a side: its card reader, by name or a part of it; needed with several sides.",
            valueName: "NAME"
        )
    )
    var reader: [String] = []

    @Option(
        help: ArgumentHelp(
            "Of a side: where its PIN comes from, a keypad's path in /dev/input or a kind as in the configuration; without it, the console, and in a demonstration \"fixed\" from side 2 on.",
            valueName: "WHERE"
        )
    )
    var pin: [String] = []

    @Option(help: ArgumentHelp("What customers read, english or chinese.", valueName: "LANGUAGE"))
    var language: String?

    @Option(help: ArgumentHelp("Where journal and keys lie.", valueName: "FOLDER"))
    var folder = "/var/lib/greylock"

    @Flag(help: "The storage key is a credential of the unit, made by greylock-storage-key.")
    var credential = false

    func run() throws {
        try runTool("setup") { () throws(ServiceFailure) in
            try requireFree()
            let own: String? = if let profile { profile } else { try BoardProfile.ofThisBoard() }
            if let own, sides != nil { _ = try sideCount(nil, atMost: BoardProfile.load(own).sides.count) }
            let missing = missing(own)
            if !missing.isEmpty, isatty(STDIN_FILENO) == 0 {
                throw ServiceFailure(
                    exitStatus: ServiceFailure.unavailable,
                    reason: "nobody can be asked: give \(missing.joined(separator: ", ")), or run this at a terminal"
                )
            }
            let voice = missing.isEmpty ? nil : try SetupVoice()
            let answers = try answers(SetupDialogue(voice: voice, file: config), own)
            try write(answers)
            SetupSteps(answers: answers, config: config).write()
        }
    }

    private func requireFree() throws(ServiceFailure) {
        guard !force, unsafe access(config, F_OK) == 0 else { return }
        throw ServiceFailure(
            exitStatus: ServiceFailure.inputOutput,
            reason: "\(config) is there already, and is left as it is: name a new file, or replace it with --force"
        )
    }

    /// Options without which a script's answers are not whole.
    private func missing(_ profile: String?) -> [String] {
        let count = sides.flatMap { Int($0) } ?? 1
        let wanted: [(String, Bool)] = [
            ("--profile", profile == nil), ("--terminal", terminal == nil && !demonstration),
            ("--aid", aid == nil && !demonstration), ("--grade", grade.count < count), ("--price", price.count < count),
            ("--reader", reader.count < count && count > 1),
        ]
        return wanted.filter(\.1).map(\.0)
    }

    private func write(_ answers: SetupAnswers) throws(ServiceFailure) {
        let text = Array(answers.text.utf8)
        do throws(ConfigurationError) { _ = try Configuration(toml: text, file: config) } catch {
            throw ServiceFailure(error)
        }
        do throws(FileFault) { try WholeFile.replace(config, with: text, keepingMode: true, isPublic: true) } catch {
            throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: error.reason)
        }
        do throws(ConfigurationError) { _ = try Configuration.load(path: config) } catch { throw ServiceFailure(error) }
    }
}

// The questions, in their order.
extension Setup {
    private func answers(_ dialogue: SetupDialogue, _ own: String?) throws(ServiceFailure) -> SetupAnswers {
        let name: String = if let own { own } else { try askForProfile(dialogue) }
        var answers = SetupAnswers(name, try BoardProfile.load(name))
        answers.folder = folder
        answers.hasCredential = credential
        answers.hasGroups = SocketKind.allCases.allSatisfy { unsafe getgrnam(SetupAnswers.group(of: $0)) != nil }
        dialogue.voice?.say(
            "\(answers.profile.board), profile \(name). Enter alone takes what stands in brackets; Ctrl-C ends, and writes nothing."
        )
        if try isDemonstration(dialogue) { answers.beDemonstration() }
        for question in boardQuestions(answers) { try dialogue.take(question, into: &answers) }
        let count = try sideCount(dialogue.voice, atMost: answers.profile.sides.count)
        try requireOnePerSide(count)
        showReaders(dialogue)
        for number in 1...count {
            answers.sides.append(
                SetupAnswers.Side(
                    nozzle: "\(number)",
                    reader: number > 1 ? "reader \(number)" : nil,
                    pin: number > 1 && answers.isDemonstration ? "fixed" : "terminal"
                )
            )
            for question in sideQuestions(number, of: count, answers) { try dialogue.take(question, into: &answers) }
        }
        return answers
    }

    private func askForProfile(_ dialogue: SetupDialogue) throws(ServiceFailure) -> String {
        guard let voice = dialogue.voice else { preconditionFailure("a missing profile is asked for") }
        let installed = BoardProfile.installed()
        let known =
            installed.isEmpty ? "the path of a file" : "\(installed.joined(separator: ", ")), or the path of a file"
        return try voice.ask("the board's profile: \(known)", usual: nil) { name throws(SetupRefusal) in
            do throws(ServiceFailure) { _ = try BoardProfile.load(name) } catch {
                throw SetupRefusal(expected: "a profile: \(error.reason)")
            }
            return name
        }
    }

    private func isDemonstration(_ dialogue: SetupDialogue) throws(ServiceFailure) -> Bool {
        guard !demonstration, terminal == nil, aid == nil, let voice = dialogue.voice else { return demonstration }
        let words = "use the published demonstration keys (bench only), yes or no"
        return try voice.ask(words, usual: "no") { answer throws(SetupRefusal) in
            switch answer.lowercased() {
            case "yes", "y": true
            case "no", "n": false
            case _: throw SetupRefusal(expected: "yes or no")
            }
        }
    }

    private func sideCount(_ voice: SetupVoice?, atMost most: Int) throws(ServiceFailure) -> Int {
        func count(_ answer: String) throws(SetupRefusal) -> Int {
            guard let count = Int(answer), (1...most).contains(count) else {
                throw SetupRefusal(expected: "1 to \(most), as many as the profile has lines for")
            }
            return count
        }
        if sides == nil, let voice { return try voice.ask("fuelling sides", usual: "1", use: count) }
        do throws(SetupRefusal) { return try count(sides ?? "1") } catch {
            throw ServiceFailure(
                exitStatus: 64,
                reason: "--sides: expected \(error.expected) (found \"\(sides ?? "1")\")"
            )
        }
    }

    /// An answer too much would be nobody's.
    private func requireOnePerSide(_ count: Int) throws(ServiceFailure) {
        let given = [
            ("--nozzle", nozzle), ("--grade", grade), ("--price", price), ("--reader", reader), ("--pin", pin),
        ]
        for (option, values) in given where values.count > count {
            throw ServiceFailure(
                exitStatus: 64,
                reason:
                    "\(option) stands \(values.count) times, and there \(count == 1 ? "is 1 side" : "are \(count) sides")"
            )
        }
    }

    private func showReaders(_ dialogue: SetupDialogue) {
        guard let voice = dialogue.voice, reader.isEmpty else { return }
        do throws(CardFault) {
            let found = try ReaderSearch.find(nil)
            voice.say("Card readers now: \(([found.reader] + found.others).joined(separator: "; ")).")
        } catch {
            voice.say("Card readers now: none is seen.")
        }
    }

    private func boardQuestions(_ answers: SetupAnswers) -> [SetupQuestion] {
        let custody = [
            SetupQuestion(
                option: "--terminal",
                side: nil,
                words: "the terminal's id from the issuer",
                keys: ["terminal.id"],
                given: terminal,
                usual: answers.isDemonstration ? answers.terminal : nil
            ) { $0.terminal = $1 },
            SetupQuestion(
                option: "--aid",
                side: nil,
                words: "the card application's AID from the issuer",
                keys: ["card.aid"],
                given: aid,
                usual: nil
            ) { $0.aid = $1 },
        ]
        return (answers.isDemonstration ? Array(custody.prefix(1)) : custody) + [
            SetupQuestion(
                option: "--language",
                side: nil,
                words: "what customers read, english or chinese",
                keys: ["display.language"],
                given: language,
                usual: "english"
            ) { $0.language = $1 },
            SetupQuestion(
                option: "--without",
                side: nil,
                words: "lines that are not wired, of b, emergency and slow_valve; Enter for none",
                keys: [],
                given: without,
                usual: ""
            ) { answers, text throws(SetupRefusal) in answers.unwired = try Self.unwired(text) },
        ]
    }

    private static func unwired(_ text: String) throws(SetupRefusal) -> Set<GPIORole> {
        let optional: [GPIORole] = [.pulserB, .emergency, .slowValve]
        var unwired: Set<GPIORole> = []
        for word in text.split(whereSeparator: { $0 == "," || $0 == " " }) {
            guard let role = optional.first(where: { $0.key == word }) else {
                throw SetupRefusal(expected: "some of b, emergency and slow_valve; the other lines have to be wired")
            }
            unwired.insert(role)
        }
        return unwired
    }

    private func sideQuestions(_ number: Int, of count: Int, _ answers: SetupAnswers) -> [SetupQuestion] {
        let index = number - 1
        let table = "side.\(number)"
        func question(
            _ option: String,
            _ words: String,
            _ keys: [String],
            _ given: [String],
            _ usual: String?,
            _ answer: @escaping (inout SetupAnswers.Side, String) -> Void
        ) -> SetupQuestion {
            SetupQuestion(
                option: option,
                side: number,
                words: words,
                keys: keys.map { "\(table).\($0)" },
                given: given.count > index ? given[index] : nil,
                usual: usual
            ) { answers, text in answer(&answers.sides[index], text) }
        }
        return [
            question("--nozzle", "its nozzle's number", ["pump.nozzle"], nozzle, "\(number)") { $0.nozzle = $1 },
            question("--grade", "what it sells, 1 to 8 characters", ["pump.grade"], grade, nil) { $0.grade = $1 },
            question("--price", "fen per litre, 721 being 7.21 yuan", ["pump.price"], price, nil) { $0.price = $1 },
            question(
                "--reader",
                count > 1
                    ? "its card reader's name, or a part of it" : "its card reader's name; Enter for the only one",
                ["card.reader"],
                reader,
                count > 1 ? nil : ""
            ) { $0.reader = $1.isEmpty ? nil : $1 },
            question(
                "--pin",
                "where its PIN comes from, or a keypad's path",
                ["pin.kind", "pin.device"],
                pin,
                answers.sides[index].pin
            ) { $0.pin = $1 },
        ]
    }
}
