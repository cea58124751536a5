import ArgumentParser
import Console
import FuelPassbook
import ISO7816
import Threads

struct CardAPDU: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apdu",
        abstract: "Send commands to a card and show each exchange, field by field.",
        discussion: """
            Each HEX is one command APDU, such as 00A4040008F0504554524F4C0100 (SELECT) or 805C000104 (GET BALANCE). \
            The card is powered up once, before the first, and keeps its state between them. What is sent takes \
            effect: a debit with the right code is a debit, on a virtual card too.

            A command that carries a PIN is refused: the command line stays in the shell's history and is seen by \
            other users. Use --verify, which asks for the PIN at the terminal.

            Exit status: 0 when every command was answered, whatever the answer; 1 when --verify did not \
            succeed; 69 when the card cannot be reached, 74 when its file cannot be read. \(ExitStatusHelp.common)
            """
    )

    @OptionGroup var target: CardTarget

    @Flag(help: "First select the application and verify the PIN, which is asked for at the terminal.")
    var verify = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The application that --verify selects, 10 to 32 hexadecimal digits.", valueName: "HEX")
    )
    var aid = ApplicationArgument(bytes: Demonstration.aid)

    @Argument(help: ArgumentHelp("A command APDU in hexadecimal; blanks within quotation marks.", valueName: "HEX"))
    var commands: [String] = []

    func validate() throws {
        guard verify || !commands.isEmpty else { throw ValidationError("give a command in hexadecimal, or --verify") }
        _ = try parsed()
    }

    func run() throws {
        let commands = try parsed()
        try runTool("card apdu") { () throws(ServiceFailure) in
            let card = try target.connect()
            defer { card.disconnect() }
            if verify { try verifyPIN(card) }
            for command in commands { _ = try card.exchange(command) { writeLine($0) } }
        }
    }

    /// No message repeats what was typed: it may be a PIN.
    private func parsed() throws(ValidationError) -> [RawCommand] {
        var parsed: [RawCommand] = []
        for (index, text) in commands.enumerated() {
            let bytes: [UInt8]
            do throws(ParseError) { bytes = try Hex.bytes(text) } catch {
                throw ValidationError("command \(index + 1): expected hexadecimal digits, two for each byte")
            }
            guard bytes.count >= 4 else {
                throw ValidationError("command \(index + 1): expected at least the four bytes of a command's header")
            }
            let command = RawCommand(bytes: bytes)
            guard !command.mayCarryPIN else {
                throw ValidationError(
                    "command \(index + 1) may carry a PIN, which other users and the shell's history now have:"
                        + " use --verify, and change the PIN if it was a real one"
                )
            }
            parsed.append(command)
        }
        return parsed
    }

    private func verifyPIN(_ card: any CardReader) throws(ServiceFailure) {
        let refused = try Selection.select(aid.bytes) { (command) throws(ServiceFailure) in
            try card.exchange(RawCommand(bytes: command.bytes)) { writeLine($0) }
        }
        guard refused == nil else {
            throw ServiceFailure(exitStatus: 1, reason: "the application was not selected, so no PIN is asked for")
        }
        let answer = try card.verify(try PINPrompt().ask("PIN")) { writeLine($0) }
        guard answer.status == .success else {
            throw ServiceFailure(exitStatus: 1, reason: "the PIN was not verified, so nothing else is sent")
        }
    }
}
