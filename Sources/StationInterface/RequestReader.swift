import Codes
private import Glibc
import SQLite

/// Reads requests. SQLite's JSON functions are the parser: a strict one (RFC 8259) that the service has anyway.
struct RequestReader: Sendable {
    /// Of a line without its end.
    static let lineBytesMax = 65_536
    /// Of a request; no command has half as many. More are not looked at: a line has room for some thousands.
    static let membersMax = 16

    private let connection: Connection

    init() throws { connection = try Connection(":memory:") }

    /// What is wrong with a line, and whose request it is as far as that can be read.
    struct Fault: Error, Equatable {
        let id: RequestID?
        let refusal: RequestRefusal
    }

    func read(_ line: [UInt8], at socket: SocketKind) throws(Fault) -> Request {
        var members: RequestMembers
        do throws(RequestRefusal) { members = try RequestMembers(self.members(of: line)) } catch {
            throw Fault(id: nil, refusal: error)
        }
        var id: RequestID?
        do throws(RequestRefusal) {
            let named = try members.id()
            id = named
            let command = try Command(&members, at: socket)
            try members.requireNoMore()
            return Request(id: named, command: command)
        } catch {
            throw Fault(id: id, refusal: error)
        }
    }

    func members(of line: [UInt8]) throws(RequestRefusal) -> [RequestMembers.Member] {
        // SQLite ends a text at its first NUL, written as it is or escaped.
        guard let text = String(validating: line, as: UTF8.self), !Self.hasNUL(line) else { throw Self.notAnObject }
        let argument = [ColumnValue(text)]
        do {
            return try connection.withDatabase { db in
                guard try db.value("SELECT json_valid(?1) AND instr(?1, '\\u0000') = 0", argument) == 1,
                    try db.value("SELECT json_type(?)", argument) == "object"
                else { throw Self.notAnObject }
                let most = [ColumnValue(Self.membersMax + 1)]
                let rows = try db.rows(
                    "SELECT key, type, atom, value FROM json_each(?) LIMIT ?",
                    argument + most
                )
                guard rows.count <= Self.membersMax else {
                    throw RequestRefusal(.memberUnknown, "no command has more than \(Self.membersMax) members")
                }
                return try rows.map { row in
                    let type = row[1].text ?? ""
                    let elements = "SELECT CASE type WHEN 'integer' THEN atom END FROM json_each(?) LIMIT ?"
                    let most = ColumnValue(Order.numbersMax + 1)
                    let list = type == "array" ? try db.rows(elements, [row[3], most]).map { $0[0] } : []
                    return RequestMembers.Member(name: row[0].text ?? "", type: type, value: row[2], integers: list)
                }
            }
        } catch let refusal as RequestRefusal {
            throw refusal
        } catch {
            throw RequestRefusal(.notAnObject, "the line cannot be read: \(error)")
        }
    }

    /// The corresponding C function is `memchr`.
    private static func hasNUL(_ line: [UInt8]) -> Bool {
        // SAFETY: looks at the line's bytes alone.
        unsafe line.withUnsafeBytes { bytes in
            unsafe bytes.baseAddress.flatMap { unsafe memchr($0, 0, bytes.count) } != nil
        }
    }

    private static let notAnObject = RequestRefusal(
        .notAnObject,
        "expected one JSON object in UTF-8 on a line, without NUL"
    )
}

/// The members of one request, each to be taken once.
struct RequestMembers {
    struct Member {
        let name: String
        /// As `json_each` names it.
        let type: String
        /// Of a list or an object, null.
        let value: ColumnValue
        /// Of a list, null for what is none; of one that is too long, one more than there may be.
        let integers: [ColumnValue]
    }

    private var members: [String: Member] = [:]

    init(_ members: [Member]) throws(RequestRefusal) {
        for member in members {
            guard self.members.updateValue(member, forKey: member.name) == nil else {
                throw RequestRefusal(.memberTwice, "the member \(quoted(member.name)) is there twice")
            }
        }
    }

    mutating func id() throws(RequestRefusal) -> RequestID {
        let expected = "a text of 1 to \(RequestID.charactersMax) characters or an integer"
        guard let member = members.removeValue(forKey: "id") else { throw Self.missing("id", expected) }
        switch (member.type, member.value) {
        case ("integer", .integer(let number)): return .integer(number)
        case ("text", .text(let text)) where (1...RequestID.charactersMax).contains(text.count): return .text(text)
        case _: throw Self.wrong("id", expected)
        }
    }

