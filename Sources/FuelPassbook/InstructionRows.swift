import ISO7816

extension Instruction {
    var row: Row { Self.rows[Int(rawValue)] }

    private static let rows = Row.table(allCases.map(\.written))

    private var written: Row {
        switch self {
        case .select:
            Row("SELECT", 0x00, 0xA4, 0x04, 0x00, .bytes("AID", 5...16), answer: .bytes("FCI", .variable))
        case .readBinary:
            Row("READ BINARY", 0x00, 0xB0, 0x80, 0x00, answer: .fileBytes)
                .varying(p1: 0x1F, p2: 0xFF) { ["file \(Hex.string([$0.p1 & 0x1F]))", "offset \($0.p2)"] }
        case .readRecord:
            Row("READ RECORD", 0x00, 0xB2, 0x00, 0x04, answer: .message(LogRecord.self, .variable))
                .varying(p1: 0xFF, p2: 0xF8) { ["file \(Hex.string([ReadRecord($0).file]))", "record \($0.p1)"] }
        case .verify: Row("VERIFY", 0x00, 0x20, 0x00, 0x00, .hidden(PIN.lengths), secrets: ["PIN"])
        case .getChallenge:
            Row("GET CHALLENGE", 0x00, 0x84, 0x00, 0x00, answer: .bytes("challenge", .oneOf(Challenge.lengths)))
        case .externalAuthenticate:
            Row("EXTERNAL AUTHENTICATE", 0x00, 0x82, 0x00, 0x00).of(ExternalAuthenticate.self)
        case .internalAuthenticate: Row("INTERNAL AUTHENTICATE", 0x00, 0x88, 0x00, 0x00).of(InternalAuthenticate.self)
        case .changePIN:
            Row("CHANGE PIN", 0x80, 0x5E, 0x01, 0x00, .hidden(ChangePIN.lengths), secrets: ["old PIN", "new PIN"])
        case .reloadPIN:
            Row("RELOAD PIN", 0x80, 0x5E, 0x00, 0x00, .hidden(ReloadPIN.lengths), secrets: ["new PIN", "MAC"])
        case .unblockPIN: Row("PIN UNBLOCK", 0x84, 0x24, 0x00, 0x01).of(UnblockPIN.self)
        case .blockApplication:
            Row("APPLICATION BLOCK", 0x84, 0x1E, 0x00, 0x00, .bytes("MAC", BlockApplication.length))
                .varying(p2: 0x01) { [$0.p2 == BlockDuration.permanent.rawValue ? "for good" : "until unblocked"] }
        case .unblockApplication: Row("APPLICATION UNBLOCK", 0x84, 0x18, 0x00, 0x00).of(UnblockApplication.self)
        case .getBalance: Row("GET BALANCE", 0x80, 0x5C, 0x00, 0x01).of(GetBalance.self)
        case .getTransactionProve:
            Row("GET TRANSACTION PROVE", 0x80, 0x5A, 0x00, 0x00, .bytes("number", UInt16.length), answer: .proof)
                .varying(p2: 0xFF) { ["type \(Hex.string([$0.p2]))"] }
        case .initializeForLoad: Row("INITIALIZE FOR LOAD", 0x80, 0x50, 0x00, 0x01).of(InitializeForLoad.self)
        case .creditForLoad: Row("CREDIT FOR LOAD", 0x80, 0x52, 0x00, 0x00).of(CreditForLoad.self)
        case .initializeForPurchase:
            Row("INITIALIZE FOR PURCHASE", 0x80, 0x50, 0x01, 0x01).of(InitializeForPurchase.self)
        case .initializeForCashWithdrawal:
            Row("INITIALIZE FOR CASH WITHDRAW", 0x80, 0x50, 0x02, 0x01).of(InitializeForPurchase.self)
        case .debitForPurchase:
            Row("DEBIT FOR PURCHASE / CASH WITHDRAW", 0x80, 0x54, 0x01, 0x00).of(DebitForPurchase.self)
        case .initializeForUnload: Row("INITIALIZE FOR UNLOAD", 0x80, 0x50, 0x05, 0x01).of(InitializeForUnload.self)
        case .debitForUnload: Row("DEBIT FOR UNLOAD", 0x80, 0x54, 0x03, 0x00).of(DebitForUnload.self)
        case .initializeForUpdate: Row("INITIALIZE FOR UPDATE", 0x80, 0x50, 0x04, 0x01).of(InitializeForUpdate.self)
        case .updateOverdraftLimit: Row("UPDATE OVERDRAFT LIMIT", 0x80, 0x58, 0x00, 0x00).of(UpdateOverdraftLimit.self)
        case .initializeForPetrol: Row("INITIALIZE FOR PETROL", 0xE0, 0x50, 0x01, 0x01).of(InitializeForPetrol.self)
        case .lockForPetrol: Row("LOCK FOR PETROL", 0xE0, 0x50, 0x02, 0x01).of(LockForPetrol.self)
        case .debitForPetrol: Row("DEBIT FOR PETROL", 0xE0, 0x54, 0x01, 0x00).of(DebitForPetrol.self)
        case .initializeForUnlock: Row("INITIALIZE FOR UNLOCK", 0xE0, 0x50, 0x03, 0x01).of(InitializeForUnlock.self)
        case .debitForUnlock: Row("DEBIT FOR UNLOCK", 0xE0, 0x54, 0x01, 0x01).of(DebitForUnlock.self)
        case .getGreyStatus: Row("GET GREY STATUS", 0xE0, 0x50, 0x04, 0x01).of(GetGreyStatus.self)
        }
    }

