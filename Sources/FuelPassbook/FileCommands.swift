package import ISO7816
package import Quantities

// The files of the application and the commands that read them (spec/passbook.md, Files).

/// READ BINARY of a file by its short identifier.
package struct ReadBinary: Sendable {
    package let file: UInt8
    package let offset: UInt8
    /// 1 to 256.
    package let count: Int

    package init(file: UInt8, offset: UInt8 = 0, count: Int) {
        self.file = file
        self.offset = offset
        self.count = count
    }

    package var apdu: CommandAPDU {
        var header = Instruction.readBinary.header
        header.p1 |= file
        header.p2 = offset
        return CommandAPDU(header, expectedLength: count)
    }
}

/// The public application data, SFI 15 (spec/passbook.md, Files).
package struct PublicApplicationFile: PassbookMessage, Equatable {
    package static let shortIdentifier: UInt8 = 0x15
    private static let issuerLength = 8

    package let issuer: [UInt8]
    package let applicationType: UInt8
    package let applicationVersion: UInt8
    package let asn: ApplicationSerialNumber
    package let validFrom: CalendarDate
    package let validTo: CalendarDate
    package let commandVersion: UInt8
    package let reserved: UInt8

    package init(issuer: [UInt8], asn: ApplicationSerialNumber, validFrom: CalendarDate, validTo: CalendarDate) {
        precondition(issuer.count == Self.issuerLength)
        self.init(issuer, 0x01, 0x01, asn, validFrom, validTo, 0x01, 0x00)
    }

    private init(
        _ issuer: [UInt8],
        _ applicationType: UInt8,
        _ applicationVersion: UInt8,
        _ asn: ApplicationSerialNumber,
        _ validFrom: CalendarDate,
        _ validTo: CalendarDate,
        _ commandVersion: UInt8,
        _ reserved: UInt8
    ) {
        self.issuer = issuer
        self.applicationType = applicationType
        self.applicationVersion = applicationVersion
        self.asn = asn
        self.validFrom = validFrom
        self.validTo = validTo
        self.commandVersion = commandVersion
        self.reserved = reserved
    }

    package static let layout = MessageLayout(
        Self.init,
        Field("issuer", count: issuerLength, \.issuer),
        Field("application type", \.applicationType),
        Field("application version", \.applicationVersion),
        Field("ASN", \.asn),
        Field("valid from", \.validFrom),
        Field("valid to", \.validTo),
        Field("command version", \.commandVersion),
        Field("reserved", \.reserved)
    )
}

/// The holder, SFI 16 (spec/passbook.md, Files): kind, staff flag, name, number of the identity paper and its kind.
package struct HolderFile: Equatable, Sendable {
    package static let shortIdentifier: UInt8 = 0x16
    package static let nameLength = 20
    /// How long an identity number may be: 39 bytes of file and a little more.
    package static let idNumberLengths = 16...32

    package let kind: UInt8
    package let staff: UInt8
    package let name: [UInt8]
    package let idNumber: [UInt8]
    package let idKind: UInt8

    /// Nobody in particular: zeros.
    package static let blank = HolderFile(
        kind: 0,
        staff: 0,
        name: [UInt8](repeating: 0, count: nameLength),
        idNumber: [UInt8](repeating: 0, count: idNumberLengths.lowerBound),
        idKind: 0
    )

    /// - Parameters:
    ///   - name: 20 bytes.
    ///   - idNumber: 16 to 32 bytes.
    package init(kind: UInt8, staff: UInt8, name: [UInt8], idNumber: [UInt8], idKind: UInt8) {
        precondition(name.count == Self.nameLength && Self.idNumberLengths.contains(idNumber.count))
        self.kind = kind
        self.staff = staff
        self.name = name
        self.idNumber = idNumber
        self.idKind = idKind
    }

    /// - Throws: `.wrongLength` unless the identity number has 16 to 32 bytes.
    package init(parsing bytes: [UInt8]) throws(ParseError) {
        let idLength = bytes.count - Self.nameLength - 3
        guard Self.idNumberLengths.contains(idLength) else { throw .wrongLength("holder") }
        var reader = FieldReader(bytes)
        try self.init(reading: &reader, idLength: idLength)
    }

    init(reading reader: inout FieldReader, idLength: Int) throws(ParseError) {
        kind = try reader.read("holder kind")
        staff = try reader.read("staff flag")
        name = try Array(reader.read("holder name", count: Self.nameLength))
        idNumber = try Array(reader.read("identity number", count: idLength))
        idKind = try reader.read("identity kind")
    }

    package var bytes: [UInt8] { [kind, staff] + name + idNumber + [idKind] }
}

/// READ RECORD of a file by its short identifier.
package struct ReadRecord: Sendable {
    package let file: UInt8
    /// 1 is the newest record of the log.
    package let number: UInt8

    package init(file: UInt8 = LogRecord.shortIdentifier, number: UInt8) {
        precondition(file < 0x20)
        self.file = file
        self.number = number
    }

    package init(_ header: CommandHeader) {
        file = header.p2 >> 3
        number = header.p1
    }

    package var apdu: CommandAPDU {
        var header = Instruction.readRecord.header
        header.p1 = number
        header.p2 |= file << 3
        return CommandAPDU(header, expectedLength: LogRecord.length)
    }
}

/// One record of the cyclic log, SFI 18.
package struct LogRecord: PassbookMessage, Equatable {
    package static let shortIdentifier: UInt8 = 0x18

    /// The offline or online number before it counted up (D22).
    package let number: UInt16
    /// In force after the transaction.
    package let overdraftLimit: OverdraftLimit
    /// Zero for a change of the overdraft limit.
    package let amount: Amount
    package let type: TransactionType
    package let terminal: TerminalID
    package let time: TransactionTime

    package init(
        number: UInt16,
        overdraftLimit: OverdraftLimit,
        amount: Amount,
        type: TransactionType,
        terminal: TerminalID,
        time: TransactionTime
    ) {
        self.number = number
        self.overdraftLimit = overdraftLimit
        self.amount = amount
        self.type = type
        self.terminal = terminal
        self.time = time
    }

    package static let layout = MessageLayout(
        Self.init,
        Field("number", \.number),
        Field("overdraft limit", \.overdraftLimit),
        Field("amount", \.amount),
        Field("type", \.type),
        Field("TID", \.terminal),
        Field("date and time", \.time)
    )
}
