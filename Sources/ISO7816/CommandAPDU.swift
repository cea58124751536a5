/// The four header bytes of a command (ISO/IEC 7816-4, 5.1).
package struct CommandHeader: Hashable, Sendable {
    package var cla: UInt8
    package var ins: UInt8
    package var p1: UInt8
    package var p2: UInt8

    package init(_ cla: UInt8, _ ins: UInt8, _ p1: UInt8, _ p2: UInt8) {
        self.cla = cla
        self.ins = ins
        self.p1 = p1
        self.p2 = p2
    }
}

/// Where the parts of a short command APDU lie (ISO/IEC 7816-4, 5.1: cases 1 to 4; extended lengths are refused).
///
/// The body is a range and not a copy, so that a command that carries a PIN is read where it lies.
package struct CommandLayout: Equatable, Sendable {
    package let header: CommandHeader
    package let body: Range<Int>
    /// Ne, 1 to 256; nil when the Le field is absent.
    package let expectedLength: Int?

    /// - Throws: `.truncated` below four bytes, `.wrongLength` when Lc and the bytes present disagree.
    package init(parsing bytes: Span<UInt8>) throws(ParseError) {
        guard bytes.count >= 4 else { throw .truncated("command header") }
        header = CommandHeader(bytes[0], bytes[1], bytes[2], bytes[3])
        guard bytes.count > 5 else {
            body = 4..<4
            expectedLength = bytes.count == 5 ? Self.ne(bytes[4]) : nil
            return
        }
        let bodyEnd = 5 + Int(bytes[4])
        guard bytes[4] > 0, bytes.count == bodyEnd || bytes.count == bodyEnd + 1 else {
            throw .wrongLength("command body")
        }
        body = 5..<bodyEnd
        expectedLength = bytes.count > bodyEnd ? Self.ne(bytes[bodyEnd]) : nil
    }

    private static func ne(_ le: UInt8) -> Int { le == 0 ? 256 : Int(le) }
}

/// A short command APDU without secrets (ISO/IEC 7816-4, 5.1).
package struct CommandAPDU: Equatable, Sendable {
    package static let dataLengthMax = 255

    package var header: CommandHeader
    package var data: [UInt8]
    /// Ne, 1 to 256; nil for no Le field.
    package var expectedLength: Int?

    package init(_ header: CommandHeader, data: [UInt8] = [], expectedLength: Int? = nil) {
        precondition(data.count <= Self.dataLengthMax)
        precondition(expectedLength.map { (1...256).contains($0) } ?? true)
        self.header = header
        self.data = data
        self.expectedLength = expectedLength
    }

    package init(parsing bytes: Span<UInt8>) throws(ParseError) {
        let layout = try CommandLayout(parsing: bytes)
        self.init(
            layout.header,
            data: Array(copying: bytes.extracting(layout.body)),
            expectedLength: layout.expectedLength)
    }

    package var bytes: [UInt8] {
        var bytes = [header.cla, header.ins, header.p1, header.p2]
        if !data.isEmpty {
            bytes.append(UInt8(data.count))
            bytes += data
        }
        if let expectedLength { bytes.append(UInt8(truncatingIfNeeded: expectedLength)) }
        return bytes
    }
}

extension [UInt8] {
    package init(copying span: Span<UInt8>) {
        self.init()
        reserveCapacity(span.count)
        for index in span.indices { append(span[index]) }
    }
}