    /// What is known of one command, and how a trace tells it.
    struct Row: Sendable {
        let name: String
        let header: CommandHeader
        private(set) var data: Content<ClosedRange<Int>>
        private(set) var answer: Content<Answer>
        /// What a trace says in place of the fields of a command that carries a PIN in clear; nil for any other.
        let secrets: [String]?
        private(set) var parameters = Parameters()

        /// - Parameter secrets: the fields of a command that carries a PIN in clear, which no trace shows.
        init(
            _ name: String,
            _ cla: UInt8,
            _ ins: UInt8,
            _ p1: UInt8,
            _ p2: UInt8,
            _ data: Content<ClosedRange<Int>> = .nothing,
            answer: Content<Answer> = .nothing,
            secrets: [String]? = nil
        ) {
            self.name = name
            header = CommandHeader(cla, ins, p1, p2)
            self.data = data
            self.answer = answer
            self.secrets = secrets?.map { "\($0) not shown" }
        }
    }

    /// The bits of P1 and P2 that a command may set, zero in its header, and a trace's words for them.
    struct Parameters: Sendable {
        var p1: UInt8 = 0
        var p2: UInt8 = 0
        var words: @Sendable (CommandHeader) -> [String] = { _ in [] }
    }

    /// Data or an answer: how long it may be, and a trace's words for it.
    struct Content<Length: Sendable>: Sendable {
        let length: Length
        let words: @Sendable ([UInt8]) -> [String]
    }
}

extension Instruction.Row {
    /// A command whose data and answer are messages.
    func of<Command: PassbookCommand>(_: Command.Type) -> Self {
        var row = self
        row.data = Command.length == 0 ? .nothing : .message(Command.self, Command.length...Command.length)
        row.answer = Command.Response.length == 0 ? .nothing : .message(Command.Response.self)
        return row
    }

    func varying(
        p1: UInt8 = 0,
        p2: UInt8 = 0,
        words: @escaping @Sendable (CommandHeader) -> [String]
    ) -> Self {
        var row = self
        row.parameters = Instruction.Parameters(p1: p1, p2: p2, words: words)
        return row
    }

    func accepts(_ header: CommandHeader) -> Bool {
        header.cla == self.header.cla && header.ins == self.header.ins
            && header.p1 & ~parameters.p1 == self.header.p1 && header.p2 & ~parameters.p2 == self.header.p2
    }

    /// The rows, of which no two may accept one header.
    static func table(_ rows: [Self]) -> [Self] {
        for (index, row) in rows.enumerated() {
            precondition(row.accepts(row.header), "\(row.name) varies bits that its header sets")
            precondition(!rows[..<index].contains { $0.overlaps(row) }, "the header of \(row.name) is another's")
        }
        return rows
    }

    private func overlaps(_ other: Self) -> Bool {
        let p1 = ~(parameters.p1 | other.parameters.p1)
        let p2 = ~(parameters.p2 | other.parameters.p2)
        return header.cla == other.header.cla && header.ins == other.header.ins
            && header.p1 & p1 == other.header.p1 & p1 && header.p2 & p2 == other.header.p2 & p2
    }
}

extension Instruction.Content {
    /// Told by one name.
    static func bytes(_ name: String, _ length: Length) -> Self {
        Self(length: length) { ["\(name) \(Hex.string($0))"] }
    }

    /// Told by the names of its fields.
    static func message<Message: PassbookMessage>(_: Message.Type, _ length: Length) -> Self {
        Self(length: length) { Message.layout.words(of: $0) }
    }
}

extension Instruction.Content<ClosedRange<Int>> {
    static var nothing: Self { .hidden(0...0) }

    /// Of what no words are made.
    static func hidden(_ length: Length) -> Self { Self(length: length) { _ in [] } }

    static func bytes(_ name: String, _ length: Int) -> Self { .bytes(name, length...length) }
}

extension Instruction.Content<Instruction.Answer> {
    static var nothing: Self { Self(length: .none) { _ in [] } }

    static func message<Message: PassbookMessage>(_ type: Message.Type) -> Self {
        .message(type, .exactly(Message.length))
    }

    static var proof: Self { .message(TransactionProof.self) }

    /// Part of a file, of which the public one is told by its fields when it is whole.
    static var fileBytes: Self {
        let part = bytes("bytes", .variable)
        let whole = message(PublicApplicationFile.self, .variable)
        return Self(length: .variable) { bytes in
            bytes.count == PublicApplicationFile.length ? whole.words(bytes) : part.words(bytes)
        }
    }
}
