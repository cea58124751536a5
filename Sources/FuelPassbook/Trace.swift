package import ISO7816

/// An exchange in words, for a trace: the command's name, and each field's name with its bytes in hex.
///
/// Names and places come from the same readers that parse the bytes. A PIN never comes here: VERIFY is traced by name.
package struct Trace: Sendable {
    package let instruction: Instruction

    package init(_ instruction: Instruction) { self.instruction = instruction }

    package func fields(of command: CommandAPDU) -> [String] {
        switch instruction {
        case .select: ["AID \(Hex.string(command.data))"]
        case .readBinary: ["file \(Hex.string([command.header.p1 & 0x1F]))", "offset \(command.header.p2)"]
        case .verify: ["PIN not shown"]
        case .getBalance, .getGreyStatus: []
        case .getTransactionProve:
            ["type \(Hex.string([command.header.p2]))", "number \(Hex.string(command.data))"]
        case .initializeForPetrol: named(command.data, InitializeForPetrol.init(reading:))
        case .lockForPetrol: named(command.data, LockForPetrol.init(reading:))
        case .debitForPetrol: named(command.data, DebitForPetrol.init(reading:))
        case .initializeForUnlock: named(command.data, InitializeForUnlock.init(reading:))
        case .debitForUnlock: named(command.data, DebitForUnlock.init(reading:))
        }
    }

    package func fields(of answer: [UInt8]) -> [String] {
        guard !answer.isEmpty else { return [] }
        return switch instruction {
        case .select: ["FCI \(Hex.string(answer))"]
        case .readBinary:
            answer.count == PublicApplicationFile.length
                ? named(answer, PublicApplicationFile.init(reading:)) : ["bytes \(Hex.string(answer))"]
        case .verify: []
        case .getBalance: named(answer, GetBalance.Response.init(reading:))
        case .getTransactionProve: named(answer, TransactionProof.init(reading:))
        case .initializeForPetrol: named(answer, InitializeForPetrol.Response.init(reading:))
        case .lockForPetrol: named(answer, LockForPetrol.Response.init(reading:))
        case .debitForPetrol: named(answer, DebitForPetrol.Response.init(reading:))
        case .initializeForUnlock: named(answer, InitializeForUnlock.Response.init(reading:))
        case .debitForUnlock: named(answer, DebitForUnlock.Response.init(reading:))
        case .getGreyStatus: named(answer, GetGreyStatus.Response.init(reading:))
        }
    }

    private func named<Message>(
        _ bytes: [UInt8],
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