    /// - Parameters:
    ///   - counts: of characters, all of which can be printed.
    ///   - hasLines: line feeds may stand between them.
    mutating func text(
        _ name: String,
        _ counts: ClosedRange<Int>,
        hasLines: Bool = false
    ) throws(RequestRefusal) -> String {
        let expected =
            "a text of \(counts.lowerBound) to \(counts.upperBound) printable characters"
            + (hasLines ? " and line ends" : "")
        guard let member = members.removeValue(forKey: name) else { throw Self.missing(name, expected) }
        guard case ("text", .text(let text)) = (member.type, member.value), counts.contains(text.count),
            text.unicodeScalars.allSatisfy({
                $0.properties.generalCategory.isPrintable || hasLines && $0 == "\n"
            })
        else { throw Self.wrong(name, expected) }
        return text
    }

    /// Of a list that is read by cursor: from its start and as many as there may be, where nothing else is said.
    mutating func page(max: Int) throws(RequestRefusal) -> (after: UInt32, limit: Int) {
        (
            after: has("after") ? UInt32(try integer("after", 0...Int64(UInt32.max))) : 0,
            limit: has("limit") ? Int(try integer("limit", 1...Int64(max))) : max
        )
    }

    mutating func integer(_ name: String, _ range: ClosedRange<Int64>) throws(RequestRefusal) -> Int64 {
        let expected = "an integer from \(range.lowerBound) to \(range.upperBound)"
        guard let member = members.removeValue(forKey: name) else { throw Self.missing(name, expected) }
        guard case ("integer", .integer(let number)) = (member.type, member.value), range.contains(number) else {
            throw Self.wrong(name, expected)
        }
        return number
    }

    /// Elements of so many bytes each, as hexadecimal digits without anything between.
    mutating func digits(_ name: String, _ counts: ClosedRange<Int>, bytes: Int) throws(RequestRefusal) -> [UInt8] {
        let expected = "\(counts.lowerBound) to \(counts.upperBound) times \(2 * bytes) hexadecimal digits"
        guard let member = members.removeValue(forKey: name) else { throw Self.missing(name, expected) }
        guard case ("text", .text(let text)) = (member.type, member.value) else { throw Self.wrong(name, expected) }
        let digits = Array(text.utf8)
        guard digits.count % (2 * bytes) == 0, counts.contains(digits.count / (2 * bytes)) else {
            throw Self.wrong(name, expected)
        }
        var read: [UInt8] = []
        read.reserveCapacity(digits.count / 2)
        var all: UInt8 = 0
        for place in stride(from: 0, to: digits.count, by: 2) {
            let (high, low) = (Self.digitValues[Int(digits[place])], Self.digitValues[Int(digits[place + 1])])
            all |= high | low
            read.append(high << 4 | low)
        }
        guard all < 16 else { throw Self.wrong(name, expected) }
        return read
    }

    /// Of each byte; 16 of one that is no digit.
    private static let digitValues: [UInt8] = (0..<256).map { byte in
        UnicodeScalar(UInt8(byte)).isASCII
            ? Character(UnicodeScalar(UInt8(byte))).hexDigitValue.map(UInt8.init) ?? 16 : 16
    }

    /// Record numbers, as many as may be.
    mutating func numbers(_ name: String, _ counts: ClosedRange<Int>) throws(RequestRefusal) -> [UInt32] {
        let expected = "a list of \(counts.lowerBound) to \(counts.upperBound) numbers from 1 to \(UInt32.max)"
        guard let member = members.removeValue(forKey: name) else { throw Self.missing(name, expected) }
        let numbers = member.integers.compactMap { $0.integer.flatMap { UInt32(exactly: $0) } }.filter { $0 > 0 }
        guard numbers.count == member.integers.count, counts.contains(numbers.count) else {
            throw Self.wrong(name, expected)
        }
        return numbers
    }

    func has(_ name: String) -> Bool { members[name] != nil }

    func requireNoMore() throws(RequestRefusal) {
        guard let name = members.keys.min() else { return }
        throw RequestRefusal(.memberUnknown, "the member \(quoted(name)) is none of this command")
    }

    private static func missing(_ name: String, _ expected: String) -> RequestRefusal {
        RequestRefusal(.memberMissing, "the member \(quoted(name)) is missing: expected \(expected)")
    }

