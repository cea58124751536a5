package import ISO7816

/// An exchange in words, for a trace: the command's name, and each field's name with its bytes in hex.
///
/// Names and places come from the same readers that parse the bytes. A PIN never comes here: the commands
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

    static func fields<Message>(
        of bytes: [UInt8],
        _ read: (inout FieldReader) throws(ParseError) -> Message
    ) -> [String] {
        var reader = FieldReader(bytes, recording: true)
        do throws(ParseError) {
            _ = try read(&reader)
            try reader.finish("message")
        } catch {
            return ["\(error): \(Hex.string(bytes))"]
        }
        return reader.fields.map { "\($0.name) \(Hex.string(bytes[$0.range]))" }
    }
}
