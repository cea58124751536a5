package import ISO7816

/// An exchange in words, for a trace: the command's name, and each field's name with its bytes in hex.
///
/// Names and places come from the layouts that parse the bytes. A PIN never comes here: the commands
/// that carry one are traced by name.
package struct Trace: Sendable {
    package let instruction: Instruction

    package init(_ instruction: Instruction) { self.instruction = instruction }

    /// What stands for the fields of a command that carries a PIN in clear; nil for any other command.
    package var secretFields: [String]? { instruction.row.secrets }

    package func fields(of command: CommandAPDU) -> [String] {
        let row = instruction.row
        return row.parameters.words(command.header) + row.data.words(command.data)
    }

    package func fields(of answer: [UInt8]) -> [String] {
        answer.isEmpty ? [] : instruction.row.answer.words(answer)
    }
}