    private static func wrong(_ name: String, _ expected: String) -> RequestRefusal {
        RequestRefusal(.memberWrong, "the member \(quoted(name)): expected \(expected)")
    }
}

/// As it is shown to people: nobody's line fills a log.
private func quoted(_ name: String) -> String {
    let shown = name.prefix(40).map {
        $0.unicodeScalars.allSatisfy { $0.properties.generalCategory.isPrintable } ? $0 : "?"
    }
    return "\"\(String(shown))\""
}

extension Unicode.GeneralCategory {
    fileprivate var isPrintable: Bool {
        switch self {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        case _: true
        }
    }
}

extension Command {
    private static let nameCharactersMax = 32
    package static let keyCharactersMax = 64
    /// Of one answer, which is a line too.
    package static let recordsMax = 40

    /// Of one file, which is a line too.
    package static let greysMax = 100

    /// Of a list of blocked cards.
    package static let partsMax = 10_000
    /// Of a part.
    package static let cardsMax = 3_000
    package static let cardBytesCount = 10

    private static func isForControl(_ name: String) -> RequestRefusal {
        RequestRefusal(.readOnly, "\(name) is a command for the control socket")
    }

    init(_ members: inout RequestMembers, at socket: SocketKind) throws(RequestRefusal) {
        let name = try members.text("command", 1...Self.nameCharactersMax)
        switch name {
        case "status": self = .status
        case "watch": self = .watch
        case "records":
            guard socket == .control else { throw Self.isForControl(name) }
            let page = try members.page(max: Self.recordsMax)
            self = .errand(.records(after: page.after, limit: page.limit))
        case "greys":
            guard socket == .control else { throw Self.isForControl(name) }
            let page = try members.page(max: Self.greysMax)
            self = .errand(.greys(after: page.after, limit: page.limit))
        case "cards":
            guard socket == .control else { throw Self.isForControl(name) }
            self = .errand(
                .cards(
                    part: Int(try members.integer("part", 0...Int64(Self.partsMax - 1))),
                    try members.digits("cards", 1...Self.cardsMax, bytes: Self.cardBytesCount)
                )
            )
        case _:
            let order = try Order(name, &members)
            guard socket == .control else { throw Self.isForControl(name) }
            self = .errand(.order(order, key: try members.text("key", 1...Self.keyCharactersMax)))
        }
    }
}

extension RequestMembers {
    fileprivate mutating func side() throws(RequestRefusal) -> Int { Int(try integer("side", 1...99)) }
}

extension Order {
    package static let reasonCharactersMax = 200
    /// 999.99 yuan.
    package static let fenPerLitreMax: Int64 = 99_999
    /// The end of the year 9999.
    package static let utcMax: Int64 = 253_402_300_799
    package static let numbersMax = 1_000
    /// Of grey records; that of ``Command/greysMax`` is shorter.
    package static let fileBytesMax = 60_000
    package static let blockedCardsMax: Int64 = 1_000_000

    fileprivate init(_ name: String, _ members: inout RequestMembers) throws(RequestRefusal) {
        switch name {
        case "drain": self = .drain
        case "undrain": self = .undrain
        case "block":
            self = .block(side: try members.side(), reason: try members.text("reason", 1...Self.reasonCharactersMax))
        case "unblock": self = .unblock(side: try members.side())
        case "price":
            self = .price(
                side: try members.side(),
                fenPerLitre: Int(try members.integer("fenPerLitre", 1...Self.fenPerLitreMax)),
                from: try members.has("from") ? members.integer("from", 0...Self.utcMax) : nil
            )
        case "blacklist":
            self = .blacklist(
                count: Int(try members.integer("count", 0...Self.blockedCardsMax)),
                sha256: try members.digits("sha256", 1...1, bytes: 32)
            )
        case "take-greys": self = .takeGreys(file: try members.text("file", 1...Self.fileBytesMax, hasLines: true))
        case "level":
            let expected = LogLevel.allCases.map(\.rawValue).joined(separator: ", ")
            guard let level = LogLevel(rawValue: try members.text("level", 1...16)) else {
                throw RequestRefusal(.memberWrong, "the member \(quoted("level")): expected one of \(expected)")
            }
            self = .level(level)
        case "acknowledge": self = .acknowledge(try members.numbers("numbers", 1...Self.numbersMax))
        case _: throw RequestRefusal(.commandUnknown, "there is no command \(quoted(name))")
        }
    }
}
