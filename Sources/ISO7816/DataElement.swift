/// A value of fixed length inside a command or a response.
package protocol DataElement: Sendable {
    static var length: Int { get }

    /// Reads exactly `length` bytes.
    init(bytes: ArraySlice<UInt8>) throws(ParseError)

    func append(to bytes: inout [UInt8])
}

extension DataElement {
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.length)
        append(to: &bytes)
        return bytes
    }

    package init(parsing bytes: [UInt8]) throws(ParseError) {
        guard bytes.count == Self.length else { throw .wrongLength("\(Self.self)") }
        try self.init(bytes: bytes[...])
    }
}

extension UInt8: DataElement {
    package static var length: Int { 1 }
}

extension UInt16: DataElement {
    package static var length: Int { 2 }
}

extension UInt32: DataElement {
    package static var length: Int { 4 }
}

extension DataElement where Self: FixedWidthInteger & UnsignedInteger {
    package init(bytes: ArraySlice<UInt8>) throws(ParseError) {
        self = bytes.reduce(0) { $0 << 8 | Self($1) }
    }

    package func append(to bytes: inout [UInt8]) {
        for index in (0..<Self.length).reversed() {
            bytes.append(UInt8(truncatingIfNeeded: self >> (8 * index)))
        }
    }
}

/// Reads named data elements in order; the name of each stands in the error and in a trace.
package struct FieldReader {
    /// A part that was read: its name and where it lies.
    package struct Field: Equatable, Sendable {
        package let name: String
        package let range: Range<Int>
    }

    private let bytes: [UInt8]
    private var offset = 0
    /// The parts read so far; kept only when the reader was told to record them.
    package private(set) var fields: [Field] = []
    private let records: Bool

    package init(_ bytes: [UInt8], recording: Bool = false) {
        self.bytes = bytes
        records = recording
    }

    package mutating func read<Element: DataElement>(
        _ name: String, as type: Element.Type = Element.self
    ) throws(ParseError) -> Element {
        try Element(bytes: read(name, count: Element.length))
    }

    package mutating func read(_ name: String, count: Int) throws(ParseError) -> ArraySlice<UInt8> {
        guard count <= bytes.count - offset else { throw .truncated(name) }
        let range = offset..<offset + count
        if records { fields.append(Field(name: name, range: range)) }
        offset = range.upperBound
        return bytes[range]
    }

    /// - Throws: `.wrongLength` when bytes are left over.
    package func finish(_ name: String) throws(ParseError) {
        guard offset == bytes.count else { throw .wrongLength(name) }
    }
}
