package import ISO7816

/// A calendar day as 4 BCD bytes, YYYYMMDD.
package struct CalendarDate: Hashable, Comparable, Sendable {
    /// YYYYMMDD read as a decimal number.
    package let ordinal: UInt32

    /// - Throws: `.invalid` unless year 0 to 9999, month 1 to 12 and a day that the month has.
    package init(year: Int, month: Int, day: Int) throws(ParseError) {
        guard
            (0...9999).contains(year), (1...12).contains(month),
            day >= 1, day <= Self.days(in: month, of: year)
        else { throw .invalid("date") }
        ordinal = UInt32(year * 10_000 + month * 100 + day)
    }

    package var year: Int { Int(ordinal) / 10_000 }
    package var month: Int { Int(ordinal) / 100 % 100 }
    package var day: Int { Int(ordinal) % 100 }

    package static func < (left: CalendarDate, right: CalendarDate) -> Bool { left.ordinal < right.ordinal }

    private static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        case _: 31
        }
    }
}

/// Date and time of a transaction: YYYYMMDD and hhmmss, 7 BCD bytes. A card takes it as it comes; a terminal makes it
/// from its clock.
package struct TransactionTime: Hashable, Comparable, Sendable {
    private let packed: UInt64

    package init(date: CalendarDate, hour: Int, minute: Int, second: Int) throws(ParseError) {
        guard (0...23).contains(hour), (0...59).contains(minute), (0...59).contains(second) else {
            throw .invalid("time")
        }
        let digits = UInt64(date.ordinal) * 1_000_000 + UInt64(hour * 10_000 + minute * 100 + second)
        packed = BCD.encode(digits, count: Self.length * 2)
    }

    /// Later in time is greater, for valid BCD.
    package static func < (left: TransactionTime, right: TransactionTime) -> Bool { left.packed < right.packed }
}

/// Packed binary-coded decimal.
package enum BCD {
    package static func encode(_ number: UInt64, count: Int) -> UInt64 {
        var rest = number
        var result: UInt64 = 0
        for position in 0..<count {
            result |= (rest % 10) << (4 * UInt64(position))
            rest /= 10
        }
        return result
    }

    package static func decode(_ bytes: ArraySlice<UInt8>, _ name: String) throws(ParseError) -> Int {
        var number = 0
        for byte in bytes {
            guard byte >> 4 <= 9, byte & 0x0F <= 9 else { throw .invalid(name) }
            number = number * 100 + Int(byte >> 4) * 10 + Int(byte & 0x0F)
        }
        return number
    }
}

extension CalendarDate: DataElement {
    package static var length: Int { 4 }

    package init(bytes: ArraySlice<UInt8>) throws(ParseError) {
        let number = try BCD.decode(bytes, "date")
        try self.init(year: number / 10_000, month: number / 100 % 100, day: number % 100)
    }

    package func append(to bytes: inout [UInt8]) {
        UInt32(truncatingIfNeeded: BCD.encode(UInt64(ordinal), count: 8)).append(to: &bytes)
    }
}

extension CalendarDate: CustomStringConvertible {
    package var description: String {
        let digits = Hex.string(bytes)
        return "\(digits.prefix(4))-\(digits.dropFirst(4).prefix(2))-\(digits.suffix(2))"
    }
}

extension TransactionTime: DataElement {
    package static var length: Int { 7 }

    package init(bytes: ArraySlice<UInt8>) throws(ParseError) {
        packed = bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    package func append(to bytes: inout [UInt8]) {
        for index in (0..<Self.length).reversed() {
            bytes.append(UInt8(truncatingIfNeeded: packed >> (8 * UInt64(index))))
        }
    }
}

extension TransactionTime: CustomStringConvertible {
    /// `YYYY-MM-DD hh:mm:ss`
    package var description: String {
        let digits = Array(Hex.string(bytes))
        func part(_ range: Range<Int>) -> String { String(digits[range]) }
        return "\(part(0..<4))-\(part(4..<6))-\(part(6..<8)) \(part(8..<10)):\(part(10..<12)):\(part(12..<14))"
    }
}

extension TransactionTime {
    /// The day; nil when the bytes are no date.
    package var date: CalendarDate? {
        do throws(ParseError) { return try CalendarDate(bytes: bytes.prefix(4)) } catch { return nil }
    }
}
