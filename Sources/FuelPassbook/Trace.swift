package import ISO7816

/// An exchange in words, for a trace: the command's name, and each field's name with its bytes in hex.
///
/// Names and places come from the same readers that parse the bytes. A PIN never comes here: the commands
/// that carry one are traced by name.
package struct Trace: Sendable {
    package let instruction: Instruction

    package init(_ instruction: Instruction) { self.instruction = instruction }

    /// What stands for the fields of a command that carries a PIN in clear; nil for any other command.
    package var secretFields: [String]? {
        switch instruction {
        case .verify: ["PIN not shown"]
        case .changePIN: ["old PIN not shown", "new PIN not shown"]
        case .reloadPIN: ["new PIN not shown", "MAC not shown"]
        case _: nil
        }
    }

    package func fields(of command: CommandAPDU) -> [String] {
        switch instruction {
        case .select: ["AID \(Hex.string(command.data))"]
        case .readBinary: ["file \(Hex.string([command.header.p1 & 0x1F]))", "offset \(command.header.p2)"]
        case .readRecord: ["file \(Hex.string([ReadRecord(command.header).file]))", "record \(command.header.p1)"]
        case .verify, .changePIN, .reloadPIN: []
        case .getBalance, .getGreyStatus, .getChallenge: []
        case .externalAuthenticate: ["cryptogram \(Hex.string(command.data))"]
        case .internalAuthenticate: named(command.data, InternalAuthenticate.init(reading:))
        case .unblockPIN: named(command.data, UnblockPIN.init(reading:))
        case .blockApplication:
            [command.header.p2 == BlockDuration.permanent.rawValue ? "for good" : "until unblocked"]
                + ["MAC \(Hex.string(command.data))"]
        case .unblockApplication: ["MAC \(Hex.string(command.data))"]
        case .getTransactionProve:
            ["type \(Hex.string([command.header.p2]))", "number \(Hex.string(command.data))"]
        case .initializeForPetrol: named(command.data, InitializeForPetrol.init(reading:))
        case .lockForPetrol: named(command.data, LockForPetrol.init(reading:))
        case .debitForPetrol: named(command.data, DebitForPetrol.init(reading:))
        case .initializeForUnlock: named(command.data, InitializeForUnlock.init(reading:))
        case .debitForUnlock: named(command.data, DebitForUnlock.init(reading:))
        case .initializeForPurchase, .initializeForCashWithdrawal:
            named(command.data, InitializeForPurchase.init(reading:))
        case .debitForPurchase: named(command.data, DebitForPurchase.init(reading:))
        case .initializeForLoad: named(command.data, InitializeForLoad.init(reading:))
        case .creditForLoad: named(command.data, CreditForLoad.init(reading:))
        case .initializeForUnload: named(command.data, InitializeForUnload.init(reading:))
        case .debitForUnload: named(command.data, DebitForUnload.init(reading:))
        case .initializeForUpdate: named(command.data, InitializeForUpdate.init(reading:))
        case .updateOverdraftLimit: named(command.data, UpdateOverdraftLimit.init(reading:))
        }
    }

    package func fields(of answer: [UInt8]) -> [String] {
        guard !answer.isEmpty else { return [] }
        return switch instruction {
        case .select: ["FCI \(Hex.string(answer))"]
        case .readBinary:
            answer.count == PublicApplicationFile.length
                ? named(answer, PublicApplicationFile.init(reading:)) : ["bytes \(Hex.string(answer))"]
        case .readRecord: named(answer, LogRecord.init(reading:))
        case .verify, .changePIN, .reloadPIN, .unblockPIN, .externalAuthenticate, .blockApplication,
            .unblockApplication:
            []
        case .getChallenge: ["challenge \(Hex.string(answer))"]
        case .internalAuthenticate: named(answer, InternalAuthenticate.Response.init(reading:))
        case .getBalance: named(answer, GetBalance.Response.init(reading:))
        case .getTransactionProve: named(answer, TransactionProof.init(reading:))
        case .initializeForPetrol: named(answer, InitializeForPetrol.Response.init(reading:))
        case .lockForPetrol: named(answer, LockForPetrol.Response.init(reading:))
        case .debitForPetrol: named(answer, DebitForPetrol.Response.init(reading:))
        case .initializeForUnlock: named(answer, InitializeForUnlock.Response.init(reading:))
        case .debitForUnlock: named(answer, DebitForUnlock.Response.init(reading:))
        case .getGreyStatus: named(answer, GetGreyStatus.Response.init(reading:))
        case .initializeForPurchase, .initializeForCashWithdrawal:
            named(answer, InitializeForPurchase.Response.init(reading:))
        case .debitForPurchase: named(answer, DebitForPurchase.Response.init(reading:))
        case .initializeForLoad, .initializeForUnload: named(answer, OnlineInitialization.init(reading:))
        case .creditForLoad: named(answer, CreditForLoad.Response.init(reading:))
        case .debitForUnload: named(answer, DebitForUnload.Response.init(reading:))
        case .initializeForUpdate: named(answer, InitializeForUpdate.Response.init(reading:))
        case .updateOverdraftLimit: named(answer, UpdateOverdraftLimit.Response.init(reading:))
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
