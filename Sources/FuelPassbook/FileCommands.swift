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
    package static let length = 30

    package let issuer: [UInt8]
    package let applicationType: UInt8
    package let applicationVersion: UInt8
    package let asn: ApplicationSerialNumber
    package let validFrom: CalendarDate
    package let validTo: CalendarDate
    package let commandVersion: UInt8
    package let reserved: UInt8

    package init(issuer: [UInt8], asn: ApplicationSerialNumber, validFrom: CalendarDate, validTo: CalendarDate) {
        precondition(issuer.count == 8)
        self.issuer = issuer
        applicationType = 0x01
        applicationVersion = 0x01
        self.asn = asn
        self.validFrom = validFrom
        self.validTo = validTo
        commandVersion = 0x01
        reserved = 0x00
    }

    package init(reading reader: inout FieldReader) throws(ParseError) {
        issuer = try Array(reader.read("issuer", count: 8))
        applicationType = try reader.read("application type")
        applicationVersion = try reader.read("application version")
        asn = try reader.read("ASN")
        validFrom = try reader.read("valid from")
        validTo = try reader.read("valid to")
        commandVersion = try reader.read("command version")
        reserved = try reader.read("reserved")
    }

    package func append(to bytes: inout [UInt8]) {
        bytes += issuer
        applicationType.append(to: &bytes)
        applicationVersion.append(to: &bytes)
        asn.append(to: &bytes)
        validFrom.append(to: &bytes)
        validTo.append(to: &bytes)
        commandVersion.append(to: &bytes)
        reserved.append(to: &bytes)
    }
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
    package static let length = 23

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

    package init(reading reader: inout FieldReader) throws(ParseError) {
        number = try reader.read("number")
        overdraftLimit = try reader.read("overdraft limit")
        amount = try reader.read("amount")
        type = try reader.read("type")
        terminal = try reader.read("TID")
        time = try reader.read("date and time")
    }

    package func append(to bytes: inout [UInt8]) {
        number.append(to: &bytes)
        overdraftLimit.append(to: &bytes)
        amount.append(to: &bytes)
        type.append(to: &bytes)
        terminal.append(to: &bytes)
        time.append(to: &bytes)
    }
}
